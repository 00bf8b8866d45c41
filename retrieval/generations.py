"""The index on disk: generations that are written whole, published at once and never edited.

    index/            0700
      LOCK            flock, exclusive: who builds
      CURRENT         the id of the generation in use
      <id>/           0700; flock, shared: who reads it
        MANIFEST.json format, facts, size and sha256 of each file; the id is the hash of this file
        ...           0600; a file that an earlier generation has too is the same file (a hard link)

A reader sees the old generation or the new one, whole, whatever happens to the writer and whenever:
`CURRENT` is replaced in one step, the only commit point, and what it names reached the disk before.
There is no time in a generation: the same files and facts have the same id and the same bytes. Its
age is the mtime of `CURRENT`.
"""

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from retrieval.durable import (
    ANEW,
    FILE_NAME,
    File,
    Json,
    Promise,
    checked,
    link_file,
    make_folder,
    promise_of,
    read_small,
    remove,
    sync_folder,
    unreadable,
    unwritable,
    write_file,
)
from retrieval.errors import IndexBusy, IndexDamaged, IndexMismatch, IndexMissing

FORMAT = 4  # raised when what is in a generation, or what it means, changes
MANIFEST = "MANIFEST.json"
CURRENT = "CURRENT"
LOCK = "LOCK"

_ID = re.compile(r"[0-9a-f]{12}")
# Only names that this module gives: the folder may be one that holds other things too.
_LEFTOVER = re.compile(r"[0-9a-f]{12}(\.old)?\.tmp|CURRENT\.tmp")

