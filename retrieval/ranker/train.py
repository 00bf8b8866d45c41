"""Train the answer-sentence ranker: a cross-encoder (question, sentence) -> probability.

Starts from the all-MiniLM-L6-v2 weights, trains the six layers and a linear head, and writes one
safetensors file with the changes. README.md says how to get the data.

    python -m retrieval.ranker.train --base MODEL --data RAW --out ranker.safetensors --steps 3000
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from retrieval.bert import load_checkpoint
from retrieval.ranker.augmentation import CANDIDATES, example_of
from retrieval.ranker.crossencoder import (
    MAX_PIECES,
    Batch,
    Scorer,
    changes,
    coded,
    padded,
    resume,
)
from retrieval.ranker.groups import Group
from retrieval.ranker.newsroom import load_further_groups
from retrieval.ranker.sources import load_groups

WARM_STEPS = 60
LOWEST_FACTOR = 0.02  # of the rate, at the end
HEAD_FACTOR = 10  # the head is new and learns faster
WEIGHT_DECAY = 0.01
LONGEST_GRADIENT = 1.0
RIGHT_WEIGHT = 3.0  # of a right sentence in the pointwise loss; a wrong one has 1
POOLED = 40  # batches whose examples are sorted by length together
LOG_EVERY = 50
SAVE_EVERY = 100
MINUTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long to train, and how fast; it ends at the first of the two limits."""

    steps: int
    minutes: float
    rate: float


def main() -> None:
    """Read the command line, train, and write the weights and a record beside them."""
    args = _parser().parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    groups = (
        load_further_groups(args.data, args.newsroom, seed=args.seed)
        if args.newsroom
        else load_groups(args.data, synthetic=args.synthetic, seed=args.seed)
    )
    counts = dict(Counter(group.source for group in groups))
    print(json.dumps(counts), flush=True)
    model, base = Scorer(args.base), load_checkpoint(args.base)
    if args.start:
        resume(model, args.start)
    base.tokenizer.enable_truncation(MAX_PIECES)
    losses, taken = train(
        model,
        batches(groups, args.groups, tokenizer=base.tokenizer, rng=random.Random(args.seed)),
        plan=Plan(steps=args.steps, minutes=args.minutes, rate=args.rate),
        clock=time.monotonic,
        save=lambda: save_file(changes(model, base.weights), args.out),
    )
    recipe = {
        "base_sha256": _sha256(args.base / "model.safetensors"),
        "seed": args.seed,
        "steps": taken,
        "steps_asked": args.steps,
        "minutes_asked": args.minutes,
        "groups_per_step": args.groups,
        "candidates_per_group": CANDIDATES,
        "max_word_pieces": MAX_PIECES,
        "rate": args.rate,
        "groups_by_source_with_repeats": counts,
        f"loss_per_{LOG_EVERY}_steps": losses,
        "sha256": _sha256(args.out),
        "bytes": args.out.stat().st_size,
    }
    args.out.with_suffix(".run.json").write_text(json.dumps(recipe, indent=1) + "\n", "utf-8")


def batches(
    groups: Sequence[Group], size: int, *, tokenizer: Tokenizer, rng: random.Random
) -> Iterator[Batch]:
    """Give batches of examples of like length, without end, newly drawn in every pass."""
    while True:
        order = rng.sample(range(len(groups)), len(groups))
        for begin in range(0, len(order), size * POOLED):
            drawn = (example_of(groups[i], rng) for i in order[begin : begin + size * POOLED])
            pool = [coded(example, tokenizer) for example in drawn if example.texts]
            pool.sort(key=lambda example: example.longest())
            parts = [pool[i : i + size] for i in range(0, len(pool), size)]
            rng.shuffle(parts)
            yield from (padded(part) for part in parts if len(part) == size)


def train(
    model: Scorer,
    stream: Iterable[Batch],
    *,
    plan: Plan,
    clock: Callable[[], float],
    save: Callable[[], None],
) -> tuple[list[float], int]:
    """Train with AdamW, a warm-up and a linear decay, in bfloat16 where torch deems it safe.

    Progress is the larger of the share of steps and the share of minutes, so that on a busy machine
    the rate still comes down when the time is over.

    Args:
        clock: Gives seconds.
        save: Called every now and then, and after the last step.

    Returns:
        The mean loss of every `LOG_EVERY` steps, and the number of steps taken.
    """
    encoder = list(model.learning().values())
    rates = (plan.rate, HEAD_FACTOR * plan.rate)
    parts = zip((encoder, list(model.head.parameters())), rates, strict=True)
    optimiser = torch.optim.AdamW(
        [{"params": weights, "lr": rate} for weights, rate in parts],
        weight_decay=WEIGHT_DECAY,
        fused=True,
    )
    model.train()
    losses: list[float] = []
    total, started, step = 0.0, clock(), 0
    for step, batch in enumerate(stream, 1):
        minutes = (clock() - started) / MINUTE
        progress = max(step / plan.steps, minutes / plan.minutes)
        factor = min(step / WARM_STEPS, max(LOWEST_FACTOR, 1 - progress))
        for part, rate in zip(optimiser.param_groups, rates, strict=True):
            part["lr"] = rate * factor
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(batch)
        loss = group_loss(logits.float(), batch)
        loss.backward()  # type: ignore[no-untyped-call] # torch does not say
        nn.utils.clip_grad_norm_(encoder, LONGEST_GRADIENT)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        total += float(loss.detach())
        if step % LOG_EVERY == 0:
            losses.append(round(total / LOG_EVERY, 4))
            total = 0.0
            print(f"{step} loss {losses[-1]} rate {factor:.2f} {minutes:.1f} min", flush=True)
        if step % SAVE_EVERY == 0 or progress >= 1:
            save()
        if progress >= 1:
            break
    return losses, step


def group_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Give a softmax loss over each group and a null candidate, plus a pointwise cross-entropy.

    The null candidate has a logit of 0 and is the right choice of a group without an answer, so
    that a logit of 0 (probability 0.5) is where answering begins.
    """
    right = batch.labels.bool()
    losses = []
    for number in range(batch.size):
        here = batch.owner == number
        scores, gold = logits[here], right[here]
        everything = torch.cat([scores, scores.new_zeros(1)]).logsumexp(0)
        best = scores[gold].logsumexp(0) if bool(gold.any()) else scores.new_zeros(())
        losses.append(everything - best)
    weight = 1.0 + (RIGHT_WEIGHT - 1.0) * batch.labels
    point = nn.functional.binary_cross_entropy_with_logits(logits, batch.labels, weight=weight)
    return torch.stack(losses).mean() + point


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Train the answer-sentence ranker.")
    parser.add_argument("--base", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--data", type=Path, required=True, help="folder of the raw data")
    parser.add_argument("--out", type=Path, required=True, help="safetensors file to write")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--minutes", type=float, default=1e6, help="stop after these")
    parser.add_argument("--start", type=Path, help="an earlier run's file to go on from")
    parser.add_argument("--newsroom", type=Path, help="Reuters articles: a further training")
    parser.add_argument("--groups", type=int, default=8, help="groups per step")
    parser.add_argument("--synthetic", type=int, default=5000, help="made-up news groups")
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--threads", type=int, default=2)
    return parser


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
