"""Questions with known answers → the weights of `ranking.json` and `calibration.json`.

Ranking is a listwise logistic regression: the weights under which the right sentences of a question
take most of a softmax over its candidates. Calibration is a logistic regression over signals: can
the articles answer at all? Both are small, so that new questions are answered as well as those they
were fitted on; `cross_validate` measures that, with the questions of each fold left out of the fit.

A sentence counts as right where the quote that it is widened to answers, or, once the ranker has
read it, where the quote does that a finding would lead with.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrieval.calibration import (
    FIRST_SIGNALS,
    RANKED_FIRST_SIGNALS,
    RANKED_SIGNALS,
    SIGNALS,
    Logistic,
    Sureness,
    probability,
    signals,
    undoubted,
)
from retrieval.datatypes import Hit, Sentence
from retrieval.embedding import Encoder
from retrieval.evidence import EVIDENCE, evidence
from retrieval.judging import OWN_PARAGRAPH, SHOWN, GoldQuestion, claim, rights
from retrieval.lexical import LexicalIndex
from retrieval.library import Library
from retrieval.measures import auroc, calibration_error, mean, reliability
from retrieval.offices import name_parties
from retrieval.questions import Query, understand
from retrieval.quoting import lead_quote, quote
from retrieval.ranking import RANKER, RERANKED, ordered, read, reordered
from retrieval.reranking import Reranker
from retrieval.searching import search

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

FOLDS = 5
SEED = 1
DECIMALS = 4
RANKING_PENALTY = 0.1  # L2, of the mean square of the weights
# A tenth of it for evidence that few questions have: the penalty would drown what they teach.
RARE_PENALTY = {"speaks": 0.1}
SIGNAL_PENALTY = 3.0  # the same, of the weights of signals of unit variance
OWN_PARAGRAPH_SHARE = 0.3  # of the weight of another question: another article may answer it
THRESHOLDS = tuple(percent / 100 for percent in range(20, 65, 5))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Example:
    """A question as the ranking sees it.

    Attributes:
        group: The set that it is of.
        sentences: The candidates.
        table: Their evidence, shape (n, len(EVIDENCE)).
        right: Which of them answer, shape (n,).
        leads: Of some hits, best first, and how many: which of so many first ones would lead a
            finding that answers, shape (that many or all,).
        words: How much the words of the articles tell.
    """

    group: str
    answerable: bool
    own_paragraph: bool
    query: Query
    sentences: tuple[Sentence, ...]
    table: NDArray[np.float32]
    right: NDArray[np.bool_]
    leads: Callable[[Sequence[Hit], int], NDArray[np.bool_]]
    words: LexicalIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Everything that is fitted, as the two files hold it."""

    weights: Mapping[str, float]
    reranked: Mapping[str, float]
    plain: Sureness
    ranked: Sureness


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How the questions of a set fared, each by weights that were fitted without it.

    Attributes:
        right_at_1, right_at_3: Shares of the answerable questions.
        auroc: Of answerable against unanswerable ones; NaN without either.
        error: Expected calibration error.
        useful: By threshold: the share that was answered right, or rightly refused.
    """

    group: str
    questions: int
    right_at_1: float
    right_at_3: float
    auroc: float
    error: float
    useful: Mapping[float, float]


def example_of(
    gold: GoldQuestion, library: Library, encoder: Encoder, *, group: str
) -> Example | None:
    """Look at a question as an answer would; None where there is nothing to search for."""
    import numpy as np

    query = name_parties(understand(gold.question, library), library)
    if gold.smalltalk or not query.stems:
        return None
    candidates = search(query, encoder.encode_question(query.resolved.text), library)
    sentences = tuple(library.sentences[row] for row in candidates.rows)
    shown = [claim(quote(Hit(sentence=each, score=0.0), query, library)) for each in sentences]
    articles = {article.path: article for article in library.articles}
    right = rights(shown, gold, articles) if gold.answerable else [False] * len(shown)

    def leads(hits: Sequence[Hit], count: int) -> NDArray[np.bool_]:
        if not gold.answerable:
            return np.zeros(len(hits[:count]), dtype=bool)
        scores = {hit.sentence.row: hit.score for hit in hits}
        first = [lead_quote(hit, query, library, scores=scores) for hit in hits[:count]]
        return np.array(rights([claim(each) for each in first], gold, articles), dtype=bool)

    return Example(
        group=group,
        answerable=gold.answerable,
        own_paragraph=gold.kind == OWN_PARAGRAPH,
        query=query,
        sentences=sentences,
        table=evidence(query, candidates, library),
        right=np.array(right, dtype=bool),
        leads=leads,
        words=library.sentence_words,
    )


class Remembering:
    """A ranker that is asked once about each pair: the folds ask again and again."""

    def __init__(self, reranker: Reranker) -> None:
        self._reranker = reranker
        self._known: dict[tuple[str, str], float] = {}

    def score(self, question: str, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Give the probability that each sentence answers, shape (n,), in [0, 1], in order."""
        import numpy as np

        new = [each for each in dict.fromkeys(sentences) if (question, each) not in self._known]
        for each, value in zip(new, self._reranker.score(question, new), strict=True):
            self._known[question, each] = float(value)
        return np.array([self._known[question, each] for each in sentences], dtype=np.float32)