Known = Mapping[tuple[int, ...], File]  # files that this process has hashed, by their stamps
Content = Mapping[str, bytes | File]  # files to be: new bytes, or a file that is on the disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a generation promises: its files by name, and its facts."""

    folder: Path
    promises: Mapping[str, Promise]
    facts: Mapping[str, Json]

    def file(self, name: str, *, known: Known) -> File:
        """Give a file that is what is promised.

        Raises:
            IndexDamaged: It is not, or the generation has no such file.
        """
        if name not in self.promises:
            raise IndexDamaged(f"The index in {self.folder.parent} has no {name!r}. {ANEW}")
        return checked(self.folder / name, self.promises[name], known=known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A generation whose every file is what its manifest says."""

    id: str
    files: Mapping[str, File]
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
        make_folder(index)
        descriptor = os.open(index / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as cause:
        raise unwritable(index, cause) from cause
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


def publish(index: Path, files: Content, facts: Mapping[str, Json]) -> str:
    """Write a generation and make it the current one; call it inside `locked(index)`.

    If it fails or is killed, the generation that was current still is, or the new one is already.
    If the very same generation is current and whole, nothing is written.

    Args:
        files: Those that are on the disk are linked; they were hashed and not touched since.

    Returns:
        The generation's id.

    Raises:
        IndexUnwritable: No room, no access, or a disk that fails.
    """
    manifest = _manifest(files, facts)
    generation = _id_of(manifest)
    needed = len(manifest) + sum(len(data) for data in files.values() if isinstance(data, bytes))
    try:
        make_folder(index)
        _remove_leftovers(index)
        if not _is_whole(index, generation):
            _write_generation(index, generation, {**files, MANIFEST: manifest})
        if not _is_current(index, generation):
            _point_to(index, generation)
        _remove_leftovers(index)  # a damaged generation that was written anew
    except OSError as cause:
        with suppress(OSError):  # make room again; if even that fails, the next build does it
            _remove_leftovers(index)
        raise unwritable(index, cause, needed=needed) from cause
    return generation


def remove_leftovers(index: Path) -> None:
    """Remove what a build that was killed or failed left behind; inside `locked(index)`.

    Raises:
        IndexUnwritable: Something can not be removed.
    """
    try:
        _remove_leftovers(index)
    except OSError as cause:
        raise unwritable(index, cause) from cause


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
        raise unreadable(place, cause) from cause
    generation = content[:-1].decode("ascii", "replace")
    if content[-1:] != b"\n" or not _ID.fullmatch(generation):
        raise IndexDamaged(f"{place} does not name a generation of the index. {ANEW}")
    return generation


def read_manifest(index: Path, generation: str) -> Manifest:
    """Read what a generation promises; its files are not looked at.

    Raises:
        IndexDamaged: The manifest is missing or changed.
        IndexMismatch: Another version of Clippings wrote it.
    """
    folder = index / generation
    place = folder / MANIFEST
    manifest = read_small(place)
    changed = IndexDamaged(f"{place} is not what was written. {ANEW}")
    try:
        content = json.loads(manifest)
    except ValueError as cause:
        raise changed from cause
    # Before the hash: another format may name its generations in another way.
    if isinstance(content, dict) and content.get("format") != FORMAT:
        raise IndexMismatch(
            f"The index in {folder.parent} has format {content.get('format')!r}; this version of "
            f"Clippings reads format {FORMAT}. {ANEW}"
        )
    if _id_of(manifest) != folder.name:
        raise changed
    promises = {name: Promise(**promise) for name, promise in content["files"].items()}
    return Manifest(folder=folder, promises=promises, facts=content["facts"])


def read(index: Path, generation: str, *, known: Known | None = None) -> Generation:
    """Check every byte of a generation.

    Args:
        known: Files that this process has hashed before; they are not hashed again.

    Raises:
        IndexDamaged: A file is missing, cut or changed; the message names it.
        IndexMismatch: Another version of Clippings wrote it.
    """
    manifest = read_manifest(index, generation)
    files = {name: manifest.file(name, known=known or {}) for name in manifest.promises}
    return Generation(id=generation, files=files, facts=manifest.facts)


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
            raise IndexDamaged(f"{index / generation} is missing. {ANEW}")


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
        raise unwritable(index, cause) from cause


def _manifest(files: Content, facts: Mapping[str, Json]) -> bytes:
    wrong = [name for name in files if not FILE_NAME.fullmatch(name)]
    if wrong:
        raise ValueError(f"not names of files of a generation: {wrong}")
    promises = {
        name: promise_of(data) if isinstance(data, bytes) else data.promise
        for name, data in files.items()
    }
    content = {
        "format": FORMAT,
        "facts": facts,
        "files": {name: asdict(promise) for name, promise in promises.items()},
    }
    return json.dumps(content, sort_keys=True, indent=1).encode("ascii") + b"\n"


def _id_of(manifest: bytes) -> str:
    return hashlib.sha256(manifest).hexdigest()[:12]


def _write_generation(index: Path, generation: str, files: Content) -> None:
    folder, draft = index / generation, index / f"{generation}.tmp"
    draft.mkdir(mode=0o700)
    for name, data in files.items():
        if isinstance(data, bytes):
            write_file(draft / name, data)
        else:
            link_file(data, draft / name)
    # The names in a folder are data of the folder: without this, a power cut may keep the folder
    # and lose its files, although each of them was synced.
    sync_folder(draft)
    if folder.exists():  # damaged, or it would not be written again
        folder.rename(index / f"{generation}.old.tmp")
    draft.rename(folder)
    # Before CURRENT may name it, the new name has to be on the disk too.
    sync_folder(index)


def _point_to(index: Path, generation: str) -> None:
    draft = index / f"{CURRENT}.tmp"
    write_file(draft, f"{generation}\n".encode("ascii"))
    # The commit. The draft was synced before: a rename may reach the disk earlier than the content
    # of the file it renames, and CURRENT would be empty after a power cut.
    draft.replace(index / CURRENT)
    # Only now will it survive one.
    sync_folder(index)


def _remove_leftovers(index: Path) -> None:
    """Remove what a build that was killed or failed left behind."""
    for leftover in sorted(index.iterdir()):
        if _LEFTOVER.fullmatch(leftover.name):
            remove(leftover)


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
        raise unreadable(folder, cause) from cause
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
        remove(leftover)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
