"""`retrieval.library`: what was made is what is opened, row for row, or it is refused."""

import os
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.datatypes import Article, Span
from retrieval.errors import IndexDamaged, IndexMismatch, IndexMissing
from retrieval.generations import collect, current, publish
from retrieval.library import Facts, Listed, open_library, to_json
from retrieval.making import make_segment
from retrieval.reuse import Known
from retrieval.segments import by_date, open_segment, segment_id
from retrieval.shards import write_shard
from tests.drawing import DrawnEncoder

WIDTH = 8
ENCODER = DrawnEncoder(width=WIDTH)


def article(path, text, **header):
    return Article(path=path, raw=text.encode(), text=text, **header)


ARTICLES = (
    article(
        "b\udcff.txt",
        "Talks in Zürich. They failed.",
        published=date(2025, 5, 1),
        title=Span(start=0, end=16),
        dateline=Span(start=9, end=15),
        outlet=Span(start=17, end=21),
    ),
    article("a b\n.txt", "\ufeffOnly one.\r\n"),
    article("empty.txt", " \n"),
)
FACTS = Facts(
    model="drawn",
    fingerprint=ENCODER.fingerprint,
    content="c",
    corpus="clips",
    width=WIDTH,
    articles=3,
    sentences=3,
    passages=2,
    earliest=date(2025, 5, 1),
    latest=date(2025, 5, 1),
)


def shard_of(index, articles):
    """Make the segment of some articles, waiting in a folder."""
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


def publish_made(index, facts=FACTS, *, without=None, dead=()):
    """Publish a generation of one segment, perhaps without one of its files."""
    segment = shard_of(index, ARTICLES)
    files = {
        f"{segment.id}.{name}": file for name, file in segment.files.items() if name != without
    }
    return publish(index, files, to_json(facts, [Listed(id=segment.id, dead=dead)]))


