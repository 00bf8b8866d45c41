"""Three ways to search by words, side by side in one run: Clippings' postings, bm25s and tantivy.

    python -m tests.benchmarks.lexical --articles FOLDER --sizes 10000,100000,1000000

bm25s and tantivy are measured where they are installed (pip install --editable '.[bench]').

The texts are passages of three sentences of the articles; where more are asked for than there are,
the others are put together of three of their sentences, drawn with a seed. All ways get the same
stems. Each is built in a process of its own and asked in another, so that memory (MB more than
before) is its own; the questions go round: every round each way answers all of them, in another
order. What is asked is what the ranker needs: the best 100, the scores of 300 given texts, how many
texts have each stem, and which of 400 given texts have it. «cpu» is the processor's time, which
stays comparable while other work runs on the machine. A change is ten texts more, in ms until they
can be found; «same ten» the share of Clippings' ten best that are among those of the other.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import multiprocessing
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

import numpy as np

from retrieval.bm25 import K1, B
from retrieval.lexical import LexicalIndex
from retrieval.postings import build_postings, merge_postings, open_postings
from retrieval.segmentation import passage_windows, sentence_spans
from retrieval.words import stems

CORPUS = Path(__file__).parent.parent.parent / "corpus"
BEST, GIVEN, LOOKED_AT, CHANGED = 100, 300, 400, 10
SHARD = 20_000  # texts that Clippings indexes at once before it merges
QUESTION_WORDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a way answers to one question."""

    best: list[int]
    scores: list[float]
    frequencies: list[int]
    having: list[int]


class Way(Protocol):
    """One way to search; it is built in one process and asked in another."""

    @staticmethod
    def build(texts: Iterator[str], size: int, folder: Path) -> None: ...
    def __init__(self, folder: Path, size: int) -> None: ...
    def answer(
        self, question: Sequence[str], given: Sequence[int], looked_at: Sequence[int]
    ) -> Found: ...
    def change(self, texts: Sequence[str], folder: Path) -> None: ...


class Clippings:
    """Frequencies in mapped arrays, scored when asked: what the project uses."""

    @staticmethod
    def build(texts: Iterator[str], size: int, folder: Path) -> None:
        parts, first = [], 0
        while shard := list(islice(texts, SHARD)):
            place = folder / f"shard-{first}"
            place.write_bytes(build_postings(shard, cut=str.split))
            rows = np.arange(first, first + len(shard))
            parts.append((open_postings(place, size=len(shard)), rows))
            first += len(shard)
        with (folder / "words").open("wb") as file:
            merge_postings(parts, size=size, write=file.write)
        for place in folder.glob("shard-*"):
            place.unlink()

    def __init__(self, folder: Path, size: int) -> None:
        self.part = (open_postings(folder / "words", size=size), np.arange(size))
        self.index = LexicalIndex([self.part], size=size)

    def answer(
        self, question: Sequence[str], given: Sequence[int], looked_at: Sequence[int]
    ) -> Found:
        return Found(
            best=[row for row, _ in self.index.best(question, k=BEST)],
            scores=self.index.scores_at(question, given).tolist(),
            frequencies=[self.index.frequency(stem) for stem in question],
            having=[int(self.index.having(stem, looked_at).sum()) for stem in question],
        )

    def change(self, texts: Sequence[str], folder: Path) -> None:
        place = folder / "change"
        place.write_bytes(build_postings(texts, cut=str.split))
        size = self.index.size
        rows = np.arange(size, size + len(texts))
        parts = [self.part, (open_postings(place, size=len(texts)), rows)]
        self.index = LexicalIndex(parts, size=size + len(texts))


