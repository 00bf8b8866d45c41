"""Vectors that are there already: of the generation before, of finished shards, of this build.

What is encoded is known by 128 bits of a hash: of a sentence, or of a stretch of an article and the
place of a sentence in it. So a text that moved, or that two papers printed, is encoded once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from retrieval.cutting import Context
from retrieval.segments import Kind, Segment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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

    def add(self, segment: Segment) -> None:
        self._segments.append(segment)

    def replace(self, segments: Iterable[Segment], merged: Segment) -> None:
        """Take segments out that another one holds now."""
        gone = {segment.id for segment in segments}
        self._segments = [each for each in self._segments if each.id not in gone]
        self._segments.append(merged)

    def take(
        self, kind: Kind, hashes: NDArray[np.int64], vectors: NDArray[np.float32]
    ) -> NDArray[np.bool_]:
        """Fill in the vectors that are known.

        Args:
            hashes: Shape (2, n).
            vectors: Shape (n, width), to be filled.

        Returns:
            Shape (n,): which were found.
        """
        import numpy as np

        found = np.zeros(hashes.shape[1], dtype=np.bool_)
        for segment in self._segments:
            wanted = np.flatnonzero(~found)
            if not len(wanted):
                return found
            rows = _look_up(segment.keys[kind], hashes[:, wanted])
            held = wanted[rows >= 0]
            if len(held):
                vectors[held] = segment.vectors[kind].vectors(rows[rows >= 0])
                found[held] = True
                if segment.id in self._first and kind == "sentence":
                    self.reused += len(held)
        return found


def hashes_of_texts(texts: Sequence[str]) -> NDArray[np.int64]:
    """Give the hash of each text, shape (2, n)."""
    return _hashes(text.encode("utf-8") for text in texts)


def hashes_of_contexts(contexts: Sequence[Context]) -> NDArray[np.int64]:
    """Give the hash of each stretch and place in it, shape (2, n)."""
    return _hashes(f"{start} {end}\n{text}".encode() for text, start, end in contexts)


def _hashes(data: Iterable[bytes]) -> NDArray[np.int64]:
    import numpy as np

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
