"""Search by words in numbered texts that lie in one file of postings or in several.

What a word tells and how long a text is on average is counted over all living texts: a question
gets the same answer to the last bit however the texts are spread over files, and whatever dead ones
lie beside them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING

from retrieval.bm25 import Part, Scorer
from retrieval.postings import Postings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class LexicalIndex:
    """Numbered texts, by their words.

    Attributes:
        size: Number of living texts.
    """

    def __init__(self, parts: Sequence[tuple[Postings, NDArray[np.int64]]], *, size: int) -> None:
        """Join files.

        Args:
            parts: Each file with the row of each of its texts in the numbering of all, ascending,
                and -1 for a dead text.
            size: Number of living texts: the rows are 0 to size - 1, each in one part.

        Raises:
            ValueError: The rows of a part do not ascend.
        """
        self.size = size
        self._parts = tuple(Part(postings, rows) for postings, rows in parts)
        self._frequencies: dict[str, int] = {}

    def best(self, stems: Sequence[str], *, k: int) -> list[tuple[int, float]]:
        """Find the texts with the highest scores: (row, score > 0), best first, ties by row.

        The score is BM25; a stem given twice counts twice.
        """
        import numpy as np

        weights = self._weights(stems)
        if not weights or k < 1:
            return []
        found: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = []
        least = 0.0
        for scorer in sorted(self._scorers, key=lambda scorer: -scorer.part.size):
            places = scorer.contenders(weights, k=k, least=least)
            found.append((scorer.part.rows[places], scorer.scores(weights, places)))
            scores = np.concatenate([scores for _, scores in found])
            least = float(np.partition(scores, -k)[-k]) if len(scores) >= k else 0.0
        rows = np.concatenate([rows for rows, _ in found])
        ranked = np.lexsort((rows, -scores))[:k]
        return [(int(rows[i]), float(scores[i])) for i in ranked if scores[i] > 0]

    def scores_at(self, stems: Sequence[str], rows: Sequence[int]) -> NDArray[np.float32]:
        """Score some texts for some stems, shape (len(rows),), in the order asked for."""
        import numpy as np

        weights = self._weights(stems)
        scores = np.zeros(len(rows), dtype=np.float32)
        for number, where, places in self._located(rows):
            scores[where] = self._scorers[number].scores(weights, places)
        return scores

    def having(self, stem: str, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which of some texts have a stem, shape (len(rows),), in the order asked for."""
        import numpy as np

        held = np.zeros(len(rows), dtype=np.bool_)
        for number, where, places in self._located(rows):
            held[where] = self._parts[number].counts_at(stem, places) > 0
        return held

    def first(self, stem: str, *, limit: int) -> list[int]:
        """Give the lowest rows of the texts that have a stem, ascending."""
        return list(islice(merge(*(part.rows_of(stem, limit) for part in self._parts)), limit))

    def idf(self, stem: str) -> float:
        """Give ln(1 + (N - df + 0.5) / (df + 0.5)): how much a stem tells; 0 if no text has it."""
        frequency = self.frequency(stem)
        return math.log1p((self.size - frequency + 0.5) / (frequency + 0.5)) if frequency else 0.0

    def has(self, stem: str) -> bool:
        return self.frequency(stem) > 0

    def vocabulary(self) -> list[str]:
        """Give every stem that a living text has, sorted."""
        words = {term for part in self._parts for term in part.postings.terms}
        return sorted(word for word in words if self.has(word))

    def near(self, word: str, *, slips: int) -> set[str]:
        """Give words that may be so few slips from one: all that are, and some others.

        Some of them may be in dead texts alone.
        """
        return {term for part in self._parts for term in part.postings.terms.near(word, slips)}

    def frequency(self, stem: str) -> int:
        """Count the living texts that have a stem."""
        known = self._frequencies.get(stem)
        if known is None:
            known = sum(part.frequency(stem) for part in self._parts)
            if known:  # there is no end of words that no text has
                self._frequencies[stem] = known
        return known

    @cached_property
    def _scorers(self) -> tuple[Scorer, ...]:
        words = sum(part.count_words() for part in self._parts)
        mean = words / self.size if words else 1.0
        return tuple(Scorer(part, mean=mean) for part in self._parts)

    @cached_property
    def _homes(self) -> tuple[NDArray[np.int16], NDArray[np.int32]]:
        """For each row the part that has it, and its place there."""
        import numpy as np

        owners = np.zeros(self.size, dtype=np.int16)
        places = np.zeros(self.size, dtype=np.int32)
        for number, part in enumerate(self._parts):
            living = part.living()
            owners[part.rows[living]] = number
            places[part.rows[living]] = living
        return owners, places

    def _weights(self, stems: Sequence[str]) -> dict[str, np.float32]:
        """Give how much each stem that a text has tells, in the order of the question."""
        import numpy as np

        times = Counter(stem for stem in stems if self.has(stem))
        return {stem: np.float32(count * self.idf(stem)) for stem, count in times.items()}

    def _located(
        self, rows: Sequence[int] | NDArray[np.int64]
    ) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.int32]]]:
        """Give the number of each part, which of some rows it has, and where."""
        import numpy as np

        wanted = np.asarray(rows, dtype=np.int64)
        owners, places = self._homes
        for number in range(len(self._parts)):
            where = np.flatnonzero(owners[wanted] == number)
            if len(where):
                yield number, where, places[wanted[where]]
