"""Ways to search vectors, side by side in one run: float32, float16, sketches, lists (IVF).

    python -m tests.benchmarks.vectors --articles FOLDER --sizes 10000,100000,1000000
    python -m tests.benchmarks.vectors --vectors FILE.npy --questions FILE.npy --sizes 2000000

The vectors are those of the articles' sentences under the default model; questions are headlines.
`--vectors` takes ones made before (.npy, unit rows, neighbours of one article beside each other),
`--questions` those of real questions. Where more rows are asked for than there are, the others are
sums of two rows that stand at most eight apart, the second with a weight below 0.8, and a little
noise, drawn with a seed. Each way is built and asked in a process of its own, so that memory is its
own; the ways take turns for `--rounds` rounds. Times are of the processor, on one thread, since
other work on the machine does not lengthen them; medians, with the least and greatest round.
«float32» is what Clippings used to do, «sketches» what it does from 50,000 rows on.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval import sketches
from retrieval.embedding import load_encoder
from retrieval.modelfiles import DEFAULT_MODEL
from retrieval.segmentation import sentence_spans
from retrieval.vectors import open_vectors, train_sketches, write_vectors

DEPTH = 100
BLOCK = 50_000
Search = Callable[[NDArray[np.float32]], list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one way came to at one size; times in seconds, memory in bytes."""

    build: float
    size: int
    open: float
    memory: int
    times: list[list[float]]
    cosines: list[list[float]]
    note: str = ""


