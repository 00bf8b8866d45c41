"""Words that may stand for one another."""

import pytest

from retrieval.datatypes import Question
from retrieval.questions import understand
from retrieval.synonyms import synonyms


@pytest.mark.parametrize(
    ("stem", "mate"), [("holidaymak", "tourist"), ("freez", "suspend"), ("personnel", "staff")]
)
def test_words_of_the_same_meaning_or_kind_stand_for_one_another(stem, mate):
    """By stems, as everything that is compared."""
    assert mate in synonyms(stem)


def test_a_word_without_synonyms_has_none():
    """Nothing is guessed."""
    assert tuple(synonyms("pahalgam")) == ()


def test_a_word_that_no_article_has_is_read_as_one_that_they_have(library):
    """«holidaymakers» are tourists; what articles do not have does not stand in."""
    query = understand(Question(text="Were holidaymakers killed?"), library)
    assert query.also["holidaymak"] == (("tourist",),)
    assert query.searched == ("holidaymak", "kill", "tourist")


def test_a_word_that_articles_have_is_left_as_it_was_asked(library):
    """«support» stands in the articles, so «help» does not stand for it."""
    query = understand(Question(text="Do they support India?"), library)
    assert "support" not in query.also


def test_a_name_is_not_read_as_a_word(library):
    """Mr Personnel is not the staff; at the beginning of a question every word has a capital."""
    asked = Question(text="What did Personnel say?")
    assert "personnel" not in understand(asked, library).also
    begun = Question(text="Personnel was thinned out, or was it not?")
    assert ("staff",) in understand(begun, library).also["personnel"]


def test_words_of_asking_are_left_alone(library):
    """«mentioned» is how the question is put, not what it is about."""
    query = understand(Question(text="Is any embassy mentioned or described?"), library)
    assert "describ" not in query.also
