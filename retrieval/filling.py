"""How the files of a segment are written: by `making` from articles, by `merging` from segments.

The same content gives the same bytes, whoever writes it and in however many pieces.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from retrieval.segments import SEGMENT, Kind, SegmentFacts
from retrieval.shards import Draft
from retrieval.vectors import open_vectors, train_sketches, write_vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def fill_table(
    draft: Draft, name: str, shape: tuple[int, int], blocks: Iterable[NDArray[np.int64]]
) -> None:
    """Write a table of integers block by block.

    Args:
        shape: Of the whole table.
        blocks: Consecutive rows of it.
    """
    import numpy as np

    header = {"descr": "<i8", "fortran_order": False, "shape": shape}
    with draft.writing(name) as write:
        front = io.BytesIO()
        np.lib.format.write_array_header_1_0(front, header)
        write(front.getvalue())
        for block in blocks:
            write(np.ascontiguousarray(block, dtype="<i8").data)


def fill_keys(draft: Draft, hashes: NDArray[np.int64], rows: NDArray[np.int64]) -> None:
    """Write what was encoded.

    Args:
        hashes: Shape (2, n).
        rows: Shape (n,): the row of each.
    """
    import numpy as np

    order = np.lexsort((rows, hashes[1], hashes[0]))
    table = np.concatenate([hashes[:, order], rows[None, order]])
    fill_table(draft, "keys.npy", (len(table), len(rows)), [table])


def fill_vectors(
    draft: Draft, kind: Kind, blocks: Iterable[NDArray[np.float32]], *, width: int, size: int
) -> Mapping[str, float] | None:
    """Write vectors, and their sketches where there are so many that it is of use.

    Returns:
        What is to be kept of the sketches.
    """
    name, sketches_name = f"{kind}_vectors.faiss", f"{kind}_vectors.sketches"
    with draft.writing(name) as write:
        write_vectors(blocks, width=width, size=size, write=write)
    index = open_vectors(draft.files[name].place, width=width, size=size)
    pieces: list[bytes | memoryview] = []
    sketches = train_sketches(index, write=pieces.append)
    if sketches is None:
        return None
    with draft.writing(sketches_name) as write:
        for piece in pieces:
            write(piece)
    return asdict(sketches)


def fill_facts(draft: Draft, facts: SegmentFacts) -> None:
    """Write `segment.json`."""
    draft.add(SEGMENT, json.dumps(asdict(facts), sort_keys=True).encode("ascii") + b"\n")
