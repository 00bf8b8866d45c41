"""article_view.py: an article around a quote."""

from bot.article_view import around, whole
from bot.terminal import HERE, plain
from retrieval import Article, Quote, Span

TEXT = "".join(f"Line {n}.\n" for n in range(1, 31))


def quote_of(words, text=TEXT):
    article = Article(path="a.txt", raw=text.encode(), text=text)
    start = text.index(words)
    return Quote(article=article, span=Span(start=start, end=start + len(words)))


def test_eight_lines_before_and_after_with_the_quote_marked():
    """Line numbers are those of the file; a mark in the margin shows the quote without colours."""
    shown = plain(around(quote_of("Line 15."))).splitlines()
    assert shown[0] == "a.txt · undated"
    assert shown[1] == "   7  Line 7."
    assert shown[9] == "> 15  Line 15."
    assert shown[17] == "  23  Line 23."
    assert shown[18:] == ["«all» after the number shows the whole article."]


def test_only_the_quote_is_marked_within_its_lines():
    """A quote over two lines is marked on both, and its neighbours on the same lines are not."""
    marked = [
        text
        for shown in around(quote_of("15.\nLine"))
        for text, style in shown.pieces
        if style == HERE
    ]
    assert marked == ["15.", "Line"]


def test_the_whole_article_has_every_line_once():
    """Without the margins it is the text of the file."""
    lines = list(whole(quote_of("Line 15.")))[1:]
    assert "".join(text for shown in lines for text, _ in (*shown.pieces, ("\n", ""))) == TEXT


def test_lines_are_numbered_as_the_quote_counts_them():
    """LF, CRLF and a lone CR each end a line; other separators do not."""
    text = "one\r\ntwo\rthree\u2028still three\n\nfive"
    shown = plain(whole(quote_of("five", text))).splitlines(keepends=False)
    assert shown[1:4] == ["  1  one", "  2  two", "  3  three"]
    assert shown[-1] == "> 5  five"
