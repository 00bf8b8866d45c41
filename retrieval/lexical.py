"""Words: the only module that knows bm25s and PyStemmer.

Decisions of this module:

* A word is a run of word characters with apostrophes inside it. It is compared by its stem: NFKC,
  casefold, diacritics folded («Zürich» = «Zurich»), typographic apostrophes made plain, then the
  Snowball stemmer for English.
* Irregular forms are compared as their base form («froze» = «freeze»; `irregular.json`).
* British spellings are compared as American ones («defence» = «defense»): papers mix them.
* Stop words are kept by `tokens` and left out of the index, unless they are written as acronyms are
  («LeT», «WHO»). «not», «no», «nor» and «never» are no
  stop words: they turn a statement round, and a question with one is about that. Nor are «us» and
  «may»: in the news they are the United States and a month.
* BM25 as Lucene has it: k1 1.2, b 0.75, and an inverse document frequency that is never negative.
* Stems are sorted before they are numbered: bm25s numbers them by hash order, which differs from
  run to run, and an index has to be the same bytes whenever the texts are the same.
"""

from __future__ import annotations

import io
import json
import math
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from retrieval.errors import IndexDamaged

if TYPE_CHECKING:
    import bm25s
    import numpy as np
    import Stemmer
    from numpy.typing import NDArray

K1 = 1.2
B = 0.75

APOSTROPHES = "'’‘ʼ＇"
_RUN = r"\w[\w\u0300-\u036f]*"  # `\w` alone would cut a word at a combining accent
_WORD = re.compile(rf"{_RUN}(?:[{APOSTROPHES}]{_RUN})*")
_ACRONYM = re.compile(r"\w[A-Z]")
_AMERICAN = tuple(
    (re.compile(british), american)
    for british, american in (
        (r"(?<=\w{3})is(e[drs]?|ing|ations?|ers?)$", r"iz\1"),
        (r"(?<=\w{3})yse([ds]?)$", r"yze\1"),
        (r"(?<=\w{3})our(s|ed|ing|able|ite|ites|ly|al|hood|er|ers)?$", r"or\1"),
        (r"(?<=\w)(ef|ff|ic)ence(s|less)?$", r"\1ense\2"),
        (r"(?<=[a-z]{2}[bt])re(s|d)?$", r"er\1"),
        (
            (
                r"(cancel|channel|counsel|dial|equal|fuel|initial|jewel|label|level|marvel|model|panel"
                r"|pedal|quarrel|rival|shovel|signal|total|travel|tunnel)l(ed|ing|er|ers)$"
            ),
            r"\1\2",
        ),
        (r"(?<=\w{2})ogue(s)?$", r"og\1"),
        (r"^programme(s)?$", r"program\1"),
    )
)
_FILES = ("data.npy", "indices.npy", "indptr.npy", "vocabulary.json")

_STOP_WORDS = """
a about after again all also am an and any are as at be because been before being between both but
by can could did do does doing done down during each few for from further had has have having he her
here hers herself him himself his how i if in into is it its itself just me might more most must
my myself of off on once only or other our ours ourselves out over own same shall she should so some
such than that the their theirs them themselves then there these they this those through to too
under until up upon very was we were what when where which while who whom whose why will with
would you your yours yourself yourselves
it's he's she's that's there's what's who's where's how's when's why's let's i'm you're we're
they're i've you've we've they've i'd you'd he'd she'd we'd they'd i'll you'll he'll she'll we'll
they'll
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A word of a text: its stem, and the half-open range of code points it stands at."""

    stem: str
    start: int
    end: int


class LexicalIndex:
    """BM25 over numbered texts.

    Attributes:
        size: Number of texts.
        spellings: Every word of the texts as it is spelled, casefolded, sorted.
    """

    def __init__(
        self, *, scorer: bm25s.BM25, stems: Sequence[str], spellings: Sequence[str], size: int
    ) -> None:
        self.size = size
        self.spellings = tuple(spellings)
        self._scorer = scorer
        self._numbers = {stem: number for number, stem in enumerate(stems)}

    def scores(self, stems: Sequence[str]) -> NDArray[np.float32]:
        """Score every text for some stems; a stem given twice counts twice.

        Returns:
            Shape (size,), each >= 0, higher is better; zeros if no stem is known.
        """
        import numpy as np

        numbers = [self._numbers[stem] for stem in stems if stem in self._numbers]
        if not numbers:
            return np.zeros(self.size, dtype=np.float32)
        scores: NDArray[np.float32] = self._scorer.get_scores_from_ids(numbers)
        return scores

    def best(self, stems: Sequence[str], *, k: int) -> list[tuple[int, float]]:
        """Find the texts with the highest scores: (row, score > 0), best first, ties by row."""
        import numpy as np

        scores = self.scores(stems)
        depth = min(k, len(scores))
        if not depth:
            return []
        chosen = np.argpartition(-scores, depth - 1)[:depth]
        ranked = chosen[np.lexsort((chosen, -scores[chosen]))]
        return [(int(row), float(scores[row])) for row in ranked if scores[row] > 0]

    def scores_at(self, stems: Sequence[str], rows: Sequence[int]) -> NDArray[np.float32]:
        """Score some texts for some stems, shape (len(rows),), in the order asked for."""
        return self.scores(stems)[list(rows)]

    def idf(self, stem: str) -> float:
        """Give ln(1 + (N - df + 0.5) / (df + 0.5)): how much a stem tells; 0 if no text has it."""
        frequency = self._frequency(stem)
        return math.log1p((self.size - frequency + 0.5) / (frequency + 0.5)) if frequency else 0.0

    def has(self, stem: str) -> bool:
        return stem in self._numbers

    def rows(self, stem: str) -> NDArray[np.int32]:
        """Give the numbers of the texts that have a stem, in no particular order."""
        import numpy as np

        number = self._numbers.get(stem)
        if number is None:
            return np.empty(0, dtype=np.int32)
        begins = self._scorer.scores["indptr"]
        rows: NDArray[np.int32] = self._scorer.scores["indices"][
            begins[number] : begins[number + 1]
        ]
        return rows

    def vocabulary(self) -> Collection[str]:
        """Give all stems, sorted by code point."""
        return self._numbers.keys()

    def _frequency(self, stem: str) -> int:
        """Count the texts that have a stem."""
        number = self._numbers.get(stem)
        if number is None:
            return 0
        begins = self._scorer.scores["indptr"]
        return int(begins[number + 1] - begins[number])


