"""`retrieval.cutting`: which passage a sentence belongs to."""

from retrieval.cutting import _middle_windows


def test_a_sentence_belongs_to_the_passage_that_has_it_in_the_middle():
    """Of two passages that hold it at their edges, the first; linear in the number of sentences."""
    assert _middle_windows([range(3), range(2, 5), range(4, 6)], 6) == [0, 0, 0, 1, 1, 2]
