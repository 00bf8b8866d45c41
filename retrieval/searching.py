"""Question → candidates: the sentences that are worth a closer look.

Four arms score sentences: BM25 of the sentence and of its passage (with the headline), the vectors
of the sentence, as its article makes it read, and of the passage. An engine names the best of each
arm; their union is scored by every arm, always from the library, and fused. What comes out is then
ranked by evidence (`ranking.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrieval.engines import Engine, LocalEngine
from retrieval.fusion import fuse
from retrieval.library import Library
from retrieval.questions import Query

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# How many of its best each arm names, and how many of their union are looked at closely.
ARM_DEPTH = 100
CANDIDATES = 40

# sentence words, passage words, sentence vector, passage vector: the best of a grid over the
# development sets; the ranking has the last word.
WEIGHTS = (0.3, 0.25, 0.35, 0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Sentences and their scores by each arm; all arrays have shape (n,), best fused score first.

    Attributes:
        rows: Sentence rows.
        sentence_words, passage_words: BM25, >= 0.
        sentence_vector, passage_vector: Cosines in [-1, 1].
        fused: In [0, 1].
    """

    rows: tuple[int, ...]
    sentence_words: NDArray[np.float32]
    passage_words: NDArray[np.float32]
    sentence_vector: NDArray[np.float32]
    passage_vector: NDArray[np.float32]
    fused: NDArray[np.float32]


def search(
    query: Query,
    vector: NDArray[np.float32],
    library: Library,
    *,
    engine: Engine | None = None,
) -> Candidates:
    """Find the sentences that may answer, best fused score first; ties by row.

    Args:
        vector: The question's, shape (width,), unit length.
        engine: Names the rows; by default the library itself.

    Raises:
        EngineFault: The engine can not be asked.
    """
    import numpy as np

    rows = _union(query, vector, library, engine or LocalEngine(library))
    passages = library.passages_of(rows)
    sentence_vector = library.sentence_vectors.vectors(rows) @ vector
    passage_vector = library.passage_vectors.vectors(passages) @ vector
    arms = (
        library.sentence_words.scores_at(query.searched, rows),
        library.passage_words.scores_at(query.searched, passages),
        sentence_vector,
        passage_vector,
    )
    fused = fuse(arms, weights=WEIGHTS)
    best = np.lexsort((np.array(rows), -fused))[:CANDIDATES]
    return Candidates(
        rows=tuple(rows[i] for i in best),
        sentence_words=arms[0][best],
        passage_words=arms[1][best],
        sentence_vector=sentence_vector[best],
        passage_vector=passage_vector[best],
        fused=fused[best],
    )


def _union(
    query: Query, vector: NDArray[np.float32], library: Library, engine: Engine
) -> list[int]:
    """Give the rows that any arm names among its best, ascending."""
    named = engine.nominate(query.searched, vector, sentences=ARM_DEPTH, passages=ARM_DEPTH // 2)
    rows = {*named.sentence_words, *named.sentence_vector}
    for passage in {*named.passage_words, *named.passage_vector}:
        rows.update(library.sentences_in(passage))
    return sorted(rows)
