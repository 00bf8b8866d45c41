"""Clippings, by its front door: with the ranker and without."""

from __future__ import annotations

import time
from pathlib import Path
from typing import assert_never

from bot.desk import Desk
from retrieval import (
    DEFAULT_LIMIT_BYTES,
    DEFAULT_MODEL,
    OWN,
    Abstention,
    Answer,
    Help,
    Question,
    Quote,
    Reply,
    Reranker,
    build,
    load_encoder,
    load_reranker,
)
from tests.benchmarks.peers.archive import LIMIT, Archive, Build, Engine, Found, Place, Search

PACKAGES = ("clippings", "torch", "faiss-cpu")


def load_with_ranker(_model: Path) -> Build:
    return _load(load_reranker(OWN))


def load_without_ranker(_model: Path) -> Build:
    return _load(None)


def _load(reranker: Reranker | None) -> Build:
    encoder = load_encoder(DEFAULT_MODEL)
    encoder.encode(["warm"])
    encoder.warm()

    def build_index(archive: Archive, folder: Path) -> Search:
        build(
            Path(archive.folder),
            folder,
            encoder,
            limit_bytes=DEFAULT_LIMIT_BYTES,
            clock=time.time,
            wait=time.sleep,
            on_progress=lambda _stage, _done, _total: None,
        )
        desk = Desk(
            index=folder,
            encoder=encoder,
            open_reranker=lambda: reranker,
            clock=time.perf_counter,
        )
        return lambda question: found(desk.ask(Question(text=question), limit=LIMIT))

    return build_index


def found(reply: Reply) -> Found:
    """Give the leads of an answer; of an abstention, what it shows as nearest."""
    match reply:
        case Answer():
            return Found(places=[_place(finding.lead) for finding in reply.findings])
        case Abstention():
            return Found(places=[_place(quote) for quote in reply.nearest], is_declined=True)
        case Help():
            return Found(places=[], is_declined=True)
        case _:
            assert_never(reply)


def _place(quote: Quote) -> Place:
    return Place(path=quote.article.path, start=quote.span.start, end=quote.span.end)


ENGINE = Engine(
    load=load_with_ranker,
    settings="as it comes: reads and cuts the folder itself, ranker on; returns quotes",
    packages=PACKAGES,
    cuts_itself=True,
)
ENGINE_WITHOUT_RANKER = Engine(
    load=load_without_ranker,
    settings="RERANKER_MODEL=none",
    packages=PACKAGES,
    cuts_itself=True,
)
