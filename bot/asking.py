"""What `ask` and `repl` do: ask the Desk, render, write. Each gives its exit code."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO, assert_never

from bot.batch import BatchError, answer_object, read_question, refusal, to_line, to_page
from bot.config import Settings
from bot.desk import Desk
from bot.progress import progress_on_stderr
from bot.repl import run_repl
from bot.screen import console_on, say, show
from bot.terminal import Line, explained, reply_lines
from bot.visible import safe_name
from bot.wiring import clock, open_desk, today
from retrieval import Abstention, Answer, ClippingsError, Help, Question, QuestionError, Reply

ANSWERED, NOT_SAID, TROUBLE = 0, 1, 2


class FileError(ClippingsError):
    """A file that the user named can not be read or written; the user names another one."""


def ask_plainly(settings: Settings, text: str, *, limit: int) -> int:
    with _desk(settings) as desk:
        reply = desk.ask(Question(text=text, today=today()), limit=limit)
    show(console_on(sys.stdout), reply_lines(reply))
    return _exit_code(reply)


def ask_explained(settings: Settings, text: str, *, limit: int) -> int:
    with _desk(settings) as desk:
        reply = desk.ask(Question(text=text, today=today()), limit=limit)
    show(console_on(sys.stdout), (*reply_lines(reply), Line(), *explained(reply)))
    return _exit_code(reply)


def ask_json(settings: Settings, text: str, *, limit: int) -> int:
    question = Question(text=text, today=today())
    with _desk(settings) as desk:
        desk.warm()
        began = clock()
        reply = desk.ask(question, limit=limit)
    seconds = clock() - began
    sys.stdout.write(to_page(answer_object("1", question, reply, seconds=seconds)))
    return _exit_code(reply)


def ask_batch(settings: Settings, batch: str, output: str, *, limit: int) -> int:
    """Answer a file of questions line by line; a bad line is told and the others are answered."""
    bad = 0
    with _questions(batch) as lines, _answers(output, batch) as answers, _desk(settings) as desk:
        desk.warm()
        for number, line in enumerate(lines, start=1):
            try:
                asked = read_question(line, number=number)
            except BatchError as error:
                bad += 1
                say(f"{safe_name(batch)}: {error}")
                continue
            if asked is None:
                continue
            began = clock()
            try:
                reply: Reply = desk.ask(asked.question, limit=limit)
            except QuestionError as error:  # each question has its line in the file of answers
                say(f"{safe_name(batch)}: line {number}: {error}")
                reply = refusal(asked.question, desk.generation)
            seconds = clock() - began
            answers.write(to_line(answer_object(asked.id, asked.question, reply, seconds=seconds)))
            answers.flush()
    return TROUBLE if bad else ANSWERED


def hold_repl(settings: Settings, *, limit: int) -> int:
    with _desk(settings) as desk:
        run_repl(desk, history=settings.index / "history", limit=limit, today=today)
    return ANSWERED


@contextlib.contextmanager
def _desk(settings: Settings) -> Iterator[Desk]:
    with progress_on_stderr() as on_progress:
        desk = open_desk(settings, on_progress=on_progress, say=say)
    with desk:
        yield desk


def _exit_code(reply: Reply) -> int:
    match reply:
        case Answer() | Help():
            return ANSWERED
        case Abstention():
            return NOT_SAID
        case _:
            assert_never(reply)


def _questions(name: str) -> contextlib.AbstractContextManager[BinaryIO]:
    if name == "-":
        return contextlib.nullcontext(sys.stdin.buffer)
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise FileError(
            f"the questions can not be read: {safe_name(name)}: {error.strerror}. "
            "Name a file with one JSON object per line, or “-” for standard input"
        ) from None


def _answers(name: str, questions: str) -> contextlib.AbstractContextManager[TextIO]:
    if name == "-":
        return contextlib.nullcontext(sys.stdout)
    path = Path(name)
    if questions != "-" and path.exists() and path.samefile(questions):
        raise FileError(f"--output would overwrite the questions: {safe_name(name)}. Name another")
    try:
        return path.open("w", encoding="utf-8", newline="\n")
    except OSError as error:
        raise FileError(
            f"the answers can not be written: {safe_name(name)}: {error.strerror}. "
            "Name a file in a folder that exists and that you may write to"
        ) from None
