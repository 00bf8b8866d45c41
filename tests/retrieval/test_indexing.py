"""`retrieval.indexing`: a folder becomes a generation, and only what is new is encoded."""

import os
import shutil
import time
from dataclasses import replace

import numpy as np
import pytest

from retrieval.corpus import DEFAULT_LIMIT_BYTES
from retrieval.cutting import cut
from retrieval.embedding import Encoder
from retrieval.errors import CorpusError, IndexBusy, IndexMissing
from retrieval.generations import CURRENT, current, locked, read
from retrieval.indexing import build
from retrieval.library import open_library

ONE = "The minister met the envoy. They talked about water. He left on Monday.\n"
OTHER = "Prices rose in Lahore.\n\nPrices rose in Lahore.\n"


class Clock:
    """A clock that only waiting moves; it starts long after the files were written."""

    def __init__(self):
        self.now = time.time() + 3600

    def __call__(self):
        return self.now

    def wait(self, seconds):
        self.now += seconds


class CountingEncoder(Encoder):
    """The real encoder, which notes what it was asked to encode."""

    def __init__(self, real):
        super().__init__(model=real.model, folder=real._folder, fingerprint=real.fingerprint)
        self._bulk = real._ready()
        self.asked = []

    def encode(self, texts, **options):
        self.asked.extend(texts)
        return super().encode(texts, **options)

    def encode_in_context(self, texts, spans, **options):
        self.asked.extend(texts)
        return super().encode_in_context(texts, spans, **options)


@pytest.fixture
def counting(encoder):
    return CountingEncoder(encoder)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "one.txt").write_text(ONE)
    (tmp_path / "corpus" / "other.txt").write_text(OTHER)
    return tmp_path / "corpus"


@pytest.fixture(scope="module")
def built(corpus, encoder, tmp_path_factory):
    """Give the index of the repository's corpus; tests only read it."""
    index = tmp_path_factory.mktemp("built")
    build_quietly(corpus, index, encoder)
    return index


def build_quietly(corpus, index, encoder, on_progress=lambda *_: None):
    clock = Clock()
    return build(
        corpus,
        index,
        encoder,
        limit_bytes=DEFAULT_LIMIT_BYTES,
        clock=clock,
        wait=clock.wait,
        on_progress=on_progress,
    )


def test_report_counts_what_was_indexed(folder, tmp_path, encoder):
    """A first build re-uses nothing and publishes."""
    (folder / "empty.txt").write_text("")
    report = build_quietly(folder, tmp_path / "index", encoder)
    assert (report.articles, report.sentences, report.passages) == (2, 5, 2)
    assert (report.unchanged, report.reused, report.published) == (0, 0, True)
    assert [skip.path for skip in report.skipped] == ["empty.txt"]
    assert report.generation == current(tmp_path / "index")


def test_rows_ascend_by_date_and_path(built, encoder):
    """Articles, sentences and passages stand in one order, undated articles last."""
    library = open_library(built, fingerprint=encoder.fingerprint)
    keys = [(str(each.published or "9999"), each.path) for each in library.articles]
    assert keys == sorted(keys)
    for rows in (library.sentences, library.passages):
        places = [(keys[library.articles.index(each.article)], each.span) for each in rows]
        assert places == sorted(places)
        assert [each.row for each in rows] == list(range(len(rows)))


def test_articles_are_the_bytes_of_the_files(corpus, built, encoder):
    """The generation has its own copy of each file."""
    library = open_library(built, fingerprint=encoder.fingerprint)
    assert {each.path: each.raw for each in library.articles} == {
        path.name: path.read_bytes() for path in corpus.iterdir()
    }


def test_vectors_are_those_of_their_rows(built, encoder):
    """Row i is the vector of sentence i, read where it stands."""
    library = open_library(built, fingerprint=encoder.fingerprint)
    contexts = [context for article in library.articles for context in cut(article).contexts()]
    spans = [[(start, end)] for _, start, end in contexts]
    fresh = encoder.encode_in_context([text for text, _, _ in contexts], spans)
    index = library.sentence_vectors
    assert np.array_equal(index.vectors(range(index.size)), fresh.astype(np.float16))


