"""Several segments → one numbering: that of an index built anew from their living articles.

Articles ascend by (published, path), rows by their article and their place in it. Everything above
sees only these numbers; which segment an article lies in is known here and in `merging`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retrieval.segments import PASSAGES, SENTENCES, Key, Kind, Segment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """A segment, and which of its articles are dead: replaced or removed. Shape (articles,)."""

    segment: Segment
    dead: NDArray[np.bool_] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Joined:
    """The numbering.

    Attributes:
        owners, locals: Shape (articles,): for each living article, the number of its part, and its
            number there.
        sentence_begins, passage_begins: Shape (articles + 1,): the first row of each.
        sentence_rows, passage_rows: For each part, the row of each of its rows, -1 for a dead one.
    """

    parts: tuple[Part, ...]
    owners: NDArray[np.int64] = field(repr=False)
    locals: NDArray[np.int64] = field(repr=False)
    sentence_begins: NDArray[np.int64] = field(repr=False)
    passage_begins: NDArray[np.int64] = field(repr=False)
    sentence_rows: tuple[NDArray[np.int64], ...] = field(repr=False)
    passage_rows: tuple[NDArray[np.int64], ...] = field(repr=False)

    @property
    def articles(self) -> int:
        return len(self.owners)

    @property
    def sentences(self) -> int:
        return int(self.sentence_begins[-1])

    @property
    def passages(self) -> int:
        return int(self.passage_begins[-1])

    def rows(self, kind: Kind) -> tuple[NDArray[np.int64], ...]:
        """Give the rows that vectors of a kind belong to, for each part."""
        return self.passage_rows if kind == "passage" else self.sentence_rows

    def place(self, number: int) -> tuple[Segment, int]:
        """Give the segment of an article, and its number there."""
        return self.parts[self.owners[number]].segment, int(self.locals[number])

    def key(self, number: int) -> Key:
        """Give what an article is sorted by."""
        segment, local = self.place(number)
        return segment.key(local)

    def number_of(self, key: Key) -> int | None:
        """Give the number of the article of a key; None if there is none."""
        number = bisect_left(range(self.articles), key, key=self.key)
        return number if number < self.articles and self.key(number) == key else None

    def article_of(self, begins: NDArray[np.int64], row: int) -> int:
        """Give the number of the article that a row of `begins` belongs to."""
        return int(begins.searchsorted(row, side="right")) - 1


def whole_part(segment: Segment) -> Part:
    """Give a segment with all its articles alive."""
    import numpy as np

    return Part(segment=segment, dead=np.zeros(segment.facts.articles, dtype=np.bool_))


def join(parts: Sequence[Part]) -> Joined:
    """Number the living articles of some segments; no two of them have the same path."""
    import numpy as np

    owners, numbers = _in_order(parts)
    counts = {}
    for column in (SENTENCES, PASSAGES):
        sizes = np.zeros(len(owners), dtype=np.int64)
        for number, part in enumerate(parts):
            own = owners == number
            sizes[own] = np.diff(part.segment.begins[:, column])[numbers[own]]
        counts[column] = np.concatenate([[0], np.cumsum(sizes)])
    rows = {
        column: tuple(
            _rows(part.segment.begins[:, column], numbers[own], counts[column][:-1][own])
            for part, own in ((part, owners == number) for number, part in enumerate(parts))
        )
        for column in (SENTENCES, PASSAGES)
    }
    return Joined(
        parts=tuple(parts),
        owners=owners,
        locals=numbers,
        sentence_begins=counts[SENTENCES],
        passage_begins=counts[PASSAGES],
        sentence_rows=rows[SENTENCES],
        passage_rows=rows[PASSAGES],
    )


def _in_order(parts: Sequence[Part]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give part and number of each living article, in order.

    Each segment is in order already. The others are looked up in the largest one, so that one new
    article in a large archive is not a walk through all of it.
    """
    import numpy as np

    living = [np.flatnonzero(~part.dead) for part in parts]
    if not parts:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    largest = max(range(len(parts)), key=lambda number: len(living[number]))
    base, order = parts[largest].segment, living[largest]
    others = sorted(
        (parts[number].segment.key(local), number, local)
        for number in range(len(parts))
        if number != largest
        for local in living[number].tolist()
    )
    places: list[int] = []
    for key, _, _ in others:
        lowest = places[-1] if places else 0
        places.append(bisect_left(order, key, lo=lowest, key=lambda local: base.key(int(local))))
    owners = np.insert(
        np.full(len(order), largest, dtype=np.int64), places, [number for _, number, _ in others]
    )
    return owners, np.insert(order, places, [local for _, _, local in others])


def _rows(
    begins: NDArray[np.int64], numbers: NDArray[np.int64], firsts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Give the row of each row of a segment, -1 for those of dead articles.

    Args:
        begins: Of the segment's articles, and the end of the last one.
        numbers: Its living articles.
        firsts: The first row of each of these.
    """
    import numpy as np

    counts = np.diff(begins)
    shifts = np.zeros(len(counts), dtype=np.int64)
    shifts[numbers] = firsts - begins[:-1][numbers]
    living = np.zeros(len(counts), dtype=np.bool_)
    living[numbers] = True
    rows = np.arange(begins[-1]) + np.repeat(shifts, counts)
    rows[~np.repeat(living, counts)] = -1
    return rows
