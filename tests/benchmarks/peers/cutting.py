"""A folder of articles → passages, cut as Clippings cuts them, and the time that it takes."""

from __future__ import annotations

import time
from pathlib import Path

from retrieval import DEFAULT_LIMIT_BYTES, Article, read_corpus
from retrieval.segmentation import passage_windows, sentence_spans
from tests.benchmarks.peers.archive import Archive, Place


def cut_folder(folder: Path) -> Archive:
    """Read and cut a folder on one core, as any of the peers would have to.

    Raises:
        CorpusError: nothing in it can be read.
    """
    passages_of("One. Two.", path="warm")  # nupunkt's model is loaded before the clock starts
    began = time.perf_counter()
    articles = read_articles(folder)
    places = [place for each in articles for place in passages_of(each.text, path=each.path)]
    cutting_s = time.perf_counter() - began
    texts = {each.path: each.text for each in articles}
    return Archive(
        folder=str(folder),
        places=tuple(places),
        texts=tuple(texts[place.path][place.start : place.end] for place in places),
        characters=sum(map(len, texts.values())),
        cutting_s=cutting_s,
    )


def read_articles(folder: Path) -> tuple[Article, ...]:
    reading = read_corpus(
        folder,
        limit_bytes=DEFAULT_LIMIT_BYTES,
        clock=time.time,
        wait=time.sleep,
        on_file=lambda _done, _total: None,
    )
    return reading.articles


def passages_of(text: str, *, path: str) -> tuple[Place, ...]:
    """Cut a text into passages of up to three sentences that share one with the next."""
    spans = [span for span, _ in sentence_spans(text)]
    return tuple(
        Place(path=path, start=spans[window[0]].start, end=spans[window[-1]].end)
        for window in passage_windows(spans)
    )