class Bm25s:
    """Finished scores, mapped; a change means to build all of it anew."""

    @staticmethod
    def build(texts: Iterator[str], size: int, folder: Path) -> None:  # noqa: ARG004
        import bm25s

        numbers: dict[str, int] = {}
        numbered = [
            [numbers.setdefault(stem, len(numbers)) for stem in text.split()] for text in texts
        ]
        scorer = bm25s.BM25(method="lucene", k1=K1, b=B, csc_backend="numpy")
        scorer.index((numbered, numbers), create_empty_token=False, show_progress=False)
        scorer.save(str(folder), show_progress=False)

    def __init__(self, folder: Path, size: int) -> None:
        import bm25s

        self.size = size
        self.scorer = bm25s.BM25.load(str(folder), mmap=True)

    def answer(
        self, question: Sequence[str], given: Sequence[int], looked_at: Sequence[int]
    ) -> Found:
        numbers = [self.scorer.vocab_dict.get(stem) for stem in question]
        known = [number for number in numbers if number is not None]
        scores = self.scorer.get_scores_from_ids(known)
        chosen = np.argpartition(-scores, BEST - 1)[:BEST]
        ranked = chosen[np.lexsort((chosen, -scores[chosen]))]
        begins, rows = self.scorer.scores["indptr"], self.scorer.scores["indices"]
        held = [rows[begins[number] : begins[number + 1]] for number in known]
        return Found(
            best=[int(row) for row in ranked if scores[row] > 0],
            scores=scores[list(given)].tolist(),
            frequencies=[len(each) for each in held],
            having=[int(np.isin(looked_at, each).sum()) for each in held],
        )

    def change(self, texts: Sequence[str], folder: Path) -> None:
        raise NotImplementedError


class Tantivy:
    """Lucene's ways in Rust: compressed postings, best by blocks; lengths rounded to a byte."""

    @staticmethod
    def _schema() -> object:
        import tantivy

        schema = tantivy.SchemaBuilder()
        schema.add_text_field("words", tokenizer_name="whitespace", index_option="freq")
        schema.add_unsigned_field("row", indexed=True, fast=True)
        return schema.build()

    @staticmethod
    def _document(text: str, row: int) -> object:
        import tantivy

        document = tantivy.Document(words=text)
        document.add_unsigned("row", row)
        return document

    @staticmethod
    def build(texts: Iterator[str], size: int, folder: Path) -> None:  # noqa: ARG004
        import tantivy

        index = tantivy.Index(Tantivy._schema(), path=str(folder))
        writer = index.writer(heap_size=512_000_000, num_threads=1)
        for row, text in enumerate(texts):
            writer.add_document(Tantivy._document(text, row))
        writer.commit()
        writer.wait_merging_threads()

    def __init__(self, folder: Path, size: int) -> None:
        import tantivy

        self.size = size
        self.index = tantivy.Index.open(str(folder))
        self.schema = self.index.schema
        self.searcher = self.index.searcher()

    def answer(
        self, question: Sequence[str], given: Sequence[int], looked_at: Sequence[int]
    ) -> Found:
        from tantivy import Occur, Query

        terms = [Query.term_query(self.schema, "words", stem, "freq") for stem in question]
        anyone = Query.boolean_query([(Occur.Should, term) for term in terms])
        those = Query.const_score_query(Query.term_set_query(self.schema, "row", list(given)), 0.0)
        looked = Query.term_set_query(self.schema, "row", list(looked_at))
        of_given = Query.boolean_query([(Occur.Must, those), (Occur.Should, anyone)])
        scores = dict.fromkeys(given, 0.0)
        scores.update((row, score) for score, row in self._hits(of_given, GIVEN))
        return Found(
            best=[row for _, row in self._hits(anyone, BEST)],
            scores=list(scores.values()),
            frequencies=[self.searcher.doc_freq("words", stem) for stem in question],
            having=[
                self.searcher.search(
                    Query.boolean_query([(Occur.Must, term), (Occur.Must, looked)]), 1
                ).count
                for term in terms
            ],
        )

    def _hits(self, query: object, limit: int) -> list[tuple[float, int]]:
        hits = self.searcher.search(query, limit, count=False).hits
        rows = self.searcher.fast_field_values("row", [address for _, address in hits])
        return [(score, row) for (score, _), row in zip(hits, rows, strict=True)]

    def change(self, texts: Sequence[str], folder: Path) -> None:  # noqa: ARG002
        writer = self.index.writer(heap_size=50_000_000, num_threads=1)
        for row, text in enumerate(texts, self.size):
            writer.add_document(Tantivy._document(text, row))
        writer.commit()
        self.index.reload()
        self.searcher = self.index.searcher()


