"""Names that stand for one another."""

import pytest

from retrieval.names import acronyms, alternatives, spelled_out
from retrieval.words import stems


@pytest.mark.parametrize(
    ("question", "stem", "name"),
    [
        ("What did Islamabad do?", "islamabad", "Pakistan"),
        ("Who is the EAM?", "eam", "External Affairs Minister"),
        ("What did the UN Security Council say?", "secur", "UNSC"),
        ("Who's the SecDef?", "secdef", "defence secretary"),
        ("What did he tweet?", "tweet", "post on X"),
    ],
)
def test_a_name_finds_what_stands_for_it(question, stem, name):
    """Capitals stand for their countries, abbreviations for what they abbreviate."""
    assert tuple(stems(name)) in alternatives(question)[stem]


def test_half_a_name_finds_nothing():
    """«Council» alone is not the UN Security Council."""
    assert alternatives("What did the council decide?") == {}


def test_abbreviations_are_told_by_their_capitals():
    """Two capitals make an abbreviation; a name has one."""
    assert acronyms("What does LeT stand for, and the TRF? Ask Rubio.") == ("LeT", "TRF")


def test_a_question_in_capitals_shows_no_abbreviation():
    """Each of its words would be looked up in the articles; a word or two may be nothing else."""
    assert acronyms("WHAT DID RUBIO URGE PAKISTAN TO DO?") == ()
    assert acronyms("TRF?") == ("TRF",)


@pytest.mark.parametrize(
    ("acronym", "expected"),
    [("LoC", "Line of Control"), ("TRF", "The Resistance Front"), ("PoK", None)],
)
def test_an_article_spells_out_its_abbreviations(acronym, expected):
    """What stands before «(LoC)» is what it means; without brackets nothing is guessed."""
    text = "Along the Line of Control (LoC), said The Resistance Front (TRF) in PoK."
    assert spelled_out(acronym, text) == expected
