"""`retrieval.vectors`: search by cosine, exact and by sketches, ties by row, and no row -1."""

import errno
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import sketches as sketches_module
from retrieval.errors import IndexDamaged
from retrieval.vectors import (
    JoinedVectors,
    VectorIndex,
    open_vectors,
    train_sketches,
    write_vectors,
)

EAST = [1.0, 0.0]
NORTH = [0.0, 1.0]
NORTH_EAST = [0.6, 0.8]
HALVES = np.array(NORTH_EAST, dtype=np.float16).astype(np.float32).tolist()


def written(rows, *, cut=1000):
    matrix = np.array(rows, dtype=np.float32)
    file = BytesIO()
    blocks = [matrix[first : first + cut] for first in range(0, len(matrix), cut)]
    write_vectors(blocks, width=matrix.shape[1], size=len(matrix), write=file.write)
    return file.getvalue()


def index_of(rows, folder):
    place = folder / f"{len(list(folder.iterdir()))}.faiss"
    place.write_bytes(written(rows))
    matrix = np.array(rows)
    return open_vectors(place, width=matrix.shape[1], size=len(matrix))


def asked(vector):
    return np.array(vector, dtype=np.float32)


def near_topics(size, width=12, seed=1):
    """Give unit rows around a few hundred directions, so that there is something to find."""
    numbers = np.random.default_rng(seed)
    topics = numbers.standard_normal((size // 20 + 1, width))
    rows = topics[numbers.integers(len(topics), size=size)]
    rows += 0.4 * numbers.standard_normal((size, width))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_nearest_comes_first_with_its_cosine(tmp_path):
    """Rows come by descending cosine."""
    found = index_of([NORTH, EAST, NORTH_EAST], tmp_path).search(asked(EAST), k=3)
    assert [row for row, _ in found] == [1, 2, 0]
    assert [score for _, score in found] == pytest.approx([1.0, 0.6, 0.0], abs=1e-3)


def test_opposite_vector_has_cosine_minus_one(tmp_path):
    """The range of a score is [-1, 1]."""
    assert index_of([[-1.0, 0.0]], tmp_path).search(asked(EAST), k=1) == [(0, -1.0)]


def test_cosine_stays_in_its_range_where_rounding_made_a_vector_longer(tmp_path):
    """A row of length 1.0002 has cosine 1 with its own direction."""
    rounded_up = np.full(11, 1 / np.sqrt(11), dtype=np.float32)
    assert np.linalg.norm(rounded_up.astype(np.float16).astype(np.float64)) > 1.0
    assert index_of([rounded_up], tmp_path).search(rounded_up, k=1) == [(0, 1.0)]


def test_more_neighbours_than_rows_are_asked_for(tmp_path):
    """A k beyond the size gives every row once, and none of faiss's -1."""
    index = index_of([EAST, NORTH], tmp_path)
    assert index.search(asked(NORTH), k=50) == [(1, 1.0), (0, 0.0)]


FIRST_TORCH = """
import sys
import torch  # loaded first, it shares its OpenMP with faiss
import faiss
from pathlib import Path
import numpy as np
from retrieval.vectors import open_vectors

torch.set_num_threads(2)
torch.get_num_threads()  # only when asked does torch set OpenMP's number, once in each thread
open_vectors(Path(sys.argv[1]), width=2, size=2).search(np.float32([0.0, 1.0]), k=1)
print(torch.get_num_threads())
"""


def test_a_search_leaves_torch_its_threads(tmp_path):
    """Both count by OpenMP: the ranker must not be left with one core after the first question."""
    (tmp_path / "rows").write_bytes(written([EAST, NORTH]))
    command = [sys.executable, "-c", FIRST_TORCH, str(tmp_path / "rows")]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "2\n"


def test_no_neighbours_are_asked_for(tmp_path):
    """A k of 0 finds nothing."""
    assert index_of([EAST], tmp_path).search(asked(EAST), k=0) == []


def test_dead_row_is_never_found(tmp_path):
    """The nearest row is left out where it is dead, and fewer than k are found."""
    index = index_of([EAST, NORTH, NORTH_EAST], tmp_path)
    found = index.search(asked(EAST), k=3, dead=np.array([True, False, False]))
    assert [row for row, _ in found] == [2, 1]
    assert index.search(asked(EAST), k=3, dead=np.ones(3, dtype=bool)) == []


def test_equal_scores_come_by_row_even_where_the_cut_falls_between_them(tmp_path):
    """Of many equal rows, the first k are found, in order."""
    found = index_of([NORTH, *([EAST] * 90)], tmp_path).search(asked(EAST), k=5)
    assert found == [(1, 1.0), (2, 1.0), (3, 1.0), (4, 1.0), (5, 1.0)]


def test_rows_that_only_rounding_tells_apart_come_by_row(tmp_path):
    """The same numbers in another order are as near to an even question; single precision errs."""
    numbers = np.random.default_rng(2)
    one = near_topics(1, width=48)[0]
    index = index_of([numbers.permutation(one) for _ in range(200)], tmp_path)
    found = index.search(np.full(48, 48**-0.5, dtype=np.float32), k=5)
    assert [row for row, _ in found] == [0, 1, 2, 3, 4]
    assert len({score for _, score in found}) == 1


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_search_is_what_sorting_all_living_rows_gives(data, tmp_path_factory):
    """For any index, k and dead rows: the same rows as a sort of all cosines."""
    directions = st.sampled_from([EAST, NORTH, NORTH_EAST, [-0.6, 0.8]])
    rows = data.draw(st.lists(directions, min_size=1, max_size=60))
    dead = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
    k = data.draw(st.integers(1, 70))
    halves = np.array(rows, dtype=np.float16).astype(np.float64)
    cosines = (halves * asked(NORTH_EAST).astype(np.float64)).sum(axis=1)
    living = [row for row in range(len(rows)) if not dead[row]]
    wanted = sorted(living, key=lambda row: (-cosines[row], row))[:k]
    index = index_of(rows, tmp_path_factory.mktemp("index"))
    assert [row for row, _ in index.search(asked(NORTH_EAST), k=k, dead=dead)] == wanted


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_joined_parts_answer_bit_for_bit_as_one_index(data, tmp_path_factory):
    """However rows are spread over parts, and whatever is dead there: the same rows and scores."""
    folder = tmp_path_factory.mktemp("index")
    size = data.draw(st.integers(1, 150))
    part_of = np.array(data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size)))
    rows = near_topics(size, width=17, seed=data.draw(st.integers(0, 9)))
    rows[data.draw(st.integers(0, size - 1)) :] = rows[0]  # reprinted sentences
    numbers = np.random.default_rng(size)
    parts = []
    for number in range(4):
        here = np.flatnonzero(part_of == number)
        places = np.repeat(-1, len(here) + 7)
        places[np.sort(numbers.permutation(len(places))[: len(here)])] = here
        own = np.where(places[:, None] >= 0, rows[places], rows[0])  # what is dead looks alive
        parts.append((index_of(own, folder), places))
    whole, joined = index_of(rows, folder), JoinedVectors(parts)
    k = data.draw(st.integers(1, 160))
    for question in (*rows[:3], *near_topics(3, width=17, seed=5)):
        assert joined.search(question, k=k) == whole.search(question, k=k)
    assert joined.vectors(range(size)).tobytes() == whole.vectors(range(size)).tobytes()
    assert (joined.size, joined.width) == (size, 17)


