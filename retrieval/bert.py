"""MiniLM's six layers in plain torch: for questions, articles and the ranker.

Importing sentence-transformers costs three seconds, which somebody who asks one question at a
terminal would wait for; torch and tokenizers alone cost one. The weights are the same files, and a
test compares the vectors of both ways (cosine >= 0.99999 in f32).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
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


class Tokenized(Protocol):
    """A text's word pieces: an Encoding of tokenizers, or a window of one."""

    @property
    def ids(self) -> list[int]: ...

    @property
    def type_ids(self) -> list[int]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Bert:
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


def load_bert(folder: Path) -> Bert:
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
    return Bert(
        weights=load_file(folder / "model.safetensors"),
        tokenizer=tokenizer,
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        width=config["hidden_size"],
        epsilon=config["layer_norm_eps"],
    )


def hidden(bert: Bert, encodings: Sequence[Tokenized]) -> tuple[Tensor, ...]:
    """Run a model over tokenized texts.

    The texts are laid end to end, not padded to the longest: the linear layers take most of the
    time, and of eight sentences a third would be padding. Attention looks at each text alone.

    Returns:
        The last layer's vectors of each text, (pieces, width).
    """
    import torch
    from torch.nn import functional

    weights = bert.weights
    sizes = [len(encoding.ids) for encoding in encodings]
    ids = torch.tensor([piece for encoding in encodings for piece in encoding.ids])
    kinds = torch.tensor([kind for encoding in encodings for kind in encoding.type_ids])
    places = torch.cat([torch.arange(size) for size in sizes])

    def linear(values: Tensor, name: str) -> Tensor:
        return functional.linear(values, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(values: Tensor, name: str) -> Tensor:
        scale, shift = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return functional.layer_norm(values, (bert.width,), scale, shift, bert.epsilon)

    def by_text(values: Tensor) -> Sequence[Tensor]:
        heads = values.view(1, len(values), bert.heads, -1).transpose(1, 2)
        return torch.split(heads, sizes, dim=2)

    with torch.inference_mode():
        values = weights["embeddings.word_embeddings.weight"][ids]
        values = values + weights["embeddings.position_embeddings.weight"][places]
        values = values + weights["embeddings.token_type_embeddings.weight"][kinds]
        values = norm(values, "embeddings.LayerNorm")
        for layer in range(bert.layers):
            at = f"encoder.layer.{layer}"
            query, key, value = (
                by_text(linear(values, f"{at}.attention.self.{part}"))
                for part in ("query", "key", "value")
            )
            attended = map(functional.scaled_dot_product_attention, query, key, value)
            mixed = torch.cat(list(attended), dim=2)[0].transpose(0, 1).flatten(1)
            mixed = linear(mixed, f"{at}.attention.output.dense")
            values = norm(values + mixed, f"{at}.attention.output.LayerNorm")
            inner = functional.gelu(linear(values, f"{at}.intermediate.dense"))
            values = norm(values + linear(inner, f"{at}.output.dense"), f"{at}.output.LayerNorm")
    return torch.split(values, sizes)


def pieces_of(bert: Bert, text: str) -> int:
    """Count a text's word pieces, special ones included."""
    return len(bert.tokenizer.encode(text).ids)


def vector_of(bert: Bert, text: str) -> NDArray[np.float32]:
    """Embed a text as all-MiniLM-L6-v2 does: the mean of its vectors, unit length, (width,)."""
    with threads_for(1):
        pooled = hidden(bert, [bert.tokenizer.encode(text)])[0].mean(0)
    vector: NDArray[np.float32] = (pooled / pooled.norm()).numpy()
    return vector


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
def workers() -> Iterator[tuple[ThreadPoolExecutor, int]]:
    """Give as many workers as torch would use threads, one thread each, and their number.

    Threads of torch within the same layers wait for each other, for long when another process runs
    too.
    """
    import torch

    count = torch.get_num_threads()
    with (
        threads_for(1),
        ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) as pool,
    ):
        yield pool, count
