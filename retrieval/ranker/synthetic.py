"""Made-up news sentences whose roles, dates and speakers decide which one answers a question.

Every group holds a question, right sentences, and mirror sentences that have the same words in
other roles, another addressee, another day, no day at all, or that only restate the question.
Names are combined at random, so nothing can be learnt by heart.
"""

from __future__ import annotations

import random
from dataclasses import replace

from retrieval.ranker.groups import Group
from retrieval.ranker.phrases import capital, day_of, made, party, perhaps_unanswered
from retrieval.ranker.roles import role_group
from retrieval.ranker.vocabulary import (
    CAUSES,
    CITIES,
    CLAUSES,
    EVENTS,
    HAPPENED,
    OFFICES,
    TOPICS,
    UNITS,
)

UNSAID = 0.2  # of all questions on what somebody said: he said nothing of the kind
COUNTS = (2, 900)


def news_groups(count: int, *, seed: int) -> list[Group]:
    """Make `count` groups; the same ones for the same seed."""
    rng = random.Random(f"news-{seed}")
    makers = (role_group, role_group, role_group, speaker_group, detail_group)
    groups = []
    for _ in range(count):
        group = rng.choice(makers)(rng)
        wrong = [text for text in dict.fromkeys(group.wrong) if text not in group.right]
        groups.append(replace(group, wrong=tuple(rng.sample(wrong, len(wrong)))))
    return groups


def speaker_group(rng: random.Random) -> Group:
    """Ask what somebody said, among what others said and what that one did."""
    people = [party(rng) for _ in range(4)]
    clauses = rng.sample(CLAUSES, 4)
    says = [_saying(full, said, rng) for (_, full), said in zip(people, clauses, strict=True)]
    (name, full), (_, second), (third, _), _ = people
    did = (
        f"{full} arrived in {rng.choice(CITIES)} {day_of(rng)}.",
        f"{second} met {full} to discuss {rng.choice(TOPICS)}.",
        f"{third} told {name} that {clauses[3]}.",
        f"{name} speaks out after {rng.choice(EVENTS)}",
    )
    topic = " ".join(word for word in clauses[0].split() if word not in {"the", "was", "were"})
    question = rng.choice(
        (f"What did {name} say?", f"What did {name} say about {topic}?", f"{name} statement")
    )
    if len({short for short, _ in people}) < len(people):
        return speaker_group(rng)
    if rng.random() < UNSAID:
        unsaid = f"What did {name} say about {rng.choice(TOPICS)}?"
        return made(unsaid, (), (*says[1:], did[0]))
    return made(question, (says[0],), (*says[1:], *did))


def detail_group(rng: random.Random) -> Group:
    """Ask how many, where, why or when, among sentences that lack just this detail."""
    place, elsewhere = rng.sample(CITIES, 2)
    unit, happened = rng.choice(UNITS), rng.choice(HAPPENED)
    number, event = rng.randint(*COUNTS), rng.choice(EVENTS)
    other_unit, other_happened = rng.choice(UNITS), rng.choice(HAPPENED)
    day, cause = day_of(rng), rng.choice(CAUSES)
    kind = rng.choice(("many", "where", "why", "when"))
    line = f"{unit.capitalize()} {happened.split()[-1]} in {place} after {event}"
    auxiliary, participle = happened.split(maxsplit=1)
    many = made(
        f"How many {unit} {happened} in {place}?",
        (f"At least {number} {unit} {happened} in {place} during {event}, officials said.",),
        (
            f"Several {unit} {happened} in {place} during {event}.",
            line,
            f"At least {rng.randint(*COUNTS)} {unit} {happened} in {elsewhere} after a storm.",
            f"{rng.randint(*COUNTS)} {other_unit} {other_happened} in {place}, {event} left."
            if other_unit != unit
            else line,
        ),
    )
    where = made(
        f"Where {auxiliary} the {unit} {participle}?",
        (f"{number} {unit} {happened} in {place} after {event}.",),
        (f"{number} {unit} {happened} after {event}, officials said.", f"{unit} {happened}"),
    )
    why = made(
        f"Why did the talks in {place} end?",
        (f"The talks in {place} ended {day} because of {cause}.",),
        (
            f"The talks in {place} ended {day}.",
            f"Delegates left the talks in {place} without comment.",
            f"The talks in {elsewhere} ended because of {rng.choice(CAUSES)}.",
        ),
    )
    when = made(
        f"When was {event} reported in {place}?",
        (f"{capital(event)} in {place} was first reported {day}.",),
        (
            f"{capital(event)} in {place} was reported by {rng.choice(OFFICES)}.",
            f"Reports of {event} in {elsewhere} came {day_of(rng)}.",
            f"{place} after {event}: what we know",
        ),
    )
    asked = {"many": many, "where": where, "why": why, "when": when}[kind]
    return perhaps_unanswered(asked, rng)


def _saying(full: str, clause: str, rng: random.Random) -> str:
    form = rng.choice(
        (
            "{full} said {clause}.",
            "“{Clause},” {full} said {day}.",
            "{full} told reporters that {clause}.",
            "{office} said that {full} had stated that {clause}.",
            "Speaking in {city}, {full} said that {clause}.",
        )
    )
    said = form.format(
        full=full,
        clause=clause,
        Clause=capital(clause),
        day=day_of(rng),
        city=rng.choice(CITIES),
        office=rng.choice(OFFICES),
    )
    return capital(said)
