"""What every engine promises, asked of the library itself and of Milvus, in the same words."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple

import numpy as np
import pytest

from retrieval.datatypes import Question
from retrieval.engines import LocalEngine
from retrieval.milvus import (
    EXACT_UP_TO,
    KEY,
    SENTENCE,
    WORDS,
    Collection,
    Milvus,
    MilvusEngine,
    read_url,
)
from retrieval.questions import understand
from retrieval.searching import search
from retrieval.uploading import host
from tests import milvus_servers

QUESTIONS = (
    "What did Rubio urge Pakistan to do?",
    "Who claimed responsibility for the attack?",
    "How many people were killed in Pahalgam?",
    "When did Rubio speak to Sharif and Jaishankar?",
    "Why did India suspend the Indus Waters Treaty?",
    "holidaymakers?",
)
# Scores of equal texts may differ in the last bit, and so may the order of their rows.
NEARLY = 1e-5


def quietly(_stage, _done, _total):
    """Tell nobody how far it is."""


@pytest.fixture(scope="module", params=["local", "wire", "core"])
def open_engine(request, start_milvus):
    """Open an engine of some library: `open_engine(library)`."""
    if request.param == "local":
        yield LocalEngine
        return
    if milvus_servers.missing(request.param) is None and milvus_servers.REAL:
        if request.param == "core":
            pytest.skip("the real Milvus was asked as «wire» already")
        url = milvus_servers.real_url()
    else:
        url = start_milvus(request.param).url
    opened = []

    def open_there(library):
        milvus = Milvus(read_url(url))
        space = f"{len(opened):012x}"
        sentences, passages, _ = host(milvus, library, space, on_progress=quietly)
        opened.append((MilvusEngine(milvus, sentences=sentences, passages=passages), milvus))
        opened[-1] += (sentences.name, passages.name)
        return opened[-1][0]

    yield open_there
    for engine, milvus, *names in opened:
        for name in names:
            milvus.drop(name)
        engine.close()


@pytest.fixture(scope="module")
def engine(open_engine, library):
    return open_engine(library)


@pytest.fixture(scope="module")
def vector_of(encoder):
    return encoder.encode_question


def stems_of(text, library):
    return understand(Question(text=text), library).searched


def assert_best(named, scores, k):
    """Assert that rows are those of the `k` highest scores, best first."""
    assert len(named) == len(set(named)) == min(k, len(scores))
    best = np.sort(scores)[::-1][: len(named)]
    np.testing.assert_allclose(scores[list(named)], best, atol=NEARLY)


@pytest.mark.parametrize("text", QUESTIONS)
def test_each_vector_arm_names_the_nearest_rows(engine, library, vector_of, text):
    """The highest cosines of all, in their order."""
    vector = vector_of(text)
    named = engine.nominate((), vector, sentences=20, passages=7)
    arms = (
        (named.sentence_vector, library.sentence_vectors, 20),
        (named.passage_vector, library.passage_vectors, 7),
    )
    for rows, index, k in arms:
        assert_best(rows, index.vectors(range(index.size)) @ vector, k)


@pytest.mark.parametrize("text", QUESTIONS)
def test_each_word_arm_names_the_rows_of_the_highest_scores(engine, library, vector_of, text):
    """BM25 with the statistics of the whole archive; rows without a word are not named."""
    stems = stems_of(text, library)
    named = engine.nominate(stems, vector_of(text), sentences=20, passages=7)
    arms = (
        (named.sentence_words, library.sentence_words, 20),
        (named.passage_words, library.passage_words, 7),
    )
    for rows, words, k in arms:
        scores = words.scores_at(stems, range(words.size))
        assert_best(rows, scores, min(k, int((scores > 0).sum())))


def test_a_word_that_is_given_twice_counts_twice(engine, library, vector_of):
    """A resolved question may repeat a word of the one before it."""
    stems = ["rubio", "rubio", "rubio", "attack"]
    named = engine.nominate(stems, vector_of("?"), sentences=10, passages=5)
    every = range(library.sentence_words.size)
    assert_best(named.sentence_words, library.sentence_words.scores_at(stems, every), 10)


def test_more_rows_wanted_than_there_are_is_ordinary(engine, library, vector_of):
    """Every sentence and passage is named once."""
    named = engine.nominate((), vector_of("Rubio?"), sentences=1_000, passages=1_000)
    assert sorted(named.sentence_vector) == list(range(len(library.sentences)))
    assert sorted(named.passage_vector) == list(range(len(library.passages)))


def test_words_that_no_article_has_name_nothing(engine, vector_of):
    """And vectors name as ever."""
    named = engine.nominate(("zzyzx",), vector_of("zzyzx?"), sentences=5, passages=5)
    assert named.sentence_words == named.passage_words == ()
    assert len(named.sentence_vector) == 5


def test_threads_that_ask_at_once_hear_what_one_alone_hears(engine, library, vector_of):
    """Twelve questions by four threads."""
    asked = [(stems_of(text, library), vector_of(text)) for text in QUESTIONS * 2]

    def nominate(question):
        return astuple(engine.nominate(*question, sentences=10, passages=5))

    alone = [nominate(question) for question in asked]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(nominate, asked)) == alone


@pytest.mark.parametrize("text", QUESTIONS)
def test_candidates_and_scores_are_those_of_the_library_itself(engine, library, encoder, text):
    """Bit for bit: an engine names rows, and all scores are worked out from the library."""
    query = understand(Question(text=text), library)
    vector = encoder.encode_question(query.resolved.text)
    here, there = search(query, vector, library), search(query, vector, library, engine=engine)
    assert here.rows == there.rows
    for field in ("sentence_words", "passage_words", "sentence_vector", "fused"):
        assert (getattr(here, field) == getattr(there, field)).all()


def test_a_sentence_without_a_word_can_be_found_by_its_vector(
    open_engine, open_folder, vector_of, tmp_path
):
    """«It is.» has only stop words; the smallest archive there is."""
    (tmp_path / "a.txt").write_text("It is.", encoding="utf-8")
    library = open_folder(tmp_path)
    named = open_engine(library).nominate(["be"], vector_of("Is it?"), sentences=9, passages=9)
    assert named.sentence_words == named.passage_words == ()
    assert named.sentence_vector == named.passage_vector == (0,)


def test_a_large_collection_is_searched_by_a_graph(library, vector_of, milvus_url):
    """One that will have more than `EXACT_UP_TO` rows gets an HNSW index, and finds the nearest."""
    vector, index = vector_of(QUESTIONS[0]), library.sentence_vectors
    large = Collection(name="clippings_test_of_a_graph", size=EXACT_UP_TO + 1)
    with Milvus(read_url(milvus_url)) as milvus:
        milvus.prepare(large, numbers=(), vectors=(SENTENCE,), width=index.width)
        rows = enumerate(index.vectors(range(index.size)))
        milvus.write(large.name, [{KEY: i, SENTENCE: row, WORDS: {7: 1.0}} for i, row in rows])
        milvus.settle(large.name)
        kind = milvus._client.describe_index(large.name, SENTENCE)["index_type"]
        named = milvus.search(large, SENTENCE, vector.tolist(), 10)
        milvus.drop(large.name)
    assert kind == "HNSW"
    assert_best(named, index.vectors(range(index.size)) @ vector, 10)
