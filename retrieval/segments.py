"""A segment: some articles and all that is needed to search them, in files that never change.

It is made of its articles, in the order of `by_date`, and of nothing else but the encoder and the
format; its id is a hash of just these. Rows are its own: 0 to n - 1. A generation is a list of
segments; `joining` gives their rows one numbering.

    articles.bin          the bytes of all articles, one after the other
    paths.bin             their paths, likewise
    articles.npy          int64, (n, 11): see `ARTICLE_COLUMNS`
    digests.npy           int64, (n, 4): sha256 of each, 32 bytes
    sentences.npy         int64, (n, 4): start, end, passage, is_heading
    passages.npy          int64, (n, 4): start, end, first sentence, number of sentences
    keys.npy              int64, (3, n): what was encoded for each sentence (16 bytes of a hash) and
                          its row, sorted
    *_vectors.faiss       sentence (as its surroundings make it read), passage
    *_vectors.sketches    the same, coarsely; where there are many rows
    sentence_words.bin    words of sentences
    sentence_spellings.bin   as they are spelled
    passage_words.bin     words of passages, with their articles' headlines before them
    segment.json          counts, and what the sketches are good for

Sentences and passages are counted from the first one of their article, so that an article's rows
are the same numbers in every segment.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from retrieval.datatypes import Article, Span
from retrieval.durable import ANEW, File
from retrieval.errors import IndexDamaged
from retrieval.generations import FORMAT
from retrieval.postings import Postings, open_postings
from retrieval.vectors import VectorIndex, open_vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Kind = Literal["sentence", "passage"]
KINDS: tuple[Kind, ...] = ("sentence", "passage")  # the second is made of the first
SEGMENT = "segment.json"
RAW = "articles.bin"

# Where each ends in articles.bin and paths.bin; day of publication (`date.toordinal`) or 0; spans,
# -1 where there is none; where its rows end.
ARTICLE_COLUMNS = (
    "bytes_end",
    "path_end",
    "published",
    *("title_start", "title_end", "dateline_start", "dateline_end", "outlet_start", "outlet_end"),
    "sentences_end",
    "passages_end",
)
BYTES, PATH, PUBLISHED, TITLE, DATELINE, OUTLET, SENTENCES, PASSAGES = 0, 1, 2, 3, 5, 7, 9, 10
ENDS = [BYTES, PATH, SENTENCES, PASSAGES]  # columns that add up from article to article
ROW_COLUMNS = 4

KEY_ROWS = 3
DIGEST_COLUMNS = 4

Key = tuple[date, str]  # what articles are sorted by


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentFacts:
    """What `segment.json` says.

    Attributes:
        fingerprint: The encoder's.
        width: Numbers in a vector.
        sketches: By kind of vectors, what is kept of their sketches, where there are any
            (`sketches.Sketches`).
    """

    fingerprint: str
    width: int
    articles: int
    sentences: int
    passages: int
    sketches: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segment:
    """A segment opened for reading; its files are read where they lie.

    Attributes:
        id: Of its articles, the encoder and the format.
        files: All of it, by name.
        begins: Shape (articles + 1, 11): as `articles.npy`, with a row of zeros before it.
        digests: As `digests.npy`.
        sentences, passages: Tables, see above.
        keys: As `keys.npy`.
        vectors: By kind.
    """

    id: str
    files: Mapping[str, File] = field(repr=False)
    facts: SegmentFacts
    begins: NDArray[np.int64] = field(repr=False)
    digests: NDArray[np.int64] = field(repr=False)
    sentences: NDArray[np.int64] = field(repr=False)
    passages: NDArray[np.int64] = field(repr=False)
    keys: NDArray[np.int64] = field(repr=False)
    vectors: Mapping[Kind, VectorIndex] = field(repr=False)
    sentence_words: Postings = field(repr=False)
    sentence_spellings: Postings = field(repr=False)
    passage_words: Postings = field(repr=False)
    raw: NDArray[np.uint8] = field(repr=False)
    paths: bytes = field(repr=False)

    def digest(self, number: int) -> bytes:
        """Give the sha256 of an article's bytes."""
        digest: bytes = self.digests[number].tobytes()
        return digest

    def path(self, number: int) -> str:
        begin, end = self.begins[number : number + 2, PATH].tolist()
        return os.fsdecode(self.paths[begin:end])

    def all_paths(self) -> list[str]:
        """Give the path of each article."""
        ends = self.begins[:, PATH].tolist()
        return [os.fsdecode(self.paths[begin:end]) for begin, end in pairwise(ends)]

    def published(self, number: int) -> date | None:
        day = int(self.begins[number + 1, PUBLISHED])
        return date.fromordinal(day) if day else None

    def key(self, number: int) -> Key:
        """Give what an article is sorted by."""
        return self.published(number) or date.max, self.path(number)

    def bytes_of(self, number: int) -> bytes:
        begin, end = self.begins[number : number + 2, BYTES].tolist()
        return self.raw[begin:end].tobytes()

    def article(self, number: int) -> Article:
        """Give an article.

        Raises:
            IndexDamaged: Something wrote to the file since it was opened.
        """
        raw = self.bytes_of(number)
        if hashlib.sha256(raw).digest() != self.digest(number):
            raise IndexDamaged(f"{self.files[RAW].place} is not what was written. {ANEW}")
        row = self.begins[number + 1].tolist()
        return Article(
            path=self.path(number),
            raw=raw,
            text=raw.decode("utf-8"),
            title=_span(row, TITLE),
            published=date.fromordinal(row[PUBLISHED]) if row[PUBLISHED] else None,
            dateline=_span(row, DATELINE),
            outlet=_span(row, OUTLET),
        )


