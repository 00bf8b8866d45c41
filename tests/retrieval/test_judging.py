"""What a reply is worth."""

import pytest

from retrieval.datatypes import Article, Question
from retrieval.judging import Given, Gold, GoldQuestion, judge
from retrieval.quoting import Claim

TEXT = "The mayor resigned. She had 14 years in office. The lake froze."
OTHER = "In Zug the mayor resigned."
ARTICLES = {
    path: Article(path=path, raw=text.encode(), text=text)
    for path, text in (("a.txt", TEXT), ("b.txt", OTHER))
}


def claim(said, path="a.txt", start=None):
    at = ARTICLES[path].text.index(said) if start is None else start
    return Claim(
        path=path, sha256=None, start=at, end=at + len(said), byte_start=at,
        byte_end=at + len(said), text=said,
    )  # fmt: skip


RESIGNED = claim("The mayor resigned.")
FROZE = claim("The lake froze.")
YEARS = claim("She had 14 years in office.")
IN_ZUG = claim("In Zug the mayor resigned.", "b.txt")


def asked(*gold, **more):
    fields = {"id": 1, "question": Question(text="?"), "kind": "who", "answerable": bool(gold)}
    return GoldQuestion(**(fields | more), gold=gold)


def marks(question, given):
    return dict(judge(question, given, ARTICLES).marks)


def answered(*findings):
    return Given(answered=True, confidence=0.9, findings=findings)


WHO = Gold(path="a.txt", quote="The mayor resigned.")


@pytest.mark.parametrize(
    ("given", "right_1", "right_3", "ranked_1", "useful"),
    [
        (answered((RESIGNED,), (FROZE,)), 1.0, 1.0, 1.0, 1.0),
        (answered((FROZE,), (RESIGNED,)), 0.0, 1.0, 0.0, 0.0),
        (answered((IN_ZUG,)), 0.0, 0.0, 0.0, 0.0),
        (Given(nearest=(RESIGNED,)), 0.0, 0.0, 1.0, 0.0),
    ],
)
def test_the_first_lead_counts_and_a_refusal_is_no_answer(
    given, right_1, right_3, ranked_1, useful
):
    """Right is the right place in the right file; the ranking counts even where it refused."""
    found = marks(asked(WHO), given)
    expected = {"right@1": right_1, "right@3": right_3, "ranked@1": ranked_1, "useful": useful}
    assert {name: found[name] for name in expected} == expected


def test_a_question_without_an_answer_wants_a_refusal():
    """Refusing is right there, and any answer is wrong."""
    assert marks(asked(), Given(nearest=(FROZE,)))["refused"] == 1.0
    assert marks(asked(), answered((FROZE,)))["refused"] == 0.0


def test_several_facts_are_counted_by_group():
    """One of two facts among the first three findings is half of what was wanted."""
    gold = (WHO, Gold(path="a.txt", quote="The lake froze.", group=2))
    question = asked(*gold, every_group=True)
    assert marks(question, answered((RESIGNED,), (YEARS,)))["groups@3"] == 0.5
    assert marks(question, answered((RESIGNED,), (FROZE,)))["groups@3"] == 1.0


def test_sources_are_those_of_the_right_finding():
    """Support in another file names it; a finding without it names one of two."""
    question = asked(WHO, sources=("a.txt", "b.txt"))
    assert marks(question, answered((RESIGNED, IN_ZUG)))["sources"] == 1.0
    assert marks(question, answered((RESIGNED,), (IN_ZUG,)))["sources"] == 0.5


def test_a_quote_that_is_not_the_files_is_a_misquote():
    """Other words, or the right words at another place."""
    wrong = answered((claim("The mayor retired!!", start=0),), (claim("The lake froze.", start=3),))
    assert judge(asked(WHO), wrong, ARTICLES).misquotes == 2
    assert judge(asked(WHO), answered((RESIGNED, IN_ZUG)), ARTICLES).misquotes == 0
