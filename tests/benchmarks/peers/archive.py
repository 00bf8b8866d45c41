"""What every engine is given and gives back: plain values that go through JSON between processes.

Nothing but the standard library is imported here: the peers' environment has no Clippings.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

LIMIT = 3  # results that a question gets: the hit rates look at one and at three


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A half-open range of code points of an article."""

    path: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A folder of articles, cut by Clippings.

    Attributes:
        places: Where each passage stands.
        texts: What it says.
        characters: Of all the articles.
        cutting_s: What reading the folder and cutting the articles took.
    """

    folder: str
    places: tuple[Place, ...]
    texts: tuple[str, ...]
    characters: int
    cutting_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one engine did in one round.

    Attributes:
        index_s: From articles (passages, with a peer) in memory or on disk to an index that answers
            and is on disk. The model was loaded before.
        question_s: Of each question, one at a time, after some that are not counted.
        found: The places that each question got, best first.
        declined: Questions that the engine said it has no answer to; `found` has the nearest.
        peak_bytes: The most resident memory of the process, from its start to the last question.
        resident_bytes: What it was after the last question.
        versions: Of the packages that do the work.
    """

    engine: str
    index_s: float
    index_cpu_s: float
    question_s: tuple[float, ...]
    questions_cpu_s: float
    found: tuple[tuple[Place, ...], ...]
    declined: int
    peak_bytes: int
    resident_bytes: int
    versions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a question gets.

    Attributes:
        places: Best first, at most `LIMIT`.
        is_declined: The engine says that they are no answer.
    """

    places: Sequence[Place]
    is_declined: bool = False


Search = Callable[[str], Found]
Build = Callable[[Archive, Path], Search]


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """How an engine is started and what is told of it.

    Attributes:
        load: Gives what builds an index, from the folder of the model: imports and loads all.
        settings: Those that matter, for the reader of the table.
        packages: Those whose versions the table names.
        cuts_itself: It reads the folder rather than the passages.
    """

    load: Callable[[Path], Build]
    settings: str
    packages: tuple[str, ...]
    cuts_itself: bool = False


def write_archive(archive: Archive, file: Path) -> None:
    file.write_text(json.dumps(asdict(archive)), encoding="utf-8")


def read_archive(file: Path) -> Archive:
    read = json.loads(file.read_text("utf-8"))
    return Archive(**{**read, "places": _places(read["places"]), "texts": tuple(read["texts"])})


def write_run(run: Run, file: Path) -> None:
    file.write_text(json.dumps(asdict(run)), encoding="utf-8")


def read_run(file: Path) -> Run:
    read = json.loads(file.read_text("utf-8"))
    return Run(
        **{
            **read,
            "question_s": tuple(read["question_s"]),
            "found": tuple(_places(places) for places in read["found"]),
            "versions": tuple((name, version) for name, version in read["versions"]),
        }
    )


def _places(read: Sequence[Mapping[str, str | int]]) -> tuple[Place, ...]:
    return tuple(
        Place(path=str(each["path"]), start=int(each["start"]), end=int(each["end"]))
        for each in read
    )