def by_date(article: Article) -> Key:
    """Give the key that articles are sorted by: day of publication, those without one last."""
    return article.published or date.max, article.path


def segment_id(articles: Iterable[tuple[str, bytes]], *, fingerprint: str) -> str:
    """Give the id of a segment.

    Args:
        articles: Path and sha256 of each, in the order of the segment.
        fingerprint: The encoder's.
    """
    digest = hashlib.sha256(f"segment {FORMAT} {fingerprint}\n".encode())
    for path, sha256 in articles:
        digest.update(os.fsencode(path) + b"\0" + sha256)
    return digest.hexdigest()[:16]


def article_row(article: Article) -> tuple[int, ...]:
    """Give an article's row of `articles.npy`, with sizes in place of ends, and no rows yet."""
    spans = (article.title, article.dateline, article.outlet)
    return (
        len(article.raw),
        len(os.fsencode(article.path)),
        article.published.toordinal() if article.published else 0,
        *(end for span in spans for end in ((span.start, span.end) if span else (-1, -1))),
        0,
        0,
    )


def open_segment(identity: str, files: Mapping[str, File]) -> Segment:
    """Open a segment whose files were verified.

    Raises:
        IndexDamaged: A file is missing, or is none of a segment.
    """
    import numpy as np

    facts = _facts(files)
    sizes: Mapping[Kind, int] = {
        "sentence": facts.sentences,
        "passage": facts.passages,
    }

    def table(name: str, rows: int, columns: int) -> NDArray[np.int64]:
        return _table(_file(files, name), (rows, columns))

    def words(name: str, kind: Kind) -> Postings:
        return open_postings(_file(files, name).place, size=sizes[kind])

    columns = len(ARTICLE_COLUMNS)
    ends = table("articles.npy", facts.articles, columns)
    return Segment(
        id=identity,
        files=files,
        facts=facts,
        begins=np.concatenate([np.zeros((1, columns), dtype=np.int64), ends]),
        digests=table("digests.npy", facts.articles, DIGEST_COLUMNS),
        sentences=table("sentences.npy", facts.sentences, ROW_COLUMNS),
        passages=table("passages.npy", facts.passages, ROW_COLUMNS),
        keys=table("keys.npy", KEY_ROWS, facts.sentences),
        vectors={kind: _vectors(files, kind, facts, sizes[kind]) for kind in KINDS},
        sentence_words=words("sentence_words.bin", "sentence"),
        sentence_spellings=words("sentence_spellings.bin", "sentence"),
        passage_words=words("passage_words.bin", "passage"),
        raw=np.memmap(_file(files, RAW).place, dtype=np.uint8, mode="r"),
        paths=_file(files, "paths.bin").place.read_bytes(),
    )


def _file(files: Mapping[str, File], name: str) -> File:
    if name not in files:
        raise IndexDamaged(f"A segment of the index has no {name}. {ANEW}")
    return files[name]


def _facts(files: Mapping[str, File]) -> SegmentFacts:
    place = _file(files, SEGMENT).place
    try:
        content = json.loads(place.read_bytes())
        return SegmentFacts(**content)
    except (ValueError, TypeError) as cause:
        raise IndexDamaged(f"{place} says nothing of a segment. {ANEW}") from cause


def _table(file: File, shape: tuple[int, int]) -> NDArray[np.int64]:
    import numpy as np

    try:
        found = np.load(file.place, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as cause:
        raise IndexDamaged(f"{file.place} can not be read. {ANEW}") from cause
    if found.shape != shape or found.dtype != np.dtype("<i8"):
        raise IndexDamaged(f"{file.place} is no table of {shape[0]} times {shape[1]}. {ANEW}")
    table: NDArray[np.int64] = found.view(np.ndarray)
    return table


def _vectors(files: Mapping[str, File], kind: Kind, facts: SegmentFacts, size: int) -> VectorIndex:
    place = _file(files, f"{kind}_vectors.faiss").place
    found = facts.sketches.get(kind)
    if found is None:
        return open_vectors(place, width=facts.width, size=size)
    sketches = _file(files, f"{kind}_vectors.sketches").place
    looked_at = int(found["looked_at"])
    return open_vectors(place, width=facts.width, size=size, sketches=sketches, looked_at=looked_at)


def _span(row: list[int], column: int) -> Span | None:
    start, end = row[column : column + 2]
    return None if start < 0 else Span(start=start, end=end)
