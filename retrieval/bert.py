"""MiniLM's six layers in plain torch: for questions, articles and the ranker.

Importing sentence-transformers costs three seconds, which somebody who asks one question at a
terminal would wait for; torch and tokenizers alone cost one. The weights are the same files, and a
test compares the vectors of both ways (cosine >= 0.9999).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from retrieval.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer
    from torch import Tensor


# So few texts (a question) go on one thread: that is as fast as two, and with two the OpenMP
# threads spin against each other as soon as another process runs: 14 ms became 300 to 500 ms.
FEW_TEXTS = 4

BF16, F32 = "bf16", "f32"
_TYPES = {BF16: "bfloat16", F32: "float32"}


class Tokenized(Protocol):
    """A text's word pieces: an Encoding of tokenizers, or a window of one."""

    @property
    def ids(self) -> list[int]: ...

    @property
    def type_ids(self) -> list[int]: ...


Linear = Callable[["Tensor"], "Tensor"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A BERT model with GELU, as its files give it.

    Attributes:
        weights: Tensors by their names in `model.safetensors`.
        width: Numbers in a vector.
        epsilon: Of the layers' normalisation.
    """

    weights: Mapping[str, Tensor]
    tokenizer: Tokenizer
    layers: int
    heads: int
    width: int
    epsilon: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bert:
    """A checkpoint made ready to run in one kind of number.

    Attributes:
        numbers: `BF16` or `F32`.
        weights: Those of the embeddings and normalisations, by name.
        linears: The layers' matrices at work, by name; query, key and value are one.
    """

    checkpoint: Checkpoint
    numbers: str
    weights: Mapping[str, Tensor]
    linears: Mapping[str, Linear]

    @property
    def tokenizer(self) -> Tokenizer:
        return self.checkpoint.tokenizer

    @property
    def width(self) -> int:
        return self.checkpoint.width


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read a model; its files were hashed before.

    Raises:
        ModelError: it is not a BERT model with GELU.
    """
    from safetensors.torch import load_file
    from tokenizers import Tokenizer

    config = json.loads((folder / "config.json").read_text("utf-8"))
    if config["model_type"] != "bert" or config["hidden_act"] != "gelu":
        raise ModelError(f"The model in {folder} is no BERT model with GELU. Name another one.")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return Checkpoint(
        weights=load_file(folder / "model.safetensors"),
        tokenizer=tokenizer,
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        width=config["hidden_size"],
        epsilon=config["layer_norm_eps"],
    )


def ready(checkpoint: Checkpoint, numbers: str) -> Bert:
    """Make a checkpoint ready to run in `BF16` or `F32`; takes a tenth of a second."""
    with threads_for(1):
        return _ready(checkpoint, numbers)


def _ready(checkpoint: Checkpoint, numbers: str) -> Bert:
    import torch

    kind = getattr(torch, _TYPES[numbers])
    weights = {name: weight.to(kind) for name, weight in checkpoint.weights.items()}
    linears = {}
    for layer in range(checkpoint.layers):
        at = f"encoder.layer.{layer}"
        parts = [f"{at}.attention.self.{part}" for part in ("query", "key", "value")]
        linears[f"{at}.attention.self"] = _linear(
            torch.cat([weights[f"{part}.weight"] for part in parts]),
            torch.cat([weights[f"{part}.bias"] for part in parts]),
        )
        for name in ("attention.output.dense", "intermediate.dense", "output.dense"):
            place = f"{at}.{name}"
            linears[place] = _linear(weights[f"{place}.weight"], weights[f"{place}.bias"])
    others = {
        name: weight
        for name, weight in weights.items()
        if name.startswith("embeddings.") or "LayerNorm" in name
    }
    return Bert(checkpoint=checkpoint, numbers=numbers, weights=others, linears=linears)


def _linear(weight: Tensor, bias: Tensor) -> Linear:
    """Give x -> x W' + b, with the matrix laid out once as oneDNN wants it.

    Left as it is, it is laid out anew in each call: for a question that is half of the time
    (bf16 6.7 ms, laid out before 4.3; f32 12.8 and 7.7).
    """
    import torch
    from torch.nn import functional

    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return lambda values: functional.linear(values, weight, bias)
    laid_out = torch.ops.mkldnn._reorder_linear_weight(weight, None)  # noqa: SLF001 - as torch.compile does it
    run = torch.ops.mkldnn._linear_pointwise  # noqa: SLF001
    return lambda values: run(values, laid_out, bias, "none", [], "")


def hidden(bert: Bert, encodings: Sequence[Tokenized]) -> tuple[Tensor, ...]:
    """Run a model over tokenized texts.

    The texts are laid end to end, not padded to the longest: the linear layers take most of the
    time, and of eight sentences a third would be padding. Attention looks at each text alone.

    Returns:
        The last layer's vectors of each text, (pieces, width).
    """
    import torch

    with torch.inference_mode():
        values, sizes = _embedded(bert, encodings)
        for layer in range(bert.checkpoint.layers):
            values = _layer(bert, layer, values, sizes, kept=sizes)
    return torch.split(values, sizes)


def means_and_firsts(bert: Bert, encodings: Sequence[Tokenized]) -> tuple[Tensor, Tensor]:
    """Run a model over tokenized texts, its last layer for the first piece of each alone.

    That saves an eighth of the time of `hidden`.

    Returns:
        The mean of each text's vectors before the last layer, and its first vector behind it:
        shape (n, width) each.
    """
    import torch

    with torch.inference_mode():
        values, sizes = _embedded(bert, encodings)
        *before, last = range(bert.checkpoint.layers)
        for layer in before:
            values = _layer(bert, layer, values, sizes, kept=sizes)
        means = torch.stack([text.float().mean(0) for text in torch.split(values, sizes)])
        firsts = _layer(bert, last, values, sizes, kept=[1] * len(sizes))
    return means, firsts.float()


def _embedded(bert: Bert, encodings: Sequence[Tokenized]) -> tuple[Tensor, list[int]]:
    """Give the vectors of all pieces, shape (pieces, width), and the pieces of each text."""
    import torch

    weights = bert.weights
    sizes = [len(encoding.ids) for encoding in encodings]
    ids = torch.tensor([piece for encoding in encodings for piece in encoding.ids])
    kinds = torch.tensor([kind for encoding in encodings for kind in encoding.type_ids])
    places = torch.cat([torch.arange(size) for size in sizes])
    values = weights["embeddings.word_embeddings.weight"][ids]
    values = values + weights["embeddings.position_embeddings.weight"][places]
    values = values + weights["embeddings.token_type_embeddings.weight"][kinds]
    return _normed(bert, values, "embeddings.LayerNorm"), sizes


def _normed(bert: Bert, values: Tensor, name: str) -> Tensor:
    from torch.nn import functional

    scale, shift = bert.weights[f"{name}.weight"], bert.weights[f"{name}.bias"]
    epsilon = bert.checkpoint.epsilon
    return functional.layer_norm(values, (bert.width,), scale, shift, epsilon)


def _layer(
    bert: Bert, layer: int, values: Tensor, sizes: Sequence[int], *, kept: Sequence[int]
) -> Tensor:
    """Run a layer over texts that lie end to end.

    Args:
        values: Shape (pieces, width).
        kept: How many of each text's first pieces are wanted; those look at all of them.

    Returns:
        Shape (pieces kept, width).
    """
    import torch
    from torch.nn import functional

    linears, at = bert.linears, f"encoder.layer.{layer}"
    mixed = _attended(bert, linears[f"{at}.attention.self"](values), sizes, kept)
    if kept != sizes:
        texts = torch.split(values, list(sizes))
        values = torch.cat([text[:count] for text, count in zip(texts, kept, strict=True)])
    mixed = linears[f"{at}.attention.output.dense"](mixed)
    values = _normed(bert, values + mixed, f"{at}.attention.output.LayerNorm")
    inner = functional.gelu(linears[f"{at}.intermediate.dense"](values))
    inner = linears[f"{at}.output.dense"](inner)
    return _normed(bert, values + inner, f"{at}.output.LayerNorm")


def _attended(bert: Bert, values: Tensor, sizes: Sequence[int], kept: Sequence[int]) -> Tensor:
    """Let each text's first pieces look at all of it; query, key and value lie side by side.

    For so few pieces two products in float32 take three quarters of the time of torch's
    scaled_dot_product_attention in bfloat16.
    """
    import torch

    heads = bert.checkpoint.heads
    scale = (bert.width // heads) ** -0.5
    parts = values.float().view(len(values), 3, heads, -1).permute(1, 2, 0, 3)
    texts = []
    for text, count in zip(torch.split(parts, list(sizes), dim=2), kept, strict=True):
        query, key, value = text
        likeness = torch.bmm(query[:, :count] * scale, key.transpose(1, 2))
        texts.append(torch.bmm(torch.softmax(likeness, dim=-1), value))
    return torch.cat(texts, dim=1).transpose(0, 1).flatten(1).to(values.dtype)


def vectors_of(bert: Bert, encodings: Sequence[Tokenized]) -> NDArray[np.float32]:
    """Embed texts as all-MiniLM-L6-v2 does: the mean of their vectors, unit rows, (n, width)."""
    import torch

    with threads_for(1):
        pooled = torch.stack([text.float().mean(0) for text in hidden(bert, encodings)])
    vectors: NDArray[np.float32] = (pooled / pooled.norm(dim=1, keepdim=True)).numpy()
    return vectors


@contextmanager
def threads_for(texts: int) -> Iterator[None]:
    """Run few texts on one thread; see FEW_TEXTS."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1 if texts <= FEW_TEXTS else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def workers() -> Iterator[ThreadPoolExecutor]:
    """Give as many workers as torch would use threads, one thread each.

    Threads of torch within the same layers wait for each other, for long when another process runs
    too.
    """
    import torch

    count = torch.get_num_threads()
    with threads_for(1), pool_of(count) as pool:
        yield pool


def pool_of(threads: int) -> ThreadPoolExecutor:
    """Give so many workers, in each of which torch has one thread."""
    import torch

    return ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
