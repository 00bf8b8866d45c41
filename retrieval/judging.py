"""A question with a known answer, and a reply to it → what that is worth. Pure.

A quote is right if it stands in the file of a gold quote and holds every key of it; or, where the
gold quote has no key, shares half of the shorter of the two with it; or, where there is no gold
quote, holds one of the answers (any quote of the file is right if none is given). A quote that is
longer than twice the longest gold quote + 300 characters is never right: to quote everything is no
answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from retrieval.datatypes import Abstention, Answer, Article, Help, Question, Quote, Reply
from retrieval.measures import mean
from retrieval.quoting import Claim

# Questions of SQuAD 2.0 that their own paragraph does not answer, though another article may: they
# say something about confidence, and nothing about abstaining.
OWN_PARAGRAPH = "squad2_impossible"
SHOWN = 3  # how many findings the figures «@3» look at
SHARES = (
    *("useful", "right@1", "right@3", "ranked@1", "ranked@3"),
    *("groups@3", "sources", "kept", "refused", "traps"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gold:
    """A place that answers, or says something of the answer.

    Attributes:
        quote: The sentences that answer, or None where only the file is known.
        start: Where they begin; None to look for them.
        key: The words of the quote that the answer hangs on.
        answers: What a quote has to hold where `quote` is None.
        group: Which of several facts it is, from 1; 0 is one that need not be quoted.
        partial: It supports an answer and is none.
    """

    path: str
    quote: str | None = None
    start: int | None = None
    key: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    group: int = 1
    partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldQuestion:
    """A question whose answer is known.

    Attributes:
        kind: Its type, by the author of the set.
        answerable: Whether the articles answer it.
        every_group: Several facts are wanted, one for each group of `gold`.
        sources: Every file that says it.
        traps: Texts that would be wrong as the first quote.
        smalltalk: It is a greeting or the like.
        may_abstain: Saying no is right, too.
    """

    id: str | int
    question: Question
    kind: str
    answerable: bool
    gold: tuple[Gold, ...] = ()
    every_group: bool = False
    sources: tuple[str, ...] = ()
    traps: tuple[str, ...] = ()
    smalltalk: bool = False
    may_abstain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What was replied, now or in an earlier run.

    Attributes:
        answered: The reply was an Answer.
        helped: The reply was Help.
        confidence: In [0, 1].
        findings: The quotes of each finding, its lead first.
        nearest: What an Abstention shows.
    """

    answered: bool = False
    helped: bool = False
    confidence: float = 0.0
    seconds: float = 0.0
    findings: tuple[tuple[Claim, ...], ...] = ()
    nearest: tuple[Claim, ...] = ()

    @property
    def ranked(self) -> tuple[Claim, ...]:
        """The leads, or what was nearest: the ranking, whatever was decided about abstaining."""
        return tuple(finding[0] for finding in self.findings) or self.nearest

    @property
    def quotes(self) -> tuple[Claim, ...]:
        return tuple(quote for finding in self.findings for quote in finding) + self.nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A question, what was replied, and what that is worth.

    Attributes:
        misquotes: How many of the quotes are not what their file says.
        marks: Name (of `SHARES`) and value in [0, 1] of each mark that the question is for.
    """

    gold: GoldQuestion
    given: Given
    misquotes: int
    marks: tuple[tuple[str, float], ...]

    def mark(self, name: str) -> float | None:
        return dict(self.marks).get(name)

    @property
    def is_confidence_tested(self) -> bool:
        return not self.gold.smalltalk and self.gold.kind != OWN_PARAGRAPH

    @property
    def starts_right(self) -> bool:
        """Whether the first quote answers: what the confidence is the probability of."""
        return self.mark("ranked@1") == 1.0


def given_of(reply: Reply, *, seconds: float) -> Given:
    match reply:
        case Answer():
            findings = tuple(
                tuple(claim(quote) for quote in (finding.lead, *finding.support))
                for finding in reply.findings
            )
            return Given(
                answered=True, confidence=reply.confidence, seconds=seconds, findings=findings
            )
        case Abstention():
            nearest = tuple(map(claim, reply.nearest))
            return Given(confidence=reply.confidence, seconds=seconds, nearest=nearest)
        case Help():
            return Given(helped=True, seconds=seconds)
        case _:
            assert_never(reply)


def claim(quote: Quote) -> Claim:
    """Put down what a quote says that its file says."""
    byte_start, byte_end = quote.article.byte_range(quote.span)
    return Claim(
        path=quote.article.path,
        sha256=quote.article.digest,
        start=quote.span.start,
        end=quote.span.end,
        byte_start=byte_start,
        byte_end=byte_end,
        text=quote.text,
    )


def judge(gold: GoldQuestion, given: Given, articles: Mapping[str, Article]) -> Judged:
    """Judge a reply; `articles` are the files as they are now, by path."""
    return Judged(
        gold=gold,
        given=given,
        misquotes=sum(not _is_verbatim(quote, articles) for quote in given.quotes),
        marks=tuple((name, float(value)) for name, value in _marks(gold, given, articles)),
    )


def rights(
    quotes: Sequence[Claim], gold: GoldQuestion, articles: Mapping[str, Article]
) -> list[bool]:
    """Say of each quote whether it answers."""
    full = _full(gold)
    longest = _longest(full)
    return [
        any(_is_right(quote, place, articles, longest=longest) for place in full)
        for quote in quotes
    ]


def unknown_golds(golds: Sequence[GoldQuestion], articles: Mapping[str, Article]) -> int:
    """Count the gold quotes that the articles do not hold: the sign of another folder."""
    places = [place for gold in golds for place in gold.gold]
    return sum(
        place.path not in articles or (place.quote is not None and _start(place, articles) is None)
        for place in places
    )


def _marks(
    gold: GoldQuestion, given: Given, articles: Mapping[str, Article]
) -> Iterator[tuple[str, float]]:
    if gold.smalltalk or not gold.answerable:
        if gold.kind != OWN_PARAGRAPH:
            fine = given.helped if gold.smalltalk else not given.answered
            yield "refused", fine
            yield "useful", fine
    else:
        right = rights([finding[0] for finding in given.findings], gold, articles)
        first = given.answered and any(right[:1])
        ranked = rights(given.ranked, gold, articles)
        yield "useful", first or (gold.may_abstain and not given.answered)
        yield "right@1", first
        yield "right@3", given.answered and any(right[:SHOWN])
        yield "ranked@1", any(ranked[:1])
        yield "ranked@3", any(ranked[:SHOWN])
        yield "kept", given.answered
        if gold.every_group:
            yield "groups@3", _groups(gold, given, articles)
        if gold.sources and any(right):
            named = {quote.path for quote in given.findings[right.index(True)]}
            yield "sources", len(named & set(gold.sources)) / len(set(gold.sources))
    if gold.traps:
        yield "traps", _is_trapped(gold, given, articles)


def _groups(gold: GoldQuestion, given: Given, articles: Mapping[str, Article]) -> float:
    shown = [quote for finding in given.findings[:SHOWN] for quote in finding]
    full = _full(gold)
    groups = sorted({place.group for place in full if place.group > 0})
    longest = _longest(full)
    return mean(
        [
            any(
                _is_right(quote, place, articles, longest=longest)
                for quote in shown
                for place in full
                if place.group == group
            )
            for group in groups
        ]
    )


def _is_trapped(gold: GoldQuestion, given: Given, articles: Mapping[str, Article]) -> bool:
    leads = [finding[0] for finding in given.findings[:1]]
    caught = any(trap in lead.text for trap in gold.traps for lead in leads)
    return caught and not any(rights(leads, gold, articles))


def _full(gold: GoldQuestion) -> list[Gold]:
    return [place for place in gold.gold if not place.partial]


def _longest(full: Sequence[Gold]) -> int:
    return max((len(place.quote or "") for place in full), default=0) or 300


def _is_right(quote: Claim, place: Gold, articles: Mapping[str, Article], *, longest: int) -> bool:
    if quote.path != place.path or quote.end - quote.start > 2 * longest + 300:
        return False
    if place.key:
        return all(key in quote.text for key in place.key)
    if place.quote:
        start = _start(place, articles)
        return start is not None and _share_half(quote, start, start + len(place.quote))
    said = quote.text.casefold()
    return not place.answers or any(answer.casefold() in said for answer in place.answers)


def _share_half(quote: Claim, start: int, end: int) -> bool:
    shared = min(end, quote.end) - max(start, quote.start)
    return 2 * shared >= min(end - start, quote.end - quote.start)


def _start(place: Gold, articles: Mapping[str, Article]) -> int | None:
    """Find where a gold quote begins: where it is said to, or else at its first occurrence."""
    article = articles.get(place.path)
    if article is None or not place.quote:
        return None
    if place.start is not None and article.text.startswith(place.quote, place.start):
        return place.start
    found = article.text.find(place.quote)
    return None if found < 0 else found


def _is_verbatim(quote: Claim, articles: Mapping[str, Article]) -> bool:
    article = articles.get(quote.path)
    if article is None or not quote.text or article.text[quote.start : quote.end] != quote.text:
        return False
    said = article.raw[quote.byte_start : quote.byte_end]
    return quote.byte_start is None or said == quote.text.encode("utf-8")
