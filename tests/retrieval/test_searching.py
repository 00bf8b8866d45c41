"""Question → candidates."""

import numpy as np

from retrieval.datatypes import Question
from retrieval.questions import understand
from retrieval.searching import CANDIDATES, search


def candidates_of(text, library, encoder):
    query = understand(Question(text=text), library)
    return search(query, encoder.encode([query.resolved.text])[0], library)


def test_the_candidates_are_the_best_by_their_fused_score(library, encoder):
    """They come best first, as many as are looked at closely, each with its scores by every arm."""
    found = candidates_of("Who claimed responsibility for the attack?", library, encoder)
    assert len(found.rows) == CANDIDATES
    assert (np.diff(found.fused) <= 0).all()
    first = library.sentences[found.rows[0]]
    assert "claim of responsibility by The Resistance Front" in first.text
    assert found.sentence_words[0] == found.sentence_words.max()


def test_a_question_without_a_known_word_still_has_candidates(library, encoder):
    """Vectors find what words do not: nobody in the articles speaks of «earthquakes»."""
    found = candidates_of("earthquakes?", library, encoder)
    assert found.sentence_words.tolist() == [0.0] * CANDIDATES
    assert found.sentence_vector.max() > 0.1


def test_a_corpus_smaller_than_the_depth_of_the_search_is_ordinary(open_folder, encoder, tmp_path):
    """One sentence is one candidate."""
    (tmp_path / "a.txt").write_text("The mayor of Zug resigned on Monday.", encoding="utf-8")
    found = candidates_of("Who resigned?", open_folder(tmp_path), encoder)
    assert found.rows == (0,)