def blocks(rows: NDArray[np.float16], size: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Give so many rows: the real ones first, then sums of neighbours."""
    numbers = np.random.default_rng(seed)
    real = min(size, len(rows))
    for first in range(0, real, BLOCK):
        yield rows[first : min(first + BLOCK, real)].astype(np.float32)
    for first in range(real, size, BLOCK):
        one = numbers.integers(len(rows), size=min(BLOCK, size - first))
        other = np.minimum(one + numbers.integers(1, 9, size=len(one)), len(rows) - 1)
        weight = 0.8 * numbers.random((len(one), 1), dtype=np.float32)
        noise = 0.015 * numbers.standard_normal((len(one), rows.shape[1]), dtype=np.float32)
        both = rows[one].astype(np.float32) + weight * rows[other] + noise
        yield both / np.linalg.norm(both, axis=1, keepdims=True)


def build_float32(source: Path, size: int, width: int, folder: Path) -> str:
    import faiss

    index = faiss.IndexFlatIP(width)
    for first in range(0, size, BLOCK):
        index.add(_mapped(source, size, width)[first : first + BLOCK].astype(np.float32))
    faiss.write_index(index, str(folder / "index"))
    return ""


def open_float32(_source: Path, _size: int, _width: int, folder: Path, _note: str) -> Search:
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.read_index(str(folder / "index"))
    return lambda question: index.search(question[None], DEPTH)[1][0].tolist()


def build_float16(source: Path, size: int, width: int, folder: Path) -> str:
    rows = _mapped(source, size, width)
    parts = (rows[first : first + BLOCK] for first in range(0, size, BLOCK))
    with (folder / "index").open("wb") as file:
        write_vectors(parts, width=width, size=size, write=file.write)
    return ""


def open_float16(_source: Path, size: int, width: int, folder: Path, _note: str) -> Search:
    index = open_vectors(folder / "index", width=width, size=size)
    return lambda question: [row for row, _ in index.search(question, k=DEPTH)]


def build_sketches(source: Path, size: int, width: int, folder: Path) -> str:
    build_float16(source, size, width, folder)
    sketches.FEWEST_ROWS = 1
    index = open_vectors(folder / "index", width=width, size=size)
    with (folder / "sketches").open("wb") as file:
        found = train_sketches(index, write=file.write)
    return "" if found is None else str(found.looked_at)


def open_sketches(_source: Path, size: int, width: int, folder: Path, note: str) -> Search:
    place = folder / "sketches" if note else None
    looked_at = int(note) if note else None
    index = open_vectors(
        folder / "index", width=width, size=size, sketches=place, looked_at=looked_at
    )
    return lambda question: [row for row, _ in index.search(question, k=DEPTH)]


def build_lists(source: Path, size: int, width: int, folder: Path) -> str:
    import faiss

    rows, lists = _mapped(source, size, width), round(2 * size**0.5)
    index = faiss.index_factory(width, f"IVF{lists},SQfp16", faiss.METRIC_INNER_PRODUCT)
    drawn = np.random.default_rng(1).choice(size, min(size, 39 * lists), replace=False)
    index.train(rows[np.sort(drawn)].astype(np.float32))
    for first in range(0, size, BLOCK):
        index.add(rows[first : first + BLOCK].astype(np.float32))
    faiss.write_index(index, str(folder / "index"))
    return str(round(lists / 10))  # of the lists, a tenth


def open_lists(_source: Path, _size: int, _width: int, folder: Path, note: str) -> Search:
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.read_index(str(folder / "index"), faiss.IO_FLAG_MMAP)
    faiss.downcast_InvertedLists(index.invlists).prefetch_nthread = 0
    index.nprobe = int(note)
    return lambda question: index.search(question[None], DEPTH)[1][0].tolist()


WAYS = {
    "float32": (build_float32, open_float32),
    "float16": (build_float16, open_float16),
    "sketches": (build_sketches, open_sketches),
    "lists": (build_lists, open_lists),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opener:
    """What a process needs to open what another one built."""

    way: str
    source: Path
    size: int
    width: int
    folder: Path
    note: str

    def open(self) -> Search:
        return WAYS[self.way][1](self.source, self.size, self.width, self.folder, self.note)


def measure(
    way: str, source: Path, size: int, questions: NDArray[np.float32], rounds: int
) -> Measured:
    """Build in one process, then open and ask in another."""
    width = questions.shape[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        note, build = _apart(_build, way, source, size, width, folder)
        written = sum(place.stat().st_size for place in folder.iterdir())
        opener = Opener(way=way, source=source, size=size, width=width, folder=folder, note=note)
        opened, memory, times, cosines = _apart(_ask, opener, questions, rounds)
    return Measured(
        build=build,
        size=written,
        open=opened,
        memory=memory,
        times=times,
        cosines=cosines,
        note=note,
    )


def _build(way: str, source: Path, size: int, width: int, folder: Path) -> tuple[str, float]:
    began = time.process_time()
    note = WAYS[way][0](source, size, width, folder)
    return note, time.process_time() - began


def _ask(
    opener: Opener, questions: NDArray[np.float32], rounds: int
) -> tuple[float, int, list[list[float]], list[list[float]]]:
    import faiss

    faiss.omp_set_num_threads(1)
    before, began = _resident(), time.perf_counter()
    search = opener.open()
    opened = time.perf_counter() - began
    found = [search(question) for question in questions]  # warms, too
    times = []
    for _ in range(rounds):
        spent = []
        for question in questions:
            start = time.thread_time()
            search(question)
            spent.append(time.thread_time() - start)
        times.append(spent)
    memory, rows = _resident() - before, _mapped(opener.source, opener.size, opener.width)
    cosines = [
        (rows[[row for row in named if row >= 0]].astype(np.float32) @ question).tolist()
        for named, question in zip(found, questions, strict=True)
    ]
    return opened, memory, times, cosines


def _apart(work: Callable[..., object], *args: object) -> tuple:
    """Run in a process of its own, so that nothing is warm and memory is its own."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(sender, work, args))
    process.start()
    sender.close()
    outcome = receiver.recv()
    process.join()
    return outcome


def _send(sender: Connection, work: Callable[..., object], args: tuple) -> None:
    sender.send(work(*args))


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def _mapped(source: Path, size: int, width: int) -> NDArray[np.float16]:
    return np.memmap(source, dtype="<f2", mode="r", shape=(size, width))


def encoded(articles: Path, size: int) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
    """Encode sentences, and headlines as questions."""
    texts, heads = [], []
    for place in sorted(articles.rglob("*.txt")):
        text = place.read_text(encoding="utf-8")
        spans = sentence_spans(text)
        texts += [text[span.start : span.end] for span, is_heading in spans if not is_heading]
        heads += [text[span.start : span.end] for span, is_heading in spans[:1] if is_heading]
        if len(texts) >= size:
            break
    encoder = load_encoder(DEFAULT_MODEL)
    return encoder.encode(texts[:size]).astype(np.float16), encoder.encode(heads[:300])


def table(sizes: list[int], given: argparse.Namespace) -> Iterator[str]:
    """Measure everything; give the lines."""
    if given.vectors:
        rows = np.load(given.vectors)
        questions = np.load(given.questions).astype(np.float32)
    else:
        rows, questions = encoded(given.articles, min(max(sizes), given.encoded))
    picked = np.random.default_rng(given.seed).permutation(len(questions))[: given.asked]
    yield f"{len(rows)} real vectors, {len(picked)} questions, {given.rounds} rounds"
    heads = (
        "build s",
        "MB",
        "open ms",
        "MB res",
        "p50 ms",
        "min",
        "max",
        "p95 ms",
        "r@10",
        "r@100",
    )
    yield f"{'rows':>9} {'way':<14}" + "".join(f"{head:>9}" for head in heads)
    for size in sizes:
        with tempfile.NamedTemporaryFile() as file:
            for block in blocks(rows, size, given.seed):
                file.write(block.astype("<f2").tobytes())
            file.flush()
            exact: list[list[float]] = []
            for way in given.ways.split(","):
                place = Path(file.name)
                found = measure(way, place, size, questions[picked], given.rounds)
                exact = exact or found.cosines
                yield line(size, way, found, exact)


def line(size: int, way: str, found: Measured, exact: list[list[float]]) -> str:
    """Give a line; what is as near as the kth of the first way counts as found (reprints tie)."""
    middles = [statistics.median(spent) * 1e3 for spent in found.times]
    worst = statistics.median(float(np.percentile(spent, 95)) * 1e3 for spent in found.times)
    recalls = [
        statistics.mean(
            sum(cosine >= one[depth - 1] - 1e-6 for cosine in other[:depth]) / depth
            for one, other in zip(exact, found.cosines, strict=True)
        )
        for depth in (10, DEPTH)
    ]
    name = f"{way} {found.note}".strip()
    return (
        f"{size:>9} {name:<14}{found.build:>9.1f}{found.size / 1e6:>9.0f}{found.open * 1e3:>9.1f}"
        f"{found.memory / 1e6:>9.0f}{statistics.median(middles):>9.2f}{min(middles):>9.2f}"
        f"{max(middles):>9.2f}{worst:>9.2f}{recalls[0]:>9.4f}{recalls[1]:>9.4f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--articles", type=Path, help="a folder of articles to encode")
    source.add_argument("--vectors", type=Path, help="unit rows encoded before, .npy")
    parser.add_argument("--questions", type=Path, help="with --vectors: those of questions, .npy")
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--encoded", type=int, default=20_000, help="sentences at most")
    parser.add_argument("--asked", type=int, default=100, help="questions at most")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.vectors and not given.questions:
        parser.error("--vectors needs --questions")
    for text in table([int(size) for size in given.sizes.split(",")], given):
        print(text, flush=True)


if __name__ == "__main__":
    main()
