"""A generation → two collections on Milvus, and back: is it there, whole?

    clippings_v1_<space>_<generation>_sentences    an alias: clippings_v1_<space>_sentences
    clippings_v1_<space>_<generation>_passages     an alias: clippings_v1_<space>_passages

The space is a random name that an index gets at its first upload (`<index>/SPACE`), so that several
indexes share a server. A collection is named by its generation, which names its content: so what is
there already is right, and an upload that was killed goes on with the blocks that are not.

`CURRENT` stays the only commit point of a generation. The alias of the sentences follows it, once
both collections were counted, and means «whole»: before, nobody searches them.

Who reads a generation holds its folder (`generations.hold`), and a folder that is held is not
collected. So a collection without a folder has no reader: it is dropped, by the next upload, under
the lock of those who build. A reader that is killed lets go of its folder by that.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.errors import EngineBehind, IndexUnwritable
from retrieval.generations import locked
from retrieval.lexical import LexicalIndex
from retrieval.library import Library, open_library
from retrieval.milvus import (
    KEY,
    PASSAGE,
    SENTENCE,
    WORDS,
    Collection,
    Consistency,
    Milvus,
    MilvusEngine,
    MilvusServer,
    Row,
)
from retrieval.sparse import SparseTexts
from retrieval.vectors import JoinedVectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK = 1_000  # rows of one request: 4 MB of at most 64
SPACE = "SPACE"
_SPACE = re.compile(r"[0-9a-f]{12}")
_PREFIX = "clippings_v1"  # raised when what is in a collection, or what it means, changes
_NUMBERS = ("article", "day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What an upload did.

    Attributes:
        written, present: Rows that were written, and that were there already.
        dropped: Collections of generations that nobody reads any more.
    """

    generation: str
    written: int
    present: int
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosted:
    """What a server holds of a generation.

    Attributes:
        sentences, passages: Rows; None where there is no collection.
        is_whole: Whether it is searched.
    """

    version: str
    collections: tuple[str, str]
    sentences: int | None
    passages: int | None
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """What becomes a collection.

    Attributes:
        articles: Shape (size,): for each row, the number of its article.
    """

    collection: Collection
    vectors: Mapping[str, JoinedVectors]
    words: LexicalIndex
    articles: NDArray[np.int64]


def upload(
    index: Path, server: MilvusServer, *, on_progress: Callable[[str, int, int], None]
) -> Upload:
    """Bring the current generation to a server, and let those who ask find it there.

    Args:
        on_progress: Told the stage («uploading»), and how many rows of how many are there.

    Raises:
        IndexFault: There is no index, it can not be used, or somebody is building it.
        EngineFault: The server is away, or holds another number of rows than it was given.
    """
    with (
        locked(index),
        closing(open_library(index, fingerprint=None)) as library,
        Milvus(server) as milvus,
    ):
        space = _made_space(index)
        sentences, passages, written = host(milvus, library, space, on_progress=on_progress)
        milvus.point(_alias(space, "passages"), passages.name)
        milvus.point(_alias(space, "sentences"), sentences.name)
        dropped = _drop_unread(milvus, index, space, library.generation)
    return Upload(
        generation=library.generation,
        written=written,
        present=sentences.size + passages.size - written,
        dropped=dropped,
    )


def host(
    milvus: Milvus,
    library: Library,
    space: str,
    *,
    on_progress: Callable[[str, int, int], None],
    block: int = BLOCK,
) -> tuple[Collection, Collection, int]:
    """Write what is missing of a generation, and count what is there.

    Args:
        block: How many rows are written at once.

    Returns:
        The collections of the sentences and of the passages, both whole, and how many rows were
        written.

    Raises:
        EngineFault: The server is away, or holds another number of rows than it was given.
    """
    tables = _tables(library, space)
    total = sum(table.collection.size for table in tables)
    written = done = 0
    for table in tables:
        for count, new in _fill(milvus, table, library, block):
            done, written = done + count, written + new
            on_progress("uploading", done, total)
    sentences, passages = (table.collection for table in tables)
    _check(milvus, (sentences, passages), "Strong")
    return sentences, passages, written


def open_milvus(library: Library, index: Path, server: MilvusServer) -> MilvusEngine:
    """Connect to the server that holds a library's generation.

    Raises:
        EngineAway: The server does not answer, or refuses.
        EngineBehind: It does not hold this generation, or not all of it.
    """
    milvus = Milvus(server)
    try:
        sentences, passages = _whole_collections(library, index, milvus)
        return MilvusEngine(milvus, sentences=sentences, passages=passages)
    except BaseException:
        milvus.close()
        raise


def look_up(library: Library, index: Path, server: MilvusServer) -> Hosted:
    """Say what a server holds of a library's generation.

    Raises:
        EngineAway: The server does not answer, or refuses.
    """
    space = _space(index) or ""
    sentences, passages = _collections(library, space)
    with Milvus(server) as milvus:
        names = milvus.names()
        counts = [
            milvus.count(each.name, consistency="Bounded") if each.name in names else None
            for each in (sentences, passages)
        ]
        return Hosted(
            version=milvus.version(),
            collections=(sentences.name, passages.name),
            sentences=counts[0],
            passages=counts[1],
            is_whole=counts == [sentences.size, passages.size]
            and milvus.is_named(sentences.name, _alias(space, "sentences")),
        )


