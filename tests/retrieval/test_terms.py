"""`retrieval.terms`: sorted words in an array."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from retrieval.terms import Terms, encoded


def terms_of(words):
    letters = [encoded(word) for word in sorted(words)]
    ends = np.cumsum([0, *map(len, letters)])
    return Terms(np.frombuffer(b"".join(letters), dtype=np.uint8), ends)


WORDS = st.text(alphabet=st.sampled_from("abcxyzéüß漢𝒳\ud800"), min_size=1, max_size=9)


@given(words=st.sets(WORDS))
def test_terms_are_what_they_were_made_of(words):
    """For any words, lone surrogates too: in order of code points, one by one or all at once."""
    terms = terms_of(words)
    assert list(terms) == sorted(words)
    assert [terms[number] for number in range(len(terms))] == sorted(words)
    assert terms[:] == sorted(words)


def test_a_number_outside_is_an_error():
    """A negative one too."""
    with pytest.raises(IndexError):
        terms_of({"one"})[1]
    with pytest.raises(IndexError):
        terms_of({"one"})[-1]


@given(words=st.sets(WORDS), word=st.text(alphabet="abcxyzéüß漢𝒳", max_size=9))
def test_no_word_so_near_is_missed(words, word):
    """Whatever is one or two slips away looks like it."""
    terms = terms_of(words)
    for slips in (1, 2):
        near = {each for each in words if OSA.distance(each, word) <= slips}
        assert near <= set(terms.near(word, slips))


def test_words_that_look_different_are_left_out():
    """Another length or other letters."""
    terms = terms_of({"attack", "attacked", "pakistan", "atrack", "zzzzzz"})
    assert terms.near("atack", 1) == ["atrack", "attack"]
