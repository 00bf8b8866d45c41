"""Quotation marks and speakers: who says a sentence, by the article's own words.

Decisions: a paragraph ends at a line break. A quotation belongs to whoever its own sentence names,
before the opening mark or after the closing one; failing that, and only if there is nothing but a
quotation, to whoever said the one just before. «He said» is the person who was last the subject.
Without a verb of saying there is no speaker: nothing is guessed.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from retrieval.attributions import Saying, Subject, said_after, said_before, said_within, subjects
from retrieval.datatypes import LINE_END, Article, Span, Speaker

_CLOSING = {"“": "”", "«": "»", '"': '"'}
_MARK = re.compile(r"[“«\"]")
_INK = re.compile(r"\S")
_FAR = 4  # sentences; an attribution further off than this is not worth the quoting of all between
_PRONOUN_REACH = 6  # sentences that are looked through for the person behind «he»
_BLANK = "\0"  # stands for each character of a quotation; no article holds it
_NO_PEOPLE = re.compile(
    r"\b(?:United|North|South|East|West|New|Saudi|Sri|Hong|Radio|Ministry|Department|Office|Council|"
    r"Government|Party|Bank|Agency|University|Court|Commission|House|Union|Nations|News|Inc|Corp|"
    r"Ltd|Co|Company|Association|Committee|Army|Police|Group|Institute|Congress|Times|Post)\b"
)
_HONOURS = (
    r"\b(?:Mr|Ms|Mrs|Dr|Prof|Sir|(?i:minister|secretary(?: of (?:state|defen[cs]e))?|president|"
    r"chancellor|premier|senator|governor|mayor|ambassador|general|spokes(?:man|woman|person)|judge|"
    r"chairman|chairwoman|director|leader|chief|officer|inspector|professor|analyst|lawyer))\.?\s+"
    r"(?:[A-Z][\w.’'-]*\s+){0,3}?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Who says a sentence, and the part of the article that shows it.

    Attributes:
        span: The smallest run of neighbouring sentences that holds the sentence and its
            attribution; the sentence alone where that stands more than four sentences away.
    """

    speaker: Speaker
    span: Span


def quotations(text: str) -> tuple[Span, ...]:
    """Find the quotations, with their marks; ascending and disjoint.

    One that is not closed ends with its paragraph, unless the next paragraph opens with a mark
    again: so newspapers set a quotation of several paragraphs. Apostrophes are no marks.
    """
    return _quotations(text)


def speaker_of(article: Article, sentences: Sequence[Span], index: int) -> Attribution | None:
    """Find who says a sentence.

    Args:
        article: Its text alone is read.
        sentences: All its sentences, ascending and disjoint.
        index: Which of them is asked about.
    """
    page = _Page(
        article=article,
        sentences=sentences,
        quotations=_quotations(article.text),
        narrative=_narrative(article.text),
    )
    found = _saying_of(page, index)
    speaker = _to_speaker(page, found) if found else None
    if not found or not speaker:
        return None
    at = found.cue.start if found.cue else found.subject.span.start
    return Attribution(speaker=speaker, span=_run(page, index, at))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    article: Article
    sentences: Sequence[Span]
    quotations: tuple[Span, ...]
    narrative: str  # the text with every character of a quotation blanked


@lru_cache(maxsize=16)
def _quotations(text: str) -> tuple[Span, ...]:
    found: list[Span] = []
    opened: int | None = None
    paragraphs = list(_paragraphs(text))
    for number, (start, end) in enumerate(paragraphs):
        at = start + 1 if opened is not None else start  # the mark that only says «it goes on»
        while at < end:
            if opened is None:
                opening = next(
                    (mark for mark in _MARK.finditer(text, at, end) if _opens(mark)), None
                )
                if opening is None:
                    break
                opened, at = opening.start(), opening.end()
            else:
                closing = text.find(_CLOSING[text[opened]], at, end)
                if closing < 0:
                    break
                found.append(Span(start=opened, end=closing + 1))
                opened, at = None, closing + 1
        if opened is not None:
            following = paragraphs[number + 1][0] if number + 1 < len(paragraphs) else None
            if following is None or text[following] != text[opened]:
                found.append(Span(start=opened, end=end))
                opened = None
    return tuple(found)


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    while begin := _INK.search(text, start):
        ending = LINE_END.search(text, begin.start())
        start = ending.start() if ending else len(text)
        yield begin.start(), begin.start() + len(text[begin.start() : start].rstrip())


