"""Misspelled words of a question → words that the articles have.

Only a word that neither the articles nor English at large know is corrected: to a word of the
articles; failing that, and unless it is written as a name, to an English word that the articles
have in another form («kiled», where they have «killing»), or to one that asks («mnay»). So a
correction never leads away from a word that could have been meant. RapidFuzz finds the candidates.
"""

from __future__ import annotations

from collections.abc import Collection

from retrieval.english import common_words, frequency, frequency_of_rare
from retrieval.lexical import LexicalIndex
from retrieval.words import content, spelled, stems

SHORTEST = 4  # letters; shorter words have too many neighbours
# A misspelling is at most so frequent, as a power of ten, beside the word it is meant to be:
# «goverment» 2.7 and «government» 5.6, but «thinned» 2.7 and «thanked» 3.6.
SLIP = 1.9
_ASKING = frozenset({"many", "much", "what", "when", "where", "which", "whom", "whose"})


def spellings(text: str) -> list[str]:
    """Give the words that a misspelled one may be meant to be, as they are spelled: `Cut`."""
    return [word for word in spelled(text) if len(word) >= SHORTEST]


def correct(text: str, words: LexicalIndex, spellings: LexicalIndex) -> tuple[tuple[str, str], ...]:
    """Find what a question misspells: pairs (as asked, as the articles spell it), in order.

    Args:
        text: The question.
        words: The stems that the articles have.
        spellings: Their spellings.
    """
    asked = dict.fromkeys(
        text[token.start : token.end] for token in content(text) if not words.has(token.stem)
    )
    found = ((word, _meant(word, words, spellings)) for word in asked if _is_unknown(word))
    return tuple((word, better) for word, better in found if better is not None)


def apply(text: str, corrections: tuple[tuple[str, str], ...]) -> str:
    """Give a question with its misspelled words replaced, written as names where they were."""
    better = {word: _cased(word, spelling) for word, spelling in corrections}
    pieces, at = [], 0
    for token in content(text):
        word = text[token.start : token.end]
        if word in better:
            pieces += [text[at : token.start], better[word]]
            at = token.end
    return "".join([*pieces, text[at:]])


def _is_unknown(word: str) -> bool:
    return len(word) >= SHORTEST and word.isalpha() and not frequency(word)


def _meant(word: str, words: LexicalIndex, spellings: LexicalIndex) -> str | None:
    folded = word.casefold()
    slips = 1 if len(word) < 7 else 2  # noqa: PLR2004 - two slips in a short word make another word
    theirs = _near(folded, spellings.near(folded, slips=slips), slips)
    found = [each for each in theirs if spellings.has(each[-1])]
    if not found and word.islower():
        english = _near(folded, common_words(), slips)
        found = [
            each for each in english if each[-1] in _ASKING or any(map(words.has, stems(each[-1])))
        ]
    return min(found)[-1] if found else None


def _near(word: str, candidates: Collection[str], slips: int) -> list[tuple[int, bool, float, str]]:
    """Find what a word may be meant to be; the least of what is given is the likeliest.

    Returns:
        The number of slips, whether the first letter is another, the negative frequency, and the
        spelling, of each candidate that is common enough beside the word.
    """
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    found = process.extract(word, candidates, scorer=OSA.distance, score_cutoff=slips, limit=None)
    seen = frequency_of_rare(word) if found else 0.0
    return [
        (distance, spelling[0] != word[0], -frequency(spelling), spelling)
        for spelling, distance, _ in found
        if not seen or frequency(spelling) >= seen + SLIP
    ]


def _cased(word: str, spelling: str) -> str:
    return spelling.capitalize() if word[0].isupper() else spelling
