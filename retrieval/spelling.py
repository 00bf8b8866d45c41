"""Misspelled words of a question → words that the articles have.

Only a word that neither the articles nor English at large know is corrected, and only to a word of
the articles, so a correction never leads away from a word that could have been meant. RapidFuzz
finds the candidates.
"""

from __future__ import annotations

from retrieval.english import frequency, frequency_of_rare
from retrieval.lexical import LexicalIndex
from retrieval.words import content, spelled

SHORTEST = 4  # letters; shorter words have too many neighbours
# A misspelling is at most so frequent, as a power of ten, beside the word it is meant to be:
# «goverment» 2.7 and «government» 5.6, but «thinned» 2.7 and «thanked» 3.6.
SLIP = 1.9


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
    found = ((word, _nearest(word.casefold(), spellings)) for word in asked if _is_unknown(word))
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


def _nearest(word: str, spellings: LexicalIndex) -> str | None:
    """Give the spelling with the fewest slips from a word: one, or two in a long word."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    most = 1 if len(word) < 7 else 2  # noqa: PLR2004 - two slips in a short word make another word
    candidates = spellings.near(word, slips=most)
    found = process.extract(word, candidates, scorer=OSA.distance, score_cutoff=most, limit=None)
    seen = frequency_of_rare(word) if found else 0.0
    ranked = sorted(
        (distance, spelling[0] != word[0], -frequency(spelling), spelling)
        for spelling, distance, _ in found
        if spellings.has(spelling) and (not seen or frequency(spelling) >= seen + SLIP)
    )
    return ranked[0][-1] if ranked else None


def _cased(word: str, spelling: str) -> str:
    return spelling.capitalize() if word[0].isupper() else spelling
