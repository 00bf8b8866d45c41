"""What all made-up groups share: people, days, and how a group is put together."""

from __future__ import annotations

import random
from dataclasses import replace

from retrieval.ranker.groups import SYNTHETIC, Group
from retrieval.ranker.vocabulary import DAYS, FIRST, LAST, MONTHS, PLACES, POSTS

UNANSWERED = 0.15  # of all groups: the right sentence is left out
COUNTRY = 0.3  # of all parties; the others are people
WITH_POST = 0.5  # of all people

YEARS = (1998, 2025)


def party(rng: random.Random) -> tuple[str, str]:
    """Give the short and the full name of a person, sometimes of a country."""
    if rng.random() < COUNTRY:
        place = rng.choice(PLACES)
        return place, place
    last = rng.choice(LAST)
    full = f"{rng.choice(FIRST)} {last}"
    if rng.random() < WITH_POST:
        full = f"{rng.choice(PLACES)}'s {rng.choice(POSTS)} {full}"
    return last, full


def day_of(rng: random.Random) -> str:
    """Give a day in one of the ways that newspapers write it."""
    kind = rng.choice(("weekday", "date", "full date"))
    if kind == "weekday":
        return f"on {rng.choice(DAYS)}"
    date = f"{rng.randint(1, 28)} {rng.choice(MONTHS)}"
    return f"on {date}" if kind == "date" else f"on {date} {rng.randint(*YEARS)}"


def capital(text: str) -> str:
    return text[0].upper() + text[1:]


def made(question: str, right: tuple[str, ...], wrong: tuple[str, ...]) -> Group:
    return Group(question=question, right=right, wrong=wrong, source=SYNTHETIC)


def perhaps_unanswered(group: Group, rng: random.Random) -> Group:
    return replace(group, right=()) if rng.random() < UNANSWERED else group
