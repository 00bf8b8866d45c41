"""Dense search by cosine: exact, or by sketches first where there are many rows.

Vectors are stored as float16 (recall@10 0.9997 of float32, half the memory) and mapped, not read:
several processes share them, and opening costs nothing. Beside this only `sketches` knows faiss,
and neither lets its row -1 out.

* faiss has no checksum, and its own writing hides a full disk: bytes go through the caller's
  `write`, and the caller hashes a file before it is opened here.
* faiss sums in an order that depends on where a row stands among its neighbours, so that a score
  may differ in its last digits from one index to another. It only names the nearest rows; their
  cosines are summed here, each by itself. A search over several parts is then bit for bit that
  over one index with the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.errors import IndexDamaged
from retrieval.sketches import Scan, Sketches, faiss_threads, open_sketches, sketch

if TYPE_CHECKING:
    import faiss
    import numpy as np
    from numpy.typing import NDArray

Write = Callable[[bytes | memoryview], object]

REMEDY = "Build it anew: clippings index"

# Two sums of the same products differ by less, whatever their order (2e-6 at most for 384 numbers).
SLACK = 1e-5
SPARE = 16  # rows asked for beyond those wanted, so that one search nearly always decides


class VectorIndex:
    """Unit vectors by row, searched by cosine.

    Attributes:
        size: Rows.
        width: Numbers in a vector.
    """

    def __init__(
        self,
        index: faiss.Index,
        matrix: NDArray[np.float16],
        scan: Scan | None = None,
    ) -> None:
        """Join what is open: the rows for faiss, the same rows as a matrix, and their sketches."""
        self.size, self.width = matrix.shape
        self._index = index
        self._matrix = matrix
        self._scan = scan

    def search(
        self, question: NDArray[np.float32], *, k: int, dead: NDArray[np.bool_] | None = None
    ) -> list[tuple[int, float]]:
        """Find the rows nearest to a question.

        Args:
            question: Shape (width,), a unit vector.
            k: Rows wanted; fewer come back where there are fewer.
            dead: Shape (size,): rows that are not to be found; none by default.

        Returns:
            (row, cosine in [-1, 1]) by descending cosine; equal vectors by ascending row.
        """
        rows, cosines = self.nearest(question, k=k, living=None if dead is None else Living(dead))
        return _pairs(rows, cosines, k)

    def nearest(
        self, question: NDArray[np.float32], *, k: int, living: Living | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Give the k nearest living rows, and perhaps more: rows and sums, in no order.

        Among them are all rows that may be one of the k nearest, but for what sketches miss.
        """
        import numpy as np

        if question.shape != (self.width,):
            raise ValueError(f"not a question of width {self.width}: {question.shape}")
        available = self.size if living is None else living.count
        wanted = min(k, available)
        if wanted < 1:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64)
        asked = np.ascontiguousarray(question, dtype=np.float32)[None, :]
        with faiss_threads(1):  # waking others takes longer than a search
            if self._scan is None:
                rows = self._exact(asked, wanted, available, living)
            else:
                rows = self._scanned(self._scan, asked, wanted, available, living)
        # Each by itself and in double precision: the outcome depends on nothing but the two.
        products = self.vectors(rows).astype(np.float64) * asked[0].astype(np.float64)
        return rows, products.sum(axis=1)

    def vectors(self, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """Give the vectors of rows, in the order asked for: shape (len(rows), width)."""
        # Three times as fast as faiss, which decodes row by row.
        vectors: NDArray[np.float32] = self._matrix[_checked_rows(rows, self.size)].astype("<f4")
        return vectors

    def _exact(
        self, asked: NDArray[np.float32], wanted: int, available: int, living: Living | None
    ) -> NDArray[np.int64]:
        """Name more rows until the last one is worse than the last wanted, beyond doubt."""
        import faiss

        only = faiss.SearchParameters()
        only.sel = None if living is None else living.selector
        count = min(wanted + SPARE, available)
        while True:
            found, named = self._index.search(asked, count, params=only)
            scores, rows = found[0], named[0]
            if count == available or scores[count - 1] < scores[wanted - 1] - SLACK:
                named_rows: NDArray[np.int64] = rows[rows >= 0]
                return named_rows
            count = min(2 * count, available)

    def _scanned(
        self,
        scan: Scan,
        asked: NDArray[np.float32],
        wanted: int,
        available: int,
        living: Living | None,
    ) -> NDArray[np.int64]:
        """Compare those whose sketches are nearest; as many living ones as it takes."""
        import numpy as np

        needed = min(max(scan.looked_at, wanted), available)
        count = needed
        while True:
            rows = scan.best(asked, count)
            if living is not None:
                rows = rows[living.mask[rows]]
            if len(rows) >= needed or count >= self.size:
                break
            count = min(2 * count, self.size)
        rows.sort()  # so that neighbours are read together
        if len(rows) <= wanted:
            return rows
        scores = self.vectors(rows) @ asked[0]
        near: NDArray[np.bool_] = scores >= np.partition(scores, -wanted)[-wanted] - SLACK
        return rows[near]


class Living:
    """The rows of an index that may be found.

    Attributes:
        count: How many.
        mask: Shape (size,): which.
        selector: The same for faiss.
    """

    def __init__(self, dead: NDArray[np.bool_]) -> None:
        import faiss
        import numpy as np

        self.count = int(len(dead) - np.count_nonzero(dead))
        self.mask = ~dead
        self._bits = np.packbits(self.mask, bitorder="little")  # faiss keeps no copy
        self.selector = faiss.IDSelectorBitmap(len(self._bits), faiss.swig_ptr(self._bits))


class JoinedVectors:
    """Several indexes searched as one, under the rows of the library.

    Attributes:
        size: Living rows.
        width: Numbers in a vector.
    """

    def __init__(self, parts: Sequence[tuple[VectorIndex, NDArray[np.int64]]]) -> None:
        """Join.

        Args:
            parts: Indexes, at least one, each with the row in the library of each of its rows;
                -1 for one that is dead. The others ascend within a part, and over all parts they
                are 0, 1, ... once each.
        """
        import numpy as np

        self.width = parts[0][0].width
        self.size = sum(int(np.count_nonzero(rows >= 0)) for _, rows in parts)
        self._parts = [_Part(index, rows) for index, rows in parts]
        self._part = np.full(self.size, -1, dtype=np.int16)
        self._row = np.zeros(self.size, dtype=np.int32)
        for number, (index, rows) in enumerate(parts):
            alive = np.flatnonzero(rows >= 0)
            here = rows[alive]
            ascends = (np.diff(here, prepend=-1, append=self.size) > 0).all()
            if index.width != self.width or len(rows) != index.size or not ascends:
                raise ValueError(f"part {number} does not fit the others or its rows")
            self._part[here], self._row[here] = number, alive
        if (self._part < 0).any():
            raise ValueError("the parts do not make up the rows of a library")

    def search(self, question: NDArray[np.float32], *, k: int) -> list[tuple[int, float]]:
        """Find the rows nearest to a question; see `VectorIndex.search`."""
        import numpy as np

        found = [part.nearest(question, k) for part in self._parts]
        rows = np.concatenate([rows for rows, _ in found])
        return _pairs(rows, np.concatenate([cosines for _, cosines in found]), k)

    def vectors(self, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """Give the vectors of rows, in the order asked for: shape (len(rows), width)."""
        import numpy as np

        wanted = _checked_rows(rows, self.size)
        vectors = np.empty((len(wanted), self.width), dtype=np.float32)
        parts = self._part[wanted]
        for number in np.unique(parts):
            here = np.flatnonzero(parts == number)
            vectors[here] = self._parts[number].index.vectors(self._row[wanted[here]])
        return vectors


class _Part:
    """An index and its rows in the library."""

    def __init__(self, index: VectorIndex, rows: NDArray[np.int64]) -> None:
        dead = rows < 0
        self.index = index
        self._rows = rows
        self._living = Living(dead) if dead.any() else None

    def nearest(
        self, question: NDArray[np.float32], k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        rows, cosines = self.index.nearest(question, k=k, living=self._living)
        return self._rows[rows], cosines


def write_vectors(
    blocks: Iterable[NDArray[np.float16] | NDArray[np.float32]],
    *,
    width: int,
    size: int,
    write: Write,
) -> None:
    """Write an index, block by block; the same vectors give the same bytes, however cut.

    Args:
        blocks: Unit rows, (any number, width) each; row i of all of them is row i of the index.
        width: Numbers in a vector.
        size: Rows of all blocks.
        write: Takes the next bytes. Its errors come through.
    """
    import numpy as np

    write(_header(width, size))
    seen = 0
    for block in blocks:
        if block.ndim != 2 or block.shape[1] != width:  # noqa: PLR2004
            raise ValueError(f"not rows of width {width}: {block.shape}")
        seen += len(block)
        if len(block):
            write(np.ascontiguousarray(block, dtype="<f2").data.cast("B"))
    if seen != size:
        raise ValueError(f"{seen} rows instead of {size}")


def open_vectors(
    place: Path,
    *,
    width: int,
    size: int,
    sketches: Path | None = None,
    looked_at: int | None = None,
) -> VectorIndex:
    """Open what `write_vectors` wrote, and what `train_sketches` did. Hash the files first.

    Args:
        place: The vectors.
        sketches: Their sketches, where there are any; see `Sketches` for `looked_at`.

    Raises:
        IndexDamaged: A file is no such index, or one of another width or size.
    """
    import faiss

    promised = IndexDamaged(f"{place} is not {size} vectors of width {width}. {REMEDY}")
    header = _header(width, size)
    # Compared whole before faiss may believe it: a damaged one asks for a terabyte.
    try:
        with place.open("rb") as file:
            if file.read(len(header)) != header:
                raise promised
        if place.stat().st_size != len(header) + 2 * width * size:
            raise promised
        index = faiss.read_index(str(place), faiss.IO_FLAG_MMAP_IFC)
        matrix = _mapped(place, len(header), (size, width))
    except (OSError, RuntimeError) as cause:
        raise IndexDamaged(f"{place} can not be read. {REMEDY}") from cause
    if sketches is None or looked_at is None:
        return VectorIndex(index, matrix)
    scan = open_sketches(sketches, width=width, size=size, looked_at=looked_at)
    return VectorIndex(index, matrix, scan)


def train_sketches(index: VectorIndex, *, write: Write) -> Sketches | None:
    """Write sketches of an index, if they are worth it.

    Returns:
        What to keep of them; None, and nothing written, where there are too few rows for them to
        pay or where they would miss too many of the nearest.
    """

    def nearest(question: NDArray[np.float32], k: int) -> NDArray[np.int64]:
        import numpy as np

        return np.array([row for row, _ in index.search(question, k=k)], dtype=np.int64)

    return sketch(index.vectors, nearest, size=index.size, width=index.width, write=write)


def _header(width: int, size: int) -> bytes:
    """Give what faiss writes before the vectors: all but the rows are in it."""
    import faiss
    import numpy as np

    kind = faiss.ScalarQuantizer.QT_fp16
    index = faiss.IndexScalarQuantizer(width, kind, faiss.METRIC_INNER_PRODUCT)
    index.ntotal = size
    empty = faiss.serialize_index(index).tobytes()
    return empty[:-8] + np.array(2 * width * size, dtype="<u8").tobytes()


def _mapped(place: Path, offset: int, shape: tuple[int, int]) -> NDArray[np.float16]:
    import numpy as np

    if not shape[0]:
        return np.empty(shape, dtype="<f2")
    return np.asarray(np.memmap(place, dtype="<f2", mode="r", offset=offset, shape=shape))


def _checked_rows(rows: Sequence[int] | NDArray[np.int64], size: int) -> NDArray[np.int64]:
    import numpy as np

    wanted = np.asarray(rows, dtype=np.int64)
    if len(wanted) and not (wanted.min() >= 0 and wanted.max() < size):
        raise IndexError(f"not a row of an index of {size}: {list(rows)}")
    return wanted


def _pairs(
    rows: NDArray[np.int64], cosines: NDArray[np.float64], k: int
) -> list[tuple[int, float]]:
    import numpy as np

    best = np.lexsort((rows, -cosines))[: max(k, 0)]
    return list(zip(rows[best].tolist(), cosines[best].clip(-1.0, 1.0).tolist(), strict=True))
