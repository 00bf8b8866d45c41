"""A folder of articles against what is indexed: what is as it was, and the bytes of what is new.

What is new is put aside in a file without a name, so that memory does not grow with the archive,
and so that what is cut into sentences later is what was hashed now, whatever happens to the folder.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from retrieval.corpus import Skipped, article_of, visit_corpus
from retrieval.datatypes import Article
from retrieval.durable import make_folder, unwritable
from retrieval.files import Contents, Stamp
from retrieval.segments import Key, by_date

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

    digests: Mapping[str, bytes]
    new: tuple[New, ...]
    skipped: tuple[Skipped, ...]
    ignored: int


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
        indexed: Sha256 of what need not be indexed again, by path.
        seen: What was read before; brought up to date.
        spool: Takes the bytes of what is new.
        limit_bytes, clock, wait, on_file: As in `visit_corpus`.

    Raises:
        CorpusError: Nothing there to index.
        IndexUnwritable: There is no room to put articles aside.
    """
    digests: dict[str, bytes] = {}
    files: dict[str, tuple[Stamp, bytes]] = {}
    new: list[New] = []

    before = seen.files

    def is_known(path: str, stamp: Stamp) -> bool:  # once for every file of a large archive
        known = before.get(path)
        if known is None or known[0] != stamp or indexed.get(path) != known[1]:
            return False
        digests[path], files[path] = known[1], known
        return True

    def is_same(path: str, contents: Contents) -> bool:
        digest = hashlib.sha256(contents.raw).digest()
        if indexed.get(path) != digest:
            return False
        digests[path], files[path] = digest, (contents.stamp, digest)
        return True

    def on_article(article: Article, stamp: Stamp) -> None:
        digest = hashlib.sha256(article.raw).digest()
        digests[article.path], files[article.path] = digest, (stamp, digest)
        place = spool.put(article.raw)
        new.append(New(key=by_date(article), digest=digest, place=place, size=len(article.raw)))

    visit = visit_corpus(
        corpus,
        limit_bytes=limit_bytes,
        clock=clock,
        wait=wait,
        on_file=on_file,
        is_known=is_known,
        is_same=is_same,
        on_article=on_article,
    )
    seen.files = files
    return Scan(
        digests=digests,
        new=tuple(sorted(new, key=lambda each: each.key)),
        skipped=visit.skipped,
        ignored=visit.ignored,
    )


def content_of(digests: Mapping[str, bytes], *, fingerprint: str, form: int) -> str:
    """Give the hash of what an index holds: paths and bytes of articles, encoder and format.

    Where the folder lies is no part of it.
    """
    digest = hashlib.sha256(f"content {form} {fingerprint}\n".encode())
    for path, sha256 in sorted((os.fsencode(path), sha256) for path, sha256 in digests.items()):
        digest.update(path + b"\0" + sha256)
    return digest.hexdigest()
