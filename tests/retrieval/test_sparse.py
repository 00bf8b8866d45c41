"""BM25 as sparse vectors."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.lexical import LexicalIndex
from retrieval.postings import build_postings, read_postings
from retrieval.sparse import DIMENSIONS, SparseTexts, dimension_of, sparse_question
from retrieval.words import stems

WORDS = st.sampled_from(["rubio", "urged", "pakistan", "attack", "the", "of", "42", "é"])
TEXTS = st.lists(st.lists(WORDS, max_size=8).map(" ".join), min_size=1, max_size=12)


def index_of(texts):
    data = np.frombuffer(build_postings(texts, cut=stems), dtype=np.uint8)
    postings = read_postings(data, size=len(texts), name="the words")
    return LexicalIndex([(postings, np.arange(len(texts)))], size=len(texts))


def product(one, other):
    return sum(weight * other.get(dimension, 0.0) for dimension, weight in one.items())


@settings(max_examples=50, deadline=None)  # the first one imports the index
@given(texts=TEXTS, question=st.lists(WORDS, max_size=6).map(" ".join))
def test_the_product_of_question_and_text_is_the_score_of_the_text(texts, question):
    """For every text and question: repeated words count as often as they are there."""
    words = index_of(texts)
    vectors = SparseTexts(words)
    asked = sparse_question(stems(question))
    products = [product(asked, vectors[row]) for row in range(len(texts))]
    np.testing.assert_allclose(
        products, words.scores_at(stems(question), range(len(texts))), atol=1e-5
    )


def test_a_text_without_a_word_has_the_dimension_of_no_word():
    """An engine need not take a vector of nothing, and no question asks for this dimension."""
    vectors = SparseTexts(index_of(["It is.", "Rubio spoke."]))
    assert vectors[0] == {0: 1.0}
    assert sorted(vectors[1]) == sorted(map(dimension_of, stems("Rubio spoke")))


def test_texts_that_all_lack_words_are_ordinary():
    """An archive of «It is.» has no vocabulary at all."""
    assert SparseTexts(index_of(["It is."]))[0] == {0: 1.0}


@given(st.text())
def test_every_stem_has_a_dimension_that_milvus_takes(stem):
    """Also one with a lone surrogate; 0 is kept for «no word»."""
    assert 0 < dimension_of(stem) < DIMENSIONS


def test_dimensions_are_the_same_in_every_process():
    """They are written once and asked for ever after."""
    assert dimension_of("pakistan") == 631_187_337
