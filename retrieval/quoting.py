"""Hits → quotes: which sentences are shown together, and the proof that they are the file's own.

A sentence is widened, never cut: to the sentence that says who speaks, to the one before it where
it opens with a word that points back («He appreciated ...»), and to the one beside it where that
may answer as well: what restates the question often stands next to what answers it. Widening moves
the ends of a span; no text is copied, joined or cleaned.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from retrieval.corpus import Skipped, read_article
from retrieval.datatypes import Article, Hit, Quote, Sentence, Span, Speaker
from retrieval.library import Library
from retrieval.questions import Query
from retrieval.ranking import RANKER
from retrieval.segmentation import sentence_spans
from retrieval.speech import speaker_of
from retrieval.words import tokens

# A quote is at most this long unless a single sentence is longer.
QUOTE_LIMIT = 600

# How far a quote reaches back for the name behind «he said».
NAMED_SENTENCES = 4
NAMED_LIMIT = 450

# A sentence beside a lead is shown with it if its score is at most this far below the lead's (less
# far if the ranker is sure of that), and the two are no longer than the limit. Cross-validated,
# this puts an answer into 2 to 8 of 100 first quotes more; about half of them become longer.
BESIDE = 5.0
BESIDE_SURE = 2.0
SURE = 0.44  # the ranker's log-odds, divided by 5: a probability of 0.9
BESIDE_LIMIT = 450
BESIDE_SENTENCES = 2
BESIDE_LINES = 2  # line breaks between them: a blank line, as between paragraphs
BESIDE_WORDS = 4  # a shorter one is a sign-off («ANI») more often than an answer

# The most sentences that a quote was ever widened to: an attribution at most four sentences away,
# and those beside it.
QUOTE_SENTENCES = 12

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
    return _quote(_said(hit.sentence, library), hit.sentence.article, query)


def lead_quote(hit: Hit, query: Query, library: Library, *, scores: Mapping[int, float]) -> Quote:
    """Make the quote that a finding leads with: widened to what stands beside and may answer too.

    Args:
        scores: Of all hits of the question, by row.
    """
    said = _said(hit.sentence, library)
    least = hit.score - (BESIDE_SURE if _is_sure(hit) else BESIDE)
    for _ in range(BESIDE_SENTENCES):
        wider = [
            (scores[beside.row], _together(said, _said(beside, library)))
            for beside in _beside(said, hit.sentence, library)
            if scores.get(beside.row, -math.inf) > least
        ]
        fitting = [(score, both) for score, both in wider if both is not None]
        if not fitting:
            break
        _, said = max(fitting, key=lambda each: each[0])
    return _quote(said, hit.sentence.article, query)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """A run of sentences, and who says all of them."""

    span: Span
    speaker: Speaker | None


def _quote(said: _Said, article: Article, query: Query) -> Quote:
    return Quote(
        article=article,
        span=said.span,
        speaker=said.speaker,
        matches=matches(article, said.span, query),
    )


def _said(sentence: Sentence, library: Library) -> _Said:
    """Widen a sentence to who says it, and to what it points back to."""
    article = sentence.article
    rows = library.rows_of(article)
    spans = library.spans_of(article)
    index = sentence.row - rows.start
    span = sentence.span
    attribution = speaker_of(article, spans, index)
    if attribution is not None:
        if len(attribution.span) <= max(QUOTE_LIMIT, len(span)):
            span = attribution.span
        span = _to_the_name(attribution.speaker, span, spans)
    if index and span.start == spans[index].start:
        span = _to_the_antecedent(span, library.sentences[rows[index - 1]])
    return _Said(span=span, speaker=None if attribution is None else attribution.speaker)


def _beside(said: _Said, sentence: Sentence, library: Library) -> Iterator[Sentence]:
    """Give what can stand with a run: the sentences right before and after it, no headlines."""
    article = sentence.article
    rows = library.rows_of(article)
    spans = library.spans_of(article)
    inside = [row for row, span in zip(rows, spans, strict=True) if said.span.overlaps(span)]
    for row in (inside[0] - 1, inside[-1] + 1):
        if row not in rows:
            continue
        beside = library.sentences[row]
        first, last = sorted((said.span, beside.span), key=lambda span: span.start)
        apart = article.text[first.end : last.start].count("\n")
        headline = sentence.is_heading or beside.is_heading
        if not headline and apart <= BESIDE_LINES and len(tokens(beside.text)) >= BESIDE_WORDS:
            yield beside


def _is_sure(hit: Hit) -> bool:
    return dict(hit.evidence).get(RANKER, -math.inf) > SURE


def _together(one: _Said, other: _Said) -> _Said | None:
    """Join two runs, if that is not too long and nobody is taken for the speaker of both."""
    span = Span(start=min(one.span.start, other.span.start), end=max(one.span.end, other.span.end))
    if len(span) > BESIDE_LIMIT:
        return None
    speakers = [each.speaker for each in (one, other) if each.speaker is not None]
    if len(speakers) == 2 and speakers[0].name == speakers[1].name:  # noqa: PLR2004 - both
        return _Said(span=span, speaker=one.speaker)
    if all(span.holds(speaker.name_span) for speaker in speakers):
        return _Said(span=span, speaker=None)
    return None


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
