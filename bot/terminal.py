"""Reply → lines: what a person at a terminal or behind a pipe reads. Pure.

A `Line` is a margin and pieces of text with a style each. `plain` joins them and adds nothing: a
quote in a pipe is, character for character, what the file says. `renderable` makes the same lines a
Rich renderable: wrapped, styled, and with whatever the terminal would act upon made visible.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from bot.visible import acts_on_terminal, safe_name, visible
from bot.wording import CONFLICTS, REASONS, place_of, said_by
from retrieval import (
    Abstention,
    Answer,
    Article,
    Conflict,
    Finding,
    Help,
    Quote,
    Reply,
    Resolved,
)

PLAIN, STRONG, FAINT, MATCH, HERE = "", "bold", "dim", "bold underline", "reverse"

_HELP = (
    "Clippings answers questions about the articles by quoting them word for word, and names the",
    "file. When the articles do not say, it says so. Ask a question, for example:",
    "    What did Rubio urge Pakistan to do?",
    "    Who is the spokesperson of the US State Department?",
    "    When did Rubio speak with Sharif?",
)
_ESCAPED = (
    "Some characters here would act on the terminal; they are shown as escapes. "
    "Piped output and --json have them as they are."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A margin, and pieces (text, style); a piece may hold line breaks of its own."""

    pieces: tuple[tuple[str, str], ...] = ()
    margin: str = ""
    margin_style: str = FAINT


def line(text: str, style: str = PLAIN, *, margin: str = "") -> Line:
    return Line(pieces=((text, style),), margin=margin)


def plain(lines: Iterable[Line]) -> str:
    """Write lines for a pipe: the margin, the pieces as they are, a line feed."""
    return "".join(
        shown.margin + "".join(text for text, _ in shown.pieces) + "\n" for shown in lines
    )


def renderable(lines: Iterable[Line]) -> RenderableType:
    """Make lines a Rich renderable. Nothing in them is read as markup or as an emoji code."""
    lines = tuple(lines)
    texts = [text for shown in lines for text, _ in shown.pieces]
    note = [line(_ESCAPED, FAINT)] if any(map(acts_on_terminal, texts)) else []
    return Group(*(_Hanging(shown=shown) for shown in (*lines, *note)))


def reply_lines(reply: Reply) -> Iterator[Line]:
    match reply:
        case Answer():
            yield from _resolved(reply.resolved)
            for number, finding in enumerate(reply.findings, start=1):
                yield from _finding(finding, number)
        case Abstention():
            yield from _resolved(reply.resolved)
            yield from _abstention(reply)
        case Help():
            yield from (line(text) for text in _HELP)
        case _:
            assert_never(reply)


def shown_quotes(reply: Reply) -> tuple[Quote, ...]:
    """Give the quotes of a reply that bear a number, in the order of their numbers from 1."""
    match reply:
        case Answer():
            return tuple(finding.lead for finding in reply.findings)
        case Abstention():
            return reply.nearest
        case Help():
            return ()
        case _:
            assert_never(reply)


def explained(reply: Reply) -> Iterator[Line]:
    """Show every score that led to the choice: a column per quote, a row per score."""
    match reply:
        case Answer():
            columns = [(("score", finding.score), *finding.evidence) for finding in reply.findings]
            what = "that the first quote answers"
        case Abstention():
            columns = list(reply.evidence)
            what = "that the nearest passage would have answered"
        case Help():
            return
        case _:
            assert_never(reply)
    yield line(f"Confidence {what}: {reply.confidence:.3f}")
    yield from _table(columns)


def explained_quote(reply: Reply, number: int) -> Iterator[Line]:
    """Show the scores of the quote that bears a number."""
    match reply:
        case Answer():
            finding = reply.findings[number - 1]
            yield from _table([(("score", finding.score), *finding.evidence)])
        case Abstention():
            yield from _table(reply.evidence[number - 1 : number])
        case Help():
            return
        case _:
            assert_never(reply)


def copyable(quote: Quote) -> tuple[Line, ...]:
    """The bare quote, and below it where it stands."""
    return line(quote.text), line(f"— {_source(quote)}")


