"""The batch format: a contract that tools outside the project read (ARCHITECTURE.md shows it).

Pure: bytes and strings in, questions, claims and strings out.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import assert_never

from bot.desk import outcome_of
from retrieval import (
    Abstention,
    Answer,
    Claim,
    ClippingsError,
    Finding,
    Help,
    Question,
    Quote,
    Reply,
    Resolved,
)

Json = Mapping[str, "Json"] | list["Json"] | str | int | float | bool | None

# What a terminal might act upon or a UTF-8 file can not hold; JSON can say each as an escape.
_UNSAFE = re.compile(
    "[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\U000e0000-\U000e007f]"
)


class BatchError(ClippingsError):
    """A line of a batch file is not what the format says; the user mends that line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question of a batch, with the id that its answer must bear."""

    id: str | int
    question: Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A quote of a file of answers: its receipt and what it claims."""

    id: str
    claim: Claim


def read_question(line: bytes, *, number: int) -> Asked | None:
    """Read a line of a file of questions; None for a blank one.

    Args:
        line: One JSON object: `id`, `question` and perhaps `context` and `today`.
        number: Number of the line, from 1, for the message.

    Raises:
        BatchError: the line is not such an object; the message names the line and what is wrong.
    """
    if not line.strip():
        return None
    entry = read_object(line, number)
    asked, text = entry.get("id"), entry.get("question")
    if isinstance(asked, bool) or not isinstance(asked, str | int):
        raise BatchError(f"line {number}: «id» is missing, or not a string or a whole number")
    if not isinstance(text, str):
        raise BatchError(f"line {number}: «question» is missing, or not a string")
    question = Question(text=text, context=_context(entry, number), today=_today(entry, number))
    return Asked(id=asked, question=question)


def answer_object(asked: str | int, question: Question, reply: Reply, *, seconds: float) -> Json:
    """Write a reply as the object of the batch format; `asked` is the id of its question."""
    resolved, reason, confidence = question.text, None, 0.0
    findings: list[Json] = []
    nearest: list[Json] = []
    match reply:
        case Answer():
            resolved, confidence = reply.resolved.text, reply.confidence
            findings = [_finding(finding) for finding in reply.findings]
        case Abstention():
            resolved, confidence = reply.resolved.text, reply.confidence
            reason = reply.reason
            nearest = [_quote(quote) for quote in reply.nearest]
        case Help():
            pass
        case _:
            assert_never(reply)
    return {
        "id": asked,
        "question": question.text,
        "resolved": resolved,
        "outcome": outcome_of(reply),
        "reason": reason,
        "confidence": confidence,
        "generation": reply.generation,
        "seconds": round(seconds, 6),
        "findings": findings,
        "nearest": nearest,
    }


def refusal(question: Question, generation: str) -> Abstention:
    """Give the reply to a question that can not be searched at all."""
    return Abstention(
        question=question,
        resolved=Resolved(text=question.text),
        reason="no_words",
        nearest=(),
        missing=(),
        confidence=0.0,
        generation=generation,
    )


def to_line(value: Json) -> str:
    """Write JSON on one line, ending in a line feed."""
    return _safe(json.dumps(value, ensure_ascii=False)) + "\n"


def to_page(value: Json) -> str:
    """Write JSON indented, for people; ends in a line feed."""
    return _safe(json.dumps(value, ensure_ascii=False, indent=2)) + "\n"


def read_stated(data: bytes) -> tuple[Stated, ...]:
    """Read every quote of a file of answers: one object per line, or one object over many lines.

    Raises:
        BatchError: something in it is not an answer of the batch format; the message names where.
    """
    stated: list[Stated] = []
    for number, entry in _objects(data):
        stated += [stated_quote(quote, number) for quote in _quotes(entry, number)]
    return tuple(stated)


