"""The nouns: what the rest of Clippings is written in.

Rules of this file: everything is frozen and validated at birth; tuples inside, never lists;
nothing here reads a file, a clock or the environment. A `Quote` holds no text: it is an article and
a span of it, so it can not say anything that the file does not say.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal

LINE_END = re.compile(r"\r\n|\n|\r")

Reason = Literal["off_topic", "not_stated", "outside_dates", "unknown_name", "no_words"]
ConflictKind = Literal["number", "date", "name"]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    """A range of code points of an article's text, half-open: 0 <= start < end."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"not a span: {self.start}..{self.end}")

    def __len__(self) -> int:
        return self.end - self.start

    def holds(self, other: Span) -> bool:
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Span) -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, kw_only=True, eq=False)
class Article:
    """A file of the corpus.

    Attributes:
        path: POSIX path relative to the corpus: identity and attribution. Bytes of a name that are
            not UTF-8 are kept as surrogate escapes (`os.fsdecode`).
        raw: The bytes of the file.
        text: `raw` decoded as strict UTF-8; no newline translation, nothing stripped.
        title: The headline, where the file has one.
        published: The day the file says it was published, or None. Never guessed.
        dateline: Place (and day) that open a news report, as written, or None.
        outlet: Agency or paper that the file names as its source, or None.
    """

    path: str
    raw: bytes
    text: str
    title: Span | None = None
    published: date | None = None
    dateline: Span | None = None
    outlet: Span | None = None

    def __post_init__(self) -> None:
        if self.text.encode("utf-8") != self.raw:
            raise ValueError(f"the text of {self.path!r} is not what its bytes say")
        if not self.path or self.path.startswith("/"):
            raise ValueError(f"not a path inside the corpus: {self.path!r}")

    @cached_property
    def digest(self) -> str:
        """Sha256 of the bytes, in hex: answers «changed?», never identity."""
        return hashlib.sha256(self.raw).hexdigest()

    def at(self, span: Span) -> str:
        """Give the text of a span, code point for code point."""
        if span.end > len(self.text):
            raise ValueError(f"{self.path!r} has no {span}: it ends at {len(self.text)}")
        return self.text[span.start : span.end]

    def byte_range(self, span: Span) -> tuple[int, int]:
        """Give the half-open range of bytes of the file that a span stands for."""
        start = len(self.text[: span.start].encode("utf-8"))
        return start, start + len(self.at(span).encode("utf-8"))

    def line_range(self, span: Span) -> tuple[int, int]:
        """Give the first and last line of a span, counted from 1; CR, LF and CRLF end a line."""
        first = 1 + sum(1 for _ in LINE_END.finditer(self.text, 0, span.start))
        within = sum(1 for _ in LINE_END.finditer(self.text, span.start, span.end - 1))
        return first, first + within


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence (or headline) of an article: what is shown.

    Attributes:
        row: Its number in every sentence index of its generation.
        passage: Row of the passage that it is scored with: the one it stands most in the middle of.
        is_heading: Whether it is a headline or a subheading rather than part of the body.
    """

    row: int
    article: Article
    span: Span
    passage: int
    is_heading: bool

    @property
    def text(self) -> str:
        return self.article.at(self.span)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A few neighbouring sentences: the unit of retrieval.

    Rows ascend by (published, path, start), articles without a date last.
    """

    row: int
    article: Article
    span: Span
    sentences: tuple[int, ...]

    @property
    def text(self) -> str:
        return self.article.at(self.span)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A sentence with the scores that speak for it.

    Attributes:
        score: Higher is better; the range is that of the ranking (see `ranking.py`).
        evidence: Name and value of each part of the score, in the order of their weight.
    """

    sentence: Sentence
    score: float
    evidence: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """Who says a sentence, by the article's own words.

    Attributes:
        name_span: Where the article names the speaker (perhaps in an earlier sentence).
        cue: The verb or phrase that attributes («said», «according to»), or None for «Name: “...”».
        reported_by: Who reports the speaker's words, in nested speech («the ministry quoted Singh
            as saying»), or None.
    """

    article: Article
    name_span: Span
    cue: Span | None = None
    reported_by: Speaker | None = None

    @property
    def name(self) -> str:
        return self.article.at(self.name_span)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What is shown: a place in an article. It holds no text.

    Attributes:
        speaker: Who says it, if the article attributes it.
        matches: The words that bear on the question, as spans inside `span`, ascending.
    """

    article: Article
    span: Span
    speaker: Speaker | None = None
    matches: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        self.article.at(self.span)
        if not all(self.span.holds(match) for match in self.matches):
            raise ValueError("a match lies outside its quote")

    @property
    def text(self) -> str:
        return self.article.at(self.span)

    @property
    def id(self) -> str:
        """A receipt, the same for the same place in the same bytes: «q-» and eight hex digits."""
        place = f"{self.article.digest}:{self.span.start}:{self.span.end}:"
        name = self.article.path.encode("utf-8", "surrogateescape")
        return "q-" + hashlib.sha256(place.encode() + name).hexdigest()[:8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A quote that gives another number, date or name than the lead of its finding."""

    kind: ConflictKind
    quote: Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that the articles say.

    Attributes:
        lead: The quote that says it best.
        support: Quotes of other sources that report the same.
        conflicts: Those of `support` that give another number, date or name.
        score: The lead's score; higher is better.
        evidence: Name and value of each part of that score.
    """

    lead: Quote
    support: tuple[Quote, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    score: float = 0.0
    evidence: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What somebody asks.

    Attributes:
        context: Earlier questions of the same thread, oldest first.
        today: The day the question is asked on, for «last week»; None where it does not matter.
    """

    text: str
    context: tuple[str, ...] = ()
    today: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The question as it was searched, and what was done to it; shown to the asker.

    Attributes:
        text: The question with what was added to it.
        added: Words taken from earlier questions of the thread, and the names of those whose
            offices were asked about.
        spelled: Pairs (as asked, as searched) of words that the articles spell otherwise.
    """

    text: str
    added: tuple[str, ...] = ()
    spelled: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The articles say something on it.

    Attributes:
        confidence: Probability in [0, 1] that the first lead answers the question.
        generation: Which index answered.
    """

    question: Question
    resolved: Resolved
    findings: tuple[Finding, ...]
    confidence: float
    generation: str

    def __post_init__(self) -> None:
        if not self.findings:
            raise ValueError("an answer has at least one finding; without one, abstain")
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"confidence is not in [0, 1]: {self.confidence}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstention:
    """The articles do not say.

    Attributes:
        nearest: The passages that come nearest, best first. They are not an answer.
        missing: Words of the question that no article mentions, as asked.
        confidence: Probability in [0, 1] that the nearest passage would have answered.
        evidence: Name and value of each part of the score of each of `nearest`.
    """

    question: Question
    resolved: Resolved
    reason: Reason
    nearest: tuple[Quote, ...]
    missing: tuple[str, ...]
    confidence: float
    generation: str
    evidence: tuple[tuple[tuple[str, float], ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """Nothing to search for: a greeting, thanks, «what can you do?»."""

    question: Question
    generation: str


Reply = Answer | Abstention | Help
