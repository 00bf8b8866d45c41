"""Evidence → probability that the first lead answers the question.

Two problems, told apart by measurement. «The articles have nothing on this» is solved by cheap
signals: the best cosine and how much of the question's weight the articles cover (AUROC 0.98 on
public sets). «They speak of it but do not say» is not (0.65): there a word that no article has, a
name that stands nowhere near, a question word whose kind of answer is missing count most.
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

SIGNALS = (
    # of the first hit, see `EVIDENCE`
    "sentence_vector",
    "context_vector",
    "coverage",
    "near_coverage",
    "article_coverage",
    "near_names",
    "phrase",
    "kind",
    "kind_near",
    "subject",
    # of all hits
    "best_vector",  # the highest cosine of the first ten
    "best_coverage",  # the highest coverage of the first ten
    "margin",  # how far the first hit's score is above the second's, up to 3
    # of the question
    "known",  # share of its words that any article has, by how much they tell
    "unknown_name",  # one of its names stands in no article
    "short",  # it has fewer than three content words
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A logistic model over `SIGNALS`.

    Attributes:
        threshold: Answer at this probability or above, in [0, 1].
        made_with: How and on what it was fitted, for people.
    """

    weights: Mapping[str, float]
    bias: float
    threshold: float
    made_with: str


@cache
def load_calibration() -> Calibration:
    stored = json.loads(
        resources.files("retrieval").joinpath("calibration.json").read_text("utf-8"),
    )
    return Calibration(**stored)


def probability(query: Query, hits: Sequence[Hit], words: LexicalIndex) -> float:
    """Estimate in [0, 1] how likely the first hit answers the question."""
    calibration = load_calibration()
    total = calibration.bias
    for name, value in signals(query, hits, words).items():
        total += calibration.weights[name] * value
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


def signals(query: Query, hits: Sequence[Hit], words: LexicalIndex) -> dict[str, float]:
    """Read off what speaks for and against an answer.

    Returns:
        A value for each of `SIGNALS`, each in [-1, 1] but `margin`, which is in [0, 3].
    """
    if not hits:
        return dict.fromkeys(SIGNALS, 0.0)
    first = dict(hits[0].evidence)
    table = [dict(hit.evidence) for hit in hits[:10]]
    unknown = missing(query, words)
    total = sum(query.weights.values()) or 1.0
    margin = hits[0].score - hits[1].score if len(hits) > 1 else 0.0
    return {name: first[name] for name in SIGNALS if name in first} | {
        "best_vector": max(max(row["sentence_vector"], row["context_vector"]) for row in table),
        "best_coverage": max(row["near_coverage"] for row in table),
        "margin": min(margin, 3.0),
        "known": 1.0 - sum(query.weights[stem] for stem in unknown) / total,
        "unknown_name": float(any(stem in query.names for stem in unknown)),
        "short": float(len(query.stems) < 3),  # noqa: PLR2004 - as `SIGNALS` says
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
    if found["best_coverage"] < 0.5 or found["best_vector"] < 0.35:  # noqa: PLR2004 - see `SIGNALS`
        return "off_topic"
    return "not_stated"
