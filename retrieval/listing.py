"""A folder -> the files in it that may be articles: all of them, or some by their names.

Hidden names, leftovers of editors and files that do not end in «.txt» are passed over, links to
folders and what lies behind them too.
"""

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from retrieval.files import Stamp, Unfit, stamp_of

DEPTH_LIMIT = 64
MOST_NAMED = 1000  # paths; where more changed, some changes may not have been told of

HERE = "."  # the folder itself
_UNKNOWN = "�"  # in the place of bytes that are not UTF-8, by who told of a change


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What may be an article.

    Attributes:
        files: Path and stamp, ascending; no stamp where it has vanished, which reading will tell.
        troubles: Folders that could not be looked into, and why.
        ignored: How many names were passed over.
    """

    files: tuple[tuple[bytes, Stamp | None], ...]
    troubles: tuple[tuple[str, Unfit | OSError], ...]
    ignored: int


def list_folder(folder: Path) -> Listing:
    """Walk a folder; no recursion, so that no depth of folders exhausts the stack.

    Raises:
        OSError: It is missing, is no folder, or may not be read.
    """
    files: list[tuple[bytes, Stamp | None]] = []
    troubles: list[tuple[str, Unfit | OSError]] = []
    ignored = 0
    waiting: list[tuple[bytes, int]] = [(b"", 0)]
    while waiting:
        inner, depth = waiting.pop()
        try:
            entries = _entries(folder, inner)
        except OSError as error:
            if not inner:
                raise
            troubles.append((os.fsdecode(inner), error))
            continue
        for entry in entries:
            path = inner + b"/" + entry.name if inner else entry.name
            match _sort_of(entry):
                case "article":
                    files.append((path, _stamp(entry)))
                case "other":
                    ignored += 1
                case "folder" if depth == DEPTH_LIMIT:
                    troubles.append((os.fsdecode(path), _too_deep()))
                case "folder":
                    waiting.append((path, depth + 1))
    return Listing(
        files=tuple(sorted(files)),  # no path is there twice, so no stamp is compared
        troubles=tuple(troubles),
        ignored=ignored,
    )


def list_named(folder: Path, paths: Collection[str]) -> Listing | None:
    """List those of some paths that may be articles; None where only a walk can tell.

    That is so where one is a folder (what came with it is not told of), where one can not be read
    as a name or not be looked at, and where they are very many. What is gone is not listed.
    """
    if len(paths) > MOST_NAMED or any(_UNKNOWN in path for path in paths):
        return None
    files: list[tuple[bytes, Stamp | None]] = []
    for path in sorted(paths, key=os.fsencode):
        try:
            found = _look_at(folder, path)
        except OSError:
            return None
        if found is None:
            continue
        if may_be_article(path):
            files.append((os.fsencode(path), stamp_of(found)))
        elif not stat.S_ISREG(found.st_mode):
            return None
    return Listing(files=tuple(files), troubles=(), ignored=0)


def may_be_article(path: str) -> bool:
    """Tell it by the end of the name."""
    return path.lower().endswith(".txt")


def is_passed_over(path: str) -> bool:
    """Tell whether a walk would not come to this path, by a name on the way."""
    steps = path.split("/")
    is_hidden = any(map(_is_hidden, steps)) and path != HERE
    return is_hidden or len(steps) > DEPTH_LIMIT + 1


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "~"))


def _look_at(folder: Path, path: str) -> os.stat_result | None:
    """Give the stat of what a walk would come to under this path; None if there is nothing.

    Raises:
        OSError: It can not be looked at.
    """
    if is_passed_over(path):
        return None
    try:
        if any(not stat.S_ISDIR(os.lstat(parent).st_mode) for parent in _parents(folder, path)):
            return None
        return os.lstat(folder / path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _parents(folder: Path, path: str) -> Iterator[Path]:
    at = folder
    for step in path.split("/")[:-1]:
        at /= step
        yield at


def _entries(folder: Path, inner: bytes) -> list[os.DirEntry[bytes]]:
    with os.scandir(os.path.join(os.fsencode(folder), inner)) as entries:  # noqa: PTH118  bytes
        return list(entries)


def _sort_of(entry: os.DirEntry[bytes]) -> Literal["article", "folder", "other"]:
    name = os.fsdecode(entry.name)
    if _is_hidden(name):
        return "other"
    if may_be_article(name):
        return "article"  # or something else of that name, which reading will tell
    if not entry.is_symlink():
        return "folder" if entry.is_dir(follow_symlinks=False) else "other"
    try:
        # Reading refuses it and says why; in silence, a whole folder would be missed.
        return "article" if entry.is_dir() else "other"
    except OSError:  # a link in a circle
        return "other"


def _stamp(entry: os.DirEntry[bytes]) -> Stamp | None:
    try:
        return stamp_of(entry.stat(follow_symlinks=False))
    except OSError:  # it has vanished meanwhile, which reading will tell
        return None


def _too_deep() -> Unfit:
    return Unfit(
        f"lies more than {DEPTH_LIMIT} folders deep; nothing in it was read",
        "move it up",
    )
