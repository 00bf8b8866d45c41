"""Which sentences may answer: what a search engine is asked, and the engine that needs no server.

An engine names rows, and nothing else: neither a score nor a vector comes from it. What speaks for
a row is worked out from the generation on this machine, whose files were hashed, so the evidence
has the same bits whichever engine named the row, and a raw score of another sign, scale or rounding
can not change an answer. `milvus.py` is the other engine; both pass the same tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from retrieval.lexical import LexicalIndex
from retrieval.library import Library
from retrieval.vectors import JoinedVectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Nominees:
    """The rows that each arm names, best first: by words and by vector."""

    sentence_words: tuple[int, ...]
    sentence_vector: tuple[int, ...]
    passage_words: tuple[int, ...]
    passage_vector: tuple[int, ...]


class Engine(Protocol):
    """Searches one generation; may be asked from several threads."""

    def nominate(
        self, stems: Sequence[str], vector: NDArray[np.float32], *, sentences: int, passages: int
    ) -> Nominees:
        """Name the best rows by words (none without a word of the question) and by vectors.

        Args:
            stems: The question's; one given twice counts twice.
            vector: The question's, shape (width,), unit length.
            sentences, passages: How many each arm names at most.

        Raises:
            EngineFault: The engine can not be asked.
        """
        ...

    def close(self) -> None:
        """Let go of what is held; the library is closed by who opened it."""
        ...


class LocalEngine:
    """Searches the library itself: exactly, equal scores by ascending row."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def nominate(
        self, stems: Sequence[str], vector: NDArray[np.float32], *, sentences: int, passages: int
    ) -> Nominees:
        library = self._library
        return Nominees(
            sentence_words=_by_words(library.sentence_words, stems, sentences),
            sentence_vector=_by_vector(library.sentence_vectors, vector, sentences),
            passage_words=_by_words(library.passage_words, stems, passages),
            passage_vector=_by_vector(library.passage_vectors, vector, passages),
        )

    def close(self) -> None:
        """Hold nothing, so let go of nothing."""


def _by_words(index: LexicalIndex, stems: Sequence[str], k: int) -> tuple[int, ...]:
    return tuple(row for row, _ in index.best(stems, k=k))


def _by_vector(index: JoinedVectors, vector: NDArray[np.float32], k: int) -> tuple[int, ...]:
    return tuple(row for row, _ in index.search(vector, k=k))
