"""The prompt: history, completion, paste. The only importer of prompt_toolkit."""

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from bot.desk import Desk
from bot.names import names_in
from bot.visible import visible

MOST_COMPLETIONS = 20


def prompted_lines(desk: Desk, *, history: Path, commands: Sequence[str]) -> Iterator[str]:
    """Give what the user types until Ctrl-D; Ctrl-C empties the line. A paste is one entry."""
    session: PromptSession[str] = PromptSession(
        history=_history(history),
        completer=completer(desk, commands),
        complete_while_typing=False,
        complete_in_thread=True,
    )
    while True:
        try:
            yield session.prompt("> ")
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


def completer(desk: Desk, commands: Sequence[str]) -> Completer:
    return _Completer(desk, commands)


class _Completer(Completer):
    """Commands at the start of a line, names of the articles elsewhere."""

    def __init__(self, desk: Desk, commands: Sequence[str]) -> None:
        self._desk = desk
        self._commands = commands

    @cached_property
    def _names(self) -> tuple[str, ...]:
        """Gathered at the first Tab, so that the prompt does not wait for it."""
        return tuple(map(visible, names_in(self._desk.articles)))

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        del complete_event
        before = document.text_before_cursor
        if before.startswith("/"):
            candidates, typed = self._commands, before
        else:
            candidates, typed = self._names, before.rpartition(" ")[2]
        if not typed:
            return
        fitting = (name for name in candidates if name.casefold().startswith(typed.casefold()))
        for _, name in zip(range(MOST_COMPLETIONS), fitting, strict=False):
            yield Completion(name, start_position=-len(typed))


def _history(path: Path) -> History:
    """Keep the history in a file that only its owner reads; in memory where that can not be."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600))
    except OSError:
        return InMemoryHistory()
    return FileHistory(path)