def test_order_of_joined_vectors_is_the_one_asked_for(tmp_path):
    """Rows of several parts come in the order asked, and as often."""
    first = (index_of([EAST, NORTH], tmp_path), np.array([1, -1]))
    joined = JoinedVectors([first, (index_of([NORTH_EAST], tmp_path), np.array([0]))])
    assert joined.vectors([1, 0, 1]).tolist() == [EAST, HALVES, EAST]
    assert joined.vectors([]).shape == (0, 2)
    with pytest.raises(IndexError, match="not a row"):
        joined.vectors([2])


@pytest.mark.parametrize("places", [[0, 2], [1, 0], [0, 0], [0]])
def test_parts_that_make_no_library_are_refused(places, tmp_path):
    """A row that is missing, twice or out of order is an error of the caller."""
    with pytest.raises(ValueError, match="part"):
        JoinedVectors([(index_of([EAST, NORTH], tmp_path), np.array(places))])


def test_vectors_come_back_as_float16_in_the_order_asked(tmp_path):
    """`vectors` gives the rows that were written, rounded once and for all."""
    index = index_of([EAST, NORTH, NORTH_EAST], tmp_path)
    assert index.vectors([2, 0, 2]).tolist() == [HALVES, EAST, HALVES]
    assert index.vectors([2]).dtype == np.float32
    assert index.vectors([]).shape == (0, 2)
    assert written(index.vectors(range(3))) == written([EAST, NORTH, NORTH_EAST])


@pytest.mark.parametrize("row", [-1, 2])
def test_row_that_does_not_exist_is_refused(row, tmp_path):
    """A row outside the index is an error, not the last row."""
    with pytest.raises(IndexError, match="not a row"):
        index_of([EAST, NORTH], tmp_path).vectors([row])