def fit(examples: Sequence[Example], reranker: Reranker) -> Fit:
    """Fit all weights; every question has the same say but that a set weighs as its size's root."""
    weights = _fit_ranking([(e, e.table, e.right) for e in examples], EVIDENCE)
    plain = [ordered(e.sentences, e.table, weights) for e in examples]
    heard = [read(e.query, hits, reranker) for e, hits in zip(examples, plain, strict=True)]
    reranked = _fit_reranked(examples, heard)
    again = [reordered(hits, reranked) for hits in heard]
    return Fit(
        weights=weights,
        reranked=reranked,
        plain=Sureness(
            answerable=_fit_answerable(examples, plain, SIGNALS),
            first=_fit_first(examples, plain, FIRST_SIGNALS),
        ),
        ranked=Sureness(
            answerable=_fit_answerable(examples, again, RANKED_SIGNALS),
            first=_fit_first(examples, again, RANKED_FIRST_SIGNALS),
        ),
    )


def cross_validate(examples: Sequence[Example], reranker: Reranker) -> dict[str, tuple[Score, ...]]:
    """Measure what a fit is worth to questions that it has not seen.

    Returns:
        Under «plain» and «ranked» (without and with the ranker) the scores of each set, then of
        all together.
    """
    import numpy as np

    folds = np.random.default_rng(SEED).integers(0, FOLDS, len(examples))
    replies: dict[str, list[_Reply]] = {"plain": [], "ranked": []}
    for fold in range(FOLDS):
        fitted = fit([e for e, f in zip(examples, folds, strict=True) if f != fold], reranker)
        for example in (e for e, f in zip(examples, folds, strict=True) if f == fold):
            hits = ordered(example.sentences, example.table, fitted.weights)
            replies["plain"].append(_reply(example, hits, fitted.plain))
            again = reordered(read(example.query, hits, reranker), fitted.reranked)
            replies["ranked"].append(_reply(example, again, fitted.ranked))
    groups = [*dict.fromkeys(example.group for example in examples), None]
    return {way: tuple(_score(found, group) for group in groups) for way, found in replies.items()}


def best_threshold(scores: Mapping[str, Sequence[Score]]) -> float:
    """Give the threshold at which the sets are most useful on average, with the ranker.

    Only sets with questions to refuse count: the others are best with the lowest.
    """
    sets = [score for score in scores["ranked"][:-1] if not math.isnan(score.auroc)]
    return max(THRESHOLDS, key=lambda threshold: mean([each.useful[threshold] for each in sets]))