def _opens(mark: re.Match[str]) -> bool:
    if mark[0] != '"':
        return True
    # Inches («5'10"») and a mark before a space open nothing.
    text, at = mark.string, mark.start()
    after_letter = at > 0 and text[at - 1].isalnum()
    return not after_letter and at + 1 < len(text) and not text[at + 1].isspace()


@lru_cache(maxsize=16)
def _narrative(text: str) -> str:
    parts = []
    at = 0
    for quotation in _quotations(text):
        parts += [text[at : quotation.start], _BLANK * len(quotation)]
        at = quotation.end
    return "".join([*parts, text[at:]])


def _saying_of(page: _Page, index: int) -> Saying | None:
    sentence = page.sentences[index]
    inside = _quotations_in(page, sentence)
    for number in inside:
        if saying := _sayer(page, number):
            return saying
    if inside and _is_only_quotation(page, sentence):
        return _sayer_before(page, inside[0])
    return said_within(page.narrative, sentence.start, sentence.end)


def _quotations_in(page: _Page, sentence: Span) -> list[int]:
    first = max(0, bisect_right(page.quotations, sentence) - 1)
    found = []
    for number in range(first, len(page.quotations)):
        if page.quotations[number].start >= sentence.end:
            break
        if page.quotations[number].overlaps(sentence):
            found.append(number)
    return found


def _sayer(page: _Page, number: int) -> Saying | None:
    """Find who says a quotation in the sentences where it opens and where it closes."""
    quotation = page.quotations[number]
    opens = _sentence_at(page, quotation.start)
    closes = _sentence_at(page, quotation.end - 1)
    if opens is None or closes is None:
        return None
    start, end = page.sentences[opens].start, page.sentences[closes].end
    if saying := said_before(page.narrative, start, quotation.start):
        return saying
    if saying := said_after(page.narrative, quotation.end, end):
        return saying
    before = page.sentences[opens - 1] if opens else None
    if before and start == quotation.start and page.narrative[before.end - 1] == ":":
        return said_before(page.narrative, before.start, before.end)  # «Rubio said:», then a line
    return None


def _sayer_before(page: _Page, number: int) -> Saying | None:
    """Go back over quotations with nothing between them, to the one that names its speaker."""
    while number:
        gap = page.narrative[page.quotations[number - 1].end : page.quotations[number].start]
        saying = _sayer(page, number - 1)
        between = _sentence_at(page, page.quotations[number - 1].end - 1)
        here = _sentence_at(page, page.quotations[number].start)
        follows = between is not None and here is not None and here - between <= 1
        if saying or not follows or gap.strip():
            return saying if follows else None
        number -= 1
    return None


def _is_only_quotation(page: _Page, sentence: Span) -> bool:
    rest = page.narrative[sentence.start : sentence.end].replace(_BLANK, "")
    return not any(mark.isalnum() for mark in rest)


def _sentence_at(page: _Page, place: int) -> int | None:
    number = bisect_right(page.sentences, place, key=lambda sentence: sentence.start) - 1
    if number < 0 or page.sentences[number].end <= place:
        return None
    return number


def _to_speaker(page: _Page, saying: Saying) -> Speaker | None:
    subject = saying.subject
    if subject.is_pronoun:
        person = _person_before(page, subject.span.start)
        if person is None:
            return None
        subject = person
    by = _to_speaker(page, saying.reported_by) if saying.reported_by else None
    return Speaker(article=page.article, name_span=subject.span, cue=saying.cue, reported_by=by)


def _person_before(page: _Page, place: int) -> Subject | None:
    """Find the person who was last the subject of a sentence before the one at a place."""
    number = _sentence_at(page, place)
    if number is None:
        return None
    for sentence in reversed(page.sentences[max(0, number - _PRONOUN_REACH) : number]):
        for subject in subjects(page.narrative, sentence.start, sentence.end):
            if not (subject.is_pronoun or subject.is_role) and _is_person(page, subject):
                return subject
    return None


def _is_person(page: _Page, subject: Subject) -> bool:
    """Tell whether the article itself gives the name a title or an office somewhere."""
    name = page.article.at(subject.span)
    if _NO_PEOPLE.search(name):
        return False
    last = re.escape(name.split()[-1])
    return bool(re.search(_HONOURS + last + r"\b", page.article.text))


def _run(page: _Page, index: int, place: int) -> Span:
    sentence = page.sentences[index]
    other = _sentence_at(page, place)
    if other is None or abs(other - index) > _FAR:
        return sentence
    first, last = min(index, other), max(index, other)
    return Span(start=page.sentences[first].start, end=page.sentences[last].end)
