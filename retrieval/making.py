"""Articles → a segment: what is new is encoded, the rest is taken over.

`Encoder` gives a text the same bits whatever is encoded beside it, and vectors are stored in a form
that rounding again does not change, so a segment does not depend on what was there before: same
articles and same encoder, same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from retrieval.cutting import Context, Cut, cut
from retrieval.datatypes import Article
from retrieval.embedding import Encoder
from retrieval.encoding import unit_rows
from retrieval.filling import fill_facts, fill_keys, fill_table, fill_vectors
from retrieval.postings import build_postings
from retrieval.reuse import Source, hashes_of_contexts
from retrieval.segments import (
    ARTICLE_COLUMNS,
    DIGEST_COLUMNS,
    ENDS,
    KINDS,
    PASSAGES,
    ROW_COLUMNS,
    SENTENCES,
    Kind,
    SegmentFacts,
    article_row,
)
from retrieval.shards import Draft
from retrieval.spelling import spellings
from retrieval.words import stems

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OnShare = Callable[[float], None]  # told which share of the work is done


def make_segment(
    draft: Draft,
    articles: Sequence[Article],
    *,
    encoder: Encoder,
    known: Source,
    on_share: OnShare,
) -> None:
    """Write the files of a segment.

    Args:
        articles: At least one, sorted by `by_date`.
        encoder: Loaded only if there is something to encode.
        known: Vectors that need not be computed.
        on_share: Called after each batch of the encoder.
    """
    cuts = [cut(article) for article in articles]
    _fill_articles(draft, cuts)
    _fill_rows(draft, cuts)
    sentences = [text for each in cuts for text in each.sentences]
    contexts = [context for each in cuts for context in each.contexts()]
    hashes = hashes_of_contexts(contexts)
    fill_keys(draft, hashes, _numbers(len(sentences)))
    vectors = _vectors(contexts, hashes, encoder, known, on_share)
    matrices: Mapping[Kind, NDArray[np.float32]] = {
        "sentence": vectors,
        "passage": _pooled(vectors, cuts),
    }
    sketches: dict[str, Mapping[str, float]] = {}
    for kind in KINDS:
        matrix = matrices[kind]
        trained = fill_vectors(draft, kind, [matrix], width=encoder.width, size=len(matrix))
        sketches |= {kind: trained} if trained else {}
    headed = [text for each in cuts for text in each.headed_passages()]
    draft.add("sentence_words.bin", build_postings(sentences, cut=stems))
    draft.add("sentence_spellings.bin", build_postings(sentences, cut=spellings))
    draft.add("passage_words.bin", build_postings(headed, cut=stems))
    facts = SegmentFacts(
        fingerprint=encoder.fingerprint,
        width=encoder.width,
        articles=len(articles),
        sentences=len(sentences),
        passages=len(matrices["passage"]),
        sketches=sketches,
    )
    fill_facts(draft, facts)


def _vectors(
    contexts: Sequence[Context],
    hashes: NDArray[np.int64],
    encoder: Encoder,
    known: Source,
    on_share: OnShare,
) -> NDArray[np.float32]:
    """Give the vector of each sentence, (n, width); one pass over each stretch that is unknown."""
    import numpy as np

    vectors = np.empty((len(contexts), encoder.width), dtype=np.float32)
    missing = np.flatnonzero(~known.take(hashes, vectors)).tolist()
    places = _by_stretch(contexts[row] for row in missing)
    done = 0

    def on_batch(count: int) -> None:
        nonlocal done
        done += count
        on_share(done / len(places))

    if places:
        encoded = encoder.encode_in_context(
            list(places), [list(spans) for spans in places.values()], on_batch=on_batch
        )
        wanted = ((text, *span) for text, spans in places.items() for span in spans)
        numbers = {context: number for number, context in enumerate(wanted)}
        for row in missing:
            vectors[row] = encoded[numbers[contexts[row]]]
    return vectors


def _by_stretch(contexts: Iterable[Context]) -> dict[str, dict[tuple[int, int], None]]:
    """Give the places that are wanted in each stretch, in order of first appearance."""
    places: dict[str, dict[tuple[int, int], None]] = {}
    for text, start, end in contexts:
        places.setdefault(text, {})[start, end] = None
    return places


def _pooled(contexts: NDArray[np.float32], cuts: Sequence[Cut]) -> NDArray[np.float32]:
    """Give the vector of each passage: the mean of its sentences', by their length; unit rows.

    It is made of vectors as they are stored, so that it does not depend on whether they were.
    """
    import numpy as np

    stored = contexts.astype(np.float16).astype(np.float32)
    rows, first = [], 0
    for each in cuts:
        lengths = np.array([span.end - span.start for span in each.spans], dtype=np.float32)
        inside = stored[first : first + len(each.spans)] * lengths[:, None]
        rows += [inside[window.start : window.stop].sum(axis=0) for window in each.windows]
        first += len(each.spans)
    return unit_rows(np.array(rows, dtype=np.float32).reshape(-1, contexts.shape[1]))


def _fill_articles(draft: Draft, cuts: Sequence[Cut]) -> None:
    import numpy as np

    table = np.array([article_row(each.article) for each in cuts], dtype=np.int64)
    table[:, SENTENCES] = [len(each.spans) for each in cuts]
    table[:, PASSAGES] = [len(each.windows) for each in cuts]
    table[:, ENDS] = np.cumsum(table[:, ENDS], axis=0)
    digests = np.frombuffer(
        b"".join(bytes.fromhex(each.article.digest) for each in cuts), dtype="<i8"
    ).reshape(-1, DIGEST_COLUMNS)
    draft.add("articles.bin", b"".join(each.article.raw for each in cuts))
    draft.add("paths.bin", b"".join(os.fsencode(each.article.path) for each in cuts))
    fill_table(draft, "articles.npy", (len(cuts), len(ARTICLE_COLUMNS)), [table])
    fill_table(draft, "digests.npy", (len(cuts), DIGEST_COLUMNS), [digests])


def _fill_rows(draft: Draft, cuts: Sequence[Cut]) -> None:
    sentences = [
        (span.start, span.end, middle, int(is_heading))
        for each in cuts
        for span, middle, is_heading in zip(each.spans, each.middles, each.headings, strict=True)
    ]
    passages = []
    for each in cuts:
        for window in each.windows:
            span = each.span_of(window)
            passages.append((span.start, span.end, window.start, len(window)))
    for name, rows in (("sentences.npy", sentences), ("passages.npy", passages)):
        table = _array(rows)
        fill_table(draft, name, (len(table), ROW_COLUMNS), [table])


def _array(rows: Sequence[tuple[int, ...]]) -> NDArray[np.int64]:
    import numpy as np

    return np.array(rows, dtype=np.int64).reshape(-1, ROW_COLUMNS)


def _numbers(count: int) -> NDArray[np.int64]:
    import numpy as np

    return np.arange(count, dtype=np.int64)
