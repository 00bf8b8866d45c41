"""Evidence → probability that the first lead answers the question.

One logistic model says whether the articles answer at all, another whether the first lead is then
the right one. Both were fitted on the development sets (`fitting.py`) and stand in
`calibration.json`. More signals fitted the sets better and new questions worse.

Two problems are told apart by measurement. «The articles have nothing on this» is solved by cheap
signals: the best cosine and how much of the question's weight the articles cover (AUROC 0.99 on
public sets). «They speak of it but do not say» is not (0.65).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from retrieval.datatypes import Hit, Reason
from retrieval.demands import NO_DEMAND
from retrieval.lexical import LexicalIndex
from retrieval.questions import Query, stands
from retrieval.ranking import RANKER
from retrieval.words import stems

# What speaks for the articles answering at all, without and with the ranker.
SIGNALS = (
    "best_vector",  # the highest cosine of the first ten hits
    "best_coverage",  # the highest coverage of the first ten, with the sentence before
    "coverage",  # of the first hit, see `EVIDENCE`
    "article_coverage",
    "kind_near",
    "known",  # share of the question's words that any article has, by how much they tell
)
RANKED_SIGNALS = (*SIGNALS, "best_ranker")  # the highest opinion of the ranker, `ranking.RANKER`

# What speaks for the first hit being the right one, where the articles answer.
# The margin is its score above that of the best sentence not next to it, up to 3: what stands next
# to it may be shown with it.
FIRST_SIGNALS = ("margin", "coverage")
RANKED_FIRST_SIGNALS = ("margin", "first_ranker")
WIDEST_MARGIN = 3.0

# Of the questions of the development sets with a name that no article has, 4 of 110 can be answered
# (of the others, 886 of 1,212). A logistic model with many kinds of questions to please gave this
# too little weight.
UNKNOWN_NAME = 0.05

# The same where none of the first ten hits shows what the question demands (`demands.py`): of the
# development sets none of 18 such questions can be answered, which allows up to 0.15 (95 %).
UNMET_DEMAND = 0.15

# The same where no article has a word that is so much of the question («visit» in «Did Vance visit
# Delhi?»), and the ranker is not sure that a hit says it in other words: of 58 such questions the
# first hit was right for 24, and for 6 of 38 where more of the question stands in no article. It
# was for 19 of 24 where the ranker was so sure.
MUCH = 0.25
UNKNOWN_WORDS = ((0.3, 0.2), (MUCH, 0.5))  # from that share on, what is left
SURE = 0.4

# The same where the ranker takes nothing that it read for an answer: of 57 such questions that no
# other rule doubts, on seven sets, the articles answer 20.
UNLIKELY = 0.5
LIKELY = -0.4  # the ranker's log-odds, divided by 5

# Below these the articles are not even about it; hardly an answerable question is.
ON_TOPIC_COVERAGE = 0.3
ON_TOPIC_VECTOR = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Logistic:
    """A logistic model: the log-odds are the bias and the weighted sum of signals."""

    bias: float
    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sureness:
    """How likely the first hit answers: the product of two probabilities.

    Attributes:
        answerable: That the articles answer at all.
        first: That the first hit is right if they do.
    """

    answerable: Logistic
    first: Logistic


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What evidence is worth as a probability.

    Attributes:
        plain: Over `SIGNALS` and `FIRST_SIGNALS`.
        ranked: Over `RANKED_SIGNALS` and `RANKED_FIRST_SIGNALS`, where the ranker was asked.
        threshold: Answer at this probability or above, in [0, 1].
        made_with: How and on what it was fitted, for people.
    """

    plain: Sureness
    ranked: Sureness
    threshold: float
    made_with: str


@cache
def load_calibration() -> Calibration:
    text = resources.files("retrieval").joinpath("calibration.json").read_text("utf-8")
    stored = json.loads(text)
    plain, ranked = (
        Sureness(**{name: Logistic(**model) for name, model in stored[way].items()})
        for way in ("plain", "ranked")
    )
    return Calibration(
        plain=plain,
        ranked=ranked,
        threshold=stored["threshold"],
        made_with=stored["made_with"],
    )


def confidence(query: Query, hits: Sequence[Hit], words: LexicalIndex) -> float:
    """Estimate in [0, 1] how likely the first hit answers the question."""
    calibration = load_calibration()
    heard = any(name == RANKER for hit in hits[:1] for name, _ in hit.evidence)
    return probability(query, hits, words, calibration.ranked if heard else calibration.plain)