WAYS: dict[str, type[Way]] = {"Clippings": Clippings, "bm25s": Bm25s, "tantivy": Tantivy}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question as stems, and the texts that the ranker wants to know more of."""

    question: list[str]
    given: list[int]
    looked_at: list[int]


def read_pool(folder: Path) -> tuple[list[str], list[str]]:
    """Give the stems of each sentence of some articles, and of each of their passages."""
    sentences, passages = [], []
    for path in sorted(folder.rglob("*.txt")):
        text = path.read_bytes().decode("utf-8")
        spans = [span for span, _ in sentence_spans(text)]
        cut = [" ".join(stems(text[span.start : span.end])) for span in spans]
        sentences += cut
        passages += [" ".join(cut[window.start : window.stop]) for window in passage_windows(spans)]
    return sentences, passages


def texts(pool: Path, size: int, seed: int) -> Iterator[str]:
    """Give so many passages: those of the articles first, then recombined ones."""
    sentences, passages = json.loads(pool.read_text("utf-8"))
    yield from passages[:size]
    drawn = random.Random(seed).choices
    for _ in range(size - len(passages)):
        yield " ".join(drawn(sentences, k=3))


def questions(pool: Path, sets: Sequence[Path], size: int, count: int, seed: int) -> list[Asked]:
    """Draw questions: half from the sets, where there are any, half words of single sentences."""
    sentences, _ = json.loads(pool.read_text("utf-8"))
    rng = random.Random(seed)
    known = {stem for sentence in sentences for stem in sentence.split()}
    lines = [line for path in sets for line in path.read_text("utf-8").splitlines()]
    asked = [stems(json.loads(line)["question"]) for line in lines]
    asked = [[stem for stem in dict.fromkeys(each) if stem in known] for each in asked]
    chosen = rng.sample([each for each in asked if len(each) > 1], count // 2) if asked else []
    while len(chosen) < count:
        words = list(dict.fromkeys(rng.choice(sentences).split()))
        if len(words) > 1:
            chosen.append(rng.sample(words, min(QUESTION_WORDS, len(words))))
    return [
        Asked(
            question=question,
            given=rng.sample(range(size), min(GIVEN, size)),
            looked_at=rng.sample(range(size), min(LOOKED_AT, size)),
        )
        for question in chosen
    ]


def build(name: str, *, pool: Path, size: int, seed: int, folder: Path, report: Connection) -> None:
    """Build, in a process of its own; reports seconds, megabytes on disk and at most in memory."""
    folder.mkdir()
    found = texts(pool, size, seed)
    first = next(found)
    before = memory("VmHWM")
    began = time.perf_counter()
    WAYS[name].build((text for part in ([first], found) for text in part), size, folder)
    took = time.perf_counter() - began
    disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    report.send((took, disk, memory("VmHWM") - before))


def serve(
    name: str,
    *,
    size: int,
    folder: Path,
    asked: Sequence[Asked],
    pipe: Connection,
    new: Sequence[str],
) -> None:
    """Open, then answer all questions whenever told to, and take a change at the end."""
    before = memory("VmRSS")
    began = time.perf_counter()
    way = WAYS[name](folder, size)
    pipe.send(time.perf_counter() - began)
    found: list[Found] = []
    while pipe.recv() == "ask":
        found, took = [], []
        for each in asked:
            began, began_busy = time.perf_counter(), time.process_time()
            found.append(way.answer(each.question, each.given, each.looked_at))
            took.append((time.perf_counter() - began, time.process_time() - began_busy))
        pipe.send(took)
    pipe.send((found, memory("VmRSS") - before))
    began = time.perf_counter()
    try:
        way.change(new, folder)
        way.answer(asked[0].question, asked[0].given, asked[0].looked_at)
        pipe.send(time.perf_counter() - began)
    except NotImplementedError:
        pipe.send(None)


def memory(field: str) -> float:
    """Give what the kernel says of this process, in MB."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    (line,) = (line for line in lines if line.startswith(f"{field}:"))
    return int(line.split()[1]) / 1024


