"""`retrieval.merging` and `joining`: parts and whole are the same, byte for byte, row for row."""

import tempfile
from datetime import date
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.datatypes import Article
from retrieval.joining import Part, join
from retrieval.making import make_segment
from retrieval.merging import merge_segments, merged_identity
from retrieval.reuse import Known
from retrieval.segments import by_date, open_segment, segment_id
from retrieval.shards import write_shard
from tests.drawing import DrawnEncoder

ENCODER = DrawnEncoder(width=8)
WORDS = ["Water", "talks", "in Lahore", "Rubio said", "Zürich", "the", "“no”"]
TEXTS = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join),
    min_size=1,
    max_size=9,
).map(lambda sentences: ". ".join(sentences) + ".\n")
DAYS = st.one_of(st.none(), st.dates(date(2025, 1, 1), date(2025, 1, 3)))


@st.composite
def archives(draw):
    """Draw articles, each with the number of its part, and whether it is dead."""
    count = draw(st.integers(1, 9))
    drawn = []
    for number in range(count):
        text = draw(TEXTS)
        path = f"{draw(st.sampled_from('ab'))}/{number}.txt"
        article = Article(path=path, raw=text.encode(), text=text, published=draw(DAYS))
        drawn.append((article, draw(st.integers(0, 3)), draw(st.booleans())))
    return sorted(drawn, key=lambda each: by_date(each[0]))


def made(index, articles):
    pairs = [(each.path, bytes.fromhex(each.digest)) for each in articles]
    identity = segment_id(pairs, fingerprint=ENCODER.fingerprint)
    files = write_shard(
        index,
        identity,
        lambda draft: make_segment(
            draft, articles, encoder=ENCODER, known=Known(), on_share=lambda _share: None
        ),
    )
    return open_segment(identity, files)


def parts_of(index, archive):
    """Make a segment of each part, with its dead articles."""
    parts = []
    for part in sorted({part for _, part, _ in archive}):
        own = [(article, dead) for article, number, dead in archive if number == part]
        segment = made(index, [article for article, _ in own])
        parts.append(Part(segment=segment, dead=np.array([dead for _, dead in own])))
    return parts


@settings(max_examples=40, deadline=None)
@given(archive=archives())
def test_a_merge_of_parts_is_the_segment_of_the_whole(archive):
    """Every file, whatever the parts are and whatever is dead in them."""
    living = [article for article, _, dead in archive if not dead]
    if not living:
        return
    with tempfile.TemporaryDirectory() as folder:
        whole = made(Path(folder) / "whole", living)
        joined = join(parts_of(Path(folder) / "parts", archive))
        identity = merged_identity(joined, fingerprint=ENCODER.fingerprint)
        files = write_shard(
            Path(folder) / "merged",
            identity,
            lambda draft: merge_segments(draft, joined, on_rows=lambda _done, _total: None),
        )
        assert identity == whole.id
        assert files.keys() == whole.files.keys()
        for name, file in files.items():
            assert file.place.read_bytes() == whole.files[name].place.read_bytes(), name


@settings(max_examples=40, deadline=None)
@given(archive=archives())
def test_joined_rows_are_those_of_the_whole(archive):
    """Articles in the order of `by_date`; each row of a part has the row of the whole."""
    living = [article for article, _, dead in archive if not dead]
    with tempfile.TemporaryDirectory() as folder:
        joined = join(parts_of(Path(folder), archive))
        assert [joined.key(number) for number in range(joined.articles)] == [
            by_date(article) for article in living
        ]
        for rows, size in (
            (joined.sentence_rows, joined.sentences),
            (joined.passage_rows, joined.passages),
        ):
            everything = np.concatenate(rows)
            assert sorted(everything[everything >= 0].tolist()) == list(range(size))
        for number in range(joined.articles):
            segment, local = joined.place(number)
            part = int(joined.owners[number])
            begin, end = segment.begins[local : local + 2, 9].tolist()
            assert joined.sentence_rows[part][begin:end].tolist() == list(
                range(joined.sentence_begins[number], joined.sentence_begins[number + 1])
            )