@pytest.fixture
def index(tmp_path):
    publish_made(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """Give the names of the files of a segment."""
    return sorted(shard_of(tmp_path_factory.mktemp("names"), ARTICLES).files)


def content_of(opened):
    return (
        opened.path,
        opened.raw,
        opened.text,
        opened.title,
        opened.published,
        opened.dateline,
        opened.outlet,
    )


def open_made(index):
    return open_library(index, fingerprint=ENCODER.fingerprint)


def test_articles_come_back_as_they_were(index):
    """Bytes, odd names and what the header says survive the disk."""
    library = open_made(index)
    assert [content_of(opened) for opened in library.articles] == [
        content_of(written) for written in ARTICLES
    ]
    assert library.articles.digests() == {each.path: each.digest for each in ARTICLES}
    assert library.articles.days() == [date(2025, 5, 1), None, None]


def test_an_article_is_found_by_its_path(index):
    """The same article is the same object; another path is none."""
    articles = open_made(index).articles
    assert articles.find("a b\n.txt") is articles[1]
    assert articles.find("b.txt") is None
    assert [articles.number_of(each) for each in ARTICLES] == [0, 1, 2]
    with pytest.raises(ValueError, match="not an article"):
        articles.number_of(article("b.txt", "Other."))


def test_sentences_and_passages_come_back_row_for_row(index):
    """Every field of every row survives the disk."""
    library = open_made(index)
    assert [
        (each.row, each.article.path, each.span, each.passage, each.is_heading, each.text)
        for each in library.sentences
    ] == [
        (0, "b\udcff.txt", Span(start=0, end=16), 0, False, "Talks in Zürich."),
        (1, "b\udcff.txt", Span(start=17, end=29), 0, False, "They failed."),
        (2, "a b\n.txt", Span(start=1, end=10), 1, False, "Only one."),
    ]
    assert [
        (each.row, each.article.path, each.span, each.sentences) for each in library.passages
    ] == [
        (0, "b\udcff.txt", Span(start=0, end=29), (0, 1)),
        (1, "a b\n.txt", Span(start=1, end=10), (2,)),
    ]
    assert library.passage_articles.tolist() == [0, 1]


def test_rows_are_counted_as_in_a_tuple(index):
    """From either end, in slices, and no further."""
    library = open_made(index)
    assert library.sentences[-1] == library.sentences[2]
    assert library.sentences[1:] == (library.sentences[1], library.sentences[2])
    with pytest.raises(IndexError):
        library.sentences[3]


def test_rows_are_known_without_making_them(index):
    """The passage of a sentence, and the sentences of a passage."""
    library = open_made(index)
    assert library.passages_of([2, 0, 1]) == [1, 0, 0]
    assert [library.sentences_in(row) for row in (0, 1)] == [range(2), range(2, 3)]


def test_facts_and_generation_come_back(index):
    """The library knows which generation it is and what that says of itself."""
    library = open_made(index)
    assert library.facts == FACTS
    assert library.generation == current(index)


def test_facts_without_dates_come_back(tmp_path):
    """No article with a date is ordinary."""
    undated = replace(FACTS, earliest=None, latest=None)
    publish_made(tmp_path, undated)
    assert open_library(tmp_path, fingerprint=None).facts == undated


def test_each_index_belongs_to_its_table(index):
    """Sentences and passages each have their own vectors; words likewise."""
    library = open_made(index)
    whole = ARTICLES[0].text
    fresh = ENCODER.encode_in_context([whole], [[(0, 16), (17, 29)]]).astype("f2").tolist()
    assert library.sentence_vectors.vectors([0, 1]).astype("f2").tolist() == fresh
    mean = np.average(np.array(fresh), axis=0, weights=[16, 12])
    (passage,) = library.passage_vectors.vectors([0])
    assert passage == pytest.approx(mean / np.linalg.norm(mean), abs=1e-3)
    assert (library.sentence_words.scores_at(["zurich"], range(3)) > 0).tolist() == [
        True,
        False,
        False,
    ]
    assert (library.passage_words.scores_at(["zurich"], range(2)) > 0).tolist() == [True, False]
    assert library.spellings.has("zürich")


def test_rows_of_an_article(index):
    """An article's sentences are a range of rows; one without any has an empty one."""
    library = open_made(index)
    assert [library.rows_of(each) for each in library.articles] == [
        range(2),
        range(2, 3),
        range(3, 3),
    ]


def test_dead_articles_are_not_there(tmp_path):
    """What was replaced is in no table, no index and no statistic."""
    publish_made(tmp_path, dead=(0,))
    library = open_made(tmp_path)
    assert [each.path for each in library.articles] == ["a b\n.txt", "empty.txt"]
    assert [each.text for each in library.sentences] == ["Only one."]
    assert [row for row, _ in library.sentence_vectors.search(ENCODER.encode(["x"])[0], k=9)] == [0]
    assert not library.sentence_words.has("zurich")


def test_other_encoder_is_refused(index):
    """Vectors of two models are never compared; the message names the index's model."""
    with pytest.raises(IndexMismatch, match=r"drawn.*clippings index"):
        open_library(index, fingerprint="0" * 64)
    assert open_library(index, fingerprint=None).facts.model == "drawn"


def test_nothing_indexed_is_said(tmp_path):
    """An empty folder is a missing index."""
    with pytest.raises(IndexMissing, match="clippings index"):
        open_library(tmp_path, fingerprint=None)


def test_damage_to_any_file_is_refused_by_name(index, names):
    """One flipped bit in any file, and nothing is opened."""
    assert len(names) == 13
    for name in names:
        [place] = (index / current(index)).glob(f"*.{name}")
        whole = place.read_bytes()
        data = bytearray(whole)
        data[-1] ^= 1
        place.write_bytes(data)
        with pytest.raises(IndexDamaged, match=name):
            open_made(index)
        place.write_bytes(whole)
    open_made(index)


def test_generation_without_one_of_its_files_is_refused(tmp_path, names):
    """A generation that never had a file is refused like a damaged one."""
    for name in names:
        publish_made(tmp_path, without=name)
        with pytest.raises(IndexDamaged, match="clippings index"):
            open_made(tmp_path)


def test_what_was_open_is_taken_over(index):
    """A file that was hashed is not hashed again, unless something wrote to it."""
    before = open_made(index)
    again = open_library(index, fingerprint=None, before=before)
    assert again.joined.parts[0].segment.begins is before.joined.parts[0].segment.begins
    [place] = (index / current(index)).glob("*.paths.bin")
    place.write_bytes(bytes(place.stat().st_size))
    with pytest.raises(IndexDamaged, match=r"paths\.bin"):
        open_library(index, fingerprint=None, before=again)


def test_an_article_is_checked_again_when_it_is_read(index):
    """A file that is overwritten while it is open is not quoted."""
    library = open_made(index)
    [place] = (index / current(index)).glob("*.articles.bin")
    descriptor = os.open(place, os.O_WRONLY)
    os.write(descriptor, b"Walks")
    os.close(descriptor)
    with pytest.raises(IndexDamaged, match=r"articles\.bin is not what was written"):
        library.articles[0]
    assert library.articles[1].path == "a b\n.txt"


def test_refused_library_holds_nothing(index):
    """After a refusal the generation can be collected."""
    with pytest.raises(IndexMismatch):
        open_library(index, fingerprint="0" * 64)
    old = current(index)
    publish(index, {}, {})
    assert collect(index) == (old,)


def test_open_library_stays_until_it_is_closed(index):
    """A reader's generation outlives the next one, and not the reader."""
    library = open_made(index)
    publish(index, {}, {})
    assert collect(index) == ()
    library.close()
    assert collect(index) == (library.generation,)


@settings(max_examples=50)
@given(
    days=st.lists(
        st.one_of(st.none(), st.dates(min_value=date(1900, 1, 1))), min_size=1, max_size=6
    )
)
def test_articles_sort_by_day_with_undated_ones_last(days):
    """The order of rows: day of publication, then path; no date comes last."""
    articles = [article(f"{i}.txt", "x", published=day) for i, day in enumerate(days)]
    dated = sorted((day, f"{i}.txt") for i, day in enumerate(days) if day is not None)
    undated = [f"{i}.txt" for i, day in enumerate(days) if day is None]
    assert [each.path for each in sorted(articles, key=by_date)] == [
        *(path for _, path in dated),
        *undated,
    ]