def test_question_of_another_width_is_refused(tmp_path):
    """A question must be as wide as the index."""
    with pytest.raises(ValueError, match="width 2"):
        index_of([EAST], tmp_path).search(asked([1.0, 0.0, 0.0]), k=1)


def test_index_without_rows_finds_nothing(tmp_path):
    """An empty index opens and has no hits, alone or joined."""
    index = index_of(np.empty((0, 2)), tmp_path)
    assert index.search(asked(EAST), k=3) == []
    assert JoinedVectors([(index, np.empty(0, dtype=np.int64))]).search(asked(EAST), k=3) == []


def test_bytes_are_faiss_s_own_and_the_same_however_the_rows_are_cut():
    """Streamed bytes are those that faiss writes, but for how it rounds, in any blocks."""
    rows = near_topics(50).astype(np.float16).astype(np.float32)
    kind = faiss.ScalarQuantizer.QT_fp16
    index = faiss.IndexScalarQuantizer(12, kind, faiss.METRIC_INNER_PRODUCT)
    index.add(rows)
    assert written(rows) == faiss.serialize_index(index).tobytes()
    assert written(rows, cut=7) == written(rows)
    assert written(rows.astype(np.float16)) == written(rows)


@pytest.mark.parametrize("size", [1, 3])
def test_wrong_number_of_rows_is_refused(size):
    """A promise of more or fewer rows than come is an error of the caller."""
    with pytest.raises(ValueError, match="2 rows instead"):
        write_vectors([np.eye(2)], width=2, size=size, write=BytesIO().write)


def test_full_disk_is_an_error_that_is_seen():
    """What `write` raises comes through."""

    def write(_data):
        raise OSError(errno.ENOSPC, "full")

    with pytest.raises(OSError, match="full"):
        write_vectors([np.eye(2)], width=2, size=2, write=write)


@pytest.mark.parametrize(("width", "size"), [(3, 2), (2, 3), (2, 1), (2, 0)])
def test_index_of_another_shape_is_damaged(width, size, tmp_path):
    """An index that is not as large as the manifest says is refused."""
    place = tmp_path / "vectors"
    place.write_bytes(written([EAST, NORTH]))
    with pytest.raises(IndexDamaged, match=r"vectors.*clippings index"):
        open_vectors(place, width=width, size=size)


@pytest.mark.parametrize("length", [0, 3, 20, 40, 88])
def test_cut_file_is_damaged(length, tmp_path):
    """A file that ends too early is reported as damage, with the remedy."""
    place = tmp_path / "vectors"
    place.write_bytes(written([EAST, NORTH])[:length])
    with pytest.raises(IndexDamaged, match="clippings index"):
        open_vectors(place, width=2, size=2)


def test_file_that_is_not_there_is_damaged(tmp_path):
    """A missing file is damage as well."""
    with pytest.raises(IndexDamaged, match="can not be read"):
        open_vectors(tmp_path / "none", width=2, size=2)


def test_index_of_another_kind_is_damaged(tmp_path):
    """What faiss could read, but is no index of ours, is refused."""
    index = faiss.IndexFlatIP(2)
    index.add(np.eye(2, dtype=np.float32))
    place = tmp_path / "vectors"
    place.write_bytes(faiss.serialize_index(index).tobytes())
    with pytest.raises(IndexDamaged):
        open_vectors(place, width=2, size=2)


def test_any_changed_byte_of_the_header_is_damage(tmp_path):
    """No header but the promised one ever reaches faiss."""
    good, place = written([EAST, NORTH]), tmp_path / "vectors"
    for at in range(len(good) - 8):
        place.write_bytes(good[:at] + bytes([good[at] ^ 0x40]) + good[at + 1 :])
        with pytest.raises(IndexDamaged):
            open_vectors(place, width=2, size=2)


# Sketches. They pay from 50,000 rows on; that they are right is seen on fewer.


class Sketched:
    """An index with and without its sketches."""

    def __init__(self, rows, folder):
        self.rows, self.folder = rows, folder
        self.place = folder / "vectors"
        self.place.write_bytes(written(rows))
        self.exact = open_vectors(self.place, width=rows.shape[1], size=len(rows))
        file = BytesIO()
        self.facts = train_sketches(self.exact, write=file.write)
        self.bytes = file.getvalue()

    def opened(self, data=None, *, looked_at=None) -> VectorIndex:
        sketches: Path = self.folder / "sketches"
        sketches.write_bytes(self.bytes if data is None else data)
        return open_vectors(
            self.place,
            width=self.rows.shape[1],
            size=len(self.rows),
            sketches=sketches,
            looked_at=self.facts.looked_at if looked_at is None else looked_at,
        )


