"""Questions with known answers, and the replies to them → figures. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from retrieval.datatypes import Article
from retrieval.judging import OWN_PARAGRAPH, SHARES, Given, GoldQuestion, Judged, judge, rights
from retrieval.measures import (
    Bin,
    auroc,
    auroc_of,
    average_precision,
    calibration_error,
    intervals,
    mean,
    mean_of,
    reciprocal_rank,
    reliability,
    risk_coverage,
)
from retrieval.quoting import Claim

DEPTH = 10  # how far the curve of hits goes
OF_KINDS = ("useful", "right@1", "right@3")  # what is told of each type of question

Score = Callable[[str, Sequence[str]], Sequence[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure with its 95 % interval, where it has one; NaN where no question is for it."""

    name: str
    value: float
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How the questions of a type fare; `shares` has the names of `OF_KINDS`, in their order."""

    name: str
    questions: int
    shares: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What replies are worth.

    Attributes:
        kinds: By name.
        bins: The reliability diagram, ascending.
        risks: The risk–coverage curve: (coverage, risk), ascending.
    """

    judged: tuple[Judged, ...]
    figures: tuple[Figure, ...]
    kinds: tuple[Kind, ...]
    bins: tuple[Bin, ...]
    risks: tuple[tuple[float, float], ...]

    @property
    def misses(self) -> tuple[Judged, ...]:
        return tuple(each for each in self.judged if each.mark("useful") == 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two runs over the same questions: pairs (before, now) of those that changed."""

    before: Evaluation
    now: Evaluation
    won: tuple[tuple[Judged, Judged], ...]
    lost: tuple[tuple[Judged, Judged], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingQuestion:
    """A question with sentences that answer it or do not: (text, whether it does)."""

    question: str
    sentences: tuple[tuple[str, bool], ...]


def evaluate(
    golds: Sequence[GoldQuestion], given: Sequence[Given], articles: Mapping[str, Article]
) -> Evaluation:
    """Judge replies, one for each question.

    Args:
        articles: The files as they are now, by path: quotes are compared with them.
    """
    judged = [judge(g, said, articles) for g, said in zip(golds, given, strict=True)]
    tested = [each for each in judged if each.is_confidence_tested]
    confidences = [each.given.confidence for each in tested]
    right = [each.starts_right for each in tested]
    bins, risks = reliability(confidences, right), risk_coverage(confidences, right)
    return Evaluation(
        judged=tuple(judged),
        figures=tuple(_figures(judged, bins, risks)),
        kinds=tuple(_kinds(judged)),
        bins=bins,
        risks=risks,
    )


def compare(before: Evaluation, now: Evaluation) -> Comparison:
    """Compare two evaluations of the same questions in the same order."""
    pairs = list(zip(before.judged, now.judged, strict=True))
    marks = [(old.mark("useful") or 0.0, new.mark("useful") or 0.0) for old, new in pairs]
    return Comparison(
        before=before,
        now=now,
        won=tuple(pair for pair, (old, new) in zip(pairs, marks, strict=True) if old < new),
        lost=tuple(pair for pair, (old, new) in zip(pairs, marks, strict=True) if old > new),
    )


def hit_curve(
    golds: Sequence[GoldQuestion],
    shown: Sequence[Sequence[Claim]],
    articles: Mapping[str, Article],
) -> tuple[float, ...]:
    """Give the share of answerable questions with a right quote among the first 1, ... `DEPTH`.

    Without an answerable question there is no curve: the tuple is empty.

    Args:
        shown: The quotes for each question, best first.
    """
    hits = [
        rights(quotes, gold, articles)
        for gold, quotes in zip(golds, shown, strict=True)
        if gold.answerable
    ]
    ranks = range(1, DEPTH + 1) if hits else ()
    return tuple(mean([any(right[:k]) for right in hits]) for k in ranks)


def evaluate_ranking(questions: Sequence[RankingQuestion], score: Score) -> tuple[Figure, ...]:
    """Give MAP and MRR over the questions that have right and wrong candidates.

    Args:
        score: Question and sentences → a score for each, higher is better; ties stay in order.
    """
    both = [each for each in questions if len({label for _, label in each.sentences}) > 1]
    orders = [_ordered(each, score) for each in both]
    values = {
        "MAP": [average_precision(labels) for labels in orders],
        "MRR": [reciprocal_rank(labels) for labels in orders],
    }
    bounds = intervals({name: mean_of(each) for name, each in values.items()}, len(both))
    return (
        Figure(name="questions", value=len(questions)),
        Figure(name="with both labels", value=len(both)),
        *(
            Figure(name=name, value=mean(each), interval=bounds.get(name))
            for name, each in values.items()
        ),
    )


def _ordered(candidates: RankingQuestion, score: Score) -> list[bool]:
    scores = score(candidates.question, [text for text, _ in candidates.sentences])
    rows = sorted(range(len(scores)), key=lambda row: -scores[row])
    return [candidates.sentences[row][1] for row in rows]


def _figures(
    judged: Sequence[Judged], bins: Sequence[Bin], risks: Sequence[tuple[float, float]]
) -> Iterator[Figure]:
    confidences = [each.given.confidence for each in judged]
    label = [each.gold.answerable if each.is_confidence_tested else None for each in judged]
    marks = {name: [each.mark(name) for each in judged] for name in SHARES}
    bounds = intervals(
        {name: mean_of(marks[name]) for name in OF_KINDS} | {"AUROC": auroc_of(confidences, label)},
        len(judged),
    )
    yield Figure(name="questions", value=len(judged))
    yield Figure(name="quotes", value=sum(len(each.given.quotes) for each in judged))
    yield Figure(name="misquotes", value=sum(each.misquotes for each in judged))
    for name, values in marks.items():
        known = [value for value in values if value is not None]
        yield Figure(name=name, value=mean(known), interval=bounds.get(name))
    positive = [each for each in judged if each.gold.answerable and each.is_confidence_tested]
    negative = [each for each in judged if not each.gold.answerable and each.is_confidence_tested]
    impossible = [each for each in judged if each.gold.kind == OWN_PARAGRAPH]
    yield Figure(name="AUROC", value=_auroc(positive, negative), interval=bounds.get("AUROC"))
    yield Figure(name="AUROC own paragraph", value=_auroc(positive, impossible))
    yield Figure(name="ECE", value=calibration_error(bins))
    yield Figure(name="risk–coverage area", value=mean([risk for _, risk in risks]))
    lengths = [quote.end - quote.start for each in judged for quote in each.given.quotes]
    yield Figure(name="quote length (median)", value=_median(lengths))
    seconds = sorted(each.given.seconds for each in judged)
    for percent in (50, 95):
        at = min(len(seconds) - 1, percent * len(seconds) // 100)
        value = 1000 * seconds[at] if seconds else mean([])
        yield Figure(name=f"p{percent} ms", value=value)


def _auroc(positive: Sequence[Judged], negative: Sequence[Judged]) -> float:
    scores = [each.given.confidence for each in (*positive, *negative)]
    return auroc(scores, [True] * len(positive) + [False] * len(negative))


def _median(lengths: Sequence[int]) -> float:
    return statistics.median(lengths) if lengths else mean([])


def _kinds(judged: Sequence[Judged]) -> Iterator[Kind]:
    for name in sorted({each.gold.kind for each in judged}):
        members = [each for each in judged if each.gold.kind == name]
        shares = {share: [each.mark(share) for each in members] for share in OF_KINDS}
        yield Kind(
            name=name,
            questions=len(members),
            shares=tuple(
                (share, mean([value for value in values if value is not None]))
                for share, values in shares.items()
            ),
        )
