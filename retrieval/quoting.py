"""Hits → quotes: which sentences are shown together, and the proof that they are the file's own.

A sentence is widened, never cut: to the sentence that says who speaks, and to the one before it
where it opens with a word that points back («He appreciated ...»). Widening moves the ends of a
span; no text is copied, joined or cleaned.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from retrieval.corpus import Skipped, read_article
from retrieval.datatypes import Article, Hit, Quote, Sentence, Span, Speaker
from retrieval.library import Library
from retrieval.questions import Query
from retrieval.segmentation import sentence_spans
from retrieval.speech import speaker_of
from retrieval.words import tokens

# A quote is at most this long unless a single sentence is longer.
QUOTE_LIMIT = 600

# How far a quote reaches back for the name behind «he said».
NAMED_SENTENCES = 4
NAMED_LIMIT = 450

# The most sentences that a quote was ever widened to: an attribution at most four sentences away.
QUOTE_SENTENCES = 6

_POINTS_BACK = re.compile(
    r"[“\"«]?(He|She|They|It|His|Her|Their|Its|This|That|These|Those|Both|Such|The two)\b(?! of\b)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What somebody says a file says: a quote as it left Clippings.

    Attributes:
        sha256: Of the file's bytes, in hex, or None where nobody says.
        byte_start, byte_end: Half-open, or None where nobody says.
    """

    path: str
    sha256: str | None
    start: int
    end: int
    byte_start: int | None
    byte_end: int | None
    text: str


def quote(hit: Hit, query: Query, library: Library) -> Quote:
    """Make a quote of a hit's sentence, widened so that no speaker or antecedent is cut off."""
    article = hit.sentence.article
    rows = library.rows_of(article)
    spans = library.spans_of(article)
    index = hit.sentence.row - rows.start
    span = hit.sentence.span
    attribution = speaker_of(article, spans, index)
    if attribution is not None:
        if len(attribution.span) <= max(QUOTE_LIMIT, len(span)):
            span = attribution.span
        span = _to_the_name(attribution.speaker, span, spans)
    if index and span.start == spans[index].start:
        span = _to_the_antecedent(span, library.sentences[rows[index - 1]])
    return Quote(
        article=article,
        span=span,
        speaker=None if attribution is None else attribution.speaker,
        matches=matches(article, span, query),
    )


def _to_the_name(speaker: Speaker, span: Span, spans: Sequence[Span]) -> Span:
    """Widen a quote whose speaker is «he» to the sentence that names him, if that is near."""
    if span.start <= speaker.name_span.start:
        return span
    named = next((s for s in spans if s.holds(speaker.name_span)), span)
    widened = Span(start=named.start, end=span.end)
    inside = sum(widened.holds(s) for s in spans)
    return widened if inside <= NAMED_SENTENCES and len(widened) <= NAMED_LIMIT else span


def _to_the_antecedent(span: Span, before: Sentence) -> Span:
    """Widen a quote that opens with «He» or «This» to the sentence before it."""
    widened = Span(start=before.span.start, end=span.end)
    points_back = _POINTS_BACK.match(before.article.text, span.start) is not None
    wanted = points_back and not before.is_heading and len(widened) <= QUOTE_LIMIT
    return widened if wanted else span


def matches(article: Article, span: Span, query: Query) -> tuple[Span, ...]:
    """Find the words of a span that bear on the question, ascending."""
    return tuple(
        Span(start=span.start + token.start, end=span.start + token.end)
        for token in tokens(article.at(span))
        if token.stem in query.stems
    )


def verify(claim: Claim, folder: Path, *, limit_bytes: int) -> tuple[str, ...]:
    """Read the file again and compare.

    Returns:
        What is wrong, a sentence each; empty where the file says just that, just there.
    """
    article = read_article(folder, claim.path, limit_bytes=limit_bytes)
    if isinstance(article, Skipped):
        return (f"the file can not be read: {article.reason}",)
    return tuple(_differences(claim, article))


def _differences(claim: Claim, article: Article) -> Iterator[str]:
    if claim.sha256 is not None and claim.sha256 != article.digest:
        yield "the file has changed since it was quoted (another sha256)"
    if not claim.text:
        yield "the quote is empty"
    elif article.text[claim.start : claim.end] != claim.text:
        yield f"the file says something else at characters {claim.start}..{claim.end}"
    if claim.byte_start is not None and claim.byte_end is not None:
        said = claim.text.encode("utf-8", "surrogatepass")
        if article.raw[claim.byte_start : claim.byte_end] != said:
            yield f"the file says something else at bytes {claim.byte_start}..{claim.byte_end}"


def find_quote(quote_id: str, article: Article) -> Span | None:
    """Find the place that a quote's id stands for, if the article still has it."""
    spans = [span for span, _ in sentence_spans(article.text)]
    for first, start in enumerate(spans):
        for end in spans[first : first + QUOTE_SENTENCES]:
            span = Span(start=start.start, end=end.end)
            if Quote(article=article, span=span).id == quote_id:
                return span
    return None