def source_lines(articles: Iterable[Article]) -> Iterator[Line]:
    for article in articles:
        day = article.published.isoformat() if article.published else "undated   "
        title = article.at(article.title) if article.title else ""
        yield Line(pieces=((f"{day}  {safe_name(article.path)}  ", PLAIN), (title, FAINT)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hanging:
    """A line as Rich wraps it: what follows the first row stands beside the margin, not below."""

    shown: Line

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        margin = self.shown.margin
        text = Text()
        for piece, style in self.shown.pieces:
            text.append(visible(piece), style=style)
        if options.no_wrap:
            rows = [text]
        else:
            width = max(1, options.max_width - len(margin))
            rows = list(text.wrap(console, width, overflow="fold"))
        for row in rows or [Text()]:
            yield Text.assemble((margin, self.shown.margin_style), row)
            margin = " " * len(margin)


def _resolved(resolved: Resolved) -> Iterator[Line]:
    if resolved.added:
        yield line(f"searched together with: {', '.join(resolved.added)}", FAINT)
    for asked, searched in resolved.spelled:
        yield line(f"searched for “{searched}” instead of “{asked}”", FAINT)
    if resolved.added or resolved.spelled:
        yield Line()


def _finding(finding: Finding, number: int) -> Iterator[Line]:
    if number > 1:
        yield Line()
    yield from _numbered(finding.lead, number)
    differing = {conflict.quote.id for conflict in finding.conflicts}
    for quote in finding.support:
        if quote.id not in differing:
            yield line(f"also in {place_of(quote)}", FAINT, margin="    ")
    for conflict in finding.conflicts:
        yield from _conflict(conflict)


def _numbered(quote: Quote, number: int) -> Iterator[Line]:
    yield Line(margin=f"{number:>2}  ", margin_style=STRONG, pieces=tuple(_highlighted(quote)))
    yield line(_source(quote), FAINT, margin="    ")


def _highlighted(quote: Quote) -> Iterator[tuple[str, str]]:
    """Cut the quote's text at its matches; joined again it is the text."""
    text, at = quote.article.text, quote.span.start
    for match in quote.matches:
        if match.start > at:
            yield text[at : match.start], PLAIN
        yield text[max(at, match.start) : match.end], MATCH
        at = max(at, match.end)
    yield text[at : quote.span.end], PLAIN


def _conflict(conflict: Conflict) -> Iterator[Line]:
    kind = CONFLICTS[conflict.kind]
    yield line(f"Sources differ: {place_of(conflict.quote)} gives {kind}:", STRONG, margin="    ")
    yield Line(margin="    ", pieces=tuple(_highlighted(conflict.quote)))
    yield line(_source(conflict.quote), FAINT, margin="    ")


def _abstention(reply: Abstention) -> Iterator[Line]:
    yield line("The articles do not say.", STRONG)
    yield line(REASONS[reply.reason])
    if reply.missing:
        yield line(f"No article mentions: {', '.join(reply.missing)}")
    if reply.nearest:
        yield Line()
        yield line("The nearest passages. They are not an answer:", STRONG)
    for number, quote in enumerate(reply.nearest, start=1):
        yield from _numbered(quote, number)


def _source(quote: Quote) -> str:
    said = [said_by(quote.speaker)] if quote.speaker else []
    return " · ".join([place_of(quote), *said, quote.id])


def _table(columns: Sequence[Sequence[tuple[str, float]]]) -> Iterator[Line]:
    """Lay out columns of (name, value); rows are named in the order of their first mention."""
    if not columns:
        yield line("There are no scores to show.")
        return
    names = list(dict.fromkeys(name for column in columns for name, _ in column))
    width = max(map(len, names))
    yield line(" " * width + "".join(f"{f'[{n}]':>9}" for n in range(1, len(columns) + 1)), STRONG)
    for name in names:
        values = [dict(column).get(name) for column in columns]
        cells = "".join(" " * 9 if value is None else f"{value:>9.3f}" for value in values)
        yield line(f"{name:<{width}}{cells}")
