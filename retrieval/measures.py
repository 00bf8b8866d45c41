"""Numbers → a figure: what `evaluation.py` measures with. Pure, and the same each time.

A figure of nothing (the mean of no question) is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BINS = 10  # of equal width, as in Guo et al. 2017, «On Calibration of Modern Neural Networks»
RESAMPLES = 1000
SEED = 20250502  # any number will do, as long as it stays the same
OUTER = (2.5, 97.5)  # percentiles: what lies between them is an interval of 95 %

if TYPE_CHECKING:
    # How often each question was drawn, shape (questions,), → a figure.
    Statistic = Callable[[NDArray[np.int64]], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Replies of like confidence.

    Attributes:
        low, high: Their confidences are in [low, high); the last bin has 1.0 too.
        count: How many there are, >= 1.
        confidence: The mean of their confidences.
        right: The share of them that is right.
    """

    low: float
    high: float
    count: int
    confidence: float
    right: float


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def auroc(scores: Sequence[float], positive: Sequence[bool]) -> float:
    """Give the chance that a positive scores above a negative; ties count half."""
    import numpy as np

    return auroc_of(scores, positive)(np.ones(len(scores), dtype=np.int64))


def reliability(confidences: Sequence[float], right: Sequence[bool]) -> tuple[Bin, ...]:
    """Sort replies into `BINS` bins by confidence, in [0, 1]; ascending, empty bins left out."""
    members: list[list[int]] = [[] for _ in range(BINS)]
    for i, confidence in enumerate(confidences):
        members[min(int(confidence * BINS), BINS - 1)].append(i)
    return tuple(
        Bin(
            low=n / BINS,
            high=(n + 1) / BINS,
            count=len(rows),
            confidence=mean([confidences[i] for i in rows]),
            right=mean([right[i] for i in rows]),
        )
        for n, rows in enumerate(members)
        if rows
    )


def calibration_error(bins: Sequence[Bin]) -> float:
    """Give the expected calibration error, in [0, 1]; lower is better."""
    total = sum(each.count for each in bins)
    missed = sum(each.count * abs(each.confidence - each.right) for each in bins)
    return missed / total if total else math.nan


def risk_coverage(
    confidences: Sequence[float], right: Sequence[bool]
) -> tuple[tuple[float, float], ...]:
    """Give (coverage, risk): the share wrong among the n most confident replies, n = 1 ...

    Replies of the same confidence come in no order: each point has the risk to expect of them.
    """
    counts: dict[float, list[int]] = {}
    for confidence, is_right in zip(confidences, right, strict=True):
        group = counts.setdefault(confidence, [0, 0])
        group[0] += 1
        group[1] += not is_right
    points: list[tuple[float, float]] = []
    wrong_before = 0
    for confidence in sorted(counts, reverse=True):
        size, wrong = counts[confidence]
        for taken in range(1, size + 1):
            shown = len(points) + 1
            risk = (wrong_before + wrong * taken / size) / shown
            points.append((shown / len(confidences), risk))
        wrong_before += wrong
    return tuple(points)


def average_precision(labels: Sequence[bool]) -> float:
    """Give the mean precision at each right item of a ranking, best first."""
    hits = [rank for rank, label in enumerate(labels, start=1) if label]
    return mean([found / rank for found, rank in enumerate(hits, start=1)])


def reciprocal_rank(labels: Sequence[bool]) -> float:
    """Give 1 / the rank of the first right item; 0 if there is none."""
    return next((1 / rank for rank, label in enumerate(labels, start=1) if label), 0.0)


def intervals(statistics: Mapping[str, Statistic], size: int) -> dict[str, tuple[float, float]]:
    """Give 95 % bootstrap intervals: questions are drawn with replacement, `RESAMPLES` times.

    Args:
        statistics: What to compute of each draw, by name.
        size: How many questions there are.

    Returns:
        The interval by name; a statistic that is NaN in every draw has none.
    """
    import numpy as np

    rng = np.random.default_rng(SEED)
    values: dict[str, list[float]] = {name: [] for name in statistics}
    for _ in range(RESAMPLES if size else 0):
        drawn = np.bincount(rng.integers(size, size=size), minlength=size)
        for name, statistic in statistics.items():
            value = statistic(drawn)
            if not math.isnan(value):
                values[name].append(value)
    return {
        name: (float(np.percentile(drawn, OUTER[0])), float(np.percentile(drawn, OUTER[1])))
        for name, drawn in values.items()
        if drawn
    }


def mean_of(values: Sequence[float | None]) -> Statistic:
    """Make the mean a statistic; questions without a value do not count."""
    import numpy as np

    known = np.array([value is not None for value in values], dtype=np.int64)
    numbers = np.array([value or 0.0 for value in values], dtype=np.float64)

    def statistic(drawn: NDArray[np.int64]) -> float:
        count = int(drawn @ known)
        return float(drawn @ numbers) / count if count else math.nan

    return statistic


def auroc_of(scores: Sequence[float], positive: Sequence[bool | None]) -> Statistic:
    """Make the AUROC a statistic; questions that are neither (None) do not count."""
    import numpy as np

    _, group = np.unique(np.array(scores, dtype=np.float64), return_inverse=True)
    is_positive = np.array([label is True for label in positive], dtype=np.int64)
    is_negative = np.array([label is False for label in positive], dtype=np.int64)

    def statistic(drawn: NDArray[np.int64]) -> float:
        up = np.bincount(group, weights=drawn * is_positive)
        down = np.bincount(group, weights=drawn * is_negative)
        pairs = float(up.sum() * down.sum())
        below = np.cumsum(down) - down
        return float(up @ (below + down / 2)) / pairs if pairs else math.nan

    return statistic
