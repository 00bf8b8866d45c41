"""The one way from a question to a reply: search → rank → quote → corroborate → decide."""

from collections.abc import Sequence
from functools import partial

from retrieval.calibration import confidence, load_calibration, missing, reason
from retrieval.corroboration import find
from retrieval.datatypes import (
    Abstention,
    Answer,
    Finding,
    Help,
    Hit,
    Question,
    Reason,
    Reply,
    Resolved,
)
from retrieval.demands import demand_of, told
from retrieval.engines import Engine
from retrieval.library import Library
from retrieval.offices import name_parties
from retrieval.questions import Query, clean, is_smalltalk, understand
from retrieval.quoting import lead_quote, quote
from retrieval.ranking import rank, rerank
from retrieval.reranking import Reranker
from retrieval.searching import search
from retrieval.together import QuestionEncoder
from retrieval.words import tokens

# How many hits are quoted and compared with each other, to find what supports what.
QUOTED = 20
# From this share of the question's words on, a hit's short answer is one to the question.
ABOUT = 0.5


def answer(
    question: Question,
    library: Library,
    encoder: QuestionEncoder,
    reranker: Reranker | None,
    *,
    engine: Engine | None = None,
    limit: int = 3,
) -> Reply:
    """Answer a question in the articles' own words, or say that they do not.

    Args:
        reranker: Reads the best hits again; None to do without.
        engine: Names the sentences to look at; by default the library itself.
        limit: The most findings (or nearest passages) wanted, >= 1.

    Raises:
        QuestionError: the question is too long to be one.
        EngineFault: the engine can not be asked.
    """
    if is_smalltalk(clean(question.text)):
        return Help(question=question, generation=library.generation)
    query = name_parties(understand(question, library), library)
    if not query.stems:
        return _abstain(question, query.resolved, library, reason="no_words")
    vector = encoder.encode_question(query.resolved.text)
    hits = rank(query, search(query, vector, library, engine=engine), library)
    if reranker is not None:
        hits = rerank(query, hits, reranker)
    scores = {hit.sentence.row: hit.score for hit in hits}
    quotes = [quote(hit, query, library) for hit in hits[:QUOTED]]
    lead = partial(lead_quote, query=query, library=library, scores=scores)
    answers = _told(query, hits[:QUOTED])
    findings = find(hits[:QUOTED], quotes, library, limit=limit, lead=lead, told=answers)
    sure = confidence(query, hits, library.sentence_words)
    if findings and sure >= load_calibration().threshold:
        return Answer(
            question=question,
            resolved=query.resolved,
            findings=findings,
            confidence=sure,
            generation=library.generation,
        )
    return _abstain(
        question,
        query.resolved,
        library,
        reason=reason(query, hits, library.sentence_words),
        nearest=findings,
        missing_words=_as_asked(query, library),
        confidence=sure,
    )


def _told(query: Query, hits: Sequence[Hit]) -> list[frozenset[str]]:
    """Give the short answer of each hit that is about the question."""
    demand = demand_of(query)
    return [
        told(demand, query, hit.sentence.text)
        if dict(hit.evidence)["near_coverage"] >= ABOUT
        else frozenset()
        for hit in hits
    ]


def _abstain(
    question: Question,
    resolved: Resolved,
    library: Library,
    *,
    reason: Reason,
    nearest: tuple[Finding, ...] = (),
    missing_words: tuple[str, ...] = (),
    confidence: float = 0.0,
) -> Abstention:
    return Abstention(
        question=question,
        resolved=resolved,
        reason=reason,
        nearest=tuple(finding.lead for finding in nearest),
        missing=missing_words,
        confidence=confidence,
        generation=library.generation,
        evidence=tuple(finding.evidence for finding in nearest),
    )


def _as_asked(query: Query, library: Library) -> tuple[str, ...]:
    """Give the words that no article has, as the asker wrote them."""
    text = query.resolved.text
    unknown = set(missing(query, library.sentence_words))
    asked = (text[t.start : t.end] for t in tokens(text) if t.stem in unknown)
    return tuple(dict.fromkeys(asked))
