"""Who holds an office, by what the articles themselves write beside it."""

import pytest

from retrieval.datatypes import Question
from retrieval.offices import name_parties
from retrieval.questions import understand

ARTICLE = """Talks in Zug

On April 22, Indian Foreign Minister S. Keller met the Pakistani Prime Minister Omar Tae-mal in Zug.
Pakistan's defence minister has warned of floods.
"""


@pytest.fixture(scope="module")
def zug(open_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("offices")
    (folder / "zug.txt").write_text(ARTICLE, encoding="utf-8")
    return open_folder(folder)


def test_who_speaks_and_is_spoken_to_is_named_in_the_place_of_the_office(zug):
    """The names are those that stand right after the offices, and the asker is told of them."""
    asked = "What did the Pakistani prime minister say to India's foreign minister?"
    named = name_parties(understand(Question(text=asked), zug), zug)
    assert named.resolved.text == "What did Omar Tae-mal say to Keller?"
    assert named.resolved.added == ("Omar Tae-mal", "Keller")
    assert named.names == ("omar", "tae", "keller")


def test_an_abbreviated_office_is_one(zug):
    asked = "What did the Pakistani PM say to Keller?"
    named = name_parties(understand(Question(text=asked), zug), zug)
    assert named.resolved.text == "What did Omar Tae-mal say to Keller?"


@pytest.mark.parametrize(
    "question",
    [
        "Who is the prime minister of Pakistan?",
        "When did the Pakistani prime minister speak to Keller?",
        "What did Pakistan's defence minister say?",
        "What did the minister say?",
        "What did Keller say?",
        "visas",
    ],
)
def test_other_questions_stay_as_they_are(zug, question):
    """Who asks for the holder himself, or for one whom no article names, is not told a name."""
    query = understand(Question(text=question), zug)
    assert name_parties(query, zug) == query
