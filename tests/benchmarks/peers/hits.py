"""Whether what an engine returns is where the answer is. Pure.

A hit: a place among the first k overlaps the place of a gold quote in the same file. The same rule
for all engines. It asks nothing about length, and so is kind to long results: the table gives the
median length beside it.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from retrieval import GoldQuestion
from tests.benchmarks.peers.archive import Place


def overlap(one: Place, other: Place) -> bool:
    return one.path == other.path and one.start < other.end and other.start < one.end


def gold_places(question: GoldQuestion, texts: Mapping[str, str]) -> tuple[Place, ...]:
    """Find the gold quotes of a question in the articles; those that only support do not count.

    Args:
        texts: The articles by their path.
    """
    found = []
    for gold in question.gold:
        text = texts.get(gold.path)
        if gold.partial or not gold.quote or text is None:
            continue
        is_there = gold.start is not None and text.startswith(gold.quote, gold.start)
        start = gold.start if is_there and gold.start is not None else text.find(gold.quote)
        if start >= 0:
            found.append(Place(path=gold.path, start=start, end=start + len(gold.quote)))
    return tuple(found)


def hit_rate(
    found: Sequence[Sequence[Place]], gold: Sequence[Sequence[Place]], k: int
) -> float | None:
    """Give the share of questions with a hit among the first k; None if no question has a gold.

    Args:
        found: What each question got, best first.
        gold: The places that answer it; a question without one is not counted.
    """
    hits = [
        any(overlap(place, right) for place in places[:k] for right in rights)
        for places, rights in zip(found, gold, strict=True)
        if rights
    ]
    return sum(hits) / len(hits) if hits else None


def median_length(found: Sequence[Sequence[Place]]) -> float:
    """Give the median number of characters of what stands first."""
    lengths = [places[0].end - places[0].start for places in found if places]
    return statistics.median(lengths) if lengths else 0.0
