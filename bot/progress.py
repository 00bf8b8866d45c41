"""How far an indexing is: a bar on a terminal, plain lines elsewhere. Always on stderr."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from bot.screen import console_on
from retrieval import Progress as OnProgress

QUIET_S = 5.0  # a log needs no more than one line in this time


@contextmanager
def progress_on_stderr() -> Iterator[OnProgress]:
    console = console_on(sys.stderr)
    if not console.is_terminal:
        yield _plain_lines(console)
        return
    bars = Progress(
        TextColumn("{task.description:<10}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=console,
    )
    try:
        yield _bars(bars)
    finally:
        bars.stop()


class _Rate(ProgressColumn):
    """How many per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s")


def _bars(bars: Progress) -> OnProgress:
    tasks: dict[str, TaskID] = {}

    def on_progress(stage: str, done: int, total: int) -> None:
        if not tasks:
            bars.start()  # not before: a question that builds no index leaves the terminal alone
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=total)
        bars.update(tasks[stage], completed=done, total=total)

    return on_progress


def _plain_lines(console: Console) -> OnProgress:
    began: dict[str, tuple[float, int]] = {}  # when each stage was first told of, and what was done
    said: dict[str, float] = {}

    def on_progress(stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        finished = done == total
        first, before = began.setdefault(stage, (now, done))
        if finished or now - said.setdefault(stage, now) >= QUIET_S:
            said[stage] = now
            pace = pace_of(done - before, total - done, seconds=now - first)
            console.file.write(f"{stage}: {done} of {total}{pace}\n")
            console.file.flush()

    return on_progress


def pace_of(done: int, left: int, *, seconds: float) -> str:
    """Say how fast it goes and how long it will take, once that can be told."""
    if done <= 0 or seconds <= 0 or not left:
        return ""
    rate = done / seconds
    minutes, rest = divmod(round(left / rate), 60)
    return f" ({rate:,.0f}/s, {minutes} min {rest:02} s left)"
