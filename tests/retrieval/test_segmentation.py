"""Text → paragraphs → sentences → passages."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.datatypes import Span
from retrieval.segmentation import (
    PASSAGE_LIMIT,
    SENTENCE_LIMIT,
    passage_windows,
    sentence_spans,
    tiles,
)

CORPUS = Path(__file__).parents[2] / "corpus"


def sentences_of(text):
    return [text[span.start : span.end] for span, _ in sentence_spans(text)]


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from(" .\n\r“”\"'Aa\ufeff\u2028"))))
def test_tiles_cover_any_text_without_gap_or_overlap(text):
    """Laid end to end, the tiles of a text are the text."""
    assert "".join(text[tile.start : tile.end] for tile in tiles(text)) == text


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from(" .\n\r“”\"'Aa\ufeff\u2028"))))
def test_sentences_are_ascending_disjoint_and_trimmed(text):
    """No sentence begins or ends with white space, and none overlaps the next."""
    spans = [span for span, _ in sentence_spans(text)]
    assert all(one.end <= other.start for one, other in pairwise(spans))
    assert all(text[s.start : s.end].strip() == text[s.start : s.end] for s in spans)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Lt. Gov. Dan Smith spoke. He left.", ["Lt. Gov. Dan Smith spoke.", "He left."]),
        (
            "He met U.S. Secretary of State Shultz. It ended strife with the U.S. The talks go on.",
            [
                "He met U.S. Secretary of State Shultz.",
                "It ended strife with the U.S.",
                "The talks go on.",
            ],
        ),
        (
            "It fell to E.F. Hutton and Japanese-U.S. Trade.",
            ["It fell to E.F. Hutton and Japanese-U.S. Trade."],
        ),
        (
            "Sen. Rand Paul (R-Ky.) voted on Jan. 5. The U.S. Army won.",
            ["Sen. Rand Paul (R-Ky.) voted on Jan. 5.", "The U.S. Army won."],
        ),
        ("One.\r\nTwo.\rThree.", ["One.", "Two.", "Three."]),
        ("\ufeffA mark. Then text.", ["A mark.", "Then text."]),
        ("No end\u2028Another line", ["No end", "Another line"]),
        ("", []),
        (" \n\t\r\n", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text, expected):
    """Titles, initials and every kind of line break are read as in print."""
    assert sentences_of(text) == expected


def test_lines_broken_to_a_width_do_not_end_a_paragraph():
    """In a hard-wrapped file a sentence goes on in the next line."""
    text = (
        "The council met on Monday to talk about the budget for the\n"
        "coming year, which is expected to fall by a tenth. Nobody\n"
        "voted against it.\n\n"
        "A second paragraph follows here and goes on for longer than\n"
        "one line."
    )
    assert sentences_of(text) == [
        text[: text.index(" Nobody")],
        "Nobody\nvoted against it.",
        text[text.index("A second") :],
    ]


def test_what_stands_before_the_report_is_no_sentence():
    """« date 2025-05-02 New Delhi:» is left out of the first sentence of 000."""
    text = (CORPUS / "000_7f2718549fe9be36.txt").read_bytes().decode()
    assert sentences_of(text)[0].startswith("India on Thursday clearly told the United States")


def test_headings_are_told_from_sentences():
    """The three subheadings of 001 are headings, and nothing else is."""
    text = (CORPUS / "001_c97994353f75affd.txt").read_bytes().decode()
    headings = [
        text[span.start : span.end] for span, is_heading in sentence_spans(text) if is_heading
    ]
    assert headings == [
        "Pete Hegseth: “We Stand With India and Its Great People”",
        (
            "Rajnath Singh to Pete Hegseth: "
            "“Pakistan Has a History of Supporting Terrorist Organisations”"
        ),
        "Jaishankar Speaks With US Secretary of State Marco Rubio",
    ]


def test_a_line_without_an_end_is_cut_at_white_space():
    """A megabyte without punctuation becomes pieces within the limit that end between words."""
    text = "word " * 200_000
    pieces = sentences_of(text)
    assert max(map(len, pieces)) <= SENTENCE_LIMIT
    assert set(" ".join(pieces).split()) == {"word"}


@given(st.lists(st.integers(min_value=1, max_value=900), max_size=30))
def test_passages_hold_every_sentence_within_the_limit(lengths):
    """Each sentence is in a passage, and only a lone sentence exceeds the limit."""
    spans, at = [], 0
    for length in lengths:
        spans.append(Span(start=at, end=at + length))
        at += length + 1
    windows = passage_windows(spans)
    assert sorted({index for window in windows for index in window}) == list(range(len(spans)))
    assert all(
        len(window) == 1 or spans[window[-1]].end - spans[window[0]].start <= PASSAGE_LIMIT
        for window in windows
    )


def test_passages_share_one_sentence_with_the_next():
    """Five short sentences make two passages of three that share the third."""
    spans = [Span(start=10 * i, end=10 * i + 9) for i in range(5)]
    assert passage_windows(spans) == (range(3), range(2, 5))
