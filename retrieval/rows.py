"""Articles, sentences and passages of joined segments, made when they are asked for.

A million of them as objects would take gigabytes and seconds; as tables they lie on the disk.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Sequence
from datetime import date
from typing import Generic, TypeVar, overload
from weakref import WeakValueDictionary

from retrieval.datatypes import Article, Passage, Sentence, Span
from retrieval.joining import Joined
from retrieval.segments import PASSAGES, SENTENCES, Key, by_date

KEPT = 1024  # articles that stay at hand: those of the last few questions
KEPT_ROWS = 2048  # sentences, and passages, that do; each holds its article
KEPT_COLUMNS = 1 << 16  # rows of a table, a few numbers each

_Made = TypeVar("_Made")


class _Lazy(Sequence[_Made], Generic[_Made]):
    """A sequence whose elements are made one by one."""

    def __init__(self, joined: Joined, size: int) -> None:
        self._joined = joined
        self._size = size

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, row: int) -> _Made: ...
    @overload
    def __getitem__(self, row: slice) -> tuple[_Made, ...]: ...
    def __getitem__(self, row: int | slice) -> _Made | tuple[_Made, ...]:
        if isinstance(row, slice):
            return tuple(self._make(each) for each in range(self._size)[row])
        return self._make(range(self._size)[row])

    @abstractmethod
    def _make(self, row: int) -> _Made: ...


class _Rows(_Lazy[_Made]):
    """Rows of a table; those made last stay at hand."""

    def __init__(self, joined: Joined, size: int) -> None:
        super().__init__(joined, size)
        self._kept: dict[int, _Made] = {}
        self._known: dict[int, tuple[int, list[int]]] = {}

    def _make(self, row: int) -> _Made:
        made = self._kept.get(row)
        if made is None:
            if len(self._kept) >= KEPT_ROWS:
                self._kept = {}
            made = self._kept[row] = self._from(row, *self._columns(row))
        return made

    def _columns(self, row: int) -> tuple[int, list[int]]:
        """Give the number of a row's article, and what its table says of it."""
        columns = self._known.get(row)
        if columns is None:
            if len(self._known) >= KEPT_COLUMNS:
                self._known = {}
            columns = self._known[row] = self._read(row)
        return columns

    @abstractmethod
    def _from(self, row: int, number: int, columns: list[int]) -> _Made: ...

    @abstractmethod
    def _read(self, row: int) -> tuple[int, list[int]]: ...


class Articles(_Lazy[Article]):
    """The living articles, in order. The same one is the same object while anybody holds it."""

    def __init__(self, joined: Joined) -> None:
        super().__init__(joined, joined.articles)
        self._made: WeakValueDictionary[int, Article] = WeakValueDictionary()
        self._recent: deque[Article] = deque(maxlen=KEPT)
        self._by_path: dict[str, int] | None = None
        self._places: dict[Key, int] = {}

    def number_of(self, article: Article) -> int:
        """Give the number of an article, by its day and path."""
        key = by_date(article)
        number = self._places.get(key)
        if number is None:
            number = self._joined.number_of(key)
            if number is None:
                raise ValueError(f"not an article of this generation: {article.path!r}")
            if len(self._places) >= KEPT_COLUMNS:
                self._places = {}
            self._places[key] = number
        return number

    def find(self, path: str) -> Article | None:
        """Give the article of a path, or None."""
        number = self._numbers().get(path)
        return None if number is None else self[number]

    def digests(self) -> dict[str, str]:
        """Give the sha256 of each article in hex, by its path; no article is read."""
        places = map(self._joined.place, range(self._size))
        return {segment.path(local): segment.digest(local).hex() for segment, local in places}

    def days(self) -> list[date | None]:
        """Give the day of publication of each article; no article is read."""
        places = map(self._joined.place, range(self._size))
        return [segment.published(local) for segment, local in places]

    def _numbers(self) -> dict[str, int]:
        if self._by_path is None:
            places = map(self._joined.place, range(self._size))
            paths = (segment.path(local) for segment, local in places)
            self._by_path = {path: number for number, path in enumerate(paths)}
        return self._by_path

    def _make(self, row: int) -> Article:
        article = self._made.get(row)
        if article is None:
            segment, local = self._joined.place(row)
            # Of two threads that make the same article, both get the one that is kept.
            article = self._made.setdefault(row, segment.article(local))
            self._recent.append(article)
        return article


class Sentences(_Rows[Sentence]):
    """The sentences of living articles, in row order."""

    def __init__(self, joined: Joined, articles: Articles) -> None:
        super().__init__(joined, joined.sentences)
        self._articles = articles

    def rows_of(self, article: int) -> range:
        """Give the rows of an article, by its number."""
        begin, end = self._joined.sentence_begins[article : article + 2].tolist()
        return range(begin, end)

    def passage_of(self, row: int) -> int:
        """Give the passage that a sentence is scored with; the sentence itself is not made."""
        number, columns = self._columns(row)
        return int(self._joined.passage_begins[number]) + columns[2]

    def spans_of(self, article: int) -> list[Span]:
        """Give the spans of an article's sentences, by its number; no sentence is made."""
        segment, local = self._joined.place(article)
        begin, end = segment.begins[local : local + 2, SENTENCES].tolist()
        places = segment.sentences[begin:end, :2].tolist()
        return [Span(start=start, end=end) for start, end in places]

    def _from(self, row: int, number: int, columns: list[int]) -> Sentence:
        start, end, passage, is_heading = columns
        return Sentence(
            row=row,
            article=self._articles[number],
            span=Span(start=start, end=end),
            passage=int(self._joined.passage_begins[number]) + passage,
            is_heading=bool(is_heading),
        )

    def _read(self, row: int) -> tuple[int, list[int]]:
        number = self._joined.article_of(self._joined.sentence_begins, row)
        segment, local = self._joined.place(number)
        inside = row - int(self._joined.sentence_begins[number])
        columns: list[int] = segment.sentences[segment.begins[local, SENTENCES] + inside].tolist()
        return number, columns


class Passages(_Rows[Passage]):
    """The passages of living articles, in row order."""

    def __init__(self, joined: Joined, articles: Articles) -> None:
        super().__init__(joined, joined.passages)
        self._articles = articles

    def sentences_in(self, row: int) -> range:
        """Give the rows of a passage's sentences; the passage itself is not made."""
        number, (_, _, first, count) = self._columns(row)
        begin = int(self._joined.sentence_begins[number]) + first
        return range(begin, begin + count)

    def _from(self, row: int, number: int, columns: list[int]) -> Passage:
        start, end, first, count = columns
        begin = int(self._joined.sentence_begins[number]) + first
        return Passage(
            row=row,
            article=self._articles[number],
            span=Span(start=start, end=end),
            sentences=tuple(range(begin, begin + count)),
        )

    def _read(self, row: int) -> tuple[int, list[int]]:
        number = self._joined.article_of(self._joined.passage_begins, row)
        segment, local = self._joined.place(number)
        inside = row - int(self._joined.passage_begins[number])
        columns: list[int] = segment.passages[segment.begins[local, PASSAGES] + inside].tolist()
        return number, columns
