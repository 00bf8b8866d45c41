"""Candidates → hits: the sentence that answers best comes first.

The score is a weighted sum of the evidence (`evidence.py`). The first of them are then read by the
answer-sentence ranker, whose opinion is one more kind of evidence, with weights of its own. The
weights stand in `ranking.json`, which says how and on what they were fitted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from retrieval.datatypes import Hit
from retrieval.evidence import EVIDENCE, evidence
from retrieval.library import Library
from retrieval.questions import Query
from retrieval.reranking import Reranker
from retrieval.searching import Candidates

RERANKED = 8  # hits that the ranker reads; each costs some 9 ms on two cores
RANKER = "ranker"  # the ranker's log-odds, divided by 5: in [-2, 2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What each kind of evidence counts.

    Attributes:
        weights: One for each of `EVIDENCE`.
        reranked: One for each of `EVIDENCE` and for `RANKER`, where the ranker was asked.
        made_with: How and on what they were fitted, for people.
    """

    weights: Mapping[str, float]
    reranked: Mapping[str, float]
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


def rerank(query: Query, hits: Sequence[Hit], reranker: Reranker) -> tuple[Hit, ...]:
    """Order the first hits anew, with the ranker's opinion of each; the others stay behind them.

    Args:
        hits: As `rank` gives them.

    Returns:
        The same hits; the first `RERANKED` with `RANKER` among their evidence, and scores on
        another scale than before.
    """
    read, rest = hits[:RERANKED], hits[RERANKED:]
    opinions = reranker.score(query.resolved.text, [hit.sentence.text for hit in read])
    weights = load_weights().reranked
    again = []
    for hit, opinion in zip(read, opinions, strict=True):
        found = (*hit.evidence, (RANKER, _log_odds(float(opinion)) / 5))
        score = sum(weights[name] * value for name, value in found)
        again.append(replace(hit, score=score, evidence=found))
    again.sort(key=lambda hit: (-hit.score, hit.sentence.row))
    if not again:
        return ()
    lowest, first_of_rest = again[-1].score, rest[0].score if rest else 0.0
    return (*again, *(replace(hit, score=lowest - (first_of_rest - hit.score)) for hit in rest))


def _log_odds(probability: float) -> float:
    kept = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(kept / (1 - kept))
