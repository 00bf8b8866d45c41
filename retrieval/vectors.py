"""Dense search: the only module that knows faiss, and the only one that ever sees its row -1.

The index is flat: exact, and instant below some 200,000 rows. faiss has no checksum of its own and
its `write_index` hides a full disk, so an index is bytes here; `generations` writes and hashes
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrieval.errors import IndexDamaged

if TYPE_CHECKING:
    import faiss
    import numpy as np
    from numpy.typing import NDArray

REMEDY = "Build it anew: clippings index"


class VectorIndex:
    """Unit vectors by row, searched by cosine.

    Attributes:
        size: Rows.
        width: Numbers in a vector.
    """

    def __init__(self, index: faiss.IndexFlatIP) -> None:
        self.size = int(index.ntotal)
        self.width = int(index.d)
        self._index = index

    def search(
        self, question: NDArray[np.float32], *, k: int, rows: range | None = None
    ) -> list[tuple[int, float]]:
        """Find the rows nearest to a question.

        Args:
            question: Shape (width,), a unit vector.
            k: Rows wanted; fewer come back where there are fewer.
            rows: Rows to look in, contiguous; all of them by default.

        Returns:
            (row, cosine in [-1, 1]) by descending cosine; equal ones by ascending row.
        """
        import faiss
        import numpy as np

        if question.shape != (self.width,):
            raise ValueError(f"not a question of width {self.width}: {question.shape}")
        inside = range(self.size)[slice(*_bounds(rows, self.size))]
        wanted = min(k, len(inside))
        if wanted < 1:
            return []
        selector = faiss.IDSelectorRange(inside.start, inside.stop)
        only = faiss.SearchParameters()
        only.sel = selector
        asked = np.ascontiguousarray(question, dtype=np.float32)[None, :]
        # faiss promises no order among equal scores, nor which of them it leaves out at the end:
        # ask for more until the last one is worse than the last wanted.
        count = wanted
        while True:
            scores, found = self._index.search(asked, count, params=only)
            if count == len(inside) or scores[0, count - 1] < scores[0, wanted - 1]:
                break
            count = min(2 * count + 8, len(inside))
        pairs = [
            (int(row), min(1.0, max(-1.0, float(score))))
            for row, score in zip(found[0], scores[0], strict=True)
            if row >= 0
        ]
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:wanted]

    def vectors(self, rows: Sequence[int]) -> NDArray[np.float32]:
        """Give the vectors of rows, in the order asked for: shape (len(rows), width)."""
        import numpy as np

        if any(not 0 <= row < self.size for row in rows):
            raise IndexError(f"not a row of an index of {self.size}: {list(rows)}")
        wanted = np.asarray(rows, dtype=np.int64)
        if not len(wanted):
            return np.empty((0, self.width), dtype=np.float32)
        return self._index.reconstruct_batch(wanted)


def build_vectors(matrix: NDArray[np.float32]) -> bytes:
    """Give the bytes of an index.

    Args:
        matrix: Shape (size, width), unit rows; row i of the matrix is row i of the index.
    """
    import faiss
    import numpy as np

    index = faiss.IndexFlatIP(matrix.shape[1])
    index.add(np.ascontiguousarray(matrix, dtype=np.float32))
    return faiss.serialize_index(index).tobytes()


def open_vectors(data: bytes, *, width: int, size: int) -> VectorIndex:
    """Open what `build_vectors` gave. Hash the bytes first: faiss trusts what it reads.

    Raises:
        IndexDamaged: The bytes are no index, or one of another width or size.
    """
    import faiss
    import numpy as np

    # Its default lets a damaged header ask for a terabyte.
    faiss.set_deserialization_vector_byte_limit(4 * (size * width * 4 + 4096))
    try:
        index = faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))
    except RuntimeError as cause:
        raise IndexDamaged(f"The vectors of the index can not be read. {REMEDY}") from cause
    if not isinstance(index, faiss.IndexFlatIP) or (index.d, index.ntotal) != (width, size):
        raise IndexDamaged(
            f"The vectors of the index are not {size} rows of width {width}. {REMEDY}"
        )
    return VectorIndex(index)


def _bounds(rows: range | None, size: int) -> tuple[int, int]:
    if rows is None:
        return 0, size
    if rows.step != 1:
        raise ValueError(f"not contiguous rows: {rows}")
    start = min(max(rows.start, 0), size)
    return start, min(max(rows.stop, start), size)