def _whole_collections(
    library: Library, index: Path, milvus: Milvus
) -> tuple[Collection, Collection]:
    space = _space(index)
    sentences, passages = _collections(library, space or "")
    if space is None or not milvus.is_named(sentences.name, _alias(space, "sentences")):
        raise EngineBehind(
            f"Milvus at {milvus.server} does not hold generation {library.generation}. If it is "
            "being uploaded, wait; otherwise upload it: clippings index"
        )
    _check(milvus, (sentences, passages), "Bounded")
    return sentences, passages


def _fill(milvus: Milvus, table: _Table, library: Library, block: int) -> Iterator[tuple[int, int]]:
    """Write what is not there yet, block by block; give the rows of each, and the new among them.

    Blocks are written one after the other and a row replaces itself, so one that has all its rows
    has the right ones.
    """
    collection = table.collection
    is_new = milvus.prepare(
        collection, numbers=_NUMBERS, vectors=tuple(table.vectors), width=library.facts.width
    )
    texts: SparseTexts | None = None
    for first in range(0, collection.size, block):
        rows = range(first, min(first + block, collection.size))
        if not is_new and _is_there(milvus, collection.name, rows):
            yield len(rows), 0
            continue
        texts = texts or SparseTexts(table.words)
        milvus.write(collection.name, _rows(table, rows, texts, library))
        yield len(rows), len(rows)
    if texts is not None:
        milvus.settle(collection.name)


def _is_there(milvus: Milvus, name: str, rows: range) -> bool:
    return milvus.count(name, rows=rows, consistency="Strong") == len(rows)


def _rows(table: _Table, rows: range, texts: SparseTexts, library: Library) -> list[Row]:
    vectors = {name: index.vectors(rows) for name, index in table.vectors.items()}
    articles = table.articles[rows.start : rows.stop].tolist()
    return [
        {
            KEY: row,
            "article": article,
            "day": _day(library, article),
            WORDS: texts[row],
            **{name: of_all[place] for name, of_all in vectors.items()},
        }
        for place, (row, article) in enumerate(zip(rows, articles, strict=True))
    ]


def _day(library: Library, article: int) -> int:
    """Give the day of publication as a number, 20250502; 0 where the article states none."""
    published = library.articles[article].published
    return int(published.strftime("%Y%m%d")) if published else 0


def _check(milvus: Milvus, collections: Sequence[Collection], consistency: Consistency) -> None:
    for collection in collections:
        milvus.wake(collection.name)
        found = milvus.count(collection.name, consistency=consistency)
        if found != collection.size:
            raise EngineBehind(
                f"Milvus at {milvus.server} has {found:,} of {collection.size:,} rows of "
                f"{collection.name}. Wait a moment; if it stays so, upload it: clippings index"
            )


def _drop_unread(milvus: Milvus, index: Path, space: str, current: str) -> tuple[str, ...]:
    """Drop the collections of this index whose generation is no longer on the disk."""
    ours = re.compile(rf"{_PREFIX}_{space}_([0-9a-f]{{12}})_(sentences|passages)")
    dropped = []
    for name in sorted(milvus.names()):
        found = ours.fullmatch(name)
        if found and found[1] != current and not (index / found[1]).exists():
            milvus.drop(name)
            dropped.append(name)
    return tuple(dropped)


def _tables(library: Library, space: str) -> tuple[_Table, _Table]:
    import numpy as np

    sentences, passages = _collections(library, space)
    of_sentences = np.fromiter(
        (sentence.passage for sentence in library.sentences), dtype=np.int64, count=sentences.size
    )
    return (
        _Table(
            collection=sentences,
            vectors={SENTENCE: library.sentence_vectors},
            words=library.sentence_words,
            articles=library.passage_articles[of_sentences],
        ),
        _Table(
            collection=passages,
            vectors={PASSAGE: library.passage_vectors},
            words=library.passage_words,
            articles=library.passage_articles,
        ),
    )


def _collections(library: Library, space: str) -> tuple[Collection, Collection]:
    stem = f"{_PREFIX}_{space}_{library.generation}"
    return (
        Collection(name=f"{stem}_sentences", size=library.facts.sentences),
        Collection(name=f"{stem}_passages", size=library.facts.passages),
    )


def _alias(space: str, table: str) -> str:
    return f"{_PREFIX}_{space}_{table}"


def _space(index: Path) -> str | None:
    try:
        space = (index / SPACE).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return space if _SPACE.fullmatch(space) else None


def _made_space(index: Path) -> str:
    space = _space(index)
    if space is None:
        space = secrets.token_hex(6)
        try:
            (index / SPACE).write_text(f"{space}\n", "ascii")
        except OSError as cause:
            raise IndexUnwritable(
                f"{index / SPACE} can not be written: {cause.strerror}. Make room there, or grant "
                "access to it; then upload: clippings index"
            ) from cause
    return space
