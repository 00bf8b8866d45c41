"""The REPL: questions and follow-ups, and a closer look at what was quoted."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.console import Console

from bot.article_view import around, whole
from bot.desk import Desk
from bot.screen import console_on, show, show_unwrapped
from bot.terminal import (
    FAINT,
    Line,
    copyable,
    explained_quote,
    line,
    reply_lines,
    shown_quotes,
    source_lines,
)
from retrieval import ClippingsError, Help, Question, Quote, Reply

REMEMBERED = 4  # earlier questions that a follow-up is searched together with
WELCOME = "Ask a question. /help lists the commands; Ctrl-D ends."

_COMMANDS = {
    "/open": "/open N      the article around quote N; /open N all shows the whole article",
    "/why": "/why N       the scores of quote N",
    "/copy": "/copy N      the bare quote N and where it stands",
    "/sources": "/sources     the articles with their dates",
    "/new": "/new         forget the questions so far; the next one is no follow-up",
    "/help": "/help        this list",
    "/quit": "/quit        end (Ctrl-D does too)",
}
COMMANDS = tuple(_COMMANDS)


class NotUnderstood(ClippingsError):
    """A command of the REPL that can not be carried out as it was typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Talk:
    """What the REPL remembers: the questions of the thread and the last reply."""

    asked: tuple[str, ...] = ()
    reply: Reply | None = None


class Repl:
    """Takes one line after the other and shows what it gets."""

    def __init__(
        self, *, desk: Desk, console: Console, limit: int, today: Callable[[], date]
    ) -> None:
        self._desk = desk
        self._console = console
        self._limit = limit
        self._today = today
        self._talk = _Talk()
        # One worker: a cancelled question ends before the next one begins.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="question")

    def run(self, lines: Iterator[str]) -> None:
        """Take lines until they end or one says /quit. The model loads while the user types."""
        self._worker.submit(self._desk.warm)
        try:
            while self._take_next(lines):
                pass
        finally:
            self._worker.shutdown(wait=False, cancel_futures=True)

    def _take_next(self, lines: Iterator[str]) -> bool:
        """Take one line; False if there is none or it ends the REPL. Ctrl-C drops it."""
        try:
            entry = " ".join(next(lines).splitlines()).strip()
            if entry == "/quit":
                return False
            if entry:
                self._take(entry)
        except StopIteration:
            return False
        except KeyboardInterrupt:
            show(self._console, (line("Cancelled.", FAINT), Line()))
        return True

    def _take(self, entry: str) -> None:
        try:
            shown = self._command(entry) if entry.startswith("/") else self._question(entry)
            show(self._console, (*shown, Line()))
        except ClippingsError as error:
            show(self._console, (line(str(error)), Line()))

    def _question(self, text: str) -> Iterable[Line]:
        question = Question(text=text, context=self._talk.asked, today=self._today())
        reply = self._worker.submit(self._desk.ask, question, limit=self._limit).result()
        asked = self._talk.asked
        if not isinstance(reply, Help):
            asked = (*asked, text)[-REMEMBERED:]
        self._talk = _Talk(asked=asked, reply=reply)
        return reply_lines(reply)

    def _command(self, entry: str) -> Iterable[Line]:
        name, *arguments = entry.split()
        match name, arguments:
            case "/sources", []:
                return source_lines(self._desk.articles)
            case "/new", []:
                self._talk = _Talk()
                return [line("A new thread.", FAINT)]
            case "/help", []:
                return [line(text) for text in _COMMANDS.values()]
            case (("/open" | "/why" | "/copy"), [number, *rest]):
                return self._look_at(name, number, rest)
            case _ if name in _COMMANDS:
                raise NotUnderstood(_usage(name))
            case _:
                raise NotUnderstood(f"{name} is not a command; /help lists them.")

    def _look_at(self, name: str, number: str, rest: Sequence[str]) -> Iterable[Line]:
        reply, quote = self._quote(name, number)
        match name, rest:
            case "/open", []:
                return around(quote)
            case "/open", ["all"]:
                return whole(quote)
            case "/why", []:
                return explained_quote(reply, int(number))
            case "/copy", []:
                show_unwrapped(self._console, copyable(quote))
                return ()
            case _:
                raise NotUnderstood(_usage(name))

    def _quote(self, command: str, number: str) -> tuple[Reply, Quote]:
        reply = self._talk.reply
        quotes = shown_quotes(reply) if reply else ()
        if reply is None or not quotes:
            raise NotUnderstood("There is no quote yet: ask a question first.")
        if not (number.isascii() and number.isdigit()):
            raise NotUnderstood(f"{command} needs the number of a quote, for example: {command} 1")
        if not 1 <= int(number) <= len(quotes):
            known = "only quote 1" if len(quotes) == 1 else f"the quotes 1 to {len(quotes)}"
            raise NotUnderstood(f"There is no quote {number}: the last reply has {known}.")
        return reply, quotes[int(number) - 1]


def run_repl(desk: Desk, *, history: Path, limit: int, today: Callable[[], date]) -> None:
    """Run the REPL on the terminal, or line by line where standard input is none."""
    console = console_on(sys.stdout)
    repl = Repl(desk=desk, console=console, limit=limit, today=today)
    if sys.stdin.isatty() and sys.stdout.isatty():
        from bot.prompt import prompted_lines

        show(console, (line(WELCOME, FAINT), Line()))
        repl.run(prompted_lines(desk, history=history, commands=COMMANDS))
    else:
        repl.run(_piped_lines())


def _piped_lines() -> Iterator[str]:
    for data in sys.stdin.buffer:
        yield data.decode("utf-8", "replace")


def _usage(command: str) -> str:
    return f"That is not how {command} is used:\n{_COMMANDS[command]}"
