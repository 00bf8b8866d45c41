"""Evidence → probability that the first lead answers the question.

A logistic model over a few signals says whether the articles answer at all; how often the first
lead is then the right one was counted. Both were fitted on the development sets and stand in
`calibration.json`. More signals fitted the sets better and new questions worse.

Two problems are told apart by measurement. «The articles have nothing on this» is solved by cheap
signals: the best cosine and how much of the question's weight the articles cover (AUROC 0.99 on
public sets). «They speak of it but do not say» is not (0.65).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from retrieval.datatypes import Hit, Reason
from retrieval.lexical import LexicalIndex
from retrieval.questions import Query
from retrieval.ranking import RANKER

SIGNALS = (
    "best_vector",  # the highest cosine of the first ten hits
    "best_coverage",  # the highest coverage of the first ten, with the sentence before
    "coverage",  # of the first hit, see `EVIDENCE`
    "article_coverage",
    "kind_near",
    "known",  # share of the question's words that any article has, by how much they tell
    "unknown_name",  # one of its names stands in no article
)
RANKED_SIGNALS = (*SIGNALS, "best_ranker")  # the highest opinion of the ranker, `ranking.RANKER`

# Below these the articles are not even about it; hardly an answerable question is.
ON_TOPIC_COVERAGE = 0.3
ON_TOPIC_VECTOR = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Logistic:
    """Whether the articles answer: a logistic model over signals.

    Attributes:
        right: Share of answerable questions whose first lead was right, in [0, 1].
    """

    bias: float
    weights: Mapping[str, float]
    right: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What evidence is worth as a probability.

    Attributes:
        plain: Over `SIGNALS`.
        ranked: Over `RANKED_SIGNALS`, where the ranker was asked.
        threshold: Answer at this probability or above, in [0, 1].
        made_with: How and on what it was fitted, for people.
    """

    plain: Logistic
    ranked: Logistic
    threshold: float
    made_with: str


@cache
def load_calibration() -> Calibration:
    text = resources.files("retrieval").joinpath("calibration.json").read_text("utf-8")
    stored = json.loads(text)
    return Calibration(
        plain=Logistic(**stored["plain"]),
        ranked=Logistic(**stored["ranked"]),
        threshold=stored["threshold"],
        made_with=stored["made_with"],
    )


def probability(query: Query, hits: Sequence[Hit], words: LexicalIndex) -> float:
    """Estimate in [0, 1] how likely the first hit answers the question."""
    values = signals(query, hits, words)
    calibration = load_calibration()
    model = calibration.ranked if "best_ranker" in values else calibration.plain
    total = model.bias + sum(model.weights[name] * value for name, value in values.items())
    return model.right / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


def signals(query: Query, hits: Sequence[Hit], words: LexicalIndex) -> dict[str, float]:
    """Read off what speaks for and against an answer.

    Returns:
        A value in [-1, 1] for each of `SIGNALS`; where the ranker was asked for each of
        `RANKED_SIGNALS`, its own in [-2, 2].
    """
    if not hits:
        return dict.fromkeys(SIGNALS, 0.0)
    table = [dict(hit.evidence) for hit in hits[:10]]
    unknown = missing(query, words)
    total = sum(query.weights.values()) or 1.0
    opinions = [row[RANKER] for row in table if RANKER in row]
    return {
        "best_vector": max(max(row["sentence_vector"], row["context_vector"]) for row in table),
        "best_coverage": max(row["near_coverage"] for row in table),
        **{name: table[0][name] for name in ("coverage", "article_coverage", "kind_near")},
        "known": 1.0 - sum(query.weights[stem] for stem in unknown) / total,
        "unknown_name": float(any(stem in query.names for stem in unknown)),
        **({"best_ranker": max(opinions)} if opinions else {}),
    }


def missing(query: Query, words: LexicalIndex) -> tuple[str, ...]:
    """Give the stems of the question that no article has, nor a name that stands for them."""
    return tuple(
        stem
        for stem in query.stems
        if not words.has(stem)
        and not any(all(map(words.has, name)) for name in query.also.get(stem, ()))
    )


def reason(query: Query, hits: Sequence[Hit], words: LexicalIndex) -> Reason:
    """Say why the articles do not answer."""
    found = signals(query, hits, words)
    if found["unknown_name"]:
        return "unknown_name"
    covered = found["best_coverage"] >= ON_TOPIC_COVERAGE
    if not covered or found["best_vector"] < ON_TOPIC_VECTOR:
        return "off_topic"
    return "not_stated"
