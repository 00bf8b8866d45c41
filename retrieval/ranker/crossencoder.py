"""The model in training, and the file of changes that it leaves.

`retrieval.bert` runs the same layers, but cannot learn; `retrieval.reranking` merges the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import BertModel

from retrieval.ranker.augmentation import Example
from retrieval.reranking import unpacked

MAX_PIECES = 112  # word pieces of question and sentence together
INT8 = 127
SMALLEST_SCALE = 1e-12  # a row that did not change has a scale too
HEAD_SPREAD = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """An example in word pieces.

    Attributes:
        rows: Piece ids and type ids of each pair of question and sentence.
        labels: Whether each sentence answers.
    """

    rows: tuple[tuple[list[int], list[int]], ...]
    labels: tuple[bool, ...]

    def longest(self) -> int:
        """Count the pieces of the longest pair."""
        return max(len(ids) for ids, _ in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Several examples, padded.

    Attributes:
        ids: (pairs, longest), int64; `mask` (1 for a real piece) and `types` alike.
        labels: (pairs,), float32, 1 for a sentence that answers.
        owner: (pairs,), int64, the number of the example that a pair is of.
        size: Number of examples.
    """

    ids: Tensor
    mask: Tensor
    types: Tensor
    labels: Tensor
    owner: Tensor
    size: int


class Scorer(nn.Module):
    """MiniLM with a linear head on the first vector and the mean of the layer before the last.

    So the last layer need not be run for all pieces when a question waits. The embedding table
    stays as it is; the layers and the head learn.
    """

    def __init__(self, base: Path) -> None:
        super().__init__()
        self.encoder = BertModel.from_pretrained(
            base,
            add_pooling_layer=False,
            hidden_dropout_prob=0.0,  # less than one pass over the data: dropout only costs time
            attention_probs_dropout_prob=0.0,
        )
        self.encoder.embeddings.requires_grad_(False)  # noqa: FBT003 - torch's own signature
        self.head = nn.Linear(2 * int(self.encoder.config.hidden_size), 1)
        nn.init.normal_(self.head.weight, std=HEAD_SPREAD)
        nn.init.zeros_(self.head.bias)

    def forward(self, batch: Batch) -> Tensor:
        """Give the log-odds that each sentence answers, (pairs,)."""
        output = self.encoder(
            batch.ids,
            attention_mask=batch.mask,
            token_type_ids=batch.types,
            output_hidden_states=True,
        )
        before: Tensor = output.hidden_states[-2].float()
        share = batch.mask.unsqueeze(-1).float()
        means = (before * share).sum(1) / share.sum(1)
        both = torch.cat([output.last_hidden_state[:, 0].float(), means], dim=1)
        logits: Tensor = self.head(both).squeeze(-1)
        return logits

    def learning(self) -> dict[str, nn.Parameter]:
        """Give the weights of the encoder that change, by their names in the base model."""
        named = self.encoder.named_parameters()
        return {name: weight for name, weight in named if weight.requires_grad}


def coded(example: Example, tokenizer: Tokenizer) -> Coded:
    """Cut an example into word pieces."""
    pairs = [(example.question, text) for text in example.texts]
    rows = tuple((code.ids, code.type_ids) for code in tokenizer.encode_batch(pairs))
    return Coded(rows=rows, labels=example.labels)


def padded(examples: Sequence[Coded]) -> Batch:
    """Join examples, each row as long as the longest."""
    rows = [row for example in examples for row in example.rows]
    ids = torch.zeros(len(rows), max(e.longest() for e in examples), dtype=torch.long)
    mask, types = torch.zeros_like(ids), torch.zeros_like(ids)
    for i, (pieces, kinds) in enumerate(rows):
        ids[i, : len(pieces)] = torch.tensor(pieces)
        types[i, : len(pieces)] = torch.tensor(kinds)
        mask[i, : len(pieces)] = 1
    return Batch(
        ids=ids,
        mask=mask,
        types=types,
        labels=torch.tensor([float(label) for e in examples for label in e.labels]),
        owner=torch.tensor([n for n, e in enumerate(examples) for _ in e.rows]),
        size=len(examples),
    )


def changes(model: Scorer, base: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Pack what was learnt.

    Args:
        base: The weights that training began with, by name.

    Returns:
        `NAME.q` (int8) and `NAME.scale` (float32, one a row) of each matrix's change, `NAME.delta`
        (float16) of each vector's, and `head.weight` and `head.bias` as they are.
    """
    learnt = model.learning().items()
    deltas = {name: (weight.detach() - base[name]).float() for name, weight in learnt}
    head = {f"head.{name}": part.detach().clone() for name, part in model.head.named_parameters()}
    return packed(deltas, head)


def packed(deltas: Mapping[str, Tensor], head: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Pack the changes of each weight, and the head, as `changes` says."""
    file: dict[str, Tensor] = dict(head)
    for name, delta in deltas.items():
        if delta.ndim == 1:
            file[f"{name}.delta"] = delta.to(torch.float16)
        else:
            scale = (delta.abs().amax(1, keepdim=True) / INT8).clamp_min(SMALLEST_SCALE)
            file[f"{name}.q"] = (delta / scale).round().to(torch.int8)
            file[f"{name}.scale"] = scale.squeeze(1).contiguous()
    return file


def resume(model: Scorer, path: Path) -> None:
    """Merge the changes of an earlier run into a model, to go on from there."""
    deltas = unpacked(load_file(path))
    with torch.no_grad():
        for name, weight in model.learning().items():
            weight.add_(deltas[name])
        model.head.weight.copy_(deltas["head.weight"])
        model.head.bias.copy_(deltas["head.bias"])
