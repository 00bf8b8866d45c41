"""Files that are on the disk once they are named: written, synced, hashed; read only if unchanged.

The only door to the disk of `generations` and `shards`. A file is written once, under a name that
nobody reads yet, and hashed on its way. Whoever opens it later hashes it again, unless this process
did so before and nothing has written to it since: `File` remembers what its stat was then.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

from retrieval.errors import IndexDamaged, IndexUnwritable

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Write = Callable[[bytes | memoryview], object]

ANEW = "Build it anew: clippings index"
FILE_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")

_CHUNK = 1 << 20  # bytes that are hashed or copied at once
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# A file system without hard links, or one that has enough of them for this file.
_NO_LINKS = {errno.EPERM, errno.EMLINK, errno.EXDEV, errno.EOPNOTSUPP, errno.ENOSYS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What a file has to be."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that was hashed and is what was promised.

    Attributes:
        stamp: What its stat was before; it would differ had anything written to it since.
    """

    place: Path
    promise: Promise
    stamp: tuple[int, ...]

    def is_untouched(self) -> bool:
        """Tell whether nothing wrote to it since it was hashed, as far as its stat tells."""
        try:
            return stamp_of(self.place.stat()) == self.stamp
        except OSError:
            return False


def promise_of(data: bytes) -> Promise:
    return Promise(size=len(data), sha256=hashlib.sha256(data).hexdigest())


def write_file(path: Path, data: bytes) -> File:
    with writing(path) as (write, written):
        write(data)
    return written()


@contextmanager
def writing(path: Path) -> Iterator[tuple[Write, Callable[[], File]]]:
    """Write a new file piece by piece; at the end of the `with` it is on the disk.

    Yields:
        What takes a piece, and what gives the file; the latter may be called after the end.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    digest, size = hashlib.sha256(), 0
    files: list[File] = []

    def write(data: bytes | memoryview) -> None:
        nonlocal size
        rest = memoryview(data)
        if not rest.nbytes:  # an empty array can not be seen as bytes
            return
        rest = rest.cast("B")
        digest.update(rest)
        size += len(rest)
        while rest:  # a signal or a disk that gets full may cut a write short
            rest = rest[os.write(descriptor, rest) :]

    try:
        yield write, lambda: files[0]
        os.fsync(descriptor)
        promise = Promise(size=size, sha256=digest.hexdigest())
        files.append(File(place=path, promise=promise, stamp=stamp_of(os.fstat(descriptor))))
    finally:
        os.close(descriptor)


def checked(place: Path, promise: Promise, *, known: Mapping[tuple[int, ...], File]) -> File:
    """Give a file if it is what was promised.

    Args:
        known: Files that this process hashed before, by their stamps; one that was not written to
            since, perhaps under another name, is not hashed again.

    Raises:
        IndexDamaged: It is missing, cut or changed; the message names it.
    """
    try:
        with place.open("rb", buffering=0) as file:
            stamp = stamp_of(os.fstat(file.fileno()))
            before = known.get(stamp)
            found = before.promise if before is not None else _hashed(file)
    except FileNotFoundError as cause:
        raise IndexDamaged(f"{place} is missing. {ANEW}") from cause
    except OSError as cause:
        raise unreadable(place, cause) from cause
    if found != promise:
        raise IndexDamaged(f"{place} is not what was written. {ANEW}")
    return File(place=place, promise=promise, stamp=stamp)


def read_small(path: Path) -> bytes:
    """Read a file that is not hashed yet, such as a manifest.

    Raises:
        IndexDamaged: It is missing or can not be read; the message names it.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError as cause:
        raise IndexDamaged(f"{path} is missing. {ANEW}") from cause
    except OSError as cause:
        raise unreadable(path, cause) from cause


def link_file(file: File, path: Path) -> None:
    """Give a file a second name; where the file system has no links, a copy that is on the disk."""
    try:
        os.link(file.place, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        with file.place.open("rb") as source, writing(path) as (write, _):
            while data := source.read(_CHUNK):
                write(data)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder for the owner alone, and those above it, if it is missing."""
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    sync_folder(folder.parent)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def stamp_of(found: os.stat_result) -> tuple[int, ...]:
    """Give what of a stat would differ had the file been written to; not its number of links."""
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def unreadable(path: Path, cause: OSError) -> IndexDamaged:
    return IndexDamaged(
        f"{path} can not be read: {cause.strerror}. Grant access to it, or build the index anew: "
        "clippings index"
    )


def unwritable(index: Path, cause: OSError, *, needed: int = 0) -> IndexUnwritable:
    """Say that the disk is full or closed to us; `needed` are the bytes that it takes, if known."""
    where = cause.filename if isinstance(cause.filename, str) else str(index)
    if cause.errno in _NO_ROOM:
        what = f"There is no room for the index at {index}"
        what += f": it takes {needed:,} bytes" if needed else ""
        remedy = "Make room there, or choose another place with --index."
    else:
        what = f"The index at {index} can not be written ({where})"
        remedy = "Grant access to it, or choose another place with --index."
    return IndexUnwritable(
        f"{what}: {cause.strerror or cause}. The index that was there is unchanged. {remedy}"
    )


def _hashed(file: IO[bytes]) -> Promise:
    digest, size = hashlib.sha256(), 0
    while data := file.read(_CHUNK):
        digest.update(data)
        size += len(data)
    return Promise(size=size, sha256=digest.hexdigest())