def probability(
    query: Query, hits: Sequence[Hit], words: LexicalIndex, sureness: Sureness
) -> float:
    """Estimate in [0, 1], by two models over the signals, how likely the first hit answers."""
    values = signals(query, hits, words)
    left = undoubted(query, hits, words)
    return left * _chance(sureness.answerable, values) * _chance(sureness.first, values)


def undoubted(query: Query, hits: Sequence[Hit], words: LexicalIndex) -> float:
    """Give what rules that speak against an answer leave of its probability: (0, 1], 1 for none."""
    opinions = [value for hit in hits[:10] for name, value in hit.evidence if name == RANKER]
    best = max(opinions, default=LIKELY)
    known = UNKNOWN_NAME if unknown_names(query, words) else 1.0
    met = UNMET_DEMAND if is_unmet(hits) else 1.0
    share = unknown_share(query, hits, words) if best < SURE else 0.0
    said = next((left for least, left in UNKNOWN_WORDS if share >= least), 1.0)
    likely = UNLIKELY if best < LIKELY else 1.0
    return known * met * said * likely


def signals(query: Query, hits: Sequence[Hit], words: LexicalIndex) -> dict[str, float]:
    """Read off what speaks for and against an answer.

    Returns:
        A value in [-1, 1] for each of `SIGNALS`, in [0, WIDEST_MARGIN] for the margin; where the
        ranker was asked also its opinions, in [-2, 2].
    """
    if not hits:
        return dict.fromkeys((*SIGNALS, *FIRST_SIGNALS), 0.0)
    table = [dict(hit.evidence) for hit in hits[:10]]
    unknown = missing(query, words)
    total = sum(query.weights.values()) or 1.0
    opinions = [row[RANKER] for row in table if RANKER in row]
    return {
        "best_vector": max(row["sentence_vector"] for row in table),
        "best_coverage": max(row["near_coverage"] for row in table),
        **{name: table[0][name] for name in ("coverage", "article_coverage", "kind_near")},
        "known": 1.0 - sum(query.weights[stem] for stem in unknown) / total,
        "margin": _margin(hits),
        **({"best_ranker": max(opinions), "first_ranker": opinions[0]} if opinions else {}),
    }


def _margin(hits: Sequence[Hit]) -> float:
    first = hits[0].sentence
    rivals = (
        hit.score
        for hit in hits[1:]
        if hit.sentence.article is not first.article or abs(hit.sentence.row - first.row) > 1
    )
    return min(WIDEST_MARGIN, hits[0].score - next(rivals, -math.inf))


def _chance(model: Logistic, values: Mapping[str, float]) -> float:
    total = model.bias + sum(weight * values[name] for name, weight in model.weights.items())
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


def missing(query: Query, words: LexicalIndex) -> tuple[str, ...]:
    """Give the stems of the question that no article has, nor a name that stands for them."""
    return tuple(
        stem
        for stem in query.stems
        if not words.has(stem)
        and not any(all(map(words.has, name)) for name in query.also.get(stem, ()))
    )


def unknown_names(query: Query, words: LexicalIndex) -> tuple[str, ...]:
    """Give the stems of the question's names that stand in no article."""
    return tuple(stem for stem in missing(query, words) if stem in query.names)


def unknown_share(query: Query, hits: Sequence[Hit], words: LexicalIndex) -> float:
    """Give how much of what is asked stands in no article, in [0, 1]; 0 if no word of it is much.

    Where the first hit has another word for it («tourists» for «holidaymakers»), it is known.
    """
    held = frozenset(stems(hits[0].sentence.text)) if hits else frozenset()
    total = sum(query.weights.values()) or 1.0
    shares = [
        query.weights[stem] / total
        for stem in query.stems
        if not (words.has(stem) or stem in query.names or stands(query, stem, held))
    ]
    return sum(shares) if max(shares, default=0.0) >= MUCH else 0.0


def is_unmet(hits: Sequence[Hit]) -> bool:
    """Tell whether none of the first ten hits shows all that the question demands.

    Who speaks and what of has to be met by one sentence: that Bruce says something here, and that
    something stands there about Afghanistan, is not what Bruce says about Afghanistan.
    """
    table = [dict(hit.evidence) for hit in hits[:10]]
    met = [min(row["speaks"], row["demand"]) for row in table]
    return max(met, default=NO_DEMAND) < NO_DEMAND


def reason(query: Query, hits: Sequence[Hit], words: LexicalIndex) -> Reason:
    """Say why the articles do not answer."""
    if unknown_names(query, words):
        return "unknown_name"
    found = signals(query, hits, words)
    covered = found["best_coverage"] >= ON_TOPIC_COVERAGE
    if not covered or found["best_vector"] < ON_TOPIC_VECTOR:
        return "off_topic"
    return "not_stated"
