"""BM25 as sparse vectors: the inner product of a text's and a question's is the text's score.

For engines that multiply sparse vectors. The weights are those of the local index, so its stemming,
its statistics of the whole archive and its formula hold there too, whatever the engine would do by
itself: its analyzers differ between versions, and its statistics may be those of a part.
A dimension is a hash of a stem; the dimension of no stem is 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

from retrieval.lexical import LexicalIndex

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DIMENSIONS = 2**32 - 1  # Milvus takes numbers below it
_NO_WORD = {0: 1.0}  # of a text without a word: an engine may refuse a vector of nothing


class SparseTexts:
    """The sparse vectors of all texts of an index, by row.

    It takes 12 bytes for each word of each text, twice that while it is made.
    """

    def __init__(self, words: LexicalIndex) -> None:
        import numpy as np

        dimensions, rows, weights = _postings(words)
        order = np.argsort(rows, kind="stable")
        self._dimensions = dimensions[order]
        self._weights = weights[order]
        self._begins = np.searchsorted(rows[order], np.arange(words.size + 1))

    def __getitem__(self, row: int) -> dict[int, float]:
        """Give the weights of a text by dimension, never empty."""
        begin, end = self._begins[row : row + 2]
        weights: dict[int, float] = {}
        # Two stems may have one hash; a text that has both is found by either.
        for dimension, weight in zip(
            self._dimensions[begin:end].tolist(), self._weights[begin:end].tolist(), strict=True
        ):
            weights[dimension] = weights.get(dimension, 0.0) + weight
        return weights or dict(_NO_WORD)


def sparse_question(stems: Sequence[str]) -> dict[int, float]:
    """Give the weights of a question by dimension: how often it has each stem."""
    weights: dict[int, float] = {}
    for stem in stems:
        dimension = dimension_of(stem)
        weights[dimension] = weights.get(dimension, 0.0) + 1.0
    return weights


def dimension_of(stem: str) -> int:
    digest = blake2b(stem.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % (DIMENSIONS - 1) + 1


def _postings(
    words: LexicalIndex,
) -> tuple[NDArray[np.uint32], NDArray[np.int32], NDArray[np.float32]]:
    """Give dimension, row and weight of each word of each text, each of shape (n,)."""
    import numpy as np

    found = list(_by_stem(words))
    if not found:
        return np.empty(0, np.uint32), np.empty(0, np.int32), np.empty(0, np.float32)
    dimensions, rows, weights = zip(*found, strict=True)
    counts = [len(each) for each in rows]
    return (
        np.repeat(np.array(dimensions, dtype=np.uint32), counts),
        np.concatenate(rows),
        np.concatenate(weights),
    )


def _by_stem(
    words: LexicalIndex,
) -> Iterator[tuple[int, NDArray[np.int32], NDArray[np.float32]]]:
    import numpy as np

    for stem in words.vocabulary():
        rows = words.first(stem, limit=words.size)
        yield dimension_of(stem), np.array(rows, dtype=np.int32), words.scores_at([stem], rows)
