"""A group as it is shown to the model: other wordings, and wrong sentences made of right ones.

The chances and lengths were set by hand and never tuned.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from retrieval.ranker.groups import SELQA, SYNTHETIC, TRECQA, Group
from retrieval.ranker.naming import names, names_and_numbers

CANDIDATES = 6
LONGEST = 320  # characters of a wrong sentence
FROM_BELOW = 2  # wrong sentences drawn from below the hardest ones

FALSIFIED = 0.12
SWAPPED = 0.35
CUT = 0.15
HEADLINE = 0.10
SECOND_RIGHT = 0.3
PENN = 0.15
# Of all questions; each border is the end of one kind of rewording.
TERSE = 0.08
CLAIM = 0.13
MISTYPED = 0.16
POLITE = 0.20
UNMARKED = 0.30

LONGEST_ANSWER = 60
SHORTEST_NAME = 3
FEWEST_WORDS = 3
SHORTEST_MISTYPED = 5

# Only what carries no meaning of its own; `retrieval.words` also leaves out «before» and «more».
FUNCTION_WORDS = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "in",
        "on",
        "at",
        "to",
        "for",
        "by",
        "with",
        "from",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "did",
        "does",
        "do",
        "has",
        "have",
        "had",
        "what",
        "which",
        "who",
        "whom",
        "whose",
        "when",
        "where",
        "why",
        "how",
        "that",
        "this",
        "it",
        "its",
        "as",
        "and",
        "or",
    ]
)
LEADS = ("Can you tell me", "I would like to know", "According to the articles,", "Please:")

_OPENING = re.compile(
    r"^(?:(?:in|on|at|for|to|by|from|with) )?(?:who|whom|whose|what|which|when|where|why|how)\b"
    r"(?: (?:many|much|long|far|old|often|year|kind of|type of))?"
    r"(?: (?:is|are|was|were|did|does|do|has|have|had|can|could|will|would))?\s*",
    re.IGNORECASE,
)
_ASKS = re.compile(r"(?:who|when|where|why|how many|how)\b", re.IGNORECASE)
_ASKS_SUBJECT = re.compile(r"(?:who|what|which \w+) (?!did|do|does)", re.IGNORECASE)
_SUBJECT = re.compile(r"^(?:who|what|which \w+)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A question, at most `CANDIDATES` sentences, and whether each one answers."""

    question: str
    texts: tuple[str, ...]
    labels: tuple[bool, ...]


def example_of(group: Group, rng: random.Random) -> Example:
    """Draw an example from a group; another one at each call."""
    special: list[str] = []
    if group.source != SYNTHETIC:
        group, special = _altered(group, rng)
    right, wrong = group.right, group.wrong
    if group.source in {TRECQA, SELQA}:  # in the order of their text, not of hardness
        right, wrong = _shuffled(right, rng), _shuffled(wrong, rng)
    right = right[: 2 if rng.random() < SECOND_RIGHT else 1]
    room = CANDIDATES - len(right) - len(special)
    false = [*special, *_hard(wrong, room, rng)]
    question, texts = group.question, [*right, *false]
    if rng.random() < PENN:
        question, texts = penn(question), [penn(text) for text in texts]
    labels = (True,) * len(right) + (False,) * len(false)
    return Example(question=question, texts=tuple(texts), labels=labels)


def swapped(sentence: str, *, question: str, answer: str) -> str | None:
    """Exchange two names where the question or the answer depends on who is who."""
    found = [name for name in names(sentence) if len(name) >= SHORTEST_NAME]
    asked = [name for name in found if name.lower() in question.lower()]
    other = [name for name in found if name not in asked]
    if answer:
        other = [name for name in other if name in answer or answer in name]
    if not asked or not other:
        return None
    first, second = asked[0], other[0]
    if first in second or second in first:
        return None
    return sentence.replace(first, "\0").replace(second, first).replace("\0", second)


def without_answer(sentence: str, answer: str) -> str | None:
    """Take the answer out: what is left restates the question and does not answer it."""
    if not answer or len(answer) > LONGEST_ANSWER:
        return None
    if answer not in sentence or len(answer) > len(sentence) / 2:
        return None
    cut = re.sub(r"\s+([,.;])", r"\1", re.sub(r"\s+", " ", sentence.replace(answer, "")))
    return re.sub(r"\b(?:in|on|at|by|of|from|to|for|with|the|a|an)\s*([,.;]|$)", r"\1", cut).strip()