def test_vector_of_a_passage_is_the_mean_of_its_sentences_in_context(built, encoder):
    """By their length; nothing is encoded for it."""
    library = open_library(built, fingerprint=encoder.fingerprint)
    for passage in library.passages:
        lengths = [len(library.sentences[row].text) for row in passage.sentences]
        contexts = library.sentence_vectors.vectors(passage.sentences)
        mean = np.average(contexts, axis=0, weights=lengths)
        (vector,) = library.passage_vectors.vectors([passage.row])
        assert vector == pytest.approx(mean / np.linalg.norm(mean), abs=1e-3)


def test_context_of_a_sentence_is_its_stretch_of_the_article(folder, tmp_path, encoder):
    """Sentences of an article are read together, as many as the model reads at once."""
    build_quietly(folder, tmp_path, encoder)
    library = open_library(tmp_path, fingerprint=encoder.fingerprint)
    text = ONE.removesuffix("\n")
    spans = [(s.span.start, s.span.end) for s in library.sentences if s.article.path == "one.txt"]
    fresh = encoder.encode_in_context([text], [spans]).astype(np.float16)
    assert np.array_equal(library.sentence_vectors.vectors(range(3)), fresh)


def test_passage_of_a_sentence_holds_it(built, encoder):
    """Each sentence names a passage that it belongs to, and passages name their sentences."""
    library = open_library(built, fingerprint=encoder.fingerprint)
    for sentence in library.sentences:
        assert sentence.row in library.passages[sentence.passage].sentences
    for passage in library.passages:
        first, last = (library.sentences[passage.sentences[i]] for i in (0, -1))
        assert (first.span.start, last.span.end) == (passage.span.start, passage.span.end)
        assert first.article is passage.article


def test_passages_are_found_by_the_words_of_their_headline(tmp_path, encoder):
    """A passage's words include its article's headline."""
    (tmp_path / "corpus").mkdir()
    body = "\n\n".join(f"The ministry said on day {i} that it would wait." for i in range(9))
    (tmp_path / "corpus" / "a.txt").write_text(f"Flood warning for Assam\n\n{body}\n")
    build_quietly(tmp_path / "corpus", tmp_path / "index", encoder)
    library = open_library(tmp_path / "index", fingerprint=encoder.fingerprint)
    title = library.articles[0].title
    expected = [title is not None or "Assam" in passage.text for passage in library.passages]
    assert (
        library.passage_words.scores_at(["assam"], range(library.passage_words.size)) > 0
    ).tolist() == expected


def test_equal_texts_are_encoded_once(folder, tmp_path, counting):
    """A stretch that stands in two articles is one text."""
    shutil.copy(folder / "one.txt", folder / "copy.txt")
    build_quietly(folder, tmp_path / "index", counting)
    assert sorted(counting.asked) == sorted([ONE.removesuffix("\n"), OTHER.removesuffix("\n")])


def test_same_folder_again_encodes_and_publishes_nothing(folder, tmp_path, counting):
    """The second build finds everything as it was."""
    index = tmp_path / "index"
    first = build_quietly(folder, index, counting)
    counting.asked.clear()
    written = (index / CURRENT).stat().st_mtime_ns
    second = build_quietly(folder, index, counting)
    assert second == replace(first, unchanged=2, reused=5, published=False)
    assert counting.asked == []
    assert (index / CURRENT).stat().st_mtime_ns == written


def test_only_new_text_is_encoded(folder, tmp_path, counting):
    """One article more: one pass over it."""
    build_quietly(folder, tmp_path / "index", counting)
    counting.asked.clear()
    (folder / "third.txt").write_text("A third report. Prices rose in Lahore.\n")
    report = build_quietly(folder, tmp_path / "index", counting)
    whole = "A third report. Prices rose in Lahore."
    assert counting.asked == [whole]
    assert (report.unchanged, report.reused) == (2, 5)


