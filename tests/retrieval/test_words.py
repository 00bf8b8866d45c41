"""`retrieval.words`: how a text is cut into words, and by what they are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.words import STOP_WORDS, Token, content, spelled, stems, tokens


def test_tokens_keep_every_word_and_its_place():
    """Stop words stay, apostrophes inside a word belong to it, places are code points."""
    text = "«Singh’s» did not reply"
    assert tokens(text) == (
        Token(stem="singh", start=1, end=8),
        Token(stem="did", start=10, end=13),
        Token(stem="not", start=14, end=17),
        Token(stem="repli", start=18, end=23),
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("called", "caled"),
        ("hours", "hors"),
        ("four", "for"),
        ("rise", "rize"),
        ("left", "leave"),
        ("crew", "crow"),
        ("science", "scense"),
    ],
)
def test_other_words_keep_their_stem(one, other):
    """What only looks British or irregular is left alone."""
    assert [token.stem for token in tokens(one)] != [token.stem for token in tokens(other)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Zürich", "Zurich"),
        ("don’t", "don't"),
        ("ﬁnance", "finance"),
        ("STRASSE", "straße"),
        ("e\u0301lite", "élite"),
        ("urged", "urging"),
        ("froze", "freezing"),
        ("told", "tell"),
        ("spokesmen", "spokesman"),
        ("defence", "defense"),
        ("organisations", "organization"),
        ("neighbouring", "neighboring"),
        ("travelled", "traveled"),
        ("theatres", "theater"),
        ("programme", "program"),
    ],
)
def test_spellings_of_one_word_have_one_stem(one, other):
    """Case, diacritics, ligatures, endings, irregular forms and British spelling do not matter."""
    assert [token.stem for token in tokens(one)] == [token.stem for token in tokens(other)]


@pytest.mark.parametrize("text", ["", " \n", "?!… — “”", "🙂", "\x00\x07"])
def test_text_without_words_has_no_tokens(text):
    """Punctuation, emoji and control characters are no words."""
    assert tokens(text) == ()


@given(text=st.text())
def test_tokens_stand_where_they_say(text):
    """For any text (surrogates too): places ascend, are disjoint and inside it."""
    end = 0
    for token in tokens(text):
        assert end <= token.start < token.end <= len(text)
        assert token.stem
        end = token.end


@given(text=st.text(alphabet=st.characters(categories=["Cs", "L", "M", "P"])))
def test_lone_surrogates_do_no_harm(text):
    """A text that is not valid Unicode still has tokens or none, never an error."""
    assert all(text[token.start : token.end] for token in tokens(text))


@given(
    st.text() | st.lists(st.sampled_from(["LeT", "let", "WHO", "who", "the", "ran"])).map(" ".join)
)
def test_stems_are_those_of_the_content(text):
    """In order, acronyms kept that are spelled like stop words."""
    assert stems(text) == [token.stem for token in content(text)]


def test_stop_words_are_left_out_of_stems():
    """What is indexed has no stop words; negations, «US» and «May» stay."""
    assert stems("What did the US not say about it in May?") == ["us", "not", "say", "may"]


def test_question_words_are_stop_words():
    """The words that make a question are not searched for."""
    assert stems("Who what when where which whom whose why how did does do is was") == []


def test_words_for_whoever_it_is_are_stop_words():
    """«Anyone» stands in no article that answers «Has anyone claimed it?»."""
    assert stems("Has anyone ever claimed anything else?") == ["claim"]


def test_negations_are_no_stop_words():
    """They turn a statement round."""
    assert STOP_WORDS.isdisjoint({"not", "no", "nor", "never"})


def test_spelled_words_keep_their_form():
    """Casefolded, in order, stop words and repetitions too."""
    assert spelled("Rubio’s US trip: the trip.") == ["rubio’s", "us", "trip", "the", "trip"]