def read_object(line: bytes, number: int) -> Mapping[str, Json]:
    """Read a line that holds one JSON object; `number` is the line's, from 1, for the message.

    Raises:
        BatchError: it does not.
    """
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        entry = json.loads(text)
    except UnicodeDecodeError as error:
        raise BatchError(f"line {number}: not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise BatchError(f"line {number}: not JSON ({error.msg}, column {error.colno})") from None
    except (RecursionError, ValueError):
        raise BatchError(
            f"line {number}: JSON that is nested too deep or has a huge number"
        ) from None
    if not isinstance(entry, dict):
        raise BatchError(f'line {number}: not a JSON object such as {{"id": "1", "question": "…"}}')
    return entry


def stated_quote(quote: Mapping[str, Json], number: int) -> Stated:
    """Read a quote of the batch format; `number` is that of its line, for the message.

    Raises:
        BatchError: it is not one.
    """
    path, text, sha256 = quote.get("path"), quote.get("text"), quote.get("sha256")
    if not isinstance(path, str) or not isinstance(text, str):
        raise BatchError(f"line {number}: a quote without its «path» or «text»")
    claim = Claim(
        path=path,
        sha256=sha256 if isinstance(sha256, str) else None,
        start=_number(quote, "start", number),
        end=_number(quote, "end", number),
        byte_start=_number(quote, "byte_start", number) if "byte_start" in quote else None,
        byte_end=_number(quote, "byte_end", number) if "byte_end" in quote else None,
        text=text,
    )
    return Stated(id=str(quote.get("id", "quote")), claim=claim)


def _objects(data: bytes) -> Iterator[tuple[int, Mapping[str, Json]]]:
    """Give each object of the data with the number of its line."""
    lines = data.split(b"\n")
    try:
        whole = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        pass
    else:
        if isinstance(whole, dict):
            yield 1, whole
            return
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, read_object(line, number)


def _context(entry: Mapping[str, Json], number: int) -> tuple[str, ...]:
    context = entry.get("context")
    if context is None:
        return ()
    if not isinstance(context, list) or not all(isinstance(part, str) for part in context):
        raise BatchError(f"line {number}: «context» is not a list of strings")
    return tuple(str(part) for part in context)


def _today(entry: Mapping[str, Json], number: int) -> date | None:
    today = entry.get("today")
    if today is None:
        return None
    try:
        return date.fromisoformat(str(today))
    except ValueError:
        raise BatchError(f"line {number}: «today» is not a day such as 2025-05-02") from None


def _finding(finding: Finding) -> Json:
    return {
        "lead": _quote(finding.lead),
        "support": [_quote(quote) for quote in finding.support],
        "conflicts": [
            {"kind": conflict.kind, "quote": _quote(conflict.quote)}
            for conflict in finding.conflicts
        ],
    }


def _quote(quote: Quote) -> Json:
    article, span = quote.article, quote.span
    byte_start, byte_end = article.byte_range(span)
    line_start, line_end = article.line_range(span)
    return {
        "id": quote.id,
        "path": article.path,
        "sha256": article.digest,
        "start": span.start,
        "end": span.end,
        "byte_start": byte_start,
        "byte_end": byte_end,
        "line_start": line_start,
        "line_end": line_end,
        "text": quote.text,
        "published": article.published.isoformat() if article.published else None,
        "speaker": quote.speaker.name if quote.speaker else None,
    }


def _quotes(entry: Mapping[str, Json], number: int) -> Iterator[Mapping[str, Json]]:
    """Give every quote of an answer: leads, support, conflicts, nearest."""
    if "findings" not in entry and "nearest" not in entry:
        raise BatchError(
            f"line {number}: no «findings» and no «nearest»: not an answer of clippings"
        )
    for finding in _dicts(entry.get("findings"), number):
        yield from _dicts([finding.get("lead")], number)
        yield from _dicts(finding.get("support"), number)
        for conflict in _dicts(finding.get("conflicts"), number):
            yield from _dicts([conflict.get("quote")], number)
    yield from _dicts(entry.get("nearest"), number)


def _dicts(value: Json, number: int) -> Iterable[Mapping[str, Json]]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise BatchError(f"line {number}: a list was expected where the quotes stand")
    found = [item for item in value if isinstance(item, dict)]
    if len(found) != len(value):
        raise BatchError(f"line {number}: an object was expected where a quote stands")
    return found


def _number(quote: Mapping[str, Json], name: str, number: int) -> int:
    value = quote.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BatchError(f"line {number}: a quote whose «{name}» is not a whole number")
    return value


def _safe(text: str) -> str:
    """Say what is unsafe as escapes: the same JSON, and nothing that a terminal acts upon."""
    return _UNSAFE.sub(lambda found: json.dumps(found[0])[1:-1], text)
