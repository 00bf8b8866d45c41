"""The answer-sentence ranker."""

import threading

import numpy as np
import pytest

from retrieval.errors import ModelError
from retrieval.reranking import load_reranker

QUESTION = "Who resigned on Monday?"
SENTENCES = (
    "The weather was fine.",
    "The mayor of Zug, Anna Keller, resigned on Monday after fourteen years in office.",
    "Nobody was hurt.",
)


def test_the_sentence_that_answers_scores_highest(reranker):
    """Each sentence has a probability, in the order given."""
    scores = reranker.score(QUESTION, SENTENCES)
    assert int(scores.argmax()) == 1
    assert scores[1] > 0.5 > max(scores[0], scores[2])


def test_a_score_does_not_depend_on_the_company(reranker):
    """Alone or in a batch, a sentence scores the same but for rounding."""
    together = reranker.score(QUESTION, SENTENCES)
    alone = [reranker.score(QUESTION, [sentence])[0] for sentence in SENTENCES]
    assert np.abs(together - alone).max() < 0.02


def test_its_threads_are_kept(reranker):
    """In a new thread oneDNN prepares itself anew, which takes as long as a sentence."""
    reranker.score(QUESTION, SENTENCES)
    before = set(threading.enumerate())
    reranker.score(QUESTION, SENTENCES)
    assert set(threading.enumerate()) == before
    assert len(reranker.pool._threads) == reranker.threads


def test_no_sentence_has_no_score(reranker):
    """Nothing to read is no error."""
    assert reranker.score(QUESTION, []).shape == (0,)


def test_a_long_sentence_and_a_long_question_are_read_in_part(reranker):
    """Beyond what the model reads, the sentence is cut for the ranker, never for the quote."""
    assert reranker.score("who " * 300, ["word " * 3_000]).shape == (1,)


def test_a_ranker_that_is_not_there_is_named(tmp_path):
    """The message says which setting to correct."""
    with pytest.raises(ModelError, match="RERANKER_MODEL takes"):
        load_reranker(str(tmp_path))
