"""Where lines go: to a terminal with Rich, into a pipe as plain text.

Whether the stream is a terminal decides, and nothing else: no variable brings colours into a pipe.
`NO_COLOR` takes every colour and highlight from a terminal.
"""

import sys
from collections.abc import Iterable
from typing import TextIO

from rich.console import Console

from bot.terminal import Line, plain, renderable
from bot.visible import visible

WIDEST = 100  # columns; longer lines are tiring to read


def console_on(stream: TextIO) -> Console:
    console = Console(file=stream, force_terminal=stream.isatty(), highlight=False, markup=False)
    if console.no_color:
        console = Console(file=stream, force_terminal=stream.isatty(), color_system=None)
    return console


def say(message: str) -> None:
    """Tell the user something on stderr, apart from what was asked for."""
    sys.stderr.write(f"clippings: {visible(message)}\n")
    sys.stderr.flush()


def show(console: Console, lines: Iterable[Line]) -> None:
    if console.is_terminal:
        console.print(renderable(lines), width=min(console.width, WIDEST))
    else:
        console.file.write(plain(lines))
    console.file.flush()


def show_unwrapped(console: Console, lines: Iterable[Line]) -> None:
    """Show lines that a person copies from the terminal: the terminal alone breaks them."""
    if console.is_terminal:
        console.print(renderable(lines), soft_wrap=True)
    else:
        console.file.write(plain(lines))
    console.file.flush()
