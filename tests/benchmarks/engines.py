"""Do both engines give the same leads, and how long does a question take? Side by side, in one run.

    python -m tests.benchmarks.engines milvus://HOST:PORT CORPUS QUESTIONS.jsonl [--most 300]

Every question is put to both engines in turn, the first of them drawn with a seed; `nominate` is
the engines' own part of a question. The leads are those of the whole way, ranker included. Where
both engines name the same rows the reply is the same by construction (tests/retrieval/
test_engines.py), and only the first --timed questions go the whole way for both all the same.
Collections are made under a space of their own and dropped at the end. The index is kept where
--index says.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import astuple
from pathlib import Path

from bot.gold_files import read_golds
from retrieval import (
    DEFAULT_LIMIT_BYTES,
    DEFAULT_MODEL,
    OWN,
    Abstention,
    Answer,
    Engine,
    Library,
    LocalEngine,
    Question,
    Reply,
    answer,
    build,
    load_encoder,
    load_reranker,
    open_library,
    read_url,
)
from retrieval.milvus import Milvus, MilvusEngine
from retrieval.questions import understand
from retrieval.searching import ARM_DEPTH
from retrieval.uploading import host

SPACE = "bec000000000"  # as of an index that nobody has


def leads(reply: Reply) -> tuple[tuple[str, int, int], ...]:
    """Give the places of the quotes that a reply leads with, shown as an answer or not."""
    match reply:
        case Answer():
            quotes = tuple(finding.lead for finding in reply.findings)
        case Abstention():
            quotes = reply.nearest
        case _:
            quotes = ()
    return tuple((quote.article.path, quote.span.start, quote.span.end) for quote in quotes)


def compare(
    engines: Mapping[str, Engine], library: Library, questions: list[Question], *, timed: int
) -> None:
    encoder, reranker = load_encoder(DEFAULT_MODEL), load_reranker(OWN)
    took: dict[tuple[str, str], list[float]] = {}
    asked = firsts = threes = 0
    overlaps: list[float] = []
    for question in questions:
        query = understand(question, library)
        if not query.stems:
            continue
        asked += 1
        vector = encoder.encode_question(query.resolved.text)
        named, replies = {}, {}
        for name in random.Random(question.text).sample(sorted(engines), len(engines)):
            with clocked(took, name, "nominate"):
                named[name] = engines[name].nominate(
                    query.searched, vector, sentences=ARM_DEPTH, passages=ARM_DEPTH // 2
                )
        arms = list(zip(*map(astuple, named.values()), strict=True))
        overlaps += [len({*a} & {*b}) / len({*a} | {*b}) for a, b in arms if a or b]
        if asked > timed and all({*a} == {*b} for a, b in arms):
            firsts, threes = firsts + 1, threes + 1
            continue
        for name in random.Random(question.text).sample(sorted(engines), len(engines)):
            with clocked(took, name, "answer"):
                replies[name] = answer(question, library, encoder, reranker, engine=engines[name])
        here, there = map(leads, replies.values())
        firsts, threes = firsts + (here[:1] == there[:1]), threes + (here == there)
    print(f"questions                {asked}")
    print(f"same first lead          {firsts / asked:.4f}")
    print(f"same three leads         {threes / asked:.4f}")
    print(f"rows named by both       {statistics.mean(overlaps):.5f}, least {min(overlaps):.3f}")
    for (name, part), seconds in sorted(took.items()):
        cuts = statistics.quantiles(seconds, n=20)
        print(f"{part:9} {name:8}  p50 {1e3 * cuts[9]:7.1f} ms   p95 {1e3 * cuts[18]:7.1f} ms")


@contextlib.contextmanager
def clocked(took: dict[tuple[str, str], list[float]], name: str, part: str):
    began = time.perf_counter()
    yield
    took.setdefault((name, part), []).append(time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("url")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--most", type=int, default=300)
    parser.add_argument("--timed", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    golds = read_golds(given.questions.read_bytes())
    questions = [gold.question for gold in golds]
    random.Random(given.seed).shuffle(questions)
    with contextlib.ExitStack() as stack:
        index = given.index or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        build(
            given.corpus,
            index,
            load_encoder(DEFAULT_MODEL),
            limit_bytes=DEFAULT_LIMIT_BYTES,
            clock=time.time,
            wait=time.sleep,
            on_progress=quietly,
        )
        library = open_library(index, fingerprint=None)
        stack.callback(library.close)
        milvus = Milvus(read_url(given.url))
        began = time.perf_counter()
        sentences, passages, written = host(milvus, library, SPACE, on_progress=quietly)
        seconds = time.perf_counter() - began
        print(f"uploaded                 {written} rows in {seconds:.1f} s")
        engine = MilvusEngine(milvus, sentences=sentences, passages=passages)
        stack.callback(engine.close)
        stack.callback(milvus.drop, passages.name)
        stack.callback(milvus.drop, sentences.name)
        engines = {"local": LocalEngine(library), "milvus": engine}
        compare(engines, library, questions[: given.most], timed=given.timed)


quietly: Callable[[str, int, int], None] = lambda _stage, _done, _total: None  # noqa: E731


if __name__ == "__main__":
    main()
