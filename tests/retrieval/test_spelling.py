"""Misspelled words of a question → words that the articles have."""

import numpy as np
import pytest

from retrieval.lexical import LexicalIndex
from retrieval.postings import build_postings, read_postings
from retrieval.spelling import apply, correct, spellings
from retrieval.words import stems

TEXT = "Jaishankar said who claimed responsibility for the attack in Pahalgam. Talks with Dar."


def index_of(cut, texts=(TEXT,), living=(0,)):
    """Index some texts, of which some live."""
    data = np.frombuffer(build_postings(texts, cut=cut), dtype=np.uint8)
    rows = np.full(len(texts), -1)
    rows[list(living)] = range(len(living))
    postings = read_postings(data, size=len(texts), name="the words")
    return LexicalIndex([(postings, rows)], size=len(living))


@pytest.fixture(scope="module")
def words():
    return index_of(stems)


@pytest.fixture(scope="module")
def spelled():
    return index_of(spellings)


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
        ("how mnay were atacking?", (("mnay", "many"), ("atacking", "attacking"))),
        ("who was claming it", (("claming", "claiming"),)),
        ("Who is Claming?", ()),
        ("What about tariffs?", ()),
        ("Who is Bob?", ()),
        ("glorp fnarg wibble?", ()),
        ("Who attacked Pahalgam?", ()),
    ],
)
def test_only_what_nobody_spells_so_is_corrected(words, spelled, question, expected):
    """A slip of the articles' words is found; English words and strangers' names are left alone."""
    assert correct(question, words, spelled) == expected


def test_a_corrected_question_keeps_its_names_and_marks(words, spelled):
    """Only the misspelled words change, and a name stays a name."""
    question = "Who (really) met Jaishanker – in Pehalgam?"
    corrected = apply(question, correct(question, words, spelled))
    assert corrected == "Who (really) met Jaishankar – in Pahalgam?"


def test_what_only_dead_articles_spell_is_not_proposed():
    """A word goes with the last text that had it."""
    texts = ("Jaishankar spoke.", "Nobody spoke.")
    question = "What did Jaishanker say?"
    for living, expected in (((0, 1), (("Jaishanker", "jaishankar"),)), ((1,), ())):
        words, spelled = (index_of(cut, texts, living) for cut in (stems, spellings))
        assert correct(question, words, spelled) == expected
