"""The nouns are valid or do not exist."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.datatypes import Answer, Article, Question, Quote, Resolved, Span

TEXT = "Café “x”.\r\nTwo\rThree\n"


def article(text=TEXT, path="a.txt"):
    return Article(path=path, raw=text.encode(), text=text)


@pytest.mark.parametrize(("start", "end"), [(3, 3), (4, 3), (-1, 2)])
def test_a_span_is_not_empty_and_not_before_the_text(start, end):
    """Half-open spans hold one code point at least."""
    with pytest.raises(ValueError, match="not a span"):
        Span(start=start, end=end)


def test_an_article_is_what_its_bytes_say():
    """A text that was translated, stripped or replaced anywhere is refused at birth."""
    with pytest.raises(ValueError, match="not what its bytes say"):
        Article(path="a.txt", raw=b"One\r\nTwo", text="One\nTwo")


def test_a_path_lies_inside_the_corpus():
    """An absolute path is no identity."""
    with pytest.raises(ValueError, match="not a path inside the corpus"):
        article(path="/etc/passwd")


@pytest.mark.parametrize(
    ("start", "end", "byte_range", "line_range"),
    [
        (0, 4, (0, 5), (1, 1)),
        (3, 8, (3, 13), (1, 1)),
        (11, 14, (16, 19), (2, 2)),
        (5, 20, (6, 25), (1, 3)),
        (0, 21, (0, 26), (1, 3)),
    ],
)
def test_bytes_and_lines_are_derived_from_code_points(start, end, byte_range, line_range):
    """«é» and the curly marks are several bytes; CR, LF and CRLF each end one line."""
    span = Span(start=start, end=end)
    assert article().byte_range(span) == byte_range
    assert article().line_range(span) == line_range


@given(st.text(min_size=1), st.data())
def test_a_byte_range_holds_the_bytes_of_the_span(text, data):
    """For any text and span, the bytes at the byte range decode to the span's text."""
    start = data.draw(st.integers(0, len(text) - 1))
    span = Span(start=start, end=data.draw(st.integers(start + 1, len(text))))
    try:
        one = article(text)
    except UnicodeEncodeError:  # a lone surrogate: no file can say it
        return
    low, high = one.byte_range(span)
    assert one.raw[low:high].decode() == one.at(span)


def test_a_span_beyond_the_end_is_refused():
    """A quote can not promise text that the file does not have."""
    with pytest.raises(ValueError, match="ends at 21"):
        Quote(article=article(), span=Span(start=5, end=22))


def test_a_match_lies_inside_its_quote():
    """What is highlighted is part of what is quoted."""
    with pytest.raises(ValueError, match="outside its quote"):
        Quote(article=article(), span=Span(start=0, end=4), matches=(Span(start=3, end=5),))


def test_a_receipt_names_the_place_in_these_bytes_of_this_file():
    """The same place has the same id; another file, span or content has another."""
    span = Span(start=0, end=4)
    receipt = Quote(article=article(), span=span).id
    assert receipt == Quote(article=article(), span=span).id
    others = {
        Quote(article=article(path="b.txt"), span=span).id,
        Quote(article=article(), span=Span(start=0, end=5)).id,
        Quote(article=article(TEXT + "."), span=span).id,
    }
    assert len(others | {receipt}) == 4
    assert receipt.startswith("q-")


def test_an_answer_has_a_finding():
    """Without one, it is an abstention."""
    with pytest.raises(ValueError, match="at least one finding"):
        Answer(
            question=Question(text="?", today=date(2025, 5, 1)),
            resolved=Resolved(text="?"),
            findings=(),
            confidence=0.5,
            generation="0",
        )
