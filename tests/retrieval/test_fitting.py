"""Questions with known answers → weights."""

import math
from pathlib import Path

import numpy as np
import pytest

from bot.gold_files import read_golds
from retrieval.calibration import (
    FIRST_SIGNALS,
    RANKED_FIRST_SIGNALS,
    RANKED_SIGNALS,
    SIGNALS,
)
from retrieval.evidence import EVIDENCE
from retrieval.fitting import (
    THRESHOLDS,
    Remembering,
    Score,
    best_threshold,
    cross_validate,
    example_of,
    fit,
)
from retrieval.ranking import RANKER, ordered

GOLD = Path(__file__).parent.parent / "gold" / "questions.jsonl"


@pytest.fixture(scope="module")
def golds():
    return read_golds(GOLD.read_bytes())


@pytest.fixture(scope="module")
def examples(golds, library, encoder):
    found = [example_of(gold, library, encoder, group="gold") for gold in golds]
    return [example for example in found if example is not None]


@pytest.fixture(scope="module")
def remembering(reranker):
    return Remembering(reranker)


def test_an_example_knows_which_candidates_answer(examples):
    """«Who is the Pakistani foreign minister?» is answered in one sentence of the five articles."""
    example = next(e for e in examples if e.query.stems == ("pakistani", "foreign", "minist"))
    right = [
        s.text for s, is_right in zip(example.sentences, example.right, strict=True) if is_right
    ]
    assert any(text.startswith("Rubio’s move to call up Sharif instead") for text in right)
    assert example.table.shape == (len(example.sentences), len(EVIDENCE))


def test_greetings_are_no_examples(golds, examples):
    """Smalltalk is recognised by rule and says nothing about ranking."""
    assert len(examples) == sum(not gold.smalltalk for gold in golds)


def test_a_fit_puts_more_right_sentences_first_than_no_fit(examples, remembering):
    """On the questions it was fitted on it must beat equal weights; it has all the weights."""
    fitted = fit(examples, remembering)
    assert list(fitted.weights) == list(EVIDENCE)
    assert list(fitted.reranked) == [*EVIDENCE, RANKER]
    assert list(fitted.plain.answerable.weights) == list(SIGNALS)
    assert list(fitted.ranked.answerable.weights) == list(RANKED_SIGNALS)
    assert list(fitted.plain.first.weights) == list(FIRST_SIGNALS)
    assert list(fitted.ranked.first.weights) == list(RANKED_FIRST_SIGNALS)

    def first(weights):
        places = [
            ordered(e.sentences, e.table, weights)[0].sentence.row
            for e in examples
            if e.right.any()
        ]
        rights = [
            {s.row for s, is_right in zip(e.sentences, e.right, strict=True) if is_right}
            for e in examples
            if e.right.any()
        ]
        return sum(place in right for place, right in zip(places, rights, strict=True))

    assert first(fitted.weights) > first(dict.fromkeys(EVIDENCE, 1.0))


def test_the_same_examples_give_the_same_weights(examples, remembering):
    """A fit leaves nothing to chance."""
    assert fit(examples, remembering) == fit(examples, remembering)


def test_cross_validation_scores_each_set_and_all(examples, remembering):
    """Both ways of answering are scored; shares are shares."""
    scores = cross_validate(examples, remembering)
    assert list(scores) == ["plain", "ranked"]
    for found in scores.values():
        assert [score.group for score in found] == ["gold", "all"]
        assert found[0].right_at_1 <= found[0].right_at_3
        assert 0.5 < found[0].right_at_3 <= 1.0
        assert found[0].questions == len(examples)
        assert list(found[0].useful) == list(THRESHOLDS)


def test_the_threshold_is_the_best_for_sets_with_questions_to_refuse():
    """A set without such questions has no say."""

    def score(group, best, auroc):
        useful = {threshold: 1.0 - abs(threshold - best) for threshold in THRESHOLDS}
        return Score(
            group=group,
            questions=9,
            right_at_1=0.5,
            right_at_3=0.5,
            auroc=auroc,
            error=0.1,
            useful=useful,
        )

    found = (score("a", 0.4, 0.9), score("b", 0.2, math.nan), score("all", 0.6, 0.9))
    assert best_threshold({"ranked": found}) == 0.4


class Counting:
    """A ranker that writes down what it was asked."""

    def __init__(self):
        self.asked = []

    def score(self, question, sentences):
        self.asked += [(question, sentence) for sentence in sentences]
        return np.array([len(sentence) / 10 for sentence in sentences], dtype=np.float32)


def test_a_ranker_is_asked_once_about_each_pair():
    """What was asked before is remembered, whatever stands beside it."""
    counting = Counting()
    remembering = Remembering(counting)
    assert remembering.score("q", ["a", "bb"]).tolist() == pytest.approx([0.1, 0.2])
    assert remembering.score("q", ["ccc", "a"]).tolist() == pytest.approx([0.3, 0.1])
    assert counting.asked == [("q", "a"), ("q", "bb"), ("q", "ccc")]
