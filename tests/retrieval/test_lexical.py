"""`retrieval.lexical` and `retrieval.bm25`: BM25 against ten lines of it, wherever texts lie."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.lexical import LexicalIndex
from retrieval.postings import build_postings, read_postings
from retrieval.words import stems

TEXTS = (
    "Rubio urged Pakistan to cooperate.",
    "Pakistan and India; Pakistan replied.",
    "",
    "The minister spoke with Rubio's office.",
)
# bm25s.BM25(method="lucene", k1=1.2, b=0.75), asked for «Rubio Pakistan minister».
BM25S = [0.5545177459716797, 0.39608410000801086, 0.0, 0.7588480114936829]


def postings_of(texts, cut=stems):
    data = np.frombuffer(build_postings(texts, cut=cut), dtype=np.uint8)
    return read_postings(data, size=len(texts), name="the words")


def index_of(texts, cut=stems):
    return LexicalIndex([(postings_of(texts, cut), np.arange(len(texts)))], size=len(texts))


def reference(question, documents, *, k1=1.2, b=0.75):
    """Give BM25 as Lucene has it, written as slowly as it can be."""
    count, mean = len(documents), sum(map(len, documents)) / len(documents)
    scores = [0.0] * count
    for stem in question:
        df = sum(stem in document for document in documents)
        idf = math.log(1 + (count - df + 0.5) / (df + 0.5))
        for row, document in enumerate(documents):
            tf = Counter(document)[stem]
            if tf:
                scores[row] += idf * tf / (tf + k1 * (1 - b + b * len(document) / mean))
    return scores


def test_scores_are_those_of_the_reference():
    """Each text gets the BM25 of the textbook, to float32."""
    question = stems("Rubio Pakistan")
    wanted = reference(question, [stems(text) for text in TEXTS])
    scores = index_of(TEXTS).scores_at(question, range(4))
    assert scores.tolist() == pytest.approx(wanted, rel=1e-5)
    assert scores.dtype == np.float32
    assert [score > 0 for score in wanted] == [True, True, False, True]


def test_scores_are_those_that_bm25s_gave():
    """What the ranking was fitted with, computed by bm25s 0.3.16 for the same texts."""
    scores = index_of(TEXTS).scores_at(stems("Rubio Pakistan minister"), range(4))
    assert scores.tolist() == pytest.approx(BM25S, rel=1e-5)


WORDS = st.lists(st.sampled_from(["ant", "bee", "cat", "dog", "elk", "fox"]), max_size=8)
DOCUMENTS = st.lists(WORDS, min_size=1, max_size=8)


@settings(max_examples=200, deadline=None)
@given(documents=DOCUMENTS.filter(any), question=WORDS)
def test_scores_are_those_of_the_reference_for_any_corpus(documents, question):
    """For any texts and question: the same numbers, never negative."""
    index = index_of([" ".join(document) for document in documents])
    found = index.scores_at(question, range(len(documents)))
    assert found.tolist() == pytest.approx(reference(question, documents), rel=1e-5, abs=1e-6)
    assert (found >= 0).all()


def ranked(index, question, k):
    """Give the best of all scores, ties by row."""
    scores = index.scores_at(question, range(index.size)).tolist()
    best = sorted(range(index.size), key=lambda row: (-scores[row], row))[:k]
    return [(row, scores[row]) for row in best if scores[row] > 0]


@settings(max_examples=200, deadline=None)
@given(documents=DOCUMENTS, question=WORDS, k=st.integers(0, 9))
def test_the_best_are_the_best_of_all(documents, question, k):
    """For any texts and question: the same rows and the very same scores."""
    index = index_of([" ".join(document) for document in documents])
    assert index.best(question, k=k) == ranked(index, question, k)


@st.composite
def many_texts(draw):
    """Draw a few thousand texts, in which some words are common and some are rare."""
    count = draw(st.integers(500, 3000))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shares = 0.9 / np.arange(1, 31) ** draw(st.floats(0.5, 2.0))
    held = rng.random((count, 30)) < shares
    times = rng.integers(1, 4, (count, 30))
    texts = [
        " ".join(f"w{word}" for word in np.flatnonzero(row) for _ in range(times[n, word]))
        for n, row in enumerate(held)
    ]
    question = [f"w{word}" for word in rng.choice(30, draw(st.integers(1, 8)))]
    return texts, question


@settings(max_examples=60, deadline=None)
@given(drawn=many_texts(), k=st.sampled_from([1, 3, 10, 100]))
def test_common_words_that_are_left_out_change_nothing(drawn, k):
    """Among many texts, where most are never looked at: the best are exact."""
    texts, question = drawn
    index = index_of(texts, cut=str.split)
    assert index.best(question, k=k) == ranked(index, question, k)


@st.composite
def parted(draw):
    """Draw texts, spread over files in which dead ones lie too; and the living ones alone."""
    texts = draw(st.lists(WORDS.map(" ".join), max_size=12))
    owners = draw(st.lists(st.integers(0, 2), min_size=len(texts), max_size=len(texts)))
    parts = []
    for owner in range(3):
        entries = [(text, row) for row, text in enumerate(texts) if owners[row] == owner]
        for dead in draw(st.lists(WORDS.map(" ".join), max_size=4)):
            entries.insert(draw(st.integers(0, len(entries))), (dead, -1))
        rows = np.array([row for _, row in entries], dtype=np.int64)
        parts.append((postings_of([text for text, _ in entries]), rows))
    return texts, LexicalIndex(parts, size=len(texts))


@settings(max_examples=300, deadline=None)
@given(drawn=parted(), question=WORDS, k=st.integers(1, 13))
def test_it_does_not_matter_where_texts_lie(drawn, question, k):
    """Spread over files, with dead ones between: the same answers to the last bit."""
    texts, spread = drawn
    whole = index_of(texts)
    rows = list(range(len(texts)))[::-1]
    assert spread.size == whole.size
    assert spread.best(question, k=k) == whole.best(question, k=k)
    assert spread.scores_at(question, rows).tolist() == whole.scores_at(question, rows).tolist()
    for stem in ("ant", "bee", "zebra"):
        assert spread.idf(stem) == whole.idf(stem)
        assert spread.has(stem) == whole.has(stem)
        assert spread.frequency(stem) == whole.frequency(stem)
        assert spread.first(stem, limit=k) == whole.first(stem, limit=k)
        assert spread.having(stem, rows).tolist() == whole.having(stem, rows).tolist()
        assert spread.near(stem, slips=2) >= whole.near(stem, slips=2)


def test_rows_of_a_part_that_do_not_ascend_are_refused():
    """Ties by row would not be what they say."""
    with pytest.raises(ValueError, match="ascending"):
        LexicalIndex([(postings_of(TEXTS), np.array([1, 0, -1, 2]))], size=3)
    with pytest.raises(ValueError, match="4 texts"):
        LexicalIndex([(postings_of(TEXTS), np.arange(3))], size=3)


def test_dead_texts_count_in_no_statistic():
    """Few of them are looked up one by one, many are counted."""
    texts = ["ant bee"] * 50 + ["ant"] * 50
    for dead in ([7], list(range(0, 100, 2))):
        rows = np.full(100, -1, dtype=np.int64)
        living = [place for place in range(100) if place not in dead]
        rows[living] = np.arange(len(living))
        index = LexicalIndex([(postings_of(texts), rows)], size=len(living))
        assert index.frequency("ant") == len(living)
        assert index.frequency("bee") == len([place for place in living if place < 50])


def test_stem_asked_twice_counts_twice():
    """Repetition in the question is weight."""
    index = index_of(TEXTS)
    once, twice = (index.scores_at(["rubio"] * times, range(4)) for times in (1, 2))
    assert twice.tolist() == (2 * once).tolist()


@pytest.mark.parametrize("question", [[], ["zebra"], [""]])
def test_question_without_a_known_stem_scores_zero(question):
    """An empty question, or one of unknown words, has zeros for every text and no best."""
    index = index_of(TEXTS)
    assert index.scores_at(question, range(4)).tolist() == [0.0] * 4
    assert index.best(question, k=4) == []


@pytest.mark.parametrize("texts", [(), ("",), ("the of", "?")])
def test_texts_without_words_can_be_indexed(texts):
    """An index without a single stem opens and scores zeros."""
    index = index_of(texts)
    assert index.scores_at(["rubio"], range(len(texts))).tolist() == [0.0] * len(texts)
    assert index.best(["rubio"], k=3) == []
    assert index.idf("rubio") == 0.0


def test_an_index_may_have_no_part():
    """Nothing is found in nothing."""
    index = LexicalIndex([], size=0)
    assert index.best(["rubio"], k=3) == []
    assert index.first("rubio", limit=3) == []


def test_idf_counts_texts():
    """The formula of Lucene, and 0 for a stem that no text has."""
    index = index_of(TEXTS)
    assert index.idf("pakistan") == pytest.approx(math.log(1 + (4 - 2 + 0.5) / (2 + 0.5)))
    assert index.idf("offic") == pytest.approx(math.log(1 + (4 - 1 + 0.5) / (1 + 0.5)))
    assert index.idf("zebra") == 0.0


def test_stems_are_had_as_stems():
    """What is asked for is a stem; stop words are not there."""
    index = index_of(TEXTS[:2])
    assert index.has("urg")
    assert not index.has("urged")
    assert not index.has("the")


def test_first_are_the_lowest_rows():
    """Ascending, no more than asked for."""
    index = index_of(["ant", "bee", "ant", "ant"])
    assert index.first("ant", limit=2) == [0, 2]
    assert index.first("ant", limit=9) == [0, 2, 3]
    assert index.first("zebra", limit=9) == []


def test_having_answers_in_the_order_asked_for():
    """A row may be asked for twice."""
    index = index_of(["ant", "bee", "ant"])
    assert index.having("ant", [1, 2, 2, 0]).tolist() == [False, True, True, True]
    assert index.having("zebra", [1, 0]).tolist() == [False, False]
    assert index.having("ant", []).tolist() == []