def test_build_that_re_used_is_the_build_from_nothing(corpus, tmp_path, encoder):
    """Same corpus and encoder, same generation: bit for bit, whatever was there before."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for path in sorted(corpus.iterdir())[-2:]:
        shutil.copy(path, folder)
    last = folder / path.name
    text = last.read_text()
    last.write_text(text[: len(text) // 2])
    build_quietly(folder, tmp_path / "grown", encoder)
    last.write_text(text)
    grown = build_quietly(folder, tmp_path / "grown", encoder)
    fresh = build_quietly(folder, tmp_path / "fresh", encoder)
    assert (grown.unchanged, fresh.unchanged) == (1, 0)
    assert grown.reused > 0
    assert grown.generation == fresh.generation
    one, other = (read(tmp_path / name, fresh.generation).files for name in ("grown", "fresh"))
    assert {name: file.promise for name, file in one.items()} == {
        name: file.promise for name, file in other.items()
    }


def test_vectors_of_another_encoder_are_not_re_used(folder, tmp_path, encoder, counting):
    """Another fingerprint, and everything is encoded anew; the articles are still unchanged."""
    build_quietly(folder, tmp_path / "index", encoder)
    counting.fingerprint = "0" * 64
    report = build_quietly(folder, tmp_path / "index", counting)
    assert (report.unchanged, report.reused, report.published) == (2, 0, True)
    assert OTHER.removesuffix("\n") in counting.asked


def test_damaged_index_is_built_anew(folder, tmp_path, encoder):
    """What is damaged is not re-used; the new index is the one that was meant."""
    index = tmp_path / "index"
    first = build_quietly(folder, index, encoder)
    [place] = (index / first.generation).glob("*.sentence_vectors.faiss")
    place.write_bytes(place.read_bytes()[:-4] + b"\0\0\0\0")
    again = build_quietly(folder, index, encoder)
    assert (again.generation, again.reused) == (first.generation, 0)
    open_library(index, fingerprint=encoder.fingerprint)


def test_older_generation_is_collected(folder, tmp_path, encoder):
    """After a build only the new generation is left."""
    index = tmp_path / "index"
    build_quietly(folder, index, encoder)
    (folder / "one.txt").unlink()
    report = build_quietly(folder, index, encoder)
    assert {path.name for path in index.iterdir()} == {"CURRENT", "LOCK", report.generation}


def test_second_build_is_refused_before_any_work(folder, tmp_path, counting):
    """While another build holds the lock, nothing is read or encoded."""
    stages = []
    with locked(tmp_path / "index"), pytest.raises(IndexBusy):
        build_quietly(folder, tmp_path / "index", counting, lambda *step: stages.append(step))
    assert (stages, counting.asked) == ([], [])


@pytest.mark.parametrize("stage", ["reading", "encoding", "writing"])
def test_interrupted_build_leaves_the_old_index(folder, tmp_path, encoder, stage):
    """Ctrl-C at any stage: the old generation is current and opens, and the lock is free."""
    index = tmp_path / "index"
    first = build_quietly(folder, index, encoder)
    (folder / "third.txt").write_text("A third report.\n")

    def interrupt(at, _done, _total):
        if at == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_quietly(folder, index, encoder, interrupt)
    assert open_library(index, fingerprint=encoder.fingerprint).generation == first.generation
    assert build_quietly(folder, index, encoder).published


def test_folder_with_nothing_to_read_leaves_the_old_index(folder, tmp_path, encoder):
    """An unmounted folder does not empty the index."""
    index = tmp_path / "index"
    first = build_quietly(folder, index, encoder)
    shutil.rmtree(folder)
    with pytest.raises(CorpusError):
        build_quietly(folder, index, encoder)
    folder.mkdir()
    with pytest.raises(CorpusError):
        build_quietly(folder, index, encoder)
    assert open_library(index, fingerprint=encoder.fingerprint).generation == first.generation


def test_first_build_of_a_missing_folder_publishes_nothing(tmp_path, encoder):
    """There is no index after a build that had nothing to read."""
    with pytest.raises(CorpusError):
        build_quietly(tmp_path / "none", tmp_path / "index", encoder)
    with pytest.raises(IndexMissing):
        current(tmp_path / "index")


def test_progress_ends_where_it_said(folder, tmp_path, encoder):
    """Each stage counts up to its total, in order."""
    steps = []
    build_quietly(folder, tmp_path / "index", encoder, lambda *step: steps.append(step))
    assert list(dict.fromkeys(stage for stage, _, _ in steps)) == ["reading", "encoding", "writing"]
    for stage in ("reading", "encoding", "writing"):
        counts = [(done, total) for at, done, total in steps if at == stage]
        assert counts == sorted(counts)
        assert counts[-1][0] == counts[-1][1]


def test_name_that_is_not_utf8_is_indexed(folder, tmp_path, encoder):
    """The bytes of such a name survive as surrogate escapes."""
    (folder / os.fsdecode(b"caf\xe9.txt")).write_text("Coffee is dear.\n")
    build_quietly(folder, tmp_path / "index", encoder)
    library = open_library(tmp_path / "index", fingerprint=encoder.fingerprint)
    assert "caf\udce9.txt" in [each.path for each in library.articles]
