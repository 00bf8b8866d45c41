"""Many texts through the default model, in plain torch: how articles become vectors.

Decisions of this module:

* Texts are laid end to end (`bert.hidden`): nothing is padded, so they need no sorting by length.
* bf16 where the CPU multiplies it in hardware, f32 elsewhere; `Way` says which and why, and the
  encoder's fingerprint holds it. What bf16 computes is compared with f32 when it is loaded.
* Each worker has one thread of torch. No thread waits for another within a layer, and no result
  depends on how many there are.
* A text's vector must be the same, bit for bit, whatever is encoded beside it: an index that
  re-used vectors is then the one that a build from nothing writes. No library promises that for
  products of matrices of different heights. With matrices laid out for oneDNN it held, in bf16 and
  f32, for all lengths and companies that the tests tried (with MKL it did not); it is tried again
  when the model is loaded, and where it fails each text goes alone, which makes it so.
* OpenVINO was measured beside it (`tests/benchmarks/encoding.py`) and left out: in bf16 it did
  1.0 to 1.2 times as much per second of the processor, and its vectors change with the batch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.bert import BF16, F32, Bert, hidden, ready, threads_for, workers
from retrieval.errors import ModelError
from retrieval.modelfiles import DEFAULT_NAMES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_PIECES = 256  # word pieces that the model reads, special ones included
PIECES_AT_ONCE = 1024  # 5 stretches of an article; twice as many are no faster
TEXTS_AT_ONCE = 512  # tokenized together: bounds the memory, and shows progress
NEAREST_COSINE = 0.999  # of a text's vector to that in f32; 0.9999 was measured with bf16

_CPU = Path("/proc/cpuinfo")
_FLAGS = ("amx_bf16", "avx512_bf16")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How articles are encoded here.

    Attributes:
        name: Short; part of the encoder's fingerprint.
        reason: Why this one, for the user.
    """

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """A model made ready for many texts.

    Attributes:
        pieces_at_once: Word pieces in a pass; 1 lets each text go alone.
    """

    bert: Bert
    pieces_at_once: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is read at once: a text, or a window of a long one.

    Attributes:
        ids: Word pieces, special ones included.
    """

    row: int
    ids: list[int]
    is_first: bool

    @property
    def type_ids(self) -> list[int]:
        return [0] * len(self.ids)

    @property
    def weight(self) -> int:
        return max(len(self.ids) - 2, 1)


def way_of(model: str, *, cpu: Path = _CPU) -> Way:
    """Say how a model encodes articles on this machine, without loading anything.

    Args:
        model: As the user named it.
        cpu: Where Linux describes the processor; on other systems there is no such file.
    """
    if model not in DEFAULT_NAMES:
        return Way(
            name=F32, reason="sentence-transformers: only the default model has a faster way"
        )
    try:
        words = set(cpu.read_text("utf-8", "replace").split())
    except OSError:
        return Way(name=F32, reason="plain torch: the system does not tell what the processor can")
    has = [flag for flag in _FLAGS if flag in words]
    if has:
        return Way(name=BF16, reason=f"plain torch: the processor has {has[0]}")
    return Way(name=F32, reason=f"plain torch: the processor has none of {', '.join(_FLAGS)}")


def load_bulk(bert: Bert, golden: Sequence[str]) -> Bulk:
    """Try a model before many texts go through it.

    Args:
        golden: Texts to try it with.

    Raises:
        ModelError: Its vectors are not near enough to those in f32.
    """
    import torch

    texts = [*golden, " ".join(golden), " ".join([*golden] * 4)]
    encodings = bert.tokenizer.encode_batch(texts)
    exactly = bert if bert.numbers == F32 else ready(bert.checkpoint, F32)
    with threads_for(1):
        exact = [hidden(exactly, [encoding])[0].mean(0) for encoding in encodings]
        alone = [hidden(bert, [encoding])[0] for encoding in encodings]
        together = hidden(bert, encodings)
    pooled = [vectors.float().mean(0) for vectors in alone]
    cosines = torch.cosine_similarity(torch.stack(exact), torch.stack(pooled))
    if not float(cosines.min()) >= NEAREST_COSINE:  # so that NaN fails
        raise ModelError(
            f"In {bert.numbers} the model computes other vectors than in f32 (cosine "
            f"{float(cosines.min()):.6f}, not {NEAREST_COSINE}). Install the versions of torch, "
            "transformers and tokenizers that requirements.txt names."
        )
    same = all(map(torch.equal, alone, together))
    return Bulk(bert=bert, pieces_at_once=PIECES_AT_ONCE if same else 1)


def encode_texts(
    bulk: Bulk, texts: Sequence[str], on_batch: Callable[[int], None]
) -> NDArray[np.float32]:
    """Give the vector of each text, shape (len(texts), width), unit rows; see `Encoder.encode`."""
    import numpy as np

    sums = np.zeros((len(texts), bulk.bert.width), dtype=np.float32)
    with workers() as pool:
        for first in range(0, len(texts), TEXTS_AT_ONCE):
            some = texts[first : first + TEXTS_AT_ONCE]
            parts = [
                part for row, text in enumerate(some, first) for part in windows(bulk, row, text)
            ]
            for batch, passes in _passes(bulk, parts, pool):
                for part, vectors in zip(batch, passes, strict=True):
                    mean = vectors.mean(axis=0)
                    sums[part.row] += mean / np.linalg.norm(mean) * part.weight
                on_batch(sum(part.is_first for part in batch))
    return unit_rows(sums)


def encode_spans(
    bulk: Bulk,
    texts: Sequence[str],
    spans: Sequence[Sequence[tuple[int, int]]],
    on_batch: Callable[[int], None],
) -> NDArray[np.float32]:
    """Give the vectors of parts of texts, unit rows; see `Encoder.encode_in_context`."""
    import numpy as np

    firsts = np.cumsum([0, *(len(wanted) for wanted in spans)])
    rows = np.zeros((int(firsts[-1]), bulk.bert.width), dtype=np.float32)
    alone: dict[int, str] = {}
    with workers() as pool:
        for first in range(0, len(texts), TEXTS_AT_ONCE):
            some = [readable(text) for text in texts[first : first + TEXTS_AT_ONCE]]
            encodings = bulk.bert.tokenizer.encode_batch(some)
            places = [np.array(encoding.offsets, dtype=np.int64) for encoding in encodings]
            parts = [
                Part(row=number, ids=_cut(encoding.ids), is_first=True)
                for number, encoding in enumerate(encodings)
            ]
            for batch, passes in _passes(bulk, parts, pool):
                for part, vectors in zip(batch, passes, strict=True):
                    number = first + part.row
                    for row, (start, end) in enumerate(spans[number], int(firsts[number])):
                        inside = pieces_inside(places[part.row], start, end, read=len(vectors))
                        if inside is None:
                            alone[row] = some[part.row][start:end]
                        else:
                            rows[row] = vectors[inside].mean(axis=0)
                on_batch(len(batch))
    if alone:
        rows[list(alone)] = encode_texts(bulk, list(alone.values()), lambda _done: None)
    return unit_rows(rows)


def windows(bulk: Bulk, row: int, text: str) -> Iterator[Part]:
    """Cut a text's word pieces where the model's view ends, between words; none is left out."""
    tokenizer = bulk.bert.tokenizer
    begin, end = tokenizer.encode("").ids
    encoding = tokenizer.encode(readable(text), add_special_tokens=False)
    ids, limit, first = encoding.ids, MOST_PIECES - 2, 0
    while first + limit < len(ids):
        last = word_boundary(encoding.word_ids, first, first + limit)
        yield Part(row=row, ids=[begin, *ids[first:last], end], is_first=first == 0)
        first = last
    yield Part(row=row, ids=[begin, *ids[first:], end], is_first=first == 0)


def readable(text: str) -> str:
    """Replace lone surrogates, which tokenizers refuse; places stay what they were."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def word_boundary(words: Sequence[int | None], first: int, last: int) -> int:
    """Give the last piece after `first`, at most `last`, that begins a word; else `last`.

    A word cut in two would be read as other word pieces, perhaps as more of them than fit.
    """
    for piece in range(last, first, -1):
        if words[piece] != words[piece - 1]:
            return piece
    return last


