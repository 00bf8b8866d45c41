"""`retrieval.vectors`: exact search by cosine, ties by row, and no row -1."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.errors import IndexDamaged
from retrieval.vectors import build_vectors, open_vectors

EAST = [1.0, 0.0]
NORTH = [0.0, 1.0]
NORTH_EAST = [0.6, 0.8]


def index_of(rows):
    matrix = np.array(rows, dtype=np.float32)
    return open_vectors(build_vectors(matrix), width=matrix.shape[1], size=len(matrix))


def asked(vector):
    return np.array(vector, dtype=np.float32)


def test_nearest_comes_first_with_its_cosine():
    """Rows come by descending cosine."""
    found = index_of([NORTH, EAST, NORTH_EAST]).search(asked(EAST), k=3)
    assert [row for row, _ in found] == [1, 2, 0]
    assert [score for _, score in found] == pytest.approx([1.0, 0.6, 0.0])


def test_opposite_vector_has_cosine_minus_one():
    """The range of a score is [-1, 1]."""
    assert index_of([[-1.0, 0.0]]).search(asked(EAST), k=1) == [(0, -1.0)]


def test_more_neighbours_than_rows_are_asked_for():
    """A k beyond the size gives every row once, and none of faiss's -1."""
    assert index_of([EAST, NORTH]).search(asked(NORTH), k=50) == [(1, 1.0), (0, 0.0)]


def test_search_stays_inside_a_range_of_rows():
    """Rows outside the range are never found, even if fewer than k are left."""
    found = index_of([EAST, EAST, NORTH, NORTH_EAST]).search(asked(EAST), k=9, rows=range(2, 4))
    assert [row for row, _ in found] == [3, 2]


@pytest.mark.parametrize("rows", [range(0), range(2, 2), range(7, 9), range(-5, 0)])
def test_range_without_rows_finds_nothing(rows):
    """An empty range, or one outside the index, has no hits."""
    assert index_of([EAST, NORTH]).search(asked(EAST), k=3, rows=rows) == []


def test_no_neighbours_are_asked_for():
    """A k of 0 finds nothing."""
    assert index_of([EAST]).search(asked(EAST), k=0) == []


def test_equal_scores_come_by_row_even_where_the_cut_falls_between_them():
    """Of many equal rows, the first k are found, in order."""
    found = index_of([NORTH, *([EAST] * 40)]).search(asked(EAST), k=5)
    assert found == [(1, 1.0), (2, 1.0), (3, 1.0), (4, 1.0), (5, 1.0)]


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.sampled_from([EAST, NORTH, NORTH_EAST, [-0.6, 0.8]]), min_size=1, max_size=30),
    k=st.integers(1, 40),
    start=st.integers(0, 30),
    stop=st.integers(0, 30),
)
def test_search_is_what_sorting_all_rows_gives(rows, k, start, stop):
    """For any index, k and range: the same rows as a sort of all cosines."""
    inside = [row for row in range(start, stop) if row < len(rows)]
    cosines = np.array(rows, dtype=np.float32) @ asked(NORTH_EAST)
    wanted = sorted(inside, key=lambda row: (-cosines[row], row))[:k]
    found = index_of(rows).search(asked(NORTH_EAST), k=k, rows=range(start, stop))
    assert [row for row, _ in found] == wanted


def test_vectors_come_back_bit_for_bit_in_the_order_asked():
    """`vectors` gives the rows that were built."""
    index = index_of([EAST, NORTH, NORTH_EAST])
    assert index.vectors([2, 0, 2]).tolist() == asked([NORTH_EAST, EAST, NORTH_EAST]).tolist()
    assert index.vectors([]).shape == (0, 2)


@pytest.mark.parametrize("row", [-1, 2])
def test_row_that_does_not_exist_is_refused(row):
    """A row outside the index is an error, not the last row."""
    with pytest.raises(IndexError, match="not a row"):
        index_of([EAST, NORTH]).vectors([row])


def test_question_of_another_width_is_refused():
    """A question must be as wide as the index."""
    with pytest.raises(ValueError, match="width 2"):
        index_of([EAST]).search(asked([1.0, 0.0, 0.0]), k=1)


def test_index_without_rows_finds_nothing():
    """An empty index opens and has no hits."""
    data = build_vectors(np.empty((0, 2), dtype=np.float32))
    assert open_vectors(data, width=2, size=0).search(asked(EAST), k=3) == []


def test_same_rows_give_the_same_bytes():
    """Building is deterministic."""
    matrix = np.array([EAST, NORTH], dtype=np.float32)
    assert build_vectors(matrix) == build_vectors(matrix.copy())


@pytest.mark.parametrize(("width", "size"), [(3, 2), (2, 3), (2, 1)])
def test_index_of_another_shape_is_damaged(width, size):
    """An index that is not as large as the manifest says is refused."""
    data = build_vectors(np.array([EAST, NORTH], dtype=np.float32))
    with pytest.raises(IndexDamaged, match="clippings index"):
        open_vectors(data, width=width, size=size)


@pytest.mark.parametrize("length", [0, 3, 20, 40])
def test_cut_bytes_are_damaged(length):
    """What faiss can not read is reported as damage, with the remedy."""
    data = build_vectors(np.array([EAST, NORTH], dtype=np.float32))
    with pytest.raises(IndexDamaged, match="clippings index"):
        open_vectors(data[:length], width=2, size=2)
