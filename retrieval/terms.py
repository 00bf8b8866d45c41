"""Sorted words in an array, one after the other: found by halving, or by how they look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Of a code point. Letters beyond it share a bit: then more words look alike.
BITS = 31


class Terms(Sequence[str]):
    """Sorted words that lie in a file one after the other."""

    def __init__(self, letters: NDArray[np.uint8], ends: NDArray[np.int64]) -> None:
        self.letters = letters
        self.ends = ends
        self._looks: tuple[NDArray[np.int64], NDArray[np.uint32]] | None = None

    def __len__(self) -> int:
        return len(self.ends) - 1

    @overload
    def __getitem__(self, number: int) -> str: ...
    @overload
    def __getitem__(self, number: slice) -> list[str]: ...
    def __getitem__(self, number: int | slice) -> str | list[str]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        if not 0 <= number < len(self):
            raise IndexError(number)
        return _decoded(self.letters[self.ends[number] : self.ends[number + 1]])

    def __iter__(self) -> Iterator[str]:
        letters, ends = self.letters.tobytes(), self.ends.tolist()
        for number in range(len(self)):
            yield letters[ends[number] : ends[number + 1]].decode("utf-8", "surrogatepass")

    def near(self, word: str, slips: int) -> list[str]:
        """Give the terms that may be so few slips from a word: all that are, and some others.

        A slip is a letter too much, too few, another one, or two that changed places. It changes
        the length by one at most, and which letters there are by two.
        """
        import numpy as np

        if not len(self):
            return []
        lengths, letters = self._looks = self._looks or _looks(self.letters, self.ends)
        own = np.bitwise_or.reduce(_letter_bits(word), initial=0)
        far = np.bitwise_count(letters ^ own) > 2 * slips
        near = np.flatnonzero(~far & (abs(lengths - len(word)) <= slips))
        begins, ends = self.ends[near].tolist(), self.ends[near + 1].tolist()
        return [_decoded(self.letters[a:b]) for a, b in zip(begins, ends, strict=True)]


def encoded(term: str) -> bytes:
    """Give a word as it lies in the array: sorted so, words are sorted by code point."""
    return term.encode("utf-8", "surrogatepass")


def _decoded(letters: NDArray[np.uint8]) -> str:
    return letters.tobytes().decode("utf-8", "surrogatepass")


def _looks(
    letters: NDArray[np.uint8], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Give for each term how many letters it has, and which, each letter a bit."""
    import numpy as np

    begins = np.zeros(len(letters) + 1, dtype=np.int64)
    np.cumsum((letters & 0xC0) != 0x80, out=begins[1:])  # noqa: PLR2004 - UTF-8: all but the rest of a letter
    places = begins[ends]
    bits = _letter_bits(_decoded(letters))
    return np.diff(places), np.bitwise_or.reduceat(bits, places[:-1])


def _letter_bits(text: str) -> NDArray[np.uint32]:
    import numpy as np

    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    return np.uint32(1) << (points & np.uint32(BITS))
