"""WordNet's database files → words that may stand for one another.

    python -m retrieval.wordnet.make --wordnet DICT --out retrieval/synonyms.json

WordNet lists many meanings that news does not have in mind («use» for a victim). A pair is kept
where it is among the first meanings of both words, the word that is to stand in is a common one,
and the vectors of the two words agree.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retrieval.embedding import load_encoder
from retrieval.english import frequency_of_rare
from retrieval.modelfiles import DEFAULT_MODEL
from retrieval.words import STOP_WORDS, stems

PARTS = ("noun", "verb", "adj", "adv")
RAREST = 1.4  # Zipf frequency of a word that is looked up
RAREST_MATE = 2.8  # and of one that stands in for it

_WORD = re.compile(r"[a-z]{3,}")
_MARKER = re.compile(r"\(.*")  # «(a)», «(p)», «(ip)» behind adjectives


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """Which pairs of a kind are kept.

    Attributes:
        meaning, mate_meaning: At most which meaning of the word, and of its mate, in WordNet's
            order.
        cosine: Of their vectors, at least.
    """

    meaning: int
    mate_meaning: int
    cosine: float


SAME = Relation(meaning=6, mate_meaning=5, cosine=0.33)  # «holidaymaker», «tourist»
KIND = Relation(meaning=3, mate_meaning=3, cosine=0.6)  # «personnel», «staff»


@dataclass(frozen=True, slots=True, kw_only=True)
class WordNet:
    """What the files say.

    Attributes:
        words: Of each meaning, by (part of speech, place in the file).
        meanings: Of each word, by (word, part of speech), the most usual first.
        broader: Pairs of meanings: one, and a broader one.
    """

    words: Mapping[tuple[str, str], Sequence[str]]
    meanings: Mapping[tuple[str, str], Sequence[str]]
    broader: Sequence[tuple[tuple[str, str], tuple[str, str]]]

    def rank(self, word: str, meaning: tuple[str, str]) -> int:
        """Tell the how manieth meaning of a word it is, from 1."""
        part, place = meaning
        return self.meanings[word.lower(), part].index(place) + 1


def read_wordnet(folder: Path) -> WordNet:
    """Read index.* and data.*; their form is that of wndb(5WN)."""
    words: dict[tuple[str, str], list[str]] = {}
    meanings: dict[tuple[str, str], list[str]] = {}
    broader = []
    for part in PARTS:
        for fields in _lines(folder / f"index.{part}"):
            meanings[fields[0], part] = fields[-int(fields[2]) :]
        for fields in _lines(folder / f"data.{part}"):
            count = int(fields[3], 16)
            own = (part, fields[0])
            words[own] = [_MARKER.sub("", word) for word in fields[4 : 4 + 2 * count : 2]]
            pointers = fields[5 + 2 * count :]
            broader += [
                (own, (part, place))
                for kind, place in zip(pointers[::4], pointers[1::4], strict=False)
                if kind == "@"
            ]
    return WordNet(words=words, meanings=meanings, broader=broader)


def synonyms_of(wordnet: WordNet) -> dict[str, list[str]]:
    """Give for each stem the stems that may stand for it, the nearest first."""
    pairs = {
        SAME: set(_pairs(wordnet, ((each, each) for each in wordnet.words), SAME)),
        KIND: set(_pairs(wordnet, _both_ways(wordnet.broader), KIND)),
    }
    every = sorted({word for found in pairs.values() for pair in found for word in pair})
    vectors = dict(zip(every, load_encoder(DEFAULT_MODEL).encode(every), strict=True))
    kept: dict[str, dict[str, float]] = defaultdict(dict)
    for relation, found in pairs.items():
        for word, mate in found:
            cosine = float(np.dot(vectors[word], vectors[mate]))
            if cosine >= relation.cosine:
                (stem,), (other,) = stems(word), stems(mate)
                kept[stem][other] = max(cosine, kept[stem].get(other, 0.0))
    return {
        stem: sorted(mates, key=lambda mate: (-mates[mate], mate))
        for stem, mates in sorted(kept.items())
    }


def _pairs(
    wordnet: WordNet,
    meanings: Iterator[tuple[tuple[str, str], tuple[str, str]]],
    relation: Relation,
) -> Iterator[tuple[str, str]]:
    for one, other in meanings:
        for word in _fit(wordnet.words[one], RAREST):
            if wordnet.rank(word, one) > relation.meaning:
                continue
            for mate in _fit(wordnet.words[other], RAREST_MATE):
                same = stems(word) == stems(mate)
                if not same and wordnet.rank(mate, other) <= relation.mate_meaning:
                    yield word, mate


def _fit(words: Collection[str], rarest: float) -> Iterator[str]:
    """Give the single, plain words that are not too rare."""
    for word in words:
        if not _WORD.fullmatch(word) or frequency_of_rare(word) < rarest:
            continue
        found = stems(word)
        if found and found[0] not in STOP_WORDS:
            yield word


def _both_ways(
    broader: Sequence[tuple[tuple[str, str], tuple[str, str]]],
) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    for one, other in broader:
        yield one, other
        yield other, one


def _lines(path: Path) -> Iterator[list[str]]:
    """Give the fields of each line; those of the licence begin with a space."""
    for line in path.read_text("utf-8").splitlines():
        if not line.startswith(" "):
            yield line.partition(" | ")[0].split()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--wordnet", type=Path, required=True, help="folder with data.noun")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    found = synonyms_of(read_wordnet(given.wordnet))
    lines = ",\n".join(f"{json.dumps(stem)}:{json.dumps(found[stem])}" for stem in found)
    given.out.write_text(f"{{\n{lines}\n}}\n", "utf-8")


if __name__ == "__main__":
    main()
