"""`retrieval.library`: what was written is what is opened, row for row, or it is refused."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.datatypes import Article, Passage, Sentence, Span
from retrieval.errors import IndexDamaged, IndexMismatch, IndexMissing
from retrieval.generations import collect, current, publish
from retrieval.lexical import build_lexical
from retrieval.library import Facts, by_date, open_library, tables, to_json
from retrieval.vectors import build_vectors

FINGERPRINT = "f" * 64
WIDTH = 3


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
SENTENCES = (
    Sentence(row=0, article=ARTICLES[0], span=Span(start=0, end=16), passage=0, is_heading=True),
    Sentence(row=1, article=ARTICLES[0], span=Span(start=17, end=29), passage=0, is_heading=False),
    Sentence(row=2, article=ARTICLES[1], span=Span(start=1, end=10), passage=1, is_heading=False),
)
PASSAGES = (
    Passage(row=0, article=ARTICLES[0], span=Span(start=0, end=29), sentences=(0, 1)),
    Passage(row=1, article=ARTICLES[1], span=Span(start=1, end=10), sentences=(2,)),
)
FACTS = Facts(
    model="tiny",
    fingerprint=FINGERPRINT,
    corpus="clips",
    width=WIDTH,
    articles=3,
    sentences=3,
    passages=2,
    earliest=date(2025, 5, 1),
    latest=date(2025, 5, 1),
)


def files():
    rows = np.eye(WIDTH, dtype=np.float32)
    words = {
        "sentence_words": build_lexical([sentence.text for sentence in SENTENCES]),
        "passage_words": build_lexical([passage.text for passage in PASSAGES]),
    }
    return {
        **tables(ARTICLES, SENTENCES, PASSAGES),
        "sentence_vectors.faiss": build_vectors(rows),
        "context_vectors.faiss": build_vectors(rows[::-1]),
        "passage_vectors.faiss": build_vectors(rows[:2]),
        **{f"{kind}.{name}": data for kind in words for name, data in words[kind].items()},
    }


@pytest.fixture
def index(tmp_path):
    publish(tmp_path, files(), to_json(FACTS))
    return tmp_path


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


def test_articles_come_back_as_they_were(index):
    """Bytes, odd names and what the header says survive the disk."""
    library = open_library(index, fingerprint=FINGERPRINT)
    assert [content_of(opened) for opened in library.articles] == [
        content_of(written) for written in ARTICLES
    ]


def test_sentences_and_passages_come_back_row_for_row(index):
    """Every field of every row survives the disk."""
    library = open_library(index, fingerprint=FINGERPRINT)
    assert [
        (each.row, each.article.path, each.span, each.passage, each.is_heading, each.text)
        for each in library.sentences
    ] == [
        (0, "b\udcff.txt", Span(start=0, end=16), 0, True, "Talks in Zürich."),
        (1, "b\udcff.txt", Span(start=17, end=29), 0, False, "They failed."),
        (2, "a b\n.txt", Span(start=1, end=10), 1, False, "Only one."),
    ]
    assert [
        (each.row, each.article.path, each.span, each.sentences) for each in library.passages
    ] == [
        (0, "b\udcff.txt", Span(start=0, end=29), (0, 1)),
        (1, "a b\n.txt", Span(start=1, end=10), (2,)),
    ]


def test_facts_and_generation_come_back(index):
    """The library knows which generation it is and what that says of itself."""
    library = open_library(index, fingerprint=FINGERPRINT)
    assert library.facts == FACTS
    assert library.generation == current(index)


def test_facts_without_dates_come_back(tmp_path):
    """No article with a date is ordinary."""
    undated = Facts(
        model="tiny",
        fingerprint=FINGERPRINT,
        corpus="clips",
        width=WIDTH,
        articles=3,
        sentences=3,
        passages=2,
        earliest=None,
        latest=None,
    )
    publish(tmp_path, files(), to_json(undated))
    assert open_library(tmp_path, fingerprint=None).facts == undated


def test_each_index_belongs_to_its_table(index):
    """Sentences, contexts and passages each have their own vectors; words likewise."""
    library = open_library(index, fingerprint=FINGERPRINT)
    rows = np.eye(WIDTH, dtype=np.float32).tolist()
    assert library.sentence_vectors.vectors([0, 1, 2]).tolist() == rows
    assert library.context_vectors.vectors([0, 1, 2]).tolist() == rows[::-1]
    assert library.passage_vectors.vectors([0, 1]).tolist() == rows[:2]
    assert (library.sentence_words.scores(["zurich"]) > 0).tolist() == [True, False, False]
    assert (library.passage_words.scores(["zurich"]) > 0).tolist() == [True, False]


def test_rows_of_an_article(index):
    """An article's sentences are a range of rows; one without any has an empty one."""
    library = open_library(index, fingerprint=FINGERPRINT)
    assert [library.rows_of(each) for each in library.articles] == [
        range(2),
        range(2, 3),
        range(3, 3),
    ]


def test_other_encoder_is_refused(index):
    """Vectors of two models are never compared; the message names the index's model."""
    with pytest.raises(IndexMismatch, match=r"tiny.*clippings index"):
        open_library(index, fingerprint="0" * 64)
    assert open_library(index, fingerprint=None).facts.model == "tiny"


def test_nothing_indexed_is_said(tmp_path):
    """An empty folder is a missing index."""
    with pytest.raises(IndexMissing, match="clippings index"):
        open_library(tmp_path, fingerprint=None)


@pytest.mark.parametrize("name", sorted(files()))
def test_damage_to_any_file_is_refused_by_name(index, name):
    """One flipped bit in any file, and nothing is opened."""
    place = index / current(index) / name
    data = bytearray(place.read_bytes())
    data[-1] ^= 1
    place.write_bytes(data)
    with pytest.raises(IndexDamaged, match=name):
        open_library(index, fingerprint=FINGERPRINT)


@pytest.mark.parametrize("name", sorted(files()))
def test_generation_without_one_of_its_files_is_refused(tmp_path, name):
    """A generation that never had a file is refused like a damaged one."""
    publish(tmp_path, {key: data for key, data in files().items() if key != name}, to_json(FACTS))
    with pytest.raises(IndexDamaged, match="clippings index"):
        open_library(tmp_path, fingerprint=FINGERPRINT)


def test_refused_library_holds_nothing(index):
    """After a refusal the generation can be collected."""
    with pytest.raises(IndexMismatch):
        open_library(index, fingerprint="0" * 64)
    old = current(index)
    publish(index, {}, {})
    assert collect(index) == (old,)


def test_open_library_stays_until_it_is_closed(index):
    """A reader's generation outlives the next one, and not the reader."""
    library = open_library(index, fingerprint=FINGERPRINT)
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
