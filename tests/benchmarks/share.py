"""How much of what the machine can multiply the encoder turns into vectors.

    make bench        or: python -m tests.benchmarks.share --corpus folder --texts 256 --rounds 5

The operations that the model's matrices and its attention take for the texts, a multiplication and
an addition counted as two, through the seconds that `Encoder.encode` takes for them, tokenizing and
all else included. Beside it, in the same run and in turn with it, torch's own product of matrices:
one as it occurs in the model (1024 word pieces by 384 by 1536), and a large square one. On one core
and on two. The texts are passages of three sentences, drawn with a seed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from retrieval import DEFAULT_MODEL, load_encoder
from retrieval.modelfiles import find_model
from tests.benchmarks.peers.cutting import cut_folder

CORPUS = Path(__file__).parents[2] / "corpus"
SHAPES = {"1024 x 384 x 1536": (1024, 384, 1536), "2048 x 2048 x 2048": (2048, 2048, 2048)}
NUMBERS = {"bf16": "bfloat16", "f32": "float32"}
MOST_PIECES = 256  # that the model reads
LONG_ENOUGH_S = 0.5  # a product is repeated for as long

Measure = Callable[[], float]


def operations(pieces: Sequence[int], *, layers: int, width: int, inner: int) -> int:
    """Count additions and multiplications of a BERT model's matrix products.

    In a layer: query, key, value and output (width by width), two of the feed-forward part (width
    by inner), and the two products of attention, which grow with the square of the length.

    Args:
        pieces: Word pieces of each text, special ones included; nothing is padded.
    """
    matrices = 4 * width * width + 2 * width * inner
    return sum(layers * (2 * count * matrices + 4 * count * count * width) for count in pieces)


def measures(texts: Sequence[str]) -> dict[str, Measure]:
    """Give what is measured, by name: each gives GFLOP/s of one turn."""
    encoder = load_encoder(DEFAULT_MODEL)
    done = operations_of(texts)
    encoder.encode(texts)

    def encoded() -> float:
        began = time.perf_counter()
        encoder.encode(texts)
        return done / (time.perf_counter() - began) / 1e9

    found: dict[str, Measure] = {f"encoder ({encoder.way.name})": encoded}
    for numbers, kind in NUMBERS.items():
        for shape, sizes in SHAPES.items():
            found[f"{numbers} {shape}"] = product(sizes, kind)
    return found


def operations_of(texts: Sequence[str]) -> int:
    from tokenizers import Tokenizer

    folder, _ = find_model(DEFAULT_MODEL)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    pieces = [min(len(each.ids), MOST_PIECES) for each in tokenizer.encode_batch(list(texts))]
    return operations(
        pieces,
        layers=config["num_hidden_layers"],
        width=config["hidden_size"],
        inner=config["intermediate_size"],
    )


def product(sizes: tuple[int, int, int], kind: str) -> Measure:
    """Give what multiplies matrices for half a second: GFLOP/s."""
    import torch

    rows, depth, columns = sizes
    left = torch.rand(rows, depth).to(getattr(torch, kind))
    right = torch.rand(depth, columns).to(getattr(torch, kind))
    result = torch.mm(left, right)

    def multiplied() -> float:
        times, began, taken = 0, time.perf_counter(), 0.0
        while taken < LONG_ENOUGH_S:
            torch.mm(left, right, out=result)
            times += 1
            taken = time.perf_counter() - began
        return times * 2 * rows * depth * columns / taken / 1e9

    return multiplied


def measure(texts: Sequence[str], rounds: int, seed: int) -> dict[str, list[float]]:
    """Let each have its turn in every round, in another order."""
    import torch

    found = measures(texts)
    rates: dict[str, list[float]] = {name: [] for name in found}
    order, shuffle = list(found), random.Random(seed).shuffle
    with torch.inference_mode():
        for _ in range(rounds):
            shuffle(order)
            for name in order:
                rates[name].append(found[name]())
    return rates


def table(rates: Mapping[str, Sequence[float]], cores: int) -> str:
    """Give Markdown; the encoder is the first, and its share is taken within each round."""
    own = next(iter(rates.values()))
    lines = [
        f"| {cores} core{'s' * (cores > 1)} | GFLOP/s | the encoder's share |",
        "| --- | ---: | ---: |",
    ]
    for name, values in rates.items():
        shares = [mine / its for mine, its in zip(own, values, strict=True)]
        lines.append(
            f"| {name} | {statistics.median(values):,.0f} ({min(values):,.0f}–{max(values):,.0f}) "
            f"| {statistics.median(shares):.0%} ({min(shares):.0%}–{max(shares):.0%}) |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--texts", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if not given.inside:
        for cores in given.cores:  # torch must find the number of threads when it is loaded
            subprocess.run(
                [
                    sys.executable,
                    "-m",
                    __spec__.name,
                    *sys.argv[1:],
                    "--inside",
                    "--cores",
                    str(cores),
                ],
                env={**os.environ, "OMP_NUM_THREADS": str(cores)},
                check=True,
            )
        return
    (cores,) = given.cores
    if hasattr(os, "sched_setaffinity"):  # Linux
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    texts = random.Random(given.seed).choices(cut_folder(given.corpus).texts, k=given.texts)
    letters = sum(map(len, texts)) / len(texts)
    print(f"\n{len(texts)} texts of {letters:.0f} characters, {given.rounds} rounds\n")
    print(table(measure(texts, given.rounds, given.seed), cores), flush=True)


if __name__ == "__main__":
    main()