def pieces_inside(
    places: NDArray[np.int64], start: int, end: int, *, read: int
) -> list[int] | None:
    """Give the numbers of the word pieces that overlap a range, or None if one was not read.

    `read` pieces came out of the model; the last one of a text that was cut stands for its end.
    """
    starts, ends = places[:, 0], places[:, 1]
    inside = ((starts < end) & (start < ends) & (starts < ends)).nonzero()[0]
    was_cut = read < len(places)
    if not len(inside) or (was_cut and inside[-1] >= read - 1):
        return None
    return [int(piece) for piece in inside]


def unit_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (rows / np.maximum(lengths, 1e-12)).astype(np.float32)
    return unit


def _cut(ids: list[int]) -> list[int]:
    """Leave out what the model does not read; the end stays the end."""
    return ids if len(ids) <= MOST_PIECES else [*ids[: MOST_PIECES - 1], ids[-1]]


def _passes(
    bulk: Bulk, parts: Sequence[Part], pool: ThreadPoolExecutor
) -> Iterator[tuple[list[Part], list[NDArray[np.float32]]]]:
    """Run the model: batches in order, each with the (pieces, width) vectors of its parts."""
    batches = list(_batches(parts, bulk.pieces_at_once))

    def run(batch: list[Part]) -> list[NDArray[np.float32]]:
        return [vectors.float().numpy() for vectors in hidden(bulk.bert, batch)]

    yield from zip(batches, pool.map(run, batches), strict=True)


def _batches(parts: Sequence[Part], most: int) -> Iterator[list[Part]]:
    """Group parts in their order, each group of at most so many word pieces, or of one part."""
    batch: list[Part] = []
    size = 0
    for part in parts:
        if batch and size + len(part.ids) > most:
            yield batch
            batch, size = [], 0
        batch.append(part)
        size += len(part.ids)
    if batch:
        yield batch
