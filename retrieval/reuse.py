"""Vectors that are there already: of the generation before, of finished shards, of this build.

What is encoded is known by 128 bits of a hash: of a stretch of an article, and the place of a
sentence in it. So a text that moved, or that two papers printed, is encoded once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from retrieval.cutting import Context
from retrieval.segments import KEY_ROWS, Segment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Source(Protocol):
    """Vectors that need not be computed."""

    def take(self, hashes: NDArray[np.int64], vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Fill in the vectors that are known.

        Args:
            hashes: Shape (2, n).
            vectors: Shape (n, width), to be filled.

        Returns:
            Shape (n,): which were found.
        """


class Known:
    """Segments whose vectors may be taken over; all of the same encoder.

    Attributes:
        reused: How many vectors of sentences were taken from the segments that were there at
            first.
    """

    def __init__(self, segments: Iterable[Segment] = ()) -> None:
        self.reused = 0
        self._segments = list(segments)
        self._first = {segment.id for segment in self._segments}

    @property
    def is_from_before(self) -> bool:
        """Tell whether there were segments at first."""
        return bool(self._first)

    def add(self, segment: Segment) -> None:
        self._segments.append(segment)

    def replace(self, segments: Iterable[Segment], merged: Segment) -> None:
        """Take segments out that another one holds now."""
        gone = {segment.id for segment in segments}
        self._segments = [each for each in self._segments if each.id not in gone]
        self._segments.append(merged)

    def take(self, hashes: NDArray[np.int64], vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Fill in the vectors that are known, as `Source` says."""
        import numpy as np

        found = np.zeros(hashes.shape[1], dtype=np.bool_)
        for segment in self._segments:
            wanted = np.flatnonzero(~found)
            if not len(wanted):
                return found
            rows = _look_up(segment.keys, hashes[:, wanted])
            held = wanted[rows >= 0]
            if len(held):
                vectors[held] = segment.vectors["sentence"].vectors(rows[rows >= 0])
                found[held] = True
                if segment.id in self._first:
                    self.reused += len(held)
        return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Carried:
    """Vectors by themselves, without the segments that they are from.

    Attributes:
        keys: Shape (3, n): hashes in the first two rows, sorted, and 0 to n - 1.
        vectors: Shape (n, width).
    """

    keys: NDArray[np.int64]
    vectors: NDArray[np.float16]

    def take(self, hashes: NDArray[np.int64], vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Fill in the vectors that are known, as `Source` says."""
        rows = _look_up(self.keys, hashes)
        found: NDArray[np.bool_] = rows >= 0
        vectors[found] = self.vectors[rows[found]]
        return found


def carried(source: Source, hashes: NDArray[np.int64], *, width: int) -> Carried:
    """Give the vectors that a source has for some hashes, shape (2, n).

    They are stored in 16 bits, so nothing is lost.
    """
    import numpy as np

    matrix = np.empty((hashes.shape[1], width), dtype=np.float32)
    found = np.flatnonzero(source.take(hashes, matrix))
    _, first = np.unique(hashes[:, found], axis=1, return_index=True)
    held = found[first]  # sorted by their hashes, as `unique` leaves them
    rows = np.arange(len(held), dtype=np.int64)
    keys = np.concatenate([hashes[:, held], rows[None]]).reshape(KEY_ROWS, -1)
    return Carried(keys=keys, vectors=matrix[held].astype(np.float16))


def hashes_of_contexts(contexts: Sequence[Context]) -> NDArray[np.int64]:
    """Give the hash of each stretch and place in it, shape (2, n)."""
    import numpy as np

    data = (f"{start} {end}\n{text}".encode() for text, start, end in contexts)
    joined = b"".join(hashlib.blake2b(each, digest_size=16).digest() for each in data)
    return np.frombuffer(joined, dtype="<i8").reshape(-1, 2).T.astype(np.int64)


def _look_up(keys: NDArray[np.int64], hashes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the row of each hash, -1 where there is none.

    Two texts that share the first 64 bits are looked for at one place only: the other one may not
    be found, and is encoded again.
    """
    import numpy as np

    size = keys.shape[1]
    if not size:
        return np.full(hashes.shape[1], -1, dtype=np.int64)
    places = np.minimum(np.searchsorted(keys[0], hashes[0]), size - 1)
    same = (keys[0, places] == hashes[0]) & (keys[1, places] == hashes[1])
    return np.where(same, keys[2, places], -1)