def falsified(group: Group, rng: random.Random) -> str | None:
    """Exchange a name or a number of the question for another one of the article."""
    inside = " ".join(group.right).lower()
    parts = [part for part in names_and_numbers(group.question) if part.lower() in inside]
    rng.shuffle(parts)
    for part in parts:
        same = [
            other
            for other in group.foreign
            if other[0].isdigit() == part[0].isdigit()
            and other.lower() not in inside
            and abs(len(other.split()) - len(part.split())) <= 1
        ]
        if same:
            return group.question.replace(part, rng.choice(same))
    return None


def headline(question: str) -> str | None:
    """Restate a question as a headline does."""
    rest = _OPENING.sub("", question).rstrip(" ?")
    if len(rest.split()) < FEWEST_WORDS or rest == question.rstrip(" ?"):
        return None
    return rest[0].upper() + rest[1:]


def reworded(question: str, *, answer: str, rng: random.Random) -> str:
    """Sometimes make a question terse, a claim, mistyped, long-winded or unmarked."""
    roll = rng.random()
    if roll < TERSE:
        return _terse(question, rng)
    if roll < CLAIM and answer and _ASKS_SUBJECT.match(question):
        return _SUBJECT.sub(lambda _: answer, question).rstrip(" ?") + "."
    if roll < MISTYPED:
        return _mistyped(question, rng)
    if roll < POLITE:
        return f"{rng.choice(LEADS)} {question[0].lower()}{question[1:]}"
    return question.rstrip("?").strip() if roll < UNMARKED else question


def penn(text: str) -> str:
    """Cut words roughly as the Penn Treebank does, with quotes and brackets as TrecQA has them."""
    text = re.sub(r"[“\"](?=\w)", "`` ", text)
    text = re.sub(r"[”\"]", " ''", text).replace("(", "-LRB- ").replace(")", " -RRB-")
    text = re.sub(r"([,;:?!%$])", r" \1 ", text)
    text = re.sub(r"('s|n't|’s)\b", r" \1", text)
    text = re.sub(r"\.$", " .", text)
    return re.sub(r"\s+", " ", text).strip()


def _altered(group: Group, rng: random.Random) -> tuple[Group, list[str]]:
    """Give the group with another question, and wrong sentences made of the right one."""
    if not group.right:
        return _asked(group, reworded(group.question, answer="", rng=rng)), []
    if rng.random() < FALSIFIED and (false := falsified(group, rng)):
        wrong = (*group.right, *group.wrong)
        return _regrouped(group, question=false, right=(), wrong=wrong), []
    question, right, answer = group.question, group.right[0], group.answer
    made = [
        swapped(right, question=question, answer=answer) if rng.random() < SWAPPED else None,
        without_answer(right, answer) if rng.random() < CUT else None,
        headline(question) if rng.random() < HEADLINE else None,
    ]
    question = reworded(question, answer=answer, rng=rng)
    return _asked(group, question), [text for text in made if text]


def _asked(group: Group, question: str) -> Group:
    return _regrouped(group, question=question, right=group.right, wrong=group.wrong)


def _regrouped(
    group: Group, *, question: str, right: tuple[str, ...], wrong: tuple[str, ...]
) -> Group:
    return Group(question=question, right=right, wrong=wrong, source=group.source)


def _shuffled(texts: tuple[str, ...], rng: random.Random) -> tuple[str, ...]:
    return tuple(rng.sample(texts, len(texts)))


def _hard(wrong: tuple[str, ...], room: int, rng: random.Random) -> list[str]:
    """Choose mostly the hardest wrong sentences, and one or two from further down."""
    short = [text for text in wrong if len(text) <= LONGEST][: 2 * CANDIDATES]
    border = max(0, room - FROM_BELOW)
    hardest, rest = short[:border], short[border:]
    return hardest + rng.sample(rest, min(len(rest), room - len(hardest)))


def _terse(question: str, rng: random.Random) -> str:
    words = [w for w in re.findall(r"[\w'’.-]+", question) if w.lower() not in FUNCTION_WORDS]
    if len(words) < FEWEST_WORDS:
        return question
    asks = _ASKS.match(question)
    if asks and rng.random() < 0.5:  # noqa: PLR2004 - a coin
        words.append(asks[0].lower())
    return " ".join(words)


def _mistyped(question: str, rng: random.Random) -> str:
    """Exchange two letters inside a word drawn, if it is long."""
    words = question.split()
    at = rng.randrange(len(words))
    word = words[at]
    if len(word) >= SHORTEST_MISTYPED:
        i = rng.randrange(1, len(word) - 2)
        words[at] = word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    return " ".join(words)
