"""Segments that wait to be published: index/shards/<segment>/.

A segment is written here whole, under a name that says what it was made of. A build that is killed
finds what it had finished; nothing reads a segment of another making. After the build they are
removed: what was published lives on in its generation, as the same files.

    segment.json    as in `segments`
    PROMISES.json   size and sha256 of each file, and its own hash; written last
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path

from retrieval.durable import (
    File,
    Promise,
    Write,
    checked,
    make_folder,
    read_small,
    remove,
    sync_folder,
    unwritable,
    write_file,
    writing,
)
from retrieval.errors import IndexDamaged

SHARDS = "shards"
PROMISES = "PROMISES.json"

_ID = re.compile(r"[0-9a-f]{16}")
_NAME = re.compile(r"[0-9a-f]{16}(\.tmp)?")


class Draft:
    """A segment that is being written.

    Attributes:
        files: What is written so far, by name; each is on the disk.
    """

    def __init__(self, folder: Path) -> None:
        self.files: dict[str, File] = {}
        self._folder = folder

    def add(self, name: str, data: bytes) -> None:
        self.files[name] = write_file(self._folder / name, data)

    @contextmanager
    def writing(self, name: str) -> Iterator[Write]:
        """Write a file piece by piece."""
        with writing(self._folder / name) as (write, written):
            yield write
        self.files[name] = written()


def write_shard(index: Path, identity: str, fill: Callable[[Draft], None]) -> Mapping[str, File]:
    """Write a segment, or give it if it is there and whole; call it inside `locked(index)`.

    Raises:
        IndexUnwritable: No room, no access, or a disk that fails.
    """
    found = find_shard(index, identity)
    if found is not None:
        return found
    folder = index / SHARDS / identity
    draft_folder = index / SHARDS / f"{identity}.tmp"
    try:
        for leftover in (folder, draft_folder):
            if leftover.exists():
                remove(leftover)
        make_folder(index / SHARDS)
        make_folder(draft_folder)
        draft = Draft(draft_folder)
        fill(draft)
        write_file(draft_folder / PROMISES, _promises(draft.files))
        sync_folder(draft_folder)
        draft_folder.rename(folder)
        sync_folder(index / SHARDS)
    except BaseException as cause:
        with suppress(OSError):  # make room again; if even that fails, the next build does it
            remove(draft_folder)
        if isinstance(cause, OSError):
            raise unwritable(index, cause) from cause
        raise
    return {name: replace(file, place=folder / name) for name, file in draft.files.items()}


def find_shard(index: Path, identity: str) -> Mapping[str, File] | None:
    """Give the files of a finished segment; None if it is not there, or not whole."""
    folder = index / SHARDS / identity
    try:
        content = json.loads(read_small(folder / PROMISES))
        promises = content["files"]
        if content["sha256"] != _hash_of(promises):
            return None
        return {
            name: checked(folder / name, Promise(**promise), known={})
            for name, promise in promises.items()
        }
    except (IndexDamaged, ValueError, TypeError, KeyError):
        return None


def finished_shards(index: Path) -> tuple[str, ...]:
    """Give the ids of the segments that wait, sorted."""
    try:
        names = sorted(path.name for path in (index / SHARDS).iterdir())
    except OSError:
        return ()
    return tuple(name for name in names if _ID.fullmatch(name))


def remove_shard(index: Path, identity: str) -> None:
    """Remove a segment that a larger one has taken the place of."""
    _remove(index, lambda name: name == identity)


def remove_drafts(index: Path) -> None:
    """Remove what a build that was killed in the middle of a segment left behind."""
    _remove(index, lambda name: name.endswith(".tmp"))


def remove_shards(index: Path) -> None:
    """Remove all that waits; what was published is in its generation."""
    _remove(index, lambda _name: True)
    with suppress(OSError):  # somebody may keep things of his own there
        (index / SHARDS).rmdir()


def _remove(index: Path, chosen: Callable[[str], bool]) -> None:
    try:
        places = sorted((index / SHARDS).iterdir())
    except OSError:
        return
    try:
        for place in places:
            if _NAME.fullmatch(place.name) and chosen(place.name):
                remove(place)
    except OSError as cause:
        raise unwritable(index, cause) from cause


def _promises(files: Mapping[str, File]) -> bytes:
    promises = {name: asdict(file.promise) for name, file in files.items()}
    content = {"files": promises, "sha256": _hash_of(promises)}
    return json.dumps(content, sort_keys=True, indent=1).encode("ascii") + b"\n"


def _hash_of(promises: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(promises, sort_keys=True).encode("ascii")).hexdigest()
