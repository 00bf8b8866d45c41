"""Misspelled words of a question → words that the articles have."""

import pytest

from retrieval.lexical import build_lexical, open_lexical
from retrieval.spelling import apply, correct

TEXT = "Jaishankar said who claimed responsibility for the attack in Pahalgam. Talks with Dar."


@pytest.fixture(scope="module")
def words():
    return open_lexical(build_lexical([TEXT]))


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What did Jaishanker say?", (("Jaishanker", "jaishankar"),)),
        (
            "who clamed responsiblity for the Pehalgam atack?",
            (
                ("clamed", "claimed"),
                ("responsiblity", "responsibility"),
                ("Pehalgam", "pahalgam"),
                ("atack", "attack"),
            ),
        ),
        ("What about tariffs?", ()),
        ("Who is Bob?", ()),
        ("glorp fnarg wibble?", ()),
        ("Who attacked Pahalgam?", ()),
    ],
)
def test_only_what_nobody_spells_so_is_corrected(words, question, expected):
    """A slip of the articles' words is found; English words and strangers' names are left alone."""
    assert correct(question, words) == expected


def test_a_corrected_question_keeps_its_names_and_marks(words):
    """Only the misspelled words change, and a name stays a name."""
    question = "Who (really) met Jaishanker – in Pehalgam?"
    corrected = apply(question, correct(question, words))
    assert corrected == "Who (really) met Jaishankar – in Pahalgam?"
