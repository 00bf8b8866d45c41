"""The answer-sentence ranker: how likely does a sentence answer a question?

A cross-encoder reads question and sentence together, which neither words nor vectors do. Ours is
all-MiniLM-L6-v2 with the changes of `ranker/ranker.safetensors` (int8 rows with a scale each, and a
linear head), merged when it is loaded; `ranker/README.md` says what it was trained on. Any
CrossEncoder of sentence-transformers can take its place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from retrieval.bert import Bert, load_checkpoint, means_and_firsts, pool_of, ready
from retrieval.encoding import way_of
from retrieval.errors import ModelError
from retrieval.modelfiles import DEFAULT_MODEL, find_model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sentence_transformers import CrossEncoder
    from tokenizers import Encoding
    from torch import Tensor

OWN = "clippings"
RANKER_SHA256 = "22630b235845ab3b27246cc2f053a95a6db4a86a9164a487edeb613d1738a71f"
PIECES = 160  # word pieces of question and sentence together; it was trained on 112


class Reranker(Protocol):
    """What tells how well sentences answer; ours, or a CrossEncoder."""

    def score(self, question: str, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Give the probability that each sentence answers, shape (n,), in [0, 1], in order."""


def load_reranker(model: str) -> Reranker:
    """Load our ranker, or the CrossEncoder that the user names.

    Args:
        model: `OWN`, or a name or folder of a sentence-transformers CrossEncoder.

    Raises:
        ModelError: it can not be loaded, or a file of ours is not the one that was published.
    """
    return _load_own() if model == OWN else _load_other(model)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnReranker:
    """MiniLM with our changes, in plain torch.

    Attributes:
        weight, bias: Of the head, for the first vector and then the mean of the layer before the
            last: shape (1, 2 * width) and (1,).
        pool: Its threads are kept: oneDNN prepares itself anew in each new thread, 4 ms of 28.
        threads: How many it has.
    """

    bert: Bert
    weight: Tensor
    bias: Tensor
    pool: ThreadPoolExecutor
    threads: int

    def score(self, question: str, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Give the probability that each sentence answers, shape (n,), in [0, 1], in order."""
        import numpy as np

        if not sentences:
            return np.zeros(0, dtype=np.float32)
        encodings = self.bert.tokenizer.encode_batch([(question, each) for each in sentences])
        scores = np.zeros(len(encodings), dtype=np.float32)
        shares = _shared_out([len(encoding.ids) for encoding in encodings], self.threads)
        parts = self.pool.map(lambda rows: self._score([encodings[i] for i in rows]), shares)
        for rows, part in zip(shares, parts, strict=True):
            scores[rows] = part
        return scores

    def _score(self, encodings: Sequence[Encoding]) -> NDArray[np.float32]:
        import torch

        means, firsts = means_and_firsts(self.bert, encodings)
        both = torch.cat([firsts, means], dim=1)
        scores: NDArray[np.float32] = torch.sigmoid(both @ self.weight.T + self.bias)[:, 0].numpy()
        return scores


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherReranker:
    """A CrossEncoder of sentence-transformers."""

    model: CrossEncoder

    def score(self, question: str, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Give the probability that each sentence answers, shape (n,), in [0, 1], in order."""
        import numpy as np
        import torch

        if not sentences:
            return np.zeros(0, dtype=np.float32)
        scores: NDArray[np.float32] = self.model.predict(
            [(question, sentence) for sentence in sentences],
            activation_fn=torch.nn.Sigmoid(),
            show_progress_bar=False,
        )
        return scores


def _load_own() -> OwnReranker:
    import torch
    from safetensors.torch import load

    data = resources.files("retrieval").joinpath("ranker", "ranker.safetensors").read_bytes()
    if hashlib.sha256(data).hexdigest() != RANKER_SHA256:
        raise ModelError(
            "The file retrieval/ranker/ranker.safetensors is not the one that was published. "
            "Install Clippings again, or set RERANKER_MODEL=none"
        )
    folder, _ = find_model(DEFAULT_MODEL)
    changes = unpacked(load(data))
    checkpoint = load_checkpoint(folder)
    checkpoint.tokenizer.enable_truncation(PIECES, strategy="longest_first")
    weights = {
        name: weight + changes[name] if name in changes else weight
        for name, weight in checkpoint.weights.items()
    }
    threads = torch.get_num_threads()
    return OwnReranker(
        bert=ready(replace(checkpoint, weights=weights), way_of(DEFAULT_MODEL).name),
        weight=changes["head.weight"],
        bias=changes["head.bias"],
        pool=pool_of(threads),
        threads=threads,
    )


def _shared_out(sizes: Sequence[int], count: int) -> list[list[int]]:
    """Deal rows to workers, the longest first, each to who has least; no share is empty."""
    shares: list[list[int]] = [[] for _ in range(count)]
    loads = [0] * count
    for row in sorted(range(len(sizes)), key=lambda row: -sizes[row]):
        least = loads.index(min(loads))
        shares[least].append(row)
        loads[least] += sizes[row]
    return [share for share in shares if share]


def unpacked(file: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give the change of each weight by its name, and the head, in float32, from a ranker's file.

    Args:
        file: As `ranker.crossencoder.changes` packs it.
    """
    found: dict[str, Tensor] = {}
    for key, value in file.items():
        name, _, kind = key.rpartition(".")
        if kind == "q":
            found[name] = value.float() * file[f"{name}.scale"].unsqueeze(1)
        elif kind == "delta":
            found[name] = value.float()
        elif name == "head":
            found[key] = value.float()
    return found


def _load_other(model: str) -> OtherReranker:
    from sentence_transformers import CrossEncoder

    try:
        loaded = CrossEncoder(
            model,
            device="cpu",
            trust_remote_code=False,
            local_files_only=Path(model).is_dir(),
            model_kwargs={"use_safetensors": True},
        )
    except Exception as cause:
        raise ModelError(
            f"The ranker {model!r} can not be loaded: {cause}. RERANKER_MODEL takes «{OWN}», "
            "«none», or a name or folder of a sentence-transformers CrossEncoder"
        ) from cause
    return OtherReranker(model=loaded)
