"""The files that `eval` reads: questions with known answers, candidates with labels, earlier runs.

Pure: bytes in, questions and replies out. One JSON object per line; a line that is not what it
should be is an error that names the file, the line and the field, because a figure over fewer
questions than the file has would be another figure.
"""

from collections.abc import Iterator, Mapping, Sequence

from bot.batch import BatchError, Json, read_object, read_question, stated_quote
from retrieval import Claim, Given, Gold, GoldQuestion, RankingQuestion


def is_ranking(data: bytes) -> bool:
    """Whether the first object of a file holds `candidates` rather than a question to ask."""
    return any("candidates" in entry for _, _, entry in list(_entries(data))[:1])


def read_golds(data: bytes) -> tuple[GoldQuestion, ...]:
    """Read questions: `id`, `question`, `answerable`, and what ARCHITECTURE.md lists.

    Raises:
        BatchError: a line is not such a question; the message names it and what is wrong.
    """
    return tuple(_gold_question(line, number, entry) for line, number, entry in _entries(data))


def read_candidates(data: bytes) -> tuple[RankingQuestion, ...]:
    """Read questions with `candidates`: objects with a `text` and a `label`, 0 or 1.

    Raises:
        BatchError: a line is not such a question; the message names it and what is wrong.
    """
    return tuple(
        RankingQuestion(
            question=_text(entry, "question", number),
            sentences=tuple(
                (_text(each, "text", number), _label(each, number))
                for each in _objects(entry, "candidates", number)
            ),
        )
        for _, number, entry in _entries(data)
    )


def read_given(data: bytes) -> dict[str | int, Given]:
    """Read the answers of an earlier run, by the id of their question.

    Raises:
        BatchError: a line is not an answer of the batch format.
    """
    given: dict[str | int, Given] = {}
    for _, number, entry in _entries(data):
        asked = entry.get("id")
        if isinstance(asked, bool) or not isinstance(asked, str | int):
            raise BatchError(f"line {number}: «id» is missing, or not a string or a whole number")
        if asked in given:
            raise BatchError(f"line {number}: a second answer with the id {asked!r}")
        given[asked] = Given(
            answered=entry.get("outcome") == "answer",
            helped=entry.get("outcome") == "help",
            confidence=_number(entry, "confidence", number),
            seconds=_number(entry, "seconds", number),
            findings=tuple(
                _finding(finding, number) for finding in _objects(entry, "findings", number)
            ),
            nearest=tuple(_claims(_objects(entry, "nearest", number), number)),
        )
    return given


def _entries(data: bytes) -> Iterator[tuple[bytes, int, Mapping[str, Json]]]:
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip():
            yield line, number, read_object(line, number)


def _gold_question(line: bytes, number: int, entry: Mapping[str, Json]) -> GoldQuestion:
    asked = read_question(line, number=number)
    answerable = entry.get("answerable")
    if asked is None or not isinstance(answerable, bool):
        raise BatchError(f"line {number}: «answerable» is missing, or not true or false")
    gold = tuple(_gold(place, number) for place in _objects(entry, "gold", number))
    if answerable and all(place.partial for place in gold):
        raise BatchError(f"line {number}: an answerable question without a whole answer in «gold»")
    return GoldQuestion(
        id=asked.id,
        question=asked.question,
        kind=_text({"type": "other", **entry}, "type", number),
        answerable=answerable,
        gold=gold,
        every_group=entry.get("need") == "all_groups",
        sources=_texts(entry, "all_sources", number),
        traps=_texts(entry, "must_not_quote", number),
        smalltalk=entry.get("expect") == "smalltalk",
        may_abstain=bool(entry.get("abstain_ok")),
    )


def _gold(place: Mapping[str, Json], number: int) -> Gold:
    start, group = place.get("start"), place.get("group")
    return Gold(
        path=_text(place, "file", number),
        quote=None if place.get("quote") is None else _text(place, "quote", number),
        start=start if isinstance(start, int) else None,
        key=_texts(place, "key", number),
        answers=_texts(place, "answers", number),
        group=group if isinstance(group, int) else 1,
        partial=bool(place.get("partial")),
    )


def _finding(finding: Mapping[str, Json], number: int) -> tuple[Claim, ...]:
    lead = finding.get("lead")
    if not isinstance(lead, dict):
        raise BatchError(f"line {number}: a finding without its «lead»")
    return tuple(_claims([lead, *_objects(finding, "support", number)], number))


def _claims(quotes: Sequence[Mapping[str, Json]], number: int) -> Iterator[Claim]:
    return (stated_quote(quote, number).claim for quote in quotes)


def _objects(entry: Mapping[str, Json], name: str, number: int) -> Sequence[Mapping[str, Json]]:
    value = entry.get(name)
    if value is None:
        return []
    found = [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
    if not isinstance(value, list) or len(found) != len(value):
        raise BatchError(f"line {number}: «{name}» is not a list of objects")
    return found


def _texts(entry: Mapping[str, Json], name: str, number: int) -> tuple[str, ...]:
    value = entry.get(name)
    if value is None:
        return ()
    found = [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
    if not isinstance(value, list) or len(found) != len(value):
        raise BatchError(f"line {number}: «{name}» is not a list of strings")
    return tuple(found)


def _text(entry: Mapping[str, Json], name: str, number: int) -> str:
    value = entry.get(name)
    if not isinstance(value, str):
        raise BatchError(f"line {number}: «{name}» is missing, or not a string")
    return value


def _number(entry: Mapping[str, Json], name: str, number: int) -> float:
    value = entry.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BatchError(f"line {number}: «{name}» is missing, or not a number")
    return float(value)


def _label(candidate: Mapping[str, Json], number: int) -> bool:
    label = candidate.get("label")
    if label not in (0, 1):
        raise BatchError(f"line {number}: a candidate whose «label» is not 0 or 1")
    return label == 1
