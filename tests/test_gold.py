"""How good the answers are: the questions of `tests/gold` about the five articles.

The floors lie below the figures of the README; they catch a change that makes answers worse. Run
with `-s` to see the figures.
"""

import json
from pathlib import Path

import pytest

from retrieval import Abstention, Answer, Help, Question, answer

GOLD = [
    json.loads(line)
    for line in (Path(__file__).parent / "gold" / "questions.jsonl").read_text("utf-8").splitlines()
]


def is_right(quote, question):
    """Whether a quote of a gold file holds every key of one of its gold quotes."""
    return any(
        quote.article.path == gold["file"] and all(key in quote.text for key in gold["key"])
        for gold in question["gold"]
        if not gold.get("partial")
    )


def ranked(reply):
    match reply:
        case Answer():
            return [finding.lead for finding in reply.findings]
        case Abstention():
            return list(reply.nearest)
        case Help():
            return []


def auroc(positive, negative):
    """Give the chance that a positive outranks a negative; ties count half."""
    wins = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    return wins / (len(positive) * len(negative))


@pytest.fixture(scope="module")
def replies(library, encoder, reranker):
    return [
        (
            gold,
            answer(
                Question(text=gold["question"], context=tuple(gold.get("context") or ())),
                library,
                encoder,
                reranker,
            ),
        )
        for gold in GOLD
    ]


def test_the_right_quote_comes_first_often_enough(replies):
    """First for 60 of 100 answerable questions, among the first three for 82."""
    asked = [(gold, ranked(reply)) for gold, reply in replies if gold["answerable"]]
    first = [any(is_right(quote, gold) for quote in quotes[:1]) for gold, quotes in asked]
    three = [any(is_right(quote, gold) for quote in quotes[:3]) for gold, quotes in asked]
    at_1, at_3 = sum(first) / len(asked), sum(three) / len(asked)
    print(f"\nright quote first {at_1:.2f}, among the first three {at_3:.2f}")
    assert at_1 >= 0.60
    assert at_3 >= 0.82


def test_confidence_tells_answerable_questions_from_others(replies):
    """AUROC of 0.80 at least."""
    scored = [
        (gold["answerable"], reply.confidence)
        for gold, reply in replies
        if gold["expect"] != "smalltalk"
    ]
    figure = auroc([c for yes, c in scored if yes], [c for yes, c in scored if not yes])
    print(f"\nAUROC {figure:.2f}")
    assert figure >= 0.80


def test_smalltalk_gets_help_and_nothing_else_does(replies):
    """Greetings are not searched."""
    assert all(isinstance(r, Help) == (gold["expect"] == "smalltalk") for gold, r in replies)


def test_every_quote_shown_is_its_files_own_text(replies):
    """Misquotes: none, in leads, support and nearest passages alike."""
    for _, reply in replies:
        findings = reply.findings if isinstance(reply, Answer) else ()
        support = [quote for finding in findings for quote in finding.support]
        for quote in [*ranked(reply), *support]:
            start, end = quote.article.byte_range(quote.span)
            assert quote.article.raw[start:end].decode() == quote.text
