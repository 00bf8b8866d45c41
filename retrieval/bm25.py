"""BM25 over the texts of one file of postings; the best are found without going through all.

BM25 as Lucene has it: k1 1.2, b 0.75, and an inverse document frequency that is never negative. It
is computed when a question is asked, from how much each stem tells and how long the texts are in
all files: a text has the same score to the last bit however the texts are spread over files.

The best are found exactly. Rare words come first, and as soon as all the words that are left could
not lift a new text to the best any more, only texts that were met are looked up in them (MaxScore:
Turtle and Flood, 1995). At a million passages that is a sixth of the texts that have a word of the
question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from retrieval.postings import Postings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

K1 = 1.2
B = 0.75

# Sums of float32 in another order differ by less than this share, so a text is given up only if
# it is worse by more.
SLACK = 1e-4
# Looking a text up in a sorted list costs about as much as going through so many of the list.
LOOK_UP = 8
# To learn early what the best will have at least, so many times as many are scored by all words.
AHEAD = 4


class Part:
    """One file of an index; its texts are named by their place in the file.

    Attributes:
        rows: The row of each text in the index, -1 for a dead one.
        size: Number of texts, dead ones too.
    """

    def __init__(self, postings: Postings, rows: NDArray[np.int64]) -> None:
        """Take a file, and the row of each of its texts: ascending, -1 for a dead one.

        Raises:
            ValueError: They do not ascend.
        """
        import numpy as np

        self.postings = postings
        self.rows = rows
        self.size = postings.size
        self._is_dead = rows < 0
        self._dead = np.flatnonzero(self._is_dead).astype(np.int32)
        if len(rows) != self.size or (np.diff(rows[~self._is_dead]) <= 0).any():
            raise ValueError(f"not ascending rows of {self.size} texts")
        self._spans: dict[str, slice] = {}

    def living(self) -> NDArray[np.int64]:
        """Give the places of the texts that are not dead, ascending."""
        import numpy as np

        return np.flatnonzero(~self._is_dead)

    def count_words(self) -> int:
        """Count the words of all living texts."""
        import numpy as np

        return int(self.postings.lengths.sum(dtype=np.int64, where=~self._is_dead))

    def found(self, stem: str) -> tuple[NDArray[np.int32], NDArray[np.integer]]:
        """Give the places of the texts that have a stem, dead ones too, and how often they do."""
        span = self._spans.get(stem)
        if span is None:
            span = self.postings.range_of(stem)
            if span.stop:  # what no text has is not kept: there is no end of it
                self._spans[stem] = span
        return self.postings.rows[span], self.postings.counts[span]

    def frequency(self, stem: str) -> int:
        """Count the living texts that have a stem."""
        rows, _ = self.found(stem)
        if not len(self._dead):
            return len(rows)
        if LOOK_UP * len(self._dead) < len(rows):
            return len(rows) - int(_are_in(rows, self._dead)[1].sum())
        return len(rows) - int(self._is_dead[rows].sum())

    def rows_of(self, stem: str, limit: int) -> list[int]:
        """Give the lowest rows of living texts that have a stem."""
        places, _ = self.found(stem)
        found: list[int] = []
        for first in range(0, len(places), 4 * limit):
            rows = self.rows[places[first : first + 4 * limit]]
            found += rows[rows >= 0].tolist()
            if len(found) >= limit:
                break
        return found[:limit]

    def counts_at(self, stem: str, places: NDArray[np.int32]) -> NDArray[np.float32]:
        """Give how often a stem stands in some texts."""
        import numpy as np

        rows, counts = self.found(stem)
        if not len(rows):
            return np.zeros(len(places), dtype=np.float32)
        at, held = _are_in(rows, places)
        return np.where(held, counts[at], 0).astype(np.float32)

    def is_dead(self) -> NDArray[np.bool_]:
        return self._is_dead


class Scorer:
    """BM25 over the texts of one part."""

    def __init__(self, part: Part, *, mean: float) -> None:
        """Weigh the lengths of texts against the mean of all living texts of the index."""
        import numpy as np

        self.part = part
        norms = K1 * (1 - B + B * part.postings.lengths / mean)
        norms[part.is_dead()] = np.inf  # what is dead scores nothing
        self._norms = norms.astype(np.float32)
        self._highest: dict[str, float] = {}

    def scores(
        self, weights: Mapping[str, np.float32], places: NDArray[np.int32]
    ) -> NDArray[np.float32]:
        """Score some texts: the one way, whatever led to them, so that equal texts are equal.

        Args:
            weights: How much each stem tells.
            places: The texts.
        """
        import numpy as np

        scores = np.zeros(len(places), dtype=np.float32)
        norms = self._norms[places]
        for stem, weight in weights.items():
            counts = self.part.counts_at(stem, places)
            scores += weight * (counts / (counts + norms))
        return scores

    def contenders(
        self, weights: Mapping[str, np.float32], *, k: int, least: float
    ) -> NDArray[np.int32]:
        """Give the places of all texts that may be among the best k, ascending.

        Args:
            weights: How much each stem tells.
            k: Texts wanted.
            least: What k texts of other parts have at least.
        """
        import numpy as np

        words = sorted(
            (self._word(stem, weight) for stem, weight in weights.items()),
            key=lambda word: len(word.rows),
        )
        rest = [sum(word.most for word in words[i:]) for i in range(len(words) + 1)]
        scores = np.zeros(self.part.size, dtype=np.float32)
        met: list[NDArray[np.int32]] = []
        ahead, behind = np.empty(0, dtype=np.int32), 0.0
        step = 0
        while step < len(words) and least * (1 - SLACK) <= rest[step]:
            rows = words[step].rows
            values = scores[rows] + self._values(words[step])
            scores[rows] = values
            met.append(rows)
            step += 1
            ahead = _joined([ahead, rows[values > behind]])
            ahead, behind = _of_best(ahead, scores[ahead], AHEAD * k, behind)
            if step < len(words) and LOOK_UP * len(ahead) < len(words[step].rows):
                least = max(least, self._least(ahead, scores[ahead], words[step:], k))
            else:
                least = _of_best(ahead, scores[ahead], k, least)[1]
        places = _above(scores, met, least * (1 - SLACK) - rest[step] * (1 + SLACK))
        for number in range(step, len(words)):
            if LOOK_UP * len(places) < len(words[number].rows):
                scores[places] += self._added(words[number], places)
            else:
                scores[words[number].rows] += self._values(words[number])
            own = scores[places]
            _, least = _of_best(places, own, k, least)
            places = places[own >= least * (1 - SLACK) - rest[number + 1] * (1 + SLACK)]
        return places

    def _least(
        self,
        places: NDArray[np.int32],
        scores: NDArray[np.float32],
        words: Sequence[_Word],
        k: int,
    ) -> float:
        """Give the score that k of some texts have at least when some words are added."""
        if len(places) < k:
            return 0.0
        for word in words:
            scores += self._added(word, places)
        return _of_best(places, scores, k, 0.0)[1]

    def _word(self, stem: str, weight: np.float32) -> _Word:
        rows, counts = self.part.found(stem)
        word = _Word(weight=weight, rows=rows, counts=counts, most=0.0)
        most = self._highest.get(stem)
        if most is None:
            most = float(self._values(word).max(initial=0)) / float(weight)
            self._highest[stem] = most
        return _Word(weight=weight, rows=rows, counts=counts, most=most * float(weight))

    def _values(self, word: _Word) -> NDArray[np.float32]:
        """Give what a word adds to the score of each of its texts."""
        import numpy as np

        counts = word.counts.astype(np.float32)
        return word.weight * (counts / (counts + self._norms[word.rows]))

    def _added(self, word: _Word, places: NDArray[np.int32]) -> NDArray[np.float32]:
        """Give what a word adds to the score of each of some texts."""
        import numpy as np

        if not len(word.rows):
            return np.zeros(len(places), dtype=np.float32)
        at, held = _are_in(word.rows, places)
        counts = np.where(held, word.counts[at], 0).astype(np.float32)
        return word.weight * (counts / (counts + self._norms[places]))


class _Word(NamedTuple):
    """A word of a question in one part: its texts, and what it adds to a score at most."""

    weight: np.float32
    rows: NDArray[np.int32]
    counts: NDArray[np.integer]
    most: float


def _of_best(
    places: NDArray[np.int32], scores: NDArray[np.float32], k: int, least: float
) -> tuple[NDArray[np.int32], float]:
    """Give those of some texts that are among the best k of them, and what these have at least."""
    import numpy as np

    if len(places) < k:
        return places, least
    least = max(least, float(np.partition(scores, -k)[-k]))
    return places[scores >= least], least


def _above(
    scores: NDArray[np.float32], met: Sequence[NDArray[np.int32]], least: float
) -> NDArray[np.int32]:
    """Give the places of scores above a number, ascending; all others than those met are 0."""
    import numpy as np

    if least < 0 or LOOK_UP * sum(map(len, met)) < len(scores):
        return _joined([rows[scores[rows] > least] for rows in met])
    return np.flatnonzero(scores > least).astype(np.int32)


def _joined(parts: Sequence[NDArray[np.int32]]) -> NDArray[np.int32]:
    """Give the numbers of several lists, ascending, each once."""
    import numpy as np

    joined = np.sort(np.concatenate([np.empty(0, dtype=np.int32), *parts]))
    if len(joined):  # np.unique hashes, which is ten times slower
        joined = joined[np.concatenate([[True], joined[1:] != joined[:-1]])]
    return joined


def _are_in(
    rows: NDArray[np.int32], wanted: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Look up wanted numbers in ascending ones: where each is or would be, and whether it is."""
    import numpy as np

    at = np.searchsorted(rows, wanted)
    np.minimum(at, len(rows) - 1, out=at)
    return at, rows[at] == wanted
