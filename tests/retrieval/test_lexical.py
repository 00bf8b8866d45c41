"""`retrieval.lexical`: words, stems, and BM25 against ten lines of it."""

import math
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.errors import IndexDamaged
from retrieval.lexical import STOP_WORDS, Token, build_lexical, open_lexical, stems, tokens

TEXTS = (
    "Rubio urged Pakistan to cooperate.",
    "Pakistan and India; Pakistan replied.",
    "",
    "The minister spoke with Rubio's office.",
)


def bm25(question, documents, *, k1=1.2, b=0.75):
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


def test_stop_words_are_left_out_of_stems():
    """What is indexed has no stop words; negations, «US» and «May» stay."""
    assert stems("What did the US not say about it in May?") == ["us", "not", "say", "may"]


def test_question_words_are_stop_words():
    """The words that make a question are not searched for."""
    assert stems("Who what when where which whom whose why how did does do is was") == []


def test_negations_are_no_stop_words():
    """They turn a statement round."""
    assert STOP_WORDS.isdisjoint({"not", "no", "nor", "never"})


def test_scores_are_those_of_the_reference():
    """Each text gets the BM25 of the textbook, to float32."""
    index = open_lexical(build_lexical(TEXTS))
    question = stems("Rubio Pakistan")
    wanted = bm25(question, [stems(text) for text in TEXTS])
    assert index.scores(question).tolist() == pytest.approx(wanted, rel=1e-5)
    assert [score > 0 for score in wanted] == [True, True, False, True]


WORDS = st.lists(st.sampled_from(["ant", "bee", "cat", "dog", "elk", "fox"]), max_size=8)


@settings(max_examples=200, deadline=None)
@given(documents=st.lists(WORDS, min_size=1, max_size=8).filter(any), question=WORDS)
def test_scores_are_those_of_the_reference_for_any_corpus(documents, question):
    """For any texts and question: the same numbers, never negative."""
    index = open_lexical(build_lexical([" ".join(document) for document in documents]))
    found = index.scores(question)
    assert found.tolist() == pytest.approx(bm25(question, documents), rel=1e-5, abs=1e-6)
    assert (found >= 0).all()


def test_stem_asked_twice_counts_twice():
    """Repetition in the question is weight."""
    index = open_lexical(build_lexical(TEXTS))
    assert index.scores(["rubio", "rubio"]).tolist() == (2 * index.scores(["rubio"])).tolist()


@pytest.mark.parametrize("question", [[], ["zebra"], [""]])
def test_question_without_a_known_stem_scores_zero(question):
    """An empty question, or one of unknown words, has zeros for every text."""
    assert open_lexical(build_lexical(TEXTS)).scores(question).tolist() == [0.0] * 4


@pytest.mark.parametrize("texts", [(), ("",), ("the of", "?")])
def test_texts_without_words_can_be_indexed(texts):
    """An index without a single stem opens and scores zeros."""
    index = open_lexical(build_lexical(texts))
    assert index.scores(["rubio"]).tolist() == [0.0] * len(texts)
    assert list(index.vocabulary()) == []
    assert index.idf("rubio") == 0.0


def test_idf_counts_texts():
    """The formula of Lucene, and 0 for a stem that no text has."""
    index = open_lexical(build_lexical(TEXTS))
    assert index.idf("pakistan") == pytest.approx(math.log(1 + (4 - 2 + 0.5) / (2 + 0.5)))
    assert index.idf("offic") == pytest.approx(math.log(1 + (4 - 1 + 0.5) / (1 + 0.5)))
    assert index.idf("zebra") == 0.0


def test_vocabulary_is_what_the_texts_have():
    """Every stem once, sorted; `has` agrees."""
    index = open_lexical(build_lexical(TEXTS[:2]))
    assert list(index.vocabulary()) == ["cooper", "india", "pakistan", "repli", "rubio", "urg"]
    assert index.has("urg")
    assert not index.has("urged")
    assert not index.has("the")
    assert index.size == 2


def test_bytes_do_not_depend_on_the_hash_seed():
    """Two processes with different hash seeds write the same files."""
    code = (
        "import hashlib; from retrieval.lexical import build_lexical;"
        f"files = build_lexical({TEXTS!r});"
        "print([(n, hashlib.sha256(b).hexdigest()) for n, b in sorted(files.items())])"
    )
    root = Path(__file__).parent.parent.parent
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=root,
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


@pytest.mark.parametrize("name", ["data.npy", "indices.npy", "indptr.npy", "vocabulary.json"])
def test_missing_or_cut_file_is_damage(name):
    """A file that is missing or cut is reported, with the remedy."""
    files = dict(build_lexical(TEXTS))
    with pytest.raises(IndexDamaged, match="clippings index"):
        open_lexical({**files, name: files[name][:-3]})
    del files[name]
    with pytest.raises(IndexDamaged, match="clippings index"):
        open_lexical(files)


def test_files_of_two_indexes_do_not_mix():
    """Arrays that do not fit together are refused."""
    files, others = build_lexical(TEXTS), build_lexical(TEXTS[:1])
    with pytest.raises(IndexDamaged, match="fit together"):
        open_lexical({**files, "indptr.npy": others["indptr.npy"]})


def test_scores_are_float32_and_one_for_each_text():
    """The array is as long as the index."""
    scores = open_lexical(build_lexical(TEXTS)).scores(["pakistan"])
    assert scores.dtype == np.float32
    assert scores.shape == (4,)
