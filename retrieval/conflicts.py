"""Quotes that report the same but not with the same day or number.

Only what can be read off is compared: a day that each quote names once, and exact numbers of the
same thing. «At least 26», «some 30» and «26 on Monday, 28 on Tuesday» contradict nothing. Where
an article has no date, two weekdays contradict each other only in two accounts of one event.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta

from retrieval.datatypes import ConflictKind, Quote
from retrieval.words import STOP_WORDS, content, stems, tokens

NEAR_DAYS = 3  # days further apart are of two events rather than two accounts of one
ONE_EVENT = 0.25  # share of plain words, of the one who says less, in which two accounts agree
COUNTED_WITHIN = 2  # words from a number to what it counts: «26 mostly civilian deaths»

_WEEKDAYS = ("Mon", "Tues", "Wednes", "Thurs", "Fri", "Satur", "Sun")
_WEEKDAY = re.compile(rf"\b({'|'.join(_WEEKDAYS)})day\b")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = rf"({'|'.join(_MONTHS)})[a-z]*\.?"
_DAY = re.compile(rf"\b{_MONTH} (\d{{1,2}})\b|\b(\d{{1,2}})(?:st|nd|rd|th)? {_MONTH}")
# What is counted of people: other numbers («6 GB», «season 17») differ because they are of
# different things.
_COUNTED = frozenset(
    stems(
        "people persons lives deaths dead killed died injured wounded hurt missing victims soldiers"
        " civilians tourists children women men troops police militants terrorists hostages"
        " passengers casualties arrested detained"
    )
)
_NUMBER = re.compile(r"(?<![\w.,$£€-])(\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\w-])")
_SMALL = """
one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty
"""
_WORDS = {word: str(value) for value, word in enumerate(_SMALL.split(), start=1)}
_INEXACT = re.compile(
    r"\b(about|some|around|nearly|almost|roughly|approximately|over|under|more than|less than"
    r"|fewer than|at least|at most|up to|as many as|another|other|further|additional|first)\s+$",
    re.IGNORECASE,
)


def conflict(one: Quote, other: Quote) -> ConflictKind | None:
    """Tell in what two quotes that report the same contradict each other, if they do."""
    if _days_differ(one, other):
        return "date"
    counts, other_counts = _counts(one.text), _counts(other.text)
    if any(counts[what] != other_counts[what] for what in counts.keys() & other_counts.keys()):
        return "number"
    return None


def _days_differ(one: Quote, other: Quote) -> bool:
    days, other_days = _days(one), _days(other)
    if len(days) == len(other_days) == 1:
        apart = abs(next(iter(days)) - next(iter(other_days)))
        return timedelta() < apart <= timedelta(days=NEAR_DAYS)
    if days and other_days:
        return False
    # An article without a date of its own: what is left is the name of the day.
    names, other_names = set(_WEEKDAY.findall(one.text)), set(_WEEKDAY.findall(other.text))
    named = len(names) == len(other_names) == 1 and names != other_names
    return named and _is_one_event(one.text, other.text)


def _is_one_event(one: str, other: str) -> bool:
    """Tell one call from two calls between the same people, by what is said beside their names."""
    words, other_words = _plain_words(one), _plain_words(other)
    return len(words & other_words) >= ONE_EVENT * min(len(words), len(other_words))


def _plain_words(text: str) -> frozenset[str]:
    """Give the stems of the telling words that are not written like names."""
    return frozenset(token.stem for token in content(text) if not text[token.start].isupper())


def _days(quote: Quote) -> set[date]:
    """Give the days a quote names; those without a year are the last before the publication."""
    published = quote.article.published
    if published is None:
        return set()
    found = set()
    for match in _WEEKDAY.finditer(quote.text):
        back = (published.weekday() - _WEEKDAYS.index(match[1])) % len(_WEEKDAYS)
        found.add(published - timedelta(days=back))
    for match in _DAY.finditer(quote.text):
        month = _MONTHS.index(match[1] or match[4]) + 1
        found.update(_last(month, int(match[2] or match[3]), published))
    return found


def _last(month: int, day: int, before: date) -> list[date]:
    """Give the last such day up to a date; none where there is no such day in its year."""
    for year in (before.year, before.year - 1):
        try:
            found = date(year, month, day)
        except ValueError:
            return []
        if found <= before:
            return [found]
    return []


def _counts(text: str) -> Mapping[str, frozenset[str]]:
    """Give the exact numbers of each thing that a text counts, by the thing's stem."""
    words = tokens(text)
    found: dict[str, set[str]] = {}
    for place, word in enumerate(words):
        written = text[word.start : word.end]
        value = _WORDS.get(written.lower()) or _digits(text, word.start)
        compound = "-" in (text[word.start - 1 : word.start], text[word.end : word.end + 1])
        if not value or compound or _INEXACT.search(text[: word.start]):
            continue
        for what in words[place + 1 : place + 1 + COUNTED_WITHIN]:
            between = text[word.end : what.start]
            if what.stem in STOP_WORDS or re.search(r"[^\w\s’'-]", between):
                break
            if what.stem in _COUNTED:
                found.setdefault(what.stem, set()).add(value)
    return {what: frozenset(values) for what, values in found.items()}


def _digits(text: str, start: int) -> str:
    match = _NUMBER.match(text, start)
    return match[0].replace(",", "") if match else ""
