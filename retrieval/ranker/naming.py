"""Names and numbers in a sentence, by their looks alone: training needs many, not all."""

import re

# Not at the start of a sentence, where every word has a capital.
NAME = re.compile(r"(?<![.?!\"“] )(?<!^)\b[A-Z][\w'-]+(?: (?:of |the )?[A-Z][\w'-]+)*")
NUMBER = re.compile(r"\b\d[\d,.]*\d\b|\b\d\b")


def names(text: str) -> list[str]:
    """Give the names of a text in order, without repeats."""
    return list(dict.fromkeys(NAME.findall(text)))


def names_and_numbers(text: str) -> list[str]:
    """Give the names of a text, then its numbers, each in order, without repeats."""
    return list(dict.fromkeys(NAME.findall(text) + NUMBER.findall(text)))