@pytest.fixture(scope="module")
def sketched(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sketches_module, "FEWEST_ROWS", 5000)
        yield Sketched(near_topics(5000, width=24), tmp_path_factory.mktemp("sketched"))


def recall(exact, index, questions, k):
    found = 0
    for question in questions:
        best = {row for row, _ in exact.search(question, k=k)}
        found += len(best & {row for row, _ in index.search(question, k=k)})
    return found / (k * len(questions))


def test_sketches_find_what_they_promise(sketched):
    """On other questions than those of the sample, recall@10 and @100 are at least 0.985."""
    index, numbers = sketched.opened(), np.random.default_rng(4)
    questions = sketched.rows[::25] + 0.1 * numbers.standard_normal((200, 24)).astype(np.float32)
    assert sketched.facts.recall >= 0.99
    assert sketched.facts.recall_of_100 >= 0.99
    assert recall(sketched.exact, index, questions, 10) >= 0.985
    assert recall(sketched.exact, index, questions, 100) >= 0.985


def test_scores_by_sketches_are_those_of_the_exact_search(sketched):
    """A row that is found has the very score that exact search gives it."""
    index = sketched.opened()
    for question in near_topics(20, width=24, seed=8):
        exact = dict(sketched.exact.search(question, k=5000))
        assert all(exact[row] == score for row, score in index.search(question, k=50))


def test_looking_at_every_row_is_exact_search(sketched):
    """With as many candidates as rows, sketches change nothing."""
    index = sketched.opened(looked_at=5000)
    for question in near_topics(5, width=24, seed=9):
        assert index.search(question, k=40) == sketched.exact.search(question, k=40)
        assert index.search(question, k=9000) == sketched.exact.search(question, k=9000)


def test_dead_rows_take_no_place_among_those_looked_at(sketched):
    """Though all nearest rows are dead, as many living ones are looked at and found."""
    index, question = sketched.opened(looked_at=60), sketched.rows[17]
    dead = np.zeros(5000, dtype=bool)
    dead[[row for row, _ in sketched.exact.search(question, k=4900)]] = True
    found = index.search(question, k=100, dead=dead)
    assert found == sketched.exact.search(question, k=100, dead=dead)
    assert sorted(row for row, _ in found) == np.flatnonzero(~dead).tolist()


def test_sketches_are_the_same_bytes_whatever_the_threads(sketched, monkeypatch, tmp_path):
    """Same vectors, same sketches and the same facts, on one thread or on four."""
    monkeypatch.setattr(sketches_module, "FEWEST_ROWS", 5000)
    for threads in (1, 4):
        monkeypatch.setattr(sketches_module, "cores", lambda threads=threads: threads)
        again = Sketched(sketched.rows, tmp_path)
        assert (again.facts, again.bytes) == (sketched.facts, sketched.bytes)


def test_few_rows_have_no_sketches(tmp_path):
    """Where exact search is as fast, nothing is written."""
    found = Sketched(near_topics(300), tmp_path)
    assert (found.facts, found.bytes) == (None, b"")


def test_sketches_that_miss_too_much_are_not_written(tmp_path, monkeypatch):
    """Vectors that sketches can not tell apart are searched exactly."""
    monkeypatch.setattr(sketches_module, "FEWEST_ROWS", 1000)
    monkeypatch.setattr(sketches_module, "MOST_LOOKED_AT", 600)
    rows = np.random.default_rng(3).standard_normal((6000, 24))
    rows = 0.02 * rows + np.eye(24)[0]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = Sketched(rows.astype(np.float32), tmp_path)
    assert (found.facts, found.bytes) == (None, b"")


def test_cut_or_grown_sketches_are_damaged(sketched):
    """A file of sketches of another length is refused."""
    for data in (b"", sketched.bytes[:30], sketched.bytes[:-1], sketched.bytes + b"0"):
        with pytest.raises(IndexDamaged, match=r"sketches.*clippings index"):
            sketched.opened(data)


def test_any_changed_byte_before_the_sketches_is_damage_or_was_learnt(sketched):
    """What faiss believes of a file of sketches is compared with what was promised."""
    learnt = 16 * 24 * 4
    head = len(sketched.bytes) - 5024 * 4
    damaged = 0
    for at in range(head):
        data = bytearray(sketched.bytes)
        data[at] ^= 0x40
        try:
            sketched.opened(bytes(data))
        except IndexDamaged:
            damaged += 1
    assert damaged == head - learnt


def test_sketches_of_other_vectors_are_damaged(sketched):
    """Vectors that are opened as sketches, and a search that looks at none, are refused."""
    with pytest.raises(IndexDamaged):
        sketched.opened(written(sketched.rows))
    with pytest.raises(IndexDamaged):
        sketched.opened(looked_at=0)
