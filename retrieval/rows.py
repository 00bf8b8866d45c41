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
from retrieval.segments import PASSAGES, SENTENCES, by_date

KEPT = 1024  # articles that stay at hand: those of the last few questions

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


class Articles(_Lazy[Article]):
    """The living articles, in order. The same one is the same object while anybody holds it."""

    def __init__(self, joined: Joined) -> None:
        super().__init__(joined, joined.articles)
        self._made: WeakValueDictionary[int, Article] = WeakValueDictionary()
        self._recent: deque[Article] = deque(maxlen=KEPT)
        self._by_path: dict[str, int] | None = None

    def number_of(self, article: Article) -> int:
        """Give the number of an article, by its day and path."""
        number = self._joined.number_of(by_date(article))
        if number is None:
            raise ValueError(f"not an article of this generation: {article.path!r}")
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


class Sentences(_Lazy[Sentence]):
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

    def _make(self, row: int) -> Sentence:
        number, (start, end, passage, is_heading) = self._columns(row)
        return Sentence(
            row=row,
            article=self._articles[number],
            span=Span(start=start, end=end),
            passage=int(self._joined.passage_begins[number]) + passage,
            is_heading=bool(is_heading),
        )

    def _columns(self, row: int) -> tuple[int, list[int]]:
        """Give the number of a sentence's article, and its row of the table."""
        number = self._joined.article_of(self._joined.sentence_begins, row)
        segment, local = self._joined.place(number)
        inside = row - int(self._joined.sentence_begins[number])
        columns: list[int] = segment.sentences[segment.begins[local, SENTENCES] + inside].tolist()
        return number, columns


class Passages(_Lazy[Passage]):
    """The passages of living articles, in row order."""

    def __init__(self, joined: Joined, articles: Articles) -> None:
        super().__init__(joined, joined.passages)
        self._articles = articles

    def sentences_in(self, row: int) -> range:
        """Give the rows of a passage's sentences; the passage itself is not made."""
        number, (_, _, first, count) = self._columns(row)
        begin = int(self._joined.sentence_begins[number]) + first
        return range(begin, begin + count)

    def _make(self, row: int) -> Passage:
        number, (start, end, first, count) = self._columns(row)
        begin = int(self._joined.sentence_begins[number]) + first
        return Passage(
            row=row,
            article=self._articles[number],
            span=Span(start=start, end=end),
            sentences=tuple(range(begin, begin + count)),
        )

    def _columns(self, row: int) -> tuple[int, list[int]]:
        """Give the number of a passage's article, and its row of the table."""
        number = self._joined.article_of(self._joined.passage_begins, row)
        segment, local = self._joined.place(number)
        inside = row - int(self._joined.passage_begins[number])
        columns: list[int] = segment.passages[segment.begins[local, PASSAGES] + inside].tolist()
        return number, columns
