"""Candidates → hits."""

from retrieval.datatypes import Question
from retrieval.evidence import EVIDENCE
from retrieval.questions import understand
from retrieval.ranking import load_weights, rank
from retrieval.searching import search


def hits_of(text, library, encoder):
    query = understand(Question(text=text), library)
    return rank(query, search(query, encoder.encode([query.resolved.text])[0], library), library)


def test_the_weights_are_those_of_the_evidence():
    """`ranking.json` has a weight for each kind of evidence, and says how it was fitted."""
    weights = load_weights()
    assert sorted(weights.weights) == sorted(EVIDENCE)
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