def overlap(one: Sequence[Found], other: Sequence[Found]) -> float:
    """Give the share of the ten best of one that the other has among its ten best."""
    shares = [
        len({*a.best[:10]} & {*b.best[:10]}) / len(a.best[:10])
        for a, b in zip(one, other, strict=True)
        if a.best
    ]
    return statistics.mean(shares)


def percentiles(times: Sequence[float]) -> tuple[float, float]:
    """Give the 50th and the 95th."""
    cuts = statistics.quantiles(times, n=20)
    return cuts[9], cuts[18]


def measure(size: int, pool: Path, sets: Sequence[Path], given: argparse.Namespace) -> list[str]:
    """Build and ask all ways at one size; give the lines of the table."""
    context = multiprocessing.get_context("spawn")
    asked = questions(pool, sets, size, given.questions, given.seed)
    new = json.loads(pool.read_text("utf-8"))[1][:CHANGED]
    names = [name for name in WAYS if name == "Clippings" or importlib.util.find_spec(name)]
    built, opened, pipes = {}, {}, {}
    with tempfile.TemporaryDirectory() as name_of_place:
        place = Path(name_of_place)
        for name in names:
            mine, theirs = context.Pipe()
            told = {"pool": pool, "size": size, "seed": given.seed, "folder": place / name}
            child = context.Process(target=build, args=(name,), kwargs={**told, "report": theirs})
            child.start()
            built[name] = mine.recv()
            child.join()
        for name in names:
            pipes[name], theirs = context.Pipe()
            told = {"size": size, "folder": place / name, "asked": asked, "new": new}
            child = context.Process(target=serve, args=(name,), kwargs={**told, "pipe": theirs})
            child.start()
            opened[name] = pipes[name].recv()
        took: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
        order, rng = list(names), random.Random(given.seed)
        for number in range(given.rounds + 1):
            rng.shuffle(order)
            for name in order:
                pipes[name].send("ask")
                times = pipes[name].recv()
                took[name] += times if number else []  # the first round warms the cache
        ends = {}
        for name in names:
            pipes[name].send("end")
            ends[name] = (*pipes[name].recv(), pipes[name].recv())
    exact = ends["Clippings"][0]
    lines = []
    for name in names:
        found, resident, change = ends[name]
        wall, busy = ([1e3 * each for each in times] for times in zip(*took[name], strict=True))
        figures = (*built[name], opened[name] * 1e3, resident, *percentiles(wall), max(wall))
        figures = (*figures, *percentiles(busy))
        line = f"{size:>9,} {name:<10}" + "".join(f"{figure:>10.1f}" for figure in figures)
        line += f"{'all anew' if change is None else f'{change * 1e3:.1f}':>10}"
        lines.append(line + f"{overlap(exact, found):>10.3f}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--articles", type=Path, default=CORPUS)
    parser.add_argument("--question-sets", type=Path, nargs="*", default=[])
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    heads = ("build s", "disk MB", "build MB", "open ms", "resident", "p50 ms", "p95 ms", "max ms")
    heads = (*heads, "cpu p50", "cpu p95", "change", "same ten")
    with tempfile.TemporaryDirectory() as place:
        pool = Path(place) / "pool.json"
        sentences, passages = read_pool(given.articles)
        pool.write_text(json.dumps((sentences, passages)), "utf-8")
        print(
            f"{len(passages):,} passages of {given.articles.name}, beyond them recombinations of "
            f"their {len(sentences):,} sentences; {given.questions} questions, "
            f"{given.rounds} rounds, seed {given.seed}"
        )
        print(" " * 20 + "".join(f"{head:>10}" for head in heads))
        for size in map(int, given.sizes.split(",")):
            print("\n".join(measure(size, pool, given.question_sets, given)), flush=True)


if __name__ == "__main__":
    main()
