"""Made-up groups on who did what to whom: the wrong sentences mirror the right one."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

from retrieval.ranker.groups import Group
from retrieval.ranker.phrases import capital, day_of, made, party, perhaps_unanswered
from retrieval.ranker.vocabulary import ACTS, CLAUSES, DEEDS, OFFICES, TOPICS

DATED = 0.5  # of all stories: the reports say the day
AS_STATEMENT = 0.25  # of all questions for what was said or done: «Rubio told Sharif what?»
YES_OR_NO = 0.15  # of the others


@dataclass(frozen=True, slots=True)  # a row of the table below
class Verb:
    """A verb between two parties.

    Attributes:
        link: The words between the second party and the tail.
        tails: What the verb can be about.
        question: Asks for the tail; {a} and {b} are the parties.
    """

    base: str
    participle: str
    link: str
    tails: tuple[str, ...]
    question: str


# By their past tense.
VERBS = {
    "urged": Verb("urge", "urged", "to ", ACTS, "What did {a} urge {b} to do"),
    "asked": Verb("ask", "asked", "to ", ACTS, "What did {a} ask {b} to do"),
    "encouraged": Verb("encourage", "encouraged", "to ", ACTS, "What did {a} encourage {b} to do"),
    "told": Verb("tell", "told", "that ", CLAUSES, "What did {a} tell {b}"),
    "assured": Verb("assure", "assured", "that ", CLAUSES, "What did {a} assure {b}"),
    "warned": Verb("warn", "warned", "that ", CLAUSES, "What did {a} warn {b} of"),
    "accused": Verb("accuse", "accused", "of ", DEEDS, "What did {a} accuse {b} of"),
    "criticised": Verb("criticise", "criticised", "for ", DEEDS, "Why did {a} criticise {b}"),
    "called": Verb("call", "called", "about ", TOPICS, "What did {a} call {b} about"),
    "briefed": Verb("brief", "briefed", "on ", TOPICS, "What did {a} brief {b} on"),
    "pressed": Verb("press", "pressed", "on ", TOPICS, "What did {a} press {b} about"),
    "thanked": Verb("thank", "thanked", "for help with ", TOPICS, "Why did {a} thank {b}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Who did what to whom; `day` is empty where a report does not say it."""

    actor: str
    target: str
    verb: str
    tail: str
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A fact, and other facts with some of its words.

    Attributes:
        mirror: The fact with actor and target exchanged.
        mirror_other: The mirror with another tail.
        to_third: The actor does the like to somebody else.
        from_third: Somebody else does the like to the target.
        aside: Another verb between the same two.
        wrong_day: Another day, rarely the same one.
        talks: Says only that the two spoke.
        line: A headline with both names.
        full: The parties' full names by their short ones.
    """

    fact: Fact
    mirror: Fact
    mirror_other: Fact
    to_third: Fact
    from_third: Fact
    aside: Fact
    wrong_day: str
    talks: str
    line: str
    full: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """How the facts of a story were reported; `day` is empty if without it."""

    day: str
    fact: str
    mirror: str
    mirror_other: str
    to_third: str
    from_third: str
    aside: str


def role_group(rng: random.Random) -> Group:
    """Ask for one role, the content or the day of a fact, among mirror sentences."""
    story = _story(rng)
    ask = rng.choice(
        (
            _ask_actor,
            _ask_target,
            _ask_content,
            _ask_content,
            _ask_content,
            _ask_day,
            _ask_content_on_day,
        )
    )
    day = story.fact.day if rng.random() < DATED else ""
    return perhaps_unanswered(ask(story, _reports(story, day, rng), rng), rng)


def _ask_actor(story: Story, reports: Reports, rng: random.Random) -> Group:
    fact, verb = story.fact, VERBS[story.fact.verb]
    received = replace(story.mirror, target=story.to_third.target, day=reports.day)
    return made(
        f"Who {fact.verb} {fact.target} {verb.link}{fact.tail}?",
        (reports.fact,),
        # not `from_third`: it has the verb and the target that the question asks for
        (
            reports.mirror,
            _report(received, story.full, rng),
            reports.aside,
            story.talks,
            story.line,
        ),
    )


def _ask_target(story: Story, reports: Reports, rng: random.Random) -> Group:
    fact, verb = story.fact, VERBS[story.fact.verb]
    other = replace(story.from_third, tail=fact.tail, day=reports.day)
    return made(
        f"Who did {fact.actor} {verb.base} {verb.link}{fact.tail}?",
        (reports.fact,),
        (
            reports.mirror,
            _report(other, story.full, rng),
            reports.mirror_other,
            story.talks,
            story.line,
        ),
    )


def _ask_day(story: Story, _: Reports, rng: random.Random) -> Group:
    fact, verb, full = story.fact, VERBS[story.fact.verb], story.full
    return made(
        f"When did {fact.actor} {verb.base} {fact.target} {verb.link}{fact.tail}?",
        (_report(fact, full, rng),),
        (
            _report(replace(fact, day=""), full, rng),
            _report(story.mirror, full, rng),
            _report(story.to_third, full, rng),
            story.line,
            _unclear(fact),
        ),
    )


def _ask_content_on_day(story: Story, _: Reports, rng: random.Random) -> Group:
    fact, full = story.fact, story.full
    right = _report(fact, full, rng)
    on_wrong_day = replace(fact, tail=story.mirror_other.tail, day=story.wrong_day)
    wrong = [
        _report(on_wrong_day, full, rng),
        _report(story.mirror_other, full, rng),
        _report(story.to_third, full, rng),
        story.talks,
        _unclear(fact),
    ]
    if story.wrong_day == fact.day:
        del wrong[0]
    return made(f"{_content_question(fact)} {fact.day}?", (right,), tuple(wrong))


def _ask_content(story: Story, reports: Reports, rng: random.Random) -> Group:
    fact, verb = story.fact, VERBS[story.fact.verb]
    right = (reports.fact,)
    rest = (reports.to_third, reports.from_third, story.talks)
    wrong = (reports.mirror, reports.mirror_other, *rest, story.line, _unclear(fact))
    if rng.random() < AS_STATEMENT:
        return made(f"{fact.actor} {fact.verb} {fact.target} what?", right, wrong)
    if rng.random() < YES_OR_NO:
        question = f"Did {fact.actor} {verb.base} {fact.target} {verb.link}{fact.tail}?"
        return made(question, right, (reports.mirror, *rest))
    return made(f"{_content_question(fact)}?", right, wrong)


def _story(rng: random.Random) -> Story:
    full = dict(party(rng) for _ in range(3))
    while len(full) < 3:  # noqa: PLR2004 - three parties, each of another name
        full = dict(party(rng) for _ in range(3))
    a, b, c = full
    verb = rng.choice(sorted(VERBS))
    tails = VERBS[verb].tails
    tail, other = rng.sample(tails, 2)
    day, wrong_day = day_of(rng), day_of(rng)
    aside = rng.choice([name for name in sorted(VERBS) if VERBS[name].tails is not tails])
    fact = Fact(actor=a, target=b, verb=verb, tail=tail, day=day)
    mirror = replace(fact, actor=b, target=a)
    return Story(
        fact=fact,
        mirror=mirror,
        mirror_other=replace(mirror, tail=other),
        to_third=replace(fact, target=c, tail=other),
        from_third=replace(fact, actor=c, tail=other),
        aside=replace(fact, verb=aside, tail=rng.choice(VERBS[aside].tails)),
        wrong_day=wrong_day,
        talks=f"{full[a]} and {full[b]} spoke {day}.",
        line=f"{a}, {b} in talks over {rng.choice(TOPICS)}",
        full=full,
    )


def _reports(story: Story, day: str, rng: random.Random) -> Reports:
    def report(fact: Fact) -> str:
        return _report(replace(fact, day=day), story.full, rng)

    return Reports(
        day=day,
        mirror=report(story.mirror),
        mirror_other=report(story.mirror_other),
        to_third=report(story.to_third),
        from_third=report(story.from_third),
        aside=report(story.aside),
        fact=report(story.fact),
    )


def _report(fact: Fact, full: Mapping[str, str], rng: random.Random) -> str:
    """Report a fact in one of several ways, with its day if it has one."""
    verb = VERBS[fact.verb]
    a, b = full[fact.actor], full[fact.target]
    when = f" {fact.day}" if fact.day else ""
    front = f"{capital(fact.day)}, " if fact.day else ""
    did, tail = fact.verb, verb.link + fact.tail
    office = rng.choice(OFFICES)
    ways = (
        f"{a}{when} {did} {b} {tail}.",
        f"{front}{a} {did} {b} {tail}.",
        f"{b} was {verb.participle} by {a} {tail}{when}.",
        f"{a} also {did} {b} {tail}, {office} said{when}.",
        f"According to {office}, {a} {did} {b} {tail}{when}.",
        f"In a phone call{when}, {a} {did} {b} {tail}.",
        f"“{a} {did} {b} {tail},” {office} said{when}.",
    )
    return capital(rng.choice(ways))


def _content_question(fact: Fact) -> str:
    return VERBS[fact.verb].question.format(a=fact.actor, b=fact.target)


def _unclear(fact: Fact) -> str:
    base = VERBS[fact.verb].base
    return f"It was not clear whether {fact.actor} would {base} {fact.target} again."
