"""How common a word is in English at large: the only module that knows wordfreq.

In a corpus of five articles «together» can be rarer than «Pakistan». What a word tells is therefore
judged by English at large too.
"""

from __future__ import annotations

from functools import cache

# Words per billion, as a power of ten: «the» has 7.7, «said» 6.0, «attack» 5.1, «tariffs» 3.6. The
# small list ends at 3.0; what is not in it is a rare word, a name or a misspelling.
COMMONEST = 7.0


def frequency(word: str) -> float:
    """Give the Zipf frequency of a word, in [0, 8]; 0 for a word that the list does not have."""
    from wordfreq import zipf_frequency

    return float(zipf_frequency(word, "en", wordlist="small"))


def frequency_of_rare(word: str) -> float:
    """Give the Zipf frequency by a list that has rare words and common misspellings too."""
    from wordfreq import zipf_frequency

    return float(zipf_frequency(word, "en", wordlist="large"))


@cache
def common_words() -> tuple[str, ...]:
    """Give the words of the small list, the commonest first; numbers and the like left out."""
    from wordfreq import top_n_list

    listed = top_n_list("en", 1 << 17, wordlist="small")
    return tuple(word for word in listed if word.isascii() and word.isalpha())


def rarity(word: str) -> float:
    """Give how much a word tells by itself, in (0, 1]: 1 for a rare word, a name, a misspelling."""
    return max(0.05, 1.0 - frequency(word) / COMMONEST)