def _fit_reranked(examples: Sequence[Example], heard: Sequence[Sequence[Hit]]) -> dict[str, float]:
    """Fit the weights of hits that the ranker has read: for their sentences, then for their quotes.

    What a finding leads with depends on the scores; the first weights are good enough to tell.
    """
    names = (*EVIDENCE, RANKER)
    pairs = list(zip(examples, heard, strict=True))
    weights = _fit_ranking(
        [(e, _table(hits[:RERANKED], names), _right(e, hits[:RERANKED])) for e, hits in pairs],
        names,
    )
    again = [(e, reordered(hits, weights)) for e, hits in pairs]
    return _fit_ranking(
        [(e, _table(hits[:RERANKED], names), e.leads(hits, RERANKED)) for e, hits in again], names
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reply:
    """What an example got: which of the first hits are right, and the probability given."""

    example: Example
    right: tuple[bool, ...]
    probability: float


def _reply(example: Example, hits: Sequence[Hit], model: Sureness) -> _Reply:
    return _Reply(
        example=example,
        right=tuple(example.leads(hits, SHOWN).tolist()),
        probability=probability(example.query, hits, example.words, model),
    )


def _score(replies: Sequence[_Reply], group: str | None) -> Score:
    here = [reply for reply in replies if group in (None, reply.example.group)]
    answerable = [reply for reply in here if reply.example.answerable]
    told = [reply for reply in here if not reply.example.own_paragraph]
    first = [any(reply.right[:1]) for reply in told]
    return Score(
        group=group or "all",
        questions=len(here),
        right_at_1=mean([any(reply.right[:1]) for reply in answerable]),
        right_at_3=mean([any(reply.right) for reply in answerable]),
        auroc=auroc(
            [reply.probability for reply in here], [reply.example.answerable for reply in here]
        ),
        error=calibration_error(reliability([reply.probability for reply in told], first)),
        useful={
            threshold: mean(
                [
                    right if reply.probability >= threshold else not reply.example.answerable
                    for reply, right in zip(told, first, strict=True)
                ]
            )
            for threshold in THRESHOLDS
        },
    )


def _table(hits: Sequence[Hit], names: Sequence[str]) -> NDArray[np.float32]:
    import numpy as np

    rows = [[dict(hit.evidence)[name] for name in names] for hit in hits]
    return np.array(rows, dtype=np.float32).reshape(len(rows), len(names))


def _right(example: Example, hits: Sequence[Hit]) -> NDArray[np.bool_]:
    import numpy as np

    places = {sentence.row: place for place, sentence in enumerate(example.sentences)}
    return np.array([example.right[places[hit.sentence.row]] for hit in hits], dtype=bool)


def _shares(examples: Sequence[Example]) -> list[float]:
    """Let each set weigh as the root of its size."""
    sizes = Counter(example.group for example in examples)
    return [1.0 / math.sqrt(sizes[example.group]) for example in examples]


def _fit_ranking(
    lists: Sequence[tuple[Example, NDArray[np.float32], NDArray[np.bool_]]], names: Sequence[str]
) -> dict[str, float]:
    """Fit a listwise logistic regression; a list with nothing right or nothing wrong is no use."""
    import torch

    shares = _shares([example for example, _, _ in lists])
    useful = [
        (share, table, right)
        for share, (_, table, right) in zip(shares, lists, strict=True)
        if right.any() and not right.all()
    ]
    longest = max(len(table) for _, table, _ in useful)
    tables = torch.zeros(len(useful), longest, len(names))
    real = torch.zeros(len(useful), longest, dtype=torch.bool)
    good = torch.zeros_like(real)
    for i, (_, table, right) in enumerate(useful):
        tables[i, : len(table)] = torch.from_numpy(table)
        real[i, : len(table)] = True
        good[i, : len(table)] = torch.from_numpy(right)
    share = torch.tensor([share for share, _, _ in useful])
    penalised = torch.tensor([RARE_PENALTY.get(name, 1.0) for name in names])

    def loss(weights: Tensor) -> Tensor:
        scores = (tables @ weights).masked_fill(~real, -torch.inf)
        lost = scores.logsumexp(1) - scores.masked_fill(~good, -torch.inf).logsumexp(1)
        return (share * lost).sum() / share.sum() + RANKING_PENALTY * (
            penalised * weights.square()
        ).mean()

    found = _minimum(loss, torch.zeros(len(names))).tolist()
    return {name: round(weight, DECIMALS) for name, weight in zip(names, found, strict=True)}


def _fit_answerable(
    examples: Sequence[Example], hits: Sequence[Sequence[Hit]], names: Sequence[str]
) -> Logistic:
    """Fit whether the articles answer, on questions that no rule doubts already."""
    known = [i for i, e in enumerate(examples) if undoubted(e.query, hits[i], e.words) == 1.0]
    chosen = [examples[i] for i in known]
    shares = [
        share * (OWN_PARAGRAPH_SHARE if example.own_paragraph else 1.0)
        for example, share in zip(chosen, _shares(chosen), strict=True)
    ]
    wanted = [example.answerable for example in chosen]
    return _fit_logistic(chosen, [hits[i] for i in known], names, wanted=wanted, shares=shares)


def _fit_first(
    examples: Sequence[Example], hits: Sequence[Sequence[Hit]], names: Sequence[str]
) -> Logistic:
    """Fit whether the first hit is right, on questions that the articles answer."""
    answered = [i for i, example in enumerate(examples) if example.answerable]
    chosen, found = [examples[i] for i in answered], [hits[i] for i in answered]
    wanted = [bool(e.leads(each, 1).any()) for e, each in zip(chosen, found, strict=True)]
    return _fit_logistic(chosen, found, names, wanted=wanted, shares=_shares(chosen))


def _fit_logistic(
    examples: Sequence[Example],
    hits: Sequence[Sequence[Hit]],
    names: Sequence[str],
    *,
    wanted: Sequence[bool],
    shares: Sequence[float],
) -> Logistic:
    import numpy as np
    import torch

    found = [signals(e.query, each, e.words) for e, each in zip(examples, hits, strict=True)]
    values = np.array([[each[name] for name in names] for each in found])
    middle, spread = values.mean(0), (values.std(0) + 1e-6).tolist()
    scaled = torch.tensor((values - middle) / spread, dtype=torch.float32)
    labels, weight = torch.tensor(wanted, dtype=torch.float32), torch.tensor(shares)

    def entropy(logits: Tensor) -> Tensor:
        lost = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, labels, weight=weight, reduction="sum"
        )
        return lost / weight.sum()

    def loss(weights: Tensor) -> Tensor:
        penalty = SIGNAL_PENALTY * weights[1:].square().mean()
        return entropy(scaled @ weights[1:] + weights[0]) + penalty

    direction = _minimum(loss, torch.zeros(len(names) + 1))[1:]

    # So strong a penalty finds what new questions share, and makes every probability moderate: the
    # slope is fitted once more, without it.
    leaning = scaled @ direction
    bias, slope = _minimum(
        lambda line: entropy(line[0] + line[1] * leaning), torch.zeros(2)
    ).tolist()
    weights = [slope * each / width for each, width in zip(direction.tolist(), spread, strict=True)]
    shift = sum(each * at for each, at in zip(weights, middle.tolist(), strict=True))
    return Logistic(
        bias=round(bias - shift, DECIMALS),
        weights={name: round(each, DECIMALS) for name, each in zip(names, weights, strict=True)},
    )


def _minimum(loss: Callable[[Tensor], Tensor], start: Tensor) -> Tensor:
    """Find where a convex function is least."""
    import torch

    weights = start.clone().requires_grad_()
    optimiser = torch.optim.LBFGS([weights], max_iter=400, line_search_fn="strong_wolfe")

    def closure() -> float:
        optimiser.zero_grad()
        value = loss(weights)
        value.backward()  # type: ignore[no-untyped-call] # torch does not say
        return float(value.detach())

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    return weights.detach()
