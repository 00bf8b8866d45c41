"""The index on disk: generations that are written whole, published at once and never edited.

    index/            0700
      LOCK            flock, exclusive: who builds
      CURRENT         the id of the generation in use
      <id>/           0700; flock, shared: who reads it
        MANIFEST.json format, facts, size and sha256 of each file; the id is the hash of this file
        ...           0600

A reader sees the old generation or the new one, whole, whatever happens to the writer and whenever:
`CURRENT` is replaced in one step, the only commit point, and what it names reached the disk before.
There is no time in a generation: the same files and facts have the same id and the same bytes. Its
age is the mtime of `CURRENT`.
"""

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

from retrieval.errors import IndexBusy, IndexDamaged, IndexMismatch, IndexMissing, IndexUnwritable

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

FORMAT = 2  # raised when what is in a generation, or what it means, changes
MANIFEST = "MANIFEST.json"
CURRENT = "CURRENT"
LOCK = "LOCK"

_ID = re.compile(r"[0-9a-f]{12}")
_FILE_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
# Only names that this module gives: the folder may be one that holds other things too.
_LEFTOVER = re.compile(r"[0-9a-f]{12}(\.old)?\.tmp|CURRENT\.tmp")
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_ANEW = "Build it anew: clippings index"


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A generation as it was read: every file is what the manifest says."""

    id: str
    files: Mapping[str, bytes]
    facts: Mapping[str, Json]


class Hold:
    """Keeps a generation from being collected until it is closed.

    Attributes:
        generation: Its id.
    """

    def __init__(self, *, generation: str, descriptor: int) -> None:
        self.generation = generation
        self._descriptor: int | None = descriptor

    def close(self) -> None:
        """Let go. Twice is once."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@contextmanager
