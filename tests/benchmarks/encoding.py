"""Sentences a second of each way to encode neighbourhoods, side by side in one run.

    make bench        or: python -m tests.benchmarks.encoding --texts 48 --rounds 5

The texts are windows of five sentences of the repository's articles, drawn with a seed. Every round
runs each way once, in another order; medians, and the slowest and fastest round. The seconds of the
processor are those of all threads: they stay comparable while other work runs on the machine.
OpenVINO is measured where it is installed (pip install openvino); Clippings does without it.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from retrieval import modelfiles
from retrieval.bert import Checkpoint, load_checkpoint, ready
from retrieval.embedding import GOLDEN_TEXTS, LIBRARIES, Encoder
from retrieval.encoding import BF16, F32, encode_texts, load_bulk
from retrieval.segmentation import sentence_spans

if TYPE_CHECKING:
    import torch

CORPUS = Path(__file__).parent.parent.parent / "corpus"
WINDOW = 5  # sentences

Encode = Callable[[Sequence[str]], object]


def drawn_texts(count: int, seed: int) -> list[str]:
    """Draw windows of the articles, with repetition."""
    windows = []
    for path in sorted(CORPUS.glob("*.txt")):
        text = path.read_bytes().decode("utf-8")
        spans = [span for span, _ in sentence_spans(text)]
        windows += [
            text[spans[first].start : spans[first + WINDOW - 1].end]
            for first in range(len(spans) - WINDOW + 1)
        ]
    return random.Random(seed).choices(windows, k=count)


def ways() -> dict[str, Encode]:
    """Give each way; the first is what the others are compared with."""
    modelfiles.set_libraries(LIBRARIES)
    folder = modelfiles._package_folder()
    other = Encoder(model=str(folder), folder=folder, fingerprint="")
    checkpoint = load_checkpoint(folder)
    found: dict[str, Encode] = {"sentence-transformers f32": other.encode}
    for name in (F32, BF16):
        bulk = load_bulk(ready(checkpoint, name), GOLDEN_TEXTS)
        found[f"plain torch {name}"] = lambda texts, bulk=bulk: encode_texts(
            bulk, texts, lambda _done: None
        )
    if importlib.util.find_spec("openvino"):
        for name in (F32, BF16):
            found[f"OpenVINO {name}"] = openvino_way(checkpoint, name)
    return found


def openvino_way(checkpoint: Checkpoint, precision: str) -> Encode:
    """Convert the same layers: batches of 8 sorted by length, one stream a core."""
    import openvino
    import torch
    from openvino.properties import hint

    ids, mask = torch.ones(2, 16, dtype=torch.long), torch.ones(2, 16)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        converted = openvino.convert_model(
            padded_layers(checkpoint),
            example_input=(ids, mask),
            input=[([-1, -1], openvino.Type.i64), ([-1, -1], openvino.Type.f32)],
        )
    cores = torch.get_num_threads()
    model = openvino.Core().compile_model(
        converted,
        "CPU",
        {
            hint.inference_precision: getattr(openvino.Type, precision),
            "NUM_STREAMS": cores,
            "INFERENCE_NUM_THREADS": cores,
        },
    )

    def encode(texts: Sequence[str]) -> np.ndarray:
        pieces = [encoding.ids[:256] for encoding in checkpoint.tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(texts)), key=lambda number: len(pieces[number]))
        rows = np.zeros((len(texts), checkpoint.width), dtype=np.float32)
        queue = openvino.AsyncInferQueue(model, cores)

        def pool(request: openvino.InferRequest, batch: list[int]) -> None:
            for vectors, number in zip(request.get_output_tensor(0).data, batch, strict=True):
                rows[number] = vectors[: len(pieces[number])].mean(axis=0)

        queue.set_callback(pool)
        for first in range(0, len(order), 8):
            batch = order[first : first + 8]
            longest = len(pieces[batch[-1]])
            padded = np.zeros((len(batch), longest), dtype=np.int64)
            mask = np.zeros((len(batch), longest), dtype=np.float32)
            for row, number in enumerate(batch):
                padded[row, : len(pieces[number])] = pieces[number]
                mask[row, : len(pieces[number])] = 1
            queue.start_async((padded, mask), batch)
        queue.wait_all()
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    return encode


def padded_layers(checkpoint: Checkpoint) -> torch.nn.Module:
    """Give the model's layers over a padded batch, as OpenVINO can convert them."""
    import torch
    from torch.nn import functional

    weights = checkpoint.weights

    def linear(values: torch.Tensor, name: str) -> torch.Tensor:
        return functional.linear(values, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(values: torch.Tensor, name: str) -> torch.Tensor:
        scale, shift = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return functional.layer_norm(values, (checkpoint.width,), scale, shift, checkpoint.epsilon)

    class Layers(torch.nn.Module):
        def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            values = weights["embeddings.word_embeddings.weight"][ids]
            values = values + weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
            values = values + weights["embeddings.token_type_embeddings.weight"][0]
            values = norm(values, "embeddings.LayerNorm")
            seen = (mask[:, None, None, :] - 1.0) * 1e4
            for layer in range(checkpoint.layers):
                at = f"encoder.layer.{layer}"
                query, key, value = (
                    linear(values, f"{at}.attention.self.{part}")
                    .view(ids.shape[0], ids.shape[1], checkpoint.heads, -1)
                    .transpose(1, 2)
                    for part in ("query", "key", "value")
                )
                mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
                mixed = linear(mixed.transpose(1, 2).flatten(2), f"{at}.attention.output.dense")
                values = norm(values + mixed, f"{at}.attention.output.LayerNorm")
                inner = functional.gelu(linear(values, f"{at}.intermediate.dense"))
                values = norm(
                    values + linear(inner, f"{at}.output.dense"), f"{at}.output.LayerNorm"
                )
            return values

    return Layers().eval()


def measure(texts: Sequence[str], rounds: int, seed: int) -> str:
    """Run every way and give the table."""
    found = ways()
    rows = {name: np.asarray(encode(texts)) for name, encode in found.items()}  # warms, too
    exact = next(iter(rows.values()))
    wall: dict[str, list[float]] = {name: [] for name in found}
    busy: dict[str, list[float]] = {name: [] for name in found}
    order, shuffle = list(found), random.Random(seed).shuffle
    for _ in range(rounds):
        shuffle(order)
        for name in order:
            began, began_busy = time.perf_counter(), time.process_time()
            found[name](texts)
            wall[name].append(len(texts) / (time.perf_counter() - began))
            busy[name].append(len(texts) / (time.process_time() - began_busy))
    base_wall, base_busy = (statistics.median(next(iter(each.values()))) for each in (wall, busy))
    heads = ("texts/s", "min", "max", "ratio", "per cpu s", "ratio", "cosine >=")
    lines = [f"{'way':<28}" + "".join(f"{head:>11}" for head in heads)]
    for name in found:
        middle, middle_busy = statistics.median(wall[name]), statistics.median(busy[name])
        cosine = float((rows[name] * exact).sum(axis=1).min())
        lines.append(
            f"{name:<28}{middle:>11.1f}{min(wall[name]):>11.1f}{max(wall[name]):>11.1f}"
            f"{middle / base_wall:>11.2f}{middle_busy:>11.1f}{middle_busy / base_busy:>11.2f}"
            f"{cosine:>11.5f}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--texts", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    texts = drawn_texts(given.texts, given.seed)
    letters = sum(map(len, texts)) / len(texts)
    print(
        f"{given.texts} texts of {letters:.0f} characters, {given.rounds} rounds, seed {given.seed}"
    )
    print(measure(texts, given.rounds, given.seed))


if __name__ == "__main__":
    main()
