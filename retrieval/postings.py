"""Which texts have a word, how often, and how long they are: one file, read where it lies.

The file is a line of JSON, padded with spaces, and six arrays, each padded to eight bytes:

    lengths   uint32 (texts,)      words of each text, repetitions too
    ends      int64 (terms + 1,)   where each term ends in `letters`
    begins    int64 (terms + 1,)   where the rows of each term begin
    letters   uint8                the terms in UTF-8, sorted
    rows      int32                for each term its texts, ascending
    counts    uint8 or uint32      how often the term stands in each of these texts

It holds frequencies, not scores: what a word tells depends on the texts of all segments. The same
texts give the same bytes, also when they were indexed in parts and merged.
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from retrieval.errors import IndexDamaged
from retrieval.terms import Terms, encoded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Part = tuple["Postings", NDArray[np.int64]]

Cut = Callable[[str], Sequence[str]]
Write = Callable[[bytes | memoryview], object]

HEAD = 128  # bytes of the line of JSON
BLOCK = 1 << 20  # postings that are merged at once: some 50 MB
_ANEW = "Build it anew: clippings index"
_SMALL = 255  # what a count of one byte can be


class Postings(NamedTuple):
    """The arrays of a file."""

    lengths: NDArray[np.uint32]
    terms: Terms
    begins: NDArray[np.int64]
    rows: NDArray[np.int32]
    counts: NDArray[np.uint8] | NDArray[np.uint32]

    @property
    def size(self) -> int:
        return len(self.lengths)

    def range_of(self, term: str) -> slice:
        """Give where in `rows` and `counts` a term has its texts; an empty slice if it has none."""
        number = bisect_left(self.terms, term)
        if number == len(self.terms) or self.terms[number] != term:
            return slice(0, 0)
        return slice(int(self.begins[number]), int(self.begins[number + 1]))


def build_postings(texts: Sequence[str], *, cut: Cut) -> bytes:
    """Give the file of some texts; the same bytes for the same texts."""
    import numpy as np

    numbers: dict[str, int] = {}
    found, lengths = array("q"), array("L")
    for text in texts:
        words = cut(text)
        lengths.append(len(words))
        found.extend(numbers.setdefault(word, len(numbers)) for word in words)
    terms = sorted(numbers)
    rank = np.empty(len(terms), dtype=np.int64)
    rank[[numbers[term] for term in terms]] = np.arange(len(terms))
    held = np.array(lengths, dtype=np.uint32)
    places = np.repeat(np.arange(len(texts)), held)
    pairs, counts = np.unique(
        rank[np.frombuffer(found, dtype=np.int64)] * max(1, len(texts)) + places,
        return_counts=True,
    )
    owners, rows = np.divmod(pairs, max(1, len(texts)))
    begins = np.searchsorted(owners, np.arange(len(terms) + 1))
    pieces: list[bytes | memoryview] = []
    write = pieces.append
    layout = _Layout(
        texts=len(texts),
        terms=len(terms),
        letters=sum(len(encoded(term)) for term in terms),
        postings=len(rows),
        count_bytes=_count_bytes(int(counts.max(initial=0))),
    )
    _write_front(layout, held, terms, begins, write)
    _write_array(rows.astype(np.int32), write)
    _write_array(counts.astype(layout.count_type), write)
    return b"".join(pieces)


def merge_postings(parts: Sequence[Part], *, size: int, write: Write, block: int = BLOCK) -> None:
    """Write the file that `build_postings` gives for the texts of several, kept and renumbered.

    Args:
        parts: Each with the new row of each of its texts, -1 for one that is left out. Every row
            of the new file comes from one part.
        size: Texts of the new file.
        write: Takes the file piece by piece.
        block: Postings that are merged at once, where no term has more.
    """
    import numpy as np

    merged = _Merged(parts)
    lengths = np.zeros(size, dtype=np.uint32)
    for postings, mapping in parts:
        lengths[mapping[mapping >= 0]] = postings.lengths[mapping >= 0]
    layout = _Layout(
        texts=size,
        terms=len(merged.terms),
        letters=sum(len(encoded(term)) for term in merged.terms),
        postings=int(merged.begins[-1]),
        count_bytes=_count_bytes(merged.highest),
    )
    _write_front(layout, lengths, merged.terms, merged.begins, write)
    counts = np.empty(layout.postings, dtype=layout.count_type)  # a byte of memory for each posting
    written = 0
    for rows, found in merged.blocks(block):
        write(rows.tobytes())
        counts[written : written + len(found)] = found
        written += len(found)
    write(bytes(-4 * layout.postings % 8))
    _write_array(counts, write)


def open_postings(place: Path, *, size: int) -> Postings:
    """Open a file where it lies. Hash it first: only what would crash is looked at.

    Raises:
        IndexDamaged: It can not be read, or is no such file, or one of another number of texts.
    """
    import numpy as np

    try:
        data = np.memmap(place, dtype=np.uint8, mode="r")
    except (OSError, ValueError) as cause:  # an empty file can not be mapped
        raise IndexDamaged(f"{place} can not be read. {_ANEW}") from cause
    return read_postings(np.asarray(data), size=size, name=str(place))


def read_postings(data: NDArray[np.uint8], *, size: int, name: str) -> Postings:
    """Read what `build_postings` gave, without a copy.

    Raises:
        IndexDamaged: It is something else, or has another number of texts.
    """
    try:
        layout = _Layout(**json.loads(data[:HEAD].tobytes()))
        whole = layout.whole == len(data)
    except (ValueError, TypeError) as cause:
        raise IndexDamaged(f"{name} holds no words. {_ANEW}") from cause
    if not whole or layout.texts != size:
        raise IndexDamaged(f"{name} is not the words of {size} texts. {_ANEW}")
    at = HEAD
    arrays = []
    for kind, count in layout.arrays:
        end = at + count * int(kind[-1])
        arrays.append(data[at:end].view(kind))
        at = end + -end % 8
    lengths, ends, begins, letters, rows, counts = arrays
    return Postings(lengths, Terms(letters, ends), begins, rows, counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """How much of everything a file holds: its line of JSON."""

    texts: int
    terms: int
    letters: int
    postings: int
    count_bytes: int

    @property
    def count_type(self) -> str:
        return f"<u{self.count_bytes}"

    @property
    def arrays(self) -> Sequence[tuple[str, int]]:
        """Type and length of each array, in their order."""
        return (
            ("<u4", self.texts),
            ("<i8", self.terms + 1),
            ("<i8", self.terms + 1),
            ("|u1", self.letters),
            ("<i4", self.postings),
            (self.count_type, self.postings),
        )

    @property
    def whole(self) -> int:
        """How many bytes the file has."""
        sizes = (count * int(kind[-1]) for kind, count in self.arrays)
        return HEAD + sum(each + -each % 8 for each in sizes)

    def line(self) -> bytes:
        content = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(content, sort_keys=True).encode("ascii").ljust(HEAD - 1) + b"\n"


class _Merged:
    """Several files as one: its terms, where their texts begin, and these block by block."""

    def __init__(self, parts: Sequence[Part]) -> None:
        import numpy as np

        self._parts = parts
        everything = sorted({term for postings, _ in parts for term in postings.terms})
        numbers = {term: number for number, term in enumerate(everything)}
        held = np.zeros(len(everything), dtype=np.int64)
        self.highest = 0
        self._numbers: list[NDArray[np.int64]] = []
        for postings, mapping in parts:
            own = np.fromiter((numbers[term] for term in postings.terms), np.int64)
            self._numbers.append(own)
            kept, highest = _kept(postings, mapping)
            held[own] += kept
            self.highest = max(self.highest, highest)
        self._held = held
        living = np.flatnonzero(held)
        self.terms = [everything[number] for number in living.tolist()]
        self.begins = np.concatenate([[0], np.cumsum(held[living])])

    def blocks(self, size: int) -> Iterator[tuple[NDArray[np.int32], NDArray[np.uint32]]]:
        """Give rows and counts of the terms, some terms at a time, in order."""
        import numpy as np

        totals = np.concatenate([[0], np.cumsum(self._held)])
        first = 0
        while first < len(self._held):
            last = int(np.searchsorted(totals, totals[first] + size, side="right")) - 1
            last = max(last, first + 1)
            yield self._block(first, last)
            first = last

    def _block(self, first: int, last: int) -> tuple[NDArray[np.int32], NDArray[np.uint32]]:
        import numpy as np

        keys, counts = [], []
        for (postings, mapping), own in zip(self._parts, self._numbers, strict=True):
            one, other = np.searchsorted(own, (first, last))
            span = slice(int(postings.begins[one]), int(postings.begins[other]))
            rows = mapping[postings.rows[span]]
            owners = np.repeat(own[one:other] - first, np.diff(postings.begins[one : other + 1]))
            living = rows >= 0
            keys.append((owners << 32 | rows)[living])
            counts.append(postings.counts[span][living].astype(np.uint32))
        joined = np.concatenate(keys)
        order = np.argsort(joined)
        return (joined[order] & 0xFFFFFFFF).astype(np.int32), np.concatenate(counts)[order]


def _kept(postings: Postings, mapping: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Give how many texts of each term are kept, and the highest of their counts."""
    import numpy as np

    if not len(postings.terms):
        return np.empty(0, dtype=np.int64), 0
    living = (mapping >= 0)[postings.rows]
    kept = np.add.reduceat(living, postings.begins[:-1], dtype=np.int64)
    return kept, int(postings.counts.max(where=living, initial=0))


def _write_front(
    layout: _Layout,
    lengths: NDArray[np.uint32],
    terms: Sequence[str],
    begins: NDArray[np.int64],
    write: Write,
) -> None:
    """Write all that stands before the rows."""
    import numpy as np

    letters = [encoded(term) for term in terms]
    ends = np.zeros(len(terms) + 1, dtype=np.int64)
    np.cumsum([len(each) for each in letters], out=ends[1:])
    write(layout.line())
    _write_array(lengths, write)
    _write_array(ends, write)
    _write_array(begins.astype(np.int64), write)
    _write_array(np.frombuffer(b"".join(letters), dtype=np.uint8), write)


def _write_array(values: NDArray[np.generic], write: Write) -> None:
    write(values.tobytes())
    write(bytes(-values.nbytes % 8))


def _count_bytes(highest: int) -> int:
    return 1 if highest <= _SMALL else 4
