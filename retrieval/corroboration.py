"""Quotes → findings: the same fact from several files is one finding with its sources.

A source that gives another day or number for it is among the sources, and marked.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache

from retrieval.conflicts import conflict
from retrieval.datatypes import Conflict, Finding, Hit, Quote, Sentence
from retrieval.library import Library
from retrieval.words import stems

# Two sentences say the same when what their vectors and their words have in common adds up to this.
# A vector holds what stands around its sentence, too, so it says only that they are of one matter.
SAME = 0.9
_WORDS = 0.5


def find(
    hits: Sequence[Hit],
    quotes: Sequence[Quote],
    library: Library,
    *,
    limit: int,
    lead: Callable[[Hit], Quote],
    told: Sequence[frozenset[str]] = (),
) -> tuple[Finding, ...]:
    """Fold quotes that say the same into findings, best first.

    Args:
        hits: Best first.
        quotes: One for each hit.
        limit: The most findings wanted.
        lead: Gives what a hit that leads a finding is quoted with: its quote, or more.
        told: The short answers that each hit gives, where the question asks for one: hits that
            give the same say the same as far as the question goes.
    """
    likeness = _likeness([hit.sentence for hit in hits], library)

    def agree(one: int, other: int) -> bool:
        return bool(told and told[one] & told[other])

    leads: dict[int, Quote] = {}
    support: dict[int, list[int]] = {}
    for i, quote in enumerate(quotes):
        shown = [*leads.values(), *(quotes[j] for found in support.values() for j in found)]
        if any(_overlap(each, quote) for each in shown):
            continue
        same = [j for j in leads if agree(i, j)]
        same = same or [j for j in leads if likeness(i, j) >= SAME]
        if same:
            sources = {quotes[j].article.path for j in [same[0], *support[same[0]]]}
            if quote.article.path not in sources:
                support[same[0]].append(i)
        elif len(leads) < limit:
            wide = lead(hits[i])
            leads[i] = quote if any(_overlap(each, wide) for each in shown) else wide
            support[i] = []
    return tuple(
        Finding(
            lead=leads[i],
            support=tuple(quotes[j] for j in support[i]),
            conflicts=tuple(
                _conflicts(
                    hits[i],
                    # Who gives the same short answer does not contradict it, whatever else differs.
                    [(hits[j], quotes[j]) for j in support[i] if not agree(i, j)],
                )
            ),
            score=hits[i].score,
            evidence=hits[i].evidence,
        )
        for i in leads
    )


def _likeness(sentences: Sequence[Sentence], library: Library) -> Callable[[int, int], float]:
    """Give how alike two of the sentences are: cosine, and the share of words that both have.

    Words count by how much they tell; the share is that of the sentence that says more.
    """
    vectors = library.sentence_vectors.vectors([sentence.row for sentence in sentences])
    words = [frozenset(stems(sentence.text)) for sentence in sentences]

    @cache
    def told(number: int) -> float:
        return _sum_idf(words[number], library)

    def likeness(one: int, other: int) -> float:
        shared = _sum_idf(words[one] & words[other], library)
        share = shared / (max(told(one), told(other)) or 1.0)
        return float(vectors[one] @ vectors[other]) + _WORDS * share

    return likeness


def _sum_idf(words: Collection[str], library: Library) -> float:
    return sum(library.sentence_words.idf(word) for word in words)


def _conflicts(lead: Hit, support: Sequence[tuple[Hit, Quote]]) -> Iterator[Conflict]:
    """Find what reports the same with another day or number, by the sentences alone."""
    said = Quote(article=lead.sentence.article, span=lead.sentence.span)
    for hit, quote in support:
        kind = conflict(said, Quote(article=quote.article, span=hit.sentence.span))
        if kind is not None:
            yield Conflict(kind=kind, quote=quote)


def _overlap(one: Quote, other: Quote) -> bool:
    return one.article is other.article and one.span.overlaps(other.span)
