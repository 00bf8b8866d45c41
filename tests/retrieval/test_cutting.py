"""`retrieval.cutting`: what a sentence belongs to."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from retrieval.corpus import read_article
from retrieval.cutting import STRETCH, _middle_windows, cut


def test_a_sentence_belongs_to_the_passage_that_has_it_in_the_middle():
    """Of two passages that hold it at their edges, the first; linear in the number of sentences."""
    assert _middle_windows([range(3), range(2, 5), range(4, 6)], 6) == [0, 0, 0, 1, 1, 2]


@given(sizes=st.lists(st.integers(min_value=1, max_value=150), min_size=1, max_size=40))
def test_each_sentence_is_in_one_stretch_and_stretches_are_as_long_as_may_be(
    sizes, tmp_path_factory
):
    """In order, without a gap; one that is too long has a single sentence."""
    folder = tmp_path_factory.mktemp("corpus")
    text = " ".join("A" + "b c" * size + "." for size in sizes)
    (folder / "a.txt").write_text(text)
    found = cut(read_article(folder, "a.txt", limit_bytes=100_000))
    stretches = list(found._stretches())
    assert [number for each in stretches for number in each] == list(range(len(found.spans)))
    for each in stretches:
        assert len(found.article.at(found.span_of(each))) <= STRETCH or len(each) == 1
    for each, following in pairwise(stretches):
        grown = range(each.start, following.start + 1)
        assert len(found.article.at(found.span_of(grown))) > STRETCH
    for (stretch, start, end), sentence in zip(found.contexts(), found.sentences, strict=True):
        assert stretch[start:end] == sentence
