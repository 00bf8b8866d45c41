"""A folder of articles against what is indexed: what is as it was, and the bytes of what is new.

What is new is put aside in a file without a name, so that memory does not grow with the archive,
and so that what is cut into sentences later is what was hashed now, whatever happens to the folder.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeVar

from retrieval.corpus import Skipped, article_of, list_corpus, nothing_readable, visit_corpus
from retrieval.datatypes import Article
from retrieval.durable import make_folder, unwritable
from retrieval.files import Contents, Stamp
from retrieval.listing import list_named, may_be_article
from retrieval.segments import Key, by_date

_T = TypeVar("_T")

SPOOL_MEMORY = 8_000_000  # bytes of new articles that are held in memory rather than in a file


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """An article that has to be indexed.

    Attributes:
        key: What articles are sorted by: day and path.
        digest: Sha256 of its bytes.
        place, size: Where its bytes were put aside.
    """

    key: Key
    digest: bytes
    place: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a folder holds.

    Attributes:
        digests: Sha256 of every article that can be read, by path.
        new: Those that are not indexed, sorted by `key`.
    """

    digests: dict[str, bytes]
    new: tuple[New, ...]
    skipped: tuple[Skipped, ...]
    ignored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Where a folder may be another one than it was.

    Attributes:
        paths: Of files and folders that were made, written, moved or removed.
        before: What the folder held.
    """

    paths: Collection[str]
    before: Scan


class Spool:
    """Bytes of new articles, put aside."""

    def __init__(self, file: IO[bytes], *, index: Path) -> None:
        self._file = file
        self._index = index
        self._end = 0

    def put(self, raw: bytes) -> int:
        """Give the place where the bytes are.

        Raises:
            IndexUnwritable: There is no room.
        """
        try:
            self._file.seek(self._end)
            self._file.write(raw)
        except OSError as cause:
            raise unwritable(self._index, cause) from cause
        self._end += len(raw)
        return self._end - len(raw)

    def article(self, new: New) -> Article:
        self._file.seek(new.place)
        article = article_of(new.key[1], self._file.read(new.size))
        if isinstance(article, Skipped):  # it was an article when it was put aside
            raise AssertionError(f"{article.path!r} {article.reason}")  # noqa: TRY004 - no caller erred
        return article


@dataclass(slots=True, kw_only=True)
class Seen:
    """What this process read before: stamp and sha256 of each file, by path.

    A stamp that is still the same is the file's that was read: it was not written to within the
    last seconds then, so a later writing shows in it. Git trusts the same.
    """

    files: dict[str, tuple[Stamp, bytes]] = field(default_factory=dict)


@contextmanager
def spool_in(index: Path) -> Iterator[Spool]:
    """Put articles aside in the folder of the index, where there has to be room for them anyway."""
    try:
        make_folder(index)
    except OSError as cause:
        raise unwritable(index, cause) from cause
    with tempfile.SpooledTemporaryFile(max_size=SPOOL_MEMORY, dir=str(index)) as file:
        yield Spool(file, index=index)


def scan(
    corpus: Path,
    *,
    changed: Changed | None,
    indexed: Mapping[str, bytes],
    seen: Seen,
    spool: Spool,
    limit_bytes: int,
    clock: Callable[[], float],
    wait: Callable[[float], None],
    on_file: Callable[[int, int], None],
) -> Scan:
    """Compare a folder with what is indexed.

    Args:
        corpus: The folder.
        changed: Where to look; None to look everywhere, which is done too where only that tells.
        indexed: Sha256 of what need not be indexed again, by path.
        seen: What was read before; brought up to date.
        spool: Takes the bytes of what is new.
        limit_bytes, clock, wait, on_file: As in `visit_corpus`.

    Raises:
        CorpusError: Nothing there to index.
        IndexUnwritable: There is no room to put articles aside.
    """
    named = list_named(corpus, changed.paths) if changed else None
    sorter = _Sorter(indexed=indexed, seen=seen, spool=spool)
    visit = visit_corpus(
        corpus,
        list_corpus(corpus) if named is None else named,
        limit_bytes=limit_bytes,
        clock=clock,
        wait=wait,
        on_file=on_file,
        is_known=sorter.is_known,
        is_same=sorter.is_same,
        on_article=sorter.on_article,
    )
    found = Scan(
        digests=sorter.digests,
        new=tuple(sorted(sorter.new, key=lambda each: each.key)),
        skipped=visit.skipped,
        ignored=visit.ignored,
    )
    files = sorter.files
    if changed is not None and named is not None:
        files = _elsewhere(seen.files, changed.paths) | files
        found = _brought_up_to_date(changed, found)
    if not found.digests:
        raise nothing_readable(corpus, skipped=found.skipped, ignored=found.ignored)
    seen.files = files
    return found


class _Sorter:
    """Tells what is as it was, and puts what is new aside.

    Attributes:
        digests, files, new: As in `Scan` and `Seen`, of the files so far.
    """

    def __init__(self, *, indexed: Mapping[str, bytes], seen: Seen, spool: Spool) -> None:
        self.digests: dict[str, bytes] = {}
        self.files: dict[str, tuple[Stamp, bytes]] = {}
        self.new: list[New] = []
        self._indexed = indexed
        self._before = seen.files
        self._spool = spool

    def is_known(self, path: str, stamp: Stamp) -> bool:  # once for every file of a large archive
        known = self._before.get(path)
        if known is None or known[0] != stamp or self._indexed.get(path) != known[1]:
            return False
        self.digests[path], self.files[path] = known[1], known
        return True

    def is_same(self, path: str, contents: Contents) -> bool:
        digest = hashlib.sha256(contents.raw).digest()
        if self._indexed.get(path) != digest:
            return False
        self.digests[path], self.files[path] = digest, (contents.stamp, digest)
        return True

    def on_article(self, article: Article, stamp: Stamp) -> None:
        digest = hashlib.sha256(article.raw).digest()
        self.digests[article.path], self.files[article.path] = digest, (stamp, digest)
        place, size = self._spool.put(article.raw), len(article.raw)
        self.new.append(New(key=by_date(article), digest=digest, place=place, size=size))


def _brought_up_to_date(changed: Changed, found: Scan) -> Scan:
    """Give what the folder holds now, by what was found where it may be another one."""
    before = changed.before
    skipped = {skip.path: skip for skip in before.skipped}
    kept = (*_elsewhere(skipped, changed.paths).values(), *found.skipped)
    return Scan(
        digests=_elsewhere(before.digests, changed.paths) | found.digests,
        new=found.new,
        skipped=tuple(sorted(kept, key=lambda skip: os.fsencode(skip.path))),
        ignored=before.ignored,
    )


def _elsewhere(by_path: Mapping[str, _T], paths: Collection[str]) -> dict[str, _T]:
    """Give what is neither under one of some paths nor in a folder of that name."""
    found = dict(by_path)
    for path in paths:
        found.pop(path, None)
    folders = {f"{path}/" for path in paths if not may_be_article(path)}
    if not folders:
        return found
    lengths = sorted({len(folder) for folder in folders})
    return {
        path: value
        for path, value in found.items()
        if not any(path[:length] in folders for length in lengths)
    }


def content_of(digests: Mapping[str, bytes], *, fingerprint: str, form: int) -> str:
    """Give the hash of what an index holds: paths and bytes of articles, encoder and format.

    Where the folder lies is no part of it.
    """
    digest = hashlib.sha256(f"content {form} {fingerprint}\n".encode())
    for path, sha256 in sorted((os.fsencode(path), sha256) for path, sha256 in digests.items()):
        digest.update(path + b"\0" + sha256)
    return digest.hexdigest()
