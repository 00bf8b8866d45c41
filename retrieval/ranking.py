"""Candidates → hits: the sentence that answers best comes first.

The score is a weighted sum of the evidence (`evidence.py`). The weights stand in `ranking.json`,
which says how and on what they were fitted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from retrieval.datatypes import Hit
from retrieval.evidence import EVIDENCE, evidence
from retrieval.library import Library
from retrieval.questions import Query
from retrieval.searching import Candidates


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What each kind of evidence counts.

    Attributes:
        weights: One for each of `EVIDENCE`.
        made_with: How and on what they were fitted, for people.
    """

    weights: Mapping[str, float]
    made_with: str


@cache
def load_weights() -> Weights:
    text = resources.files("retrieval").joinpath("ranking.json").read_text("utf-8")
    return Weights(**json.loads(text))


def rank(query: Query, candidates: Candidates, library: Library) -> tuple[Hit, ...]:
    """Order candidates by their evidence, strongest first; ties by row.

    Returns:
        Hits whose score is the weighted sum of their evidence, without a fixed range: compare it
        within a question only.
    """
    import numpy as np

    table = evidence(query, candidates, library)
    weights = np.array([load_weights().weights[name] for name in EVIDENCE], dtype=np.float32)
    scores = table @ weights
    order = np.lexsort((np.array(candidates.rows), -scores))
    return tuple(
        Hit(
            sentence=library.sentences[candidates.rows[i]],
            score=float(scores[i]),
            evidence=tuple(
                (name, float(value)) for name, value in zip(EVIDENCE, table[i], strict=True)
            ),
        )
        for i in order
    )
