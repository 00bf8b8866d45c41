"""An article with the lines around a quote: what `/open` shows. Pure."""

import re
import sys
from collections.abc import Iterator

from bot.terminal import FAINT, HERE, PLAIN, STRONG, Line, line
from bot.visible import safe_name
from retrieval import Article, Quote, Span

AROUND = 8  # lines before and after the quote
_LINE_END = re.compile(r"\r\n|\n|\r")  # what Article.line_range counts


def around(quote: Quote) -> Iterator[Line]:
    """Show the lines from `AROUND` before the quote to `AROUND` after it."""
    first, last = quote.article.line_range(quote.span)
    return _view(quote, first - AROUND, last + AROUND)


def whole(quote: Quote) -> Iterator[Line]:
    """Show every line of the article."""
    return _view(quote, 1, sys.maxsize)


def _view(quote: Quote, first: int, last: int) -> Iterator[Line]:
    published = quote.article.published
    day = published.isoformat() if published else "undated"
    yield line(f"{safe_name(quote.article.path)} · {day}", STRONG)
    rows = _rows(quote.article)
    width = len(str(len(rows)))
    for number, (start, end) in enumerate(rows, start=1):
        if not first <= number <= last:
            continue
        pieces = tuple(_marked(quote.article, quote.span, start, end))
        here = ">" if any(style == HERE for _, style in pieces) else " "
        yield Line(margin=f"{here} {number:>{width}}  ", pieces=pieces)
    if first > 1 or last < len(rows):
        yield line("«all» after the number shows the whole article.", FAINT)


def _rows(article: Article) -> list[tuple[int, int]]:
    """Give start and end of each line of the text, without its line break."""
    rows, start = [], 0
    for found in _LINE_END.finditer(article.text):
        rows.append((start, found.start()))
        start = found.end()
    if start < len(article.text):
        rows.append((start, len(article.text)))
    return rows


def _marked(article: Article, span: Span, start: int, end: int) -> Iterator[tuple[str, str]]:
    """Cut a line where the quote begins and ends."""
    first = min(max(span.start, start), end)
    last = max(min(span.end, end), first)
    parts = ((start, first, PLAIN), (first, last, HERE), (last, end, PLAIN))
    return ((article.text[a:b], style) for a, b, style in parts if b > a)
