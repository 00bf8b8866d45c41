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
from typing import TYPE_CHECKING

from retrieval.datatypes import Hit, Sentence
from retrieval.demands import NO_DEMAND
from retrieval.evidence import EVIDENCE, evidence
from retrieval.library import Library
from retrieval.questions import Query, without_source
from retrieval.reranking import Reranker
from retrieval.searching import Candidates

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RERANKED = 6  # hits that the ranker reads; each costs some 4 ms on two cores
MIRRORED = 0.25  # «speaks» where another one speaks, or is spoken to
DEMOTED = 1.0  # score by which they stand below the others
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
    sentences = [library.sentences[row] for row in candidates.rows]
    return ordered(sentences, evidence(query, candidates, library), load_weights().weights)


def ordered(
    sentences: Sequence[Sentence], table: NDArray[np.float32], weights: Mapping[str, float]
) -> tuple[Hit, ...]:
    """Order sentences by the weighted sum of their evidence, shape (n, len(EVIDENCE))."""
    import numpy as np

    scores = table @ np.array([weights[name] for name in EVIDENCE], dtype=np.float32)
    order = np.lexsort((np.array([sentence.row for sentence in sentences]), -scores))
    return tuple(
        Hit(
            sentence=sentences[i],
            score=float(scores[i]),
            evidence=tuple(zip(EVIDENCE, table[i].tolist(), strict=True)),
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
    return reordered(read(query, hits, reranker), load_weights().reranked)


def read(query: Query, hits: Sequence[Hit], reranker: Reranker) -> tuple[Hit, ...]:
    """Add the ranker's opinion to the evidence of the first `RERANKED` hits."""
    texts = [hit.sentence.text for hit in hits[:RERANKED]]
    opinions = reranker.score(without_source(query.resolved.text), texts)
    heard = (
        replace(hit, evidence=(*hit.evidence, (RANKER, _log_odds(float(opinion)) / 5)))
        for hit, opinion in zip(hits[:RERANKED], opinions, strict=True)
    )
    return (*heard, *hits[RERANKED:])


def reordered(hits: Sequence[Hit], weights: Mapping[str, float]) -> tuple[Hit, ...]:
    """Order the hits that the ranker has read by all their evidence; the others stay behind."""
    again = [
        replace(hit, score=sum(weights[name] * value for name, value in hit.evidence))
        for hit in hits[:RERANKED]
    ]
    again = _mirrors_last(sorted(again, key=lambda hit: (-hit.score, hit.sentence.row)))
    rest = hits[RERANKED:]
    if not rest:
        return tuple(again)
    lowest, first = again[-1].score, rest[0].score
    return (*again, *(replace(hit, score=lowest - (first - hit.score)) for hit in rest))


def _mirrors_last(hits: Sequence[Hit]) -> list[Hit]:
    """Put sentences in which the one who is to speak is spoken to behind those in which he speaks.

    The ranker takes «Rubio urged Sharif» for an answer to «What did Sharif tell Rubio?», and is
    sure of it: weights that were fitted on all kinds of questions do not outweigh that.
    """
    said = [dict(hit.evidence)["speaks"] for hit in hits]
    if max(said, default=0.0) <= NO_DEMAND:
        return list(hits)
    kept = [hit for hit, shown in zip(hits, said, strict=True) if shown > MIRRORED]
    mirrors = [hit for hit, shown in zip(hits, said, strict=True) if shown <= MIRRORED]
    lowest = kept[-1].score
    return [*kept, *(replace(hit, score=min(hit.score, lowest) - DEMOTED) for hit in mirrors)]


def _log_odds(probability: float) -> float:
    kept = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(kept / (1 - kept))