def locked(index: Path) -> Iterator[None]:
    """Be the only one that builds; the folder is made if it is missing.

    Raises:
        IndexBusy: Somebody else is.
        IndexUnwritable: The folder can not be made or written.
    """
    try:
        _make_folder(index)
        descriptor = os.open(index / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as cause:
        raise _unwritable(index, cause, needed=0) from cause
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            raise IndexBusy(
                f"Another process is building the index in {index}. "
                "Wait until it is done, then try again."
            ) from cause
        yield
    finally:
        os.close(descriptor)  # and with it the lock; the kernel does the same for a killed process


def publish(index: Path, files: Mapping[str, bytes], facts: Mapping[str, Json]) -> str:
    """Write a generation and make it the current one; call it inside `locked(index)`.

    If it fails or is killed, the generation that was current still is, or the new one is already.
    If the very same generation is current and whole, nothing is written.

    Returns:
        The generation's id.

    Raises:
        IndexUnwritable: No room, no access, or a disk that fails.
    """
    manifest = _manifest(files, facts)
    generation = _id_of(manifest)
    needed = len(manifest) + sum(len(data) for data in files.values())
    try:
        _make_folder(index)
        _remove_leftovers(index)
        if not _is_whole(index, generation):
            _write_generation(index, generation, {**files, MANIFEST: manifest})
        if not _is_current(index, generation):
            _point_to(index, generation)
        _remove_leftovers(index)  # a damaged generation that was written anew
    except OSError as cause:
        with suppress(OSError):  # make room again; if even that fails, the next build does it
            _remove_leftovers(index)
        raise _unwritable(index, cause, needed=needed) from cause
    return generation


def current(index: Path) -> str:
    """Give the id of the current generation.

    Raises:
        IndexMissing: Nothing was indexed here yet.
        IndexDamaged: `CURRENT` does not name a generation.
    """
    place = index / CURRENT
    try:
        content = place.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as cause:
        raise IndexMissing(
            f"There is no index in {index} yet. Build it: clippings index"
        ) from cause
    except OSError as cause:
        raise _unreadable(place, cause) from cause
    generation = content[:-1].decode("ascii", "replace")
    if content[-1:] != b"\n" or not _ID.fullmatch(generation):
        raise IndexDamaged(f"{place} does not name a generation of the index. {_ANEW}")
    return generation


def read(index: Path, generation: str) -> Generation:
    """Read a generation and check every byte of it.

    Raises:
        IndexDamaged: A file is missing, cut or changed; the message names it.
        IndexMismatch: Another version of Clippings wrote it.
    """
    folder = index / generation
    promises, facts = _read_manifest(folder)
    files = {}
    for name, promise in promises.items():
        data = _read_file(folder / name)
        if _promise(data) != promise:
            raise IndexDamaged(f"{folder / name} is not what was written. {_ANEW}")
        files[name] = data
    return Generation(id=generation, files=files, facts=facts)


def hold(index: Path) -> Hold:
    """Take hold of the current generation, so that `collect` leaves it alone.

    Raises:
        IndexMissing: Nothing was indexed here yet.
        IndexDamaged: The current generation is not there.
    """
    while True:
        generation = current(index)
        held = _hold_folder(index / generation)
        if held is not None:
            return Hold(generation=generation, descriptor=held)
        # It may have been collected between the two steps: then another one is current now.
        if current(index) == generation:
            raise IndexDamaged(f"{index / generation} is missing. {_ANEW}")


def collect(index: Path) -> tuple[str, ...]:
    """Delete generations that are not current and that nobody holds; inside `locked(index)`.

    Returns:
        The ids of those that were deleted, sorted.

    Raises:
        IndexUnwritable: One can not be deleted.
    """
    kept = current(index)
    try:
        names = sorted(path.name for path in index.iterdir())
        others = [name for name in names if name != kept and _ID.fullmatch(name)]
        return tuple(name for name in others if _delete_unless_held(index, name))
    except OSError as cause:
        raise _unwritable(index, cause, needed=0) from cause


def _manifest(files: Mapping[str, bytes], facts: Mapping[str, Json]) -> bytes:
    wrong = [name for name in files if not _FILE_NAME.fullmatch(name)]
    if wrong:
        raise ValueError(f"not names of files of a generation: {wrong}")
    content = {
        "format": FORMAT,
        "facts": facts,
        "files": {name: _promise(data) for name, data in files.items()},
    }
    return json.dumps(content, sort_keys=True, indent=1).encode("ascii") + b"\n"


def _promise(data: bytes) -> dict[str, int | str]:
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _id_of(manifest: bytes) -> str:
    return hashlib.sha256(manifest).hexdigest()[:12]


def _write_generation(index: Path, generation: str, files: Mapping[str, bytes]) -> None:
    folder, draft = index / generation, index / f"{generation}.tmp"
    draft.mkdir(mode=0o700)
    for name, data in files.items():
        _write_file(draft / name, data)
    # The names in a folder are data of the folder: without this, a power cut may keep the folder
    # and lose its files, although each of them was synced.
    _sync_folder(draft)
    if folder.exists():  # damaged, or it would not be written again
        folder.rename(index / f"{generation}.old.tmp")
    draft.rename(folder)
    # Before CURRENT may name it, the new name has to be on the disk too.
    _sync_folder(index)


def _point_to(index: Path, generation: str) -> None:
    draft = index / f"{CURRENT}.tmp"
    _write_file(draft, f"{generation}\n".encode("ascii"))
    # The commit. The draft was synced before: a rename may reach the disk earlier than the content
    # of the file it renames, and CURRENT would be empty after a power cut.
    draft.replace(index / CURRENT)
    # Only now will it survive one.
    _sync_folder(index)


def _write_file(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        rest = memoryview(data)
        while rest:  # a signal or a disk that gets full may cut a write short
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    _sync_folder(folder.parent)


def _remove_leftovers(index: Path) -> None:
    """Remove what a build that was killed or failed left behind."""
    for leftover in sorted(index.iterdir()):
        if not _LEFTOVER.fullmatch(leftover.name):
            continue
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()


def _is_whole(index: Path, generation: str) -> bool:
    try:
        read(index, generation)
    except (IndexDamaged, IndexMismatch):
        return False
    return True


def _is_current(index: Path, generation: str) -> bool:
    try:
        return current(index) == generation
    except (IndexMissing, IndexDamaged):
        return False


def _hold_folder(folder: Path) -> int | None:
    """Lock a generation for reading; None if it is gone or about to go."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as cause:
        raise _unreadable(folder, cause) from cause
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        # Between the two calls it may have been renamed to be deleted.
        if os.path.samestat(os.fstat(descriptor), folder.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def _delete_unless_held(index: Path, generation: str) -> bool:
    descriptor = os.open(index / generation, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Renamed first: whoever is killed now leaves no half generation under a real name.
        leftover = index / f"{generation}.old.tmp"
        (index / generation).rename(leftover)
        shutil.rmtree(leftover)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _read_manifest(folder: Path) -> tuple[Mapping[str, Json], Mapping[str, Json]]:
    """Give what each file has to be, by name, and the facts."""
    place = folder / MANIFEST
    manifest = _read_file(place)
    changed = IndexDamaged(f"{place} is not what was written. {_ANEW}")
    try:
        content = json.loads(manifest)
    except ValueError as cause:
        raise changed from cause
    # Before the hash: another format may name its generations in another way.
    if isinstance(content, dict) and content.get("format") != FORMAT:
        raise IndexMismatch(
            f"The index in {folder.parent} has format {content.get('format')!r}; this version of "
            f"Clippings reads format {FORMAT}. {_ANEW}"
        )
    if _id_of(manifest) != folder.name:
        raise changed
    return content["files"], content["facts"]


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as cause:
        raise IndexDamaged(f"{path} is missing. {_ANEW}") from cause
    except OSError as cause:
        raise _unreadable(path, cause) from cause


def _unreadable(path: Path, cause: OSError) -> IndexDamaged:
    return IndexDamaged(
        f"{path} can not be read: {cause.strerror}. Grant access to it, or build the index anew: "
        "clippings index"
    )


def _unwritable(index: Path, cause: OSError, *, needed: int) -> IndexUnwritable:
    where = cause.filename if isinstance(cause.filename, str) else str(index)
    if cause.errno in _NO_ROOM:
        what = f"There is no room for the index at {index}: it takes {needed:,} bytes"
        remedy = "Make room there, or choose another place with --index."
    else:
        what = f"The index at {index} can not be written ({where})"
        remedy = "Grant access to it, or choose another place with --index."
    return IndexUnwritable(
        f"{what}: {cause.strerror or cause}. The index that was there is unchanged. {remedy}"
    )
