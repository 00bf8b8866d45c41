"""Many vectors searched in two steps: their sketches first, then the best of them exactly.

A sketch is half a byte for every few numbers of a vector. Those of all rows are compared in the
processor's registers, ten times as many a second as vectors; the `looked_at` best of them are then
compared by their vectors. How many that has to be is measured on the vectors themselves: where too
many of the nearest would be missed even so, there are no sketches, and the search is exact.

Measured against lists of neighbouring vectors (IVF) on sentences of news: those need a tenth to a
half of all lists for a recall of 0.99, and more the less a question resembles the articles. Of
sketches it needs some thousand, and nothing is left out for lying elsewhere.

Everything is decided by one seed, whatever the number of threads: same vectors, same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.errors import IndexDamaged

if TYPE_CHECKING:
    import faiss
    import numpy as np
    from numpy.typing import NDArray

Write = Callable[[bytes | memoryview], object]
Vectors = Callable[["NDArray[np.int64]"], "NDArray[np.float32]"]
Nearest = Callable[["NDArray[np.float32]", int], "NDArray[np.int64]"]

REMEDY = "Build it anew: clippings index"

FEWEST_ROWS = 50_000  # below, exact search is as fast
FEWEST_LOOKED_AT = 1000  # as quick as 500, and finds more for questions unlike the articles
MOST_LOOKED_AT = 8000  # beyond, comparing them takes longer than their sketches
RECALL = 0.99  # of the nearest 10, and of the nearest 100
QUESTIONS = 200  # that it is measured with
NUMBERS = (3, 2)  # of a vector that half a byte stands for: the first that divides the width
LEARNT_FROM = 16 * 256  # rows; faiss takes no more
SEED = 1987

_DEPTH = 100
_BLOCK = 65_536  # rows at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketches:
    """What a manifest keeps.

    Attributes:
        looked_at: Rows that are compared exactly.
        recall: Which part of the ten nearest a search finds, on a sample of questions.
        recall_of_100: The same for the hundred nearest.
    """

    looked_at: int
    recall: float
    recall_of_100: float


class Scan:
    """Sketches opened for searching."""

    def __init__(self, index: faiss.Index, looked_at: int) -> None:
        self.size = int(index.ntotal)
        self.looked_at = looked_at
        self._index = index

    def best(self, asked: NDArray[np.float32], count: int) -> NDArray[np.int64]:
        """Give the rows of the `count` sketches nearest to a question of shape (1, width)."""
        rows: NDArray[np.int64] = self._index.search(asked, min(count, self.size))[1][0]
        return rows[rows >= 0]


def sketch(
    vectors: Vectors, nearest: Nearest, *, size: int, width: int, write: Write
) -> Sketches | None:
    """Write sketches; None, and nothing written, if there are too few rows or too much is missed.

    Args:
        vectors: Gives the vectors of rows.
        nearest: Gives the rows nearest to a question, so many.
    """
    import faiss

    if size < FEWEST_ROWS or _numbers(width) is None:
        return None
    index = _learnt(vectors, size, width)
    with faiss_threads(cores()):
        for first in range(0, size, _BLOCK):
            index.add(vectors(_range(first, min(first + _BLOCK, size))))
    found = _measured(Scan(index, MOST_LOOKED_AT), vectors, nearest)
    if found is not None:
        write(faiss.serialize_index(index).data)
    return found


def open_sketches(place: Path, *, width: int, size: int, looked_at: int) -> Scan:
    """Open what `sketch` wrote. Hash the file first.

    Raises:
        IndexDamaged: The file holds no sketches of so many vectors.
    """
    import faiss

    wrong = IndexDamaged(f"{place} has no sketches of {size} vectors of width {width}. {REMEDY}")
    if _numbers(width) is None or looked_at < 1:
        raise wrong
    try:
        # All that faiss would believe is compared first: damaged, it asks for a terabyte.
        head, learnt, whole = _layout(width, size)
        with place.open("rb") as file:
            found = file.read(len(head))
        if len(found) != len(head) or place.stat().st_size != whole:
            raise wrong
        if (
            found[: learnt.start] + found[learnt.stop :]
            != head[: learnt.start] + head[learnt.stop :]
        ):
            raise wrong
        return Scan(faiss.read_index(str(place)), looked_at)
    except (OSError, RuntimeError) as cause:
        raise IndexDamaged(f"{place} can not be read. {REMEDY}") from cause


def cores() -> int:
    return len(os.sched_getaffinity(0))


@contextmanager
def faiss_threads(count: int) -> Iterator[None]:
    """Let faiss use so many threads, and leave OpenMP as it was.

    A number of threads that is set stays set for the thread that set it, and torch goes by it: the
    ranker would run on one core as soon as somebody had searched.
    """
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _numbers(width: int) -> int | None:
    return next((number for number in NUMBERS if width % number == 0), None)


def _empty(width: int) -> faiss.IndexPQFastScan:
    import faiss

    parts = width // (_numbers(width) or 1)
    return faiss.IndexPQFastScan(width, parts, 4, faiss.METRIC_INNER_PRODUCT)


def _learnt(vectors: Vectors, size: int, width: int) -> faiss.IndexPQFastScan:
    import numpy as np

    index = _empty(width)
    index.pq.cp.seed = SEED
    drawn = np.random.default_rng(SEED).choice(size, min(size, LEARNT_FROM), replace=False)
    with faiss_threads(1):  # several would sum in another order
        index.train(vectors(np.sort(drawn)))
    return index


def _measured(scan: Scan, vectors: Vectors, nearest: Nearest) -> Sketches | None:
    """Find how many have to be looked at; None if more than is worth it.

    A question is made of two rows: near to its answers, but not one of them. Under the default
    model, real questions are answered with a higher recall@10 than these.
    """
    import numpy as np

    drawn = np.random.default_rng(SEED + 1).integers(scan.size, size=(2, QUESTIONS))
    questions = vectors(drawn[0]) + vectors(drawn[1])
    questions /= np.maximum(np.linalg.norm(questions, axis=1, keepdims=True), 1e-12)

    def places(number: int) -> NDArray[np.int64]:
        with faiss_threads(1):
            rows = nearest(questions[number], _DEPTH)
            named = scan.best(questions[number : number + 1], MOST_LOOKED_AT)
        is_it = rows[:, None] == named
        return np.where(is_it.any(axis=1), is_it.argmax(axis=1), scan.size)

    with ThreadPoolExecutor(cores()) as pool:
        found = np.stack(list(pool.map(places, range(QUESTIONS))))
    looked_at = max(FEWEST_LOOKED_AT, _enough(found[:, :10]), _enough(found))
    if looked_at > MOST_LOOKED_AT:
        return None
    return Sketches(
        looked_at=looked_at,
        recall=round(float((found[:, :10] < looked_at).mean()), 4),
        recall_of_100=round(float((found < looked_at).mean()), 4),
    )


def _enough(places: NDArray[np.int64]) -> int:
    """Give how many of the best sketches hold a part of `RECALL` of the nearest rows."""
    import numpy as np

    ascending = np.sort(places, axis=None)
    return int(ascending[int(np.ceil(RECALL * len(ascending))) - 1]) + 1


def _layout(width: int, size: int) -> tuple[bytes, slice, int]:
    """Give what faiss writes before the sketches, which part of it is learnt, and all bytes."""
    import faiss
    import numpy as np

    heads = []
    padded = -(-size // 32) * 32  # sketches stand in blocks
    for bits in (0, 0xFFFFFFFF):
        index = _empty(width)
        learnt = np.full(16 * width, bits, dtype=np.uint32).view(np.float32)
        faiss.copy_array_to_vector(learnt, index.pq.centroids)
        index.is_trained, index.ntotal = True, size
        index.ntotal2 = padded  # type: ignore[attr-defined]
        heads.append(faiss.serialize_index(index))
    differ = np.flatnonzero(heads[0] != heads[1])
    codes = padded * index.M2 // 2
    head = heads[0][:-8].tobytes() + np.array(codes, dtype="<u8").tobytes()
    return head, slice(int(differ[0]), int(differ[-1]) + 1), len(head) + codes


def _range(first: int, last: int) -> NDArray[np.int64]:
    import numpy as np

    return np.arange(first, last)
