"""Text → paragraphs → sentences → passages, all as spans.

Nothing here changes, strips or re-finds text: a sentence is a range of the file. `tiles` covers the
text without gap or overlap; `sentence_spans` trims white space off the tiles by moving their ends.

Sentences are found by nupunkt inside paragraphs. It was chosen by measurement: exact offsets at
9.5 M characters/s, where pySBD loses characters and syntok and blingfire cut at «Lt.» and «Mr.».
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from retrieval.datatypes import Span
from retrieval.dates import read_header
from retrieval.words import STOP_WORDS

# A line ends where Unicode says so; the file's own bytes are kept.
BREAK = re.compile(r"\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")

# A sentence longer than this is cut at white space. MiniLM reads 256 word pieces, some 1,100
# characters of English.
SENTENCE_LIMIT = 1_000
PASSAGE_LIMIT = 800
PASSAGE_SENTENCES = 3

# Hard-wrapped files: no line is longer than this, so a line break alone ends no paragraph.
WRAPPED_WIDTH = 100
WRAPPED_LINES = 4  # fewer lines than this are a list or verse
HEADING_LIMIT = 200

# nupunkt's model of legal text does not know these titles and months of news writing.
ABBREVIATIONS = frozenset(
    {"lt", "gov", "rep", "reps", "sens", "gen", "col", "sgt", "maj", "capt", "cmdr", "adm"}
)

_INVISIBLE = "\ufeff\u200b\u200e\u200f\u2060"
_SENTENCE_END = ".!?…。！？"
_CLOSING = "”’»\")]'"
_REST = re.compile(r"\s+\S")
_ABBREVIATED = re.compile(r"\b([A-Za-z]+)\.\s*$")
# «U.S.», «E.F.»: what follows with a capital is mostly the same sentence («U.S. Secretary of
# State», «E.F. Hutton»), unless it is a word that opens sentences.
_INITIALS = re.compile(r"\b(?:[A-Z]\.){2,}\s*$")
_NEXT_WORD = re.compile(r"[A-Z]\w*")


def tiles(text: str) -> tuple[Span, ...]:
    """Cut a text into consecutive spans that cover all of it: sentences with what follows them."""
    bounds = [0]
    for paragraph in _paragraphs(text):
        for end in _sentence_ends(text, paragraph):
            bounds.extend(_within_limit(text, bounds[-1], end))
    return tuple(Span(start=start, end=end) for start, end in pairwise(bounds))


def sentence_spans(text: str) -> tuple[tuple[Span, bool], ...]:
    """Find what can be quoted: sentences and headings, ascending and disjoint.

    Returns:
        Pairs of a span without white space at its ends, and whether it is a heading. What stands
        before the report proper (« date 2025-05-02 New Delhi:») belongs to no sentence.
    """
    header = read_header(text)
    found = []
    for tile in tiles(text):
        start = tile.start
        if start < header.body < tile.end and not (header.title and tile.overlaps(header.title)):
            start = header.body
        elif tile.end <= header.body and not (header.title and tile.overlaps(header.title)):
            continue
        span = _trimmed(text, start, tile.end)
        if span is not None:
            found.append((span, span == header.title or _is_heading(text, span)))
    return tuple(found)


def passage_windows(spans: Sequence[Span]) -> tuple[range, ...]:
    """Group neighbouring sentences into passages of up to three, each sharing one with the next.

    Returns:
        Ranges of indices into `spans`. Each index is in one range at least; a range spans at most
        `PASSAGE_LIMIT` characters unless it holds a single sentence.
    """
    windows: list[range] = []
    start = 0
    while start < len(spans):
        stop = start + 1
        while (
            stop < len(spans)
            and stop - start < PASSAGE_SENTENCES
            and spans[stop].end - spans[start].start <= PASSAGE_LIMIT
        ):
            stop += 1
        windows.append(range(start, stop))
        if stop == len(spans):
            break
        start = max(start + 1, stop - 1)
    return tuple(windows)


def _paragraphs(text: str) -> Iterator[Span]:
    """Give consecutive spans that cover the text, each ending behind a paragraph's line break."""
    wrapped = _is_hard_wrapped(text)
    start = 0
    for line_break in BREAK.finditer(text):
        if not wrapped or _ends_paragraph(text, line_break):
            yield Span(start=start, end=line_break.end())
            start = line_break.end()
    if start < len(text):
        yield Span(start=start, end=len(text))


def _is_hard_wrapped(text: str) -> bool:
    """Tell whether lines were broken to a width rather than at paragraphs."""
    lines = [line for line in BREAK.split(text) if line.strip()]
    if len(lines) < WRAPPED_LINES or max(map(len, lines)) > WRAPPED_WIDTH:
        return False
    cut = sum(line.rstrip()[-1] not in _SENTENCE_END + _CLOSING for line in lines)
    return cut > len(lines) / 2


def _ends_paragraph(text: str, line_break: re.Match[str]) -> bool:
    following = text[line_break.end() : line_break.end() + 1]
    return not following or following.isspace()


def _sentence_ends(text: str, paragraph: Span) -> Iterator[int]:
    from nupunkt import sent_spans  # a second of loading, needed at index time only

    inside = text[paragraph.start : paragraph.end]
    if not inside.strip():
        yield paragraph.end
        return
    spans = sent_spans(inside)
    for _, end in spans[:-1]:
        if not _goes_on(inside, end):
            yield paragraph.start + end
    yield paragraph.end


def _goes_on(text: str, end: int) -> bool:
    """Tell whether a sentence goes on behind a period that nupunkt took for its end."""
    before = max(0, end - 20)
    ending = _ABBREVIATED.search(text, before, end)
    if ending is not None and ending[1].lower() in ABBREVIATIONS:
        return True
    following = _NEXT_WORD.match(text, end)
    return (
        following is not None
        and following[0].lower() not in STOP_WORDS
        and _INITIALS.search(text, before, end) is not None
    )


def _within_limit(text: str, start: int, end: int) -> Iterator[int]:
    """Give the ends of the pieces of a sentence: one, unless it is longer than the limit."""
    while end - start > SENTENCE_LIMIT:
        cut = start + SENTENCE_LIMIT
        space = max(text.rfind(mark, start + SENTENCE_LIMIT // 2, cut) for mark in " \t\n\u00a0")
        start = space + 1 if space > 0 else cut
        yield start
    yield end


def _trimmed(text: str, start: int, end: int) -> Span | None:
    while start < end and _is_blank(text[start]):
        start += 1
    while start < end and _is_blank(text[end - 1]):
        end -= 1
    return Span(start=start, end=end) if start < end else None


def _is_blank(character: str) -> bool:
    return character.isspace() or character in _INVISIBLE


def _is_heading(text: str, span: Span) -> bool:
    """Tell a headline from a sentence: a short line of its own that ends like no sentence."""
    if len(span) > HEADING_LIMIT:
        return False
    before, after = span.start, span.end
    while before and text[before - 1] in " \t\ufeff":
        before -= 1
    while after < len(text) and text[after] in " \t":
        after += 1
    alone = (not before or BREAK.match(text[before - 1])) and BREAK.match(text, after)
    if not alone or _REST.match(text, after) is None:
        return False
    end = span.end
    while end > span.start and text[end - 1] in _CLOSING:
        end -= 1
    return text[end - 1 : end] not in _SENTENCE_END + ",;"
