"""Candidates → hits."""

import numpy as np

from retrieval.datatypes import Question
from retrieval.evidence import EVIDENCE
from retrieval.questions import understand
from retrieval.ranking import RANKER, RERANKED, load_weights, rank, rerank
from retrieval.searching import search


def hits_of(text, library, encoder):
    query = understand(Question(text=text), library)
    return rank(query, search(query, encoder.encode([query.resolved.text])[0], library), library)


def test_the_weights_are_those_of_the_evidence():
    """`ranking.json` has a weight for each kind of evidence, and says how it was fitted."""
    weights = load_weights()
    assert sorted(weights.weights) == sorted(EVIDENCE)
    assert sorted(weights.reranked) == sorted([*EVIDENCE, RANKER])
    assert weights.made_with


def test_hits_come_by_their_score(library, encoder):
    """The score is the weighted sum of the evidence that the hit carries."""
    hits = hits_of("How many people were killed in the Pahalgam attack?", library, encoder)
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    summed = sum(load_weights().weights[name] * value for name, value in hits[0].evidence)
    assert abs(summed - hits[0].score) < 1e-3
    assert [name for name, _ in hits[0].evidence] == list(EVIDENCE)


def test_the_same_question_is_ranked_the_same(library, encoder):
    """Ties and floating point leave nothing to chance."""
    question = "What did Rubio tell Sharif?"
    assert hits_of(question, library, encoder) == hits_of(question, library, encoder)


class Backwards:
    """A ranker that believes in what it is shown last."""

    def score(self, _question, sentences):
        return np.linspace(0.001, 0.999, len(sentences), dtype=np.float32)


def test_the_ranker_orders_the_first_hits_and_no_others(library, encoder):
    """What it reads is ordered anew with its opinion as evidence; the rest stays behind."""
    question = "What did Rubio tell Sharif?"
    query = understand(Question(text=question), library)
    hits = hits_of(question, library, encoder)
    again = rerank(query, hits, Backwards())
    rows = [hit.sentence.row for hit in hits]
    assert sorted(hit.sentence.row for hit in again[:RERANKED]) == sorted(rows[:RERANKED])
    assert [hit.sentence.row for hit in again[RERANKED:]] == rows[RERANKED:]
    scores = [hit.score for hit in again]
    assert scores == sorted(scores, reverse=True)
    opinions = {hit.sentence.row: dict(hit.evidence)[RANKER] for hit in again[:RERANKED]}
    assert [opinions[row] for row in rows[:RERANKED]] == sorted(opinions.values())
    assert rerank(query, (), Backwards()) == ()


class Deaf:
    """A ranker to which all sentences are the same."""

    def score(self, _question, sentences):
        return np.full(len(sentences), 0.5, dtype=np.float32)


def test_who_is_spoken_to_comes_behind_who_speaks(library, encoder):
    """However sure the ranker is: «Rubio urged Sharif» does not say what Sharif told Rubio."""
    question = "What did Sharif tell Rubio?"
    query = understand(Question(text=question), library)
    for ranker in (Deaf(), Backwards()):
        again = rerank(query, hits_of(question, library, encoder), ranker)
        said = [dict(hit.evidence)["speaks"] for hit in again[:RERANKED]]
        assert max(said) > 0.5
        assert 0.0 in said
        assert [shown == 0.0 for shown in said] == sorted(shown == 0.0 for shown in said)
        scores = [hit.score for hit in again]
        assert scores == sorted(scores, reverse=True)