@lru_cache(maxsize=1 << 13)  # the same sentences are candidates for question after question
def tokens(text: str) -> tuple[Token, ...]:
    """Give every word of a text, stop words too, in order."""
    return tuple(
        Token(stem=_stem(match.group()), start=match.start(), end=match.end())
        for match in _WORD.finditer(text)
    )


def stems(text: str) -> list[str]:
    """Give the stems of a text in order, stop words left out: what is indexed."""
    return [token.stem for token in content(text)]


def content(text: str) -> list[Token]:
    """Give the words of a text that tell something, in order: all but its stop words."""
    return [
        token
        for token in tokens(text)
        if token.stem not in STOP_WORDS or _ACRONYM.search(text, token.start, token.end)
    ]


def build_lexical(texts: Sequence[str]) -> Mapping[str, bytes]:
    """Give the files of an index over texts, by name; the same bytes for the same texts."""
    import bm25s
    import numpy as np

    documents = [stems(text) for text in texts]
    spellings = sorted(
        {match.group().casefold() for t in set(texts) for match in _WORD.finditer(t)}
    )
    vocabulary = sorted({stem for document in documents for stem in document})
    numbers = {stem: number for number, stem in enumerate(vocabulary)}
    scorer = bm25s.BM25(method="lucene", k1=K1, b=B, csc_backend="numpy")
    if vocabulary:
        numbered = [[numbers[stem] for stem in document] for document in documents]
        scorer.index((numbered, numbers), create_empty_token=False, show_progress=False)
        arrays = scorer.scores
    else:  # bm25s divides by the mean length, which is 0 where no text has a word
        arrays = {"data": np.zeros(0), "indices": np.zeros(0), "indptr": np.zeros(1)}
    return {
        "data.npy": _npy(arrays["data"].astype("<f4")),
        "indices.npy": _npy(arrays["indices"].astype("<i4")),
        "indptr.npy": _npy(arrays["indptr"].astype("<i8")),
        "vocabulary.json": json.dumps(
            {"size": len(texts), "stems": vocabulary, "spellings": spellings}, separators=(",", ":")
        ).encode("ascii"),
    }


def open_lexical(files: Mapping[str, bytes]) -> LexicalIndex:
    """Open what `build_lexical` gave.

    Raises:
        IndexDamaged: A file is missing or does not fit the others.
    """
    import bm25s

    try:
        data, indices, begins = (_array(files[name]) for name in _FILES[:3])
        words = json.loads(files["vocabulary.json"])
        stems, spellings = list(words["stems"]), list(words["spellings"])
        size = int(words["size"])
    except (KeyError, ValueError, TypeError, EOFError) as cause:
        raise IndexDamaged(
            "The word index can not be read. Build it anew: clippings index"
        ) from cause
    if len(begins) != len(stems) + 1 or not len(data) == len(indices) == begins[-1]:
        raise IndexDamaged(
            "The files of the word index do not fit together. Build it anew: clippings index"
        )
    scorer = bm25s.BM25(method="lucene", k1=K1, b=B, csc_backend="numpy")
    scorer.nonoccurrence_array = None  # only other kinds of BM25 have one
    scorer.scores = {"data": data, "indices": indices, "indptr": begins, "num_docs": size}
    return LexicalIndex(scorer=scorer, stems=stems, spellings=spellings, size=size)


@cache
def _stemmer() -> Stemmer.Stemmer:
    import Stemmer

    return Stemmer.Stemmer("english")


@lru_cache(maxsize=1 << 17)
def _stem(word: str) -> str:
    folded = unicodedata.normalize("NFKC", word).casefold()
    plain = "".join("'" if letter in APOSTROPHES else letter for letter in folded)
    bare = "".join(
        letter
        for letter in unicodedata.normalize("NFD", plain)
        if not unicodedata.combining(letter)
    )
    base = _irregular().get(bare or plain, bare or plain)
    for british, american in _AMERICAN:
        base = british.sub(american, base)
    return str(_stemmer().stemWord(base))


@cache
def _irregular() -> Mapping[str, str]:
    """Give the base form of each irregular form."""
    text = resources.files("retrieval").joinpath("irregular.json").read_text("utf-8")
    forms: dict[str, str] = json.loads(text)["forms"]
    return forms


def _npy(array: NDArray[np.generic]) -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _array(data: bytes) -> NDArray[np.generic]:
    import numpy as np

    array: NDArray[np.generic] = np.load(io.BytesIO(data), allow_pickle=False)
    return array


STOP_WORDS = frozenset(_stem(word) for word in _STOP_WORDS.split())
