"""What a question demands beyond its words."""

import pytest

from retrieval.datatypes import Question
from retrieval.demands import NO_DEMAND, demand_of, shown, told
from retrieval.questions import understand

ARTICLE = """Zug and Bern

The Indian foreign minister Anna Keller met the Pakistani Prime Minister Omar Malik in Zug.
Pakistan's defence minister has warned of floods.
While the US expressed support for the town of Zug, Vice President Carl Baumann stayed silent.
All visas issued to 26 students were revoked.
Keller will visit Bern in June.
Keller visited Bern.
Keller said that the dam holds.
On Monday evening floods killed 13 people in Bern.
"""


@pytest.fixture(scope="module")
def zug(open_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demands")
    (folder / "zug.txt").write_text(ARTICLE, encoding="utf-8")
    return open_folder(folder)


@pytest.mark.parametrize(
    ("question", "opening", "expected"),
    [
        ("Who is India's foreign minister?", "The Indian", 1.0),
        ("Who is the Prime Minister of Pakistan?", "The Indian", 1.0),
        ("Who is India's prime minister?", "The Indian", 0.0),
        ("What is the name of Pakistan's defence minister?", "Pakistan's", 0.0),
        ("Who is the US vice president?", "While", 0.7),
        ("How many students were there?", "All visas", 1.0),
        ("How many visas were revoked?", "All visas", 0.0),
        ("When will Keller visit Bern?", "Keller will", 1.0),
        ("When will Keller visit Bern?", "Keller visited", 0.0),
        ("What did Keller say about the dam?", "Keller said", 1.0),
        ("What did Keller say about tariffs?", "Keller said", 0.0),
        ("What did Keller say?", "Keller said", NO_DEMAND),
        ("visas", "All visas", NO_DEMAND),
        ("How many people were killed?", "On Monday", 1.0),
        ("How many people were hurt?", "On Monday", 0.0),
        ("What time did the floods kill people?", "On Monday", 1.0),
        ("What time did the floods kill people?", "Pakistan's", 0.0),
        ("How long did the floods last?", "Pakistan's", 0.0),
        ("How old is Keller?", "Keller said", 0.0),
    ],
)
def test_a_sentence_shows_what_is_demanded_or_not(zug, question, opening, expected):
    """The holder of an office, a number, what is to come, what somebody spoke about."""
    query = understand(Question(text=question), zug)
    (sentence,) = (each for each in zug.sentences if each.text.startswith(opening))
    assert shown(demand_of(query), query, sentence, zug)[1] == expected


def test_who_is_to_speak_is_told_apart_from_other_demands(zug):
    """The first value is for who speaks: here she does, of something else."""
    query = understand(Question(text="What did Keller say about tariffs?"), zug)
    (sentence,) = (each for each in zug.sentences if each.text.startswith("Keller said"))
    assert shown(demand_of(query), query, sentence, zug) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("How many students came?", "Some 26 students of 40 schools came.", {"26"}),
        (
            "When did they meet?",
            "They met on 3 May; on May 4, a Monday, all left.",
            {"may 4", "monday"},
        ),
        (
            "Who is India's foreign minister?",
            "Indian foreign minister Anna Keller",
            {"anna", "keller"},
        ),
        ("Why did they meet?", "They met on Monday.", set()),
    ],
)
def test_a_short_answer_is_read_off_a_text(zug, question, text, expected):
    """A number of what is counted, a day, a name beside an office; nothing for other questions."""
    query = understand(Question(text=question), zug)
    assert told(demand_of(query), query, text) == expected
