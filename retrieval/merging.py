"""Several segments → one: the very files that `making` would write from their living articles.

Nothing is encoded, and no file is held in memory whole: segments are read where they lie, in the
order of their joined rows, a block at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from retrieval.filling import fill_facts, fill_keys, fill_table, fill_vectors
from retrieval.joining import Joined
from retrieval.postings import merge_postings
from retrieval.segments import (
    ARTICLE_COLUMNS,
    BYTES,
    DIGEST_COLUMNS,
    ENDS,
    KINDS,
    PASSAGES,
    PATH,
    ROW_COLUMNS,
    SENTENCES,
    Kind,
    Segment,
    SegmentFacts,
    segment_id,
)
from retrieval.shards import Draft
from retrieval.vectors import JoinedVectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK = 8192  # rows that are copied at once


def merged_identity(joined: Joined, *, fingerprint: str) -> str:
    """Give the id of the segment that a merge makes."""
    places = (joined.place(number) for number in range(joined.articles))
    pairs = ((segment.path(local), segment.digest(local)) for segment, local in places)
    return segment_id(pairs, fingerprint=fingerprint)


def merge_segments(draft: Draft, joined: Joined, *, on_rows: Callable[[int, int], None]) -> None:
    """Write the files of the segment of all living articles; at least one of them lives.

    Args:
        on_rows: Told how many vectors of how many are copied.
    """
    done, total = 0, joined.sentences + joined.passages
    _fill_articles(draft, joined)
    _fill_keys(draft, joined)
    sketches: dict[str, Mapping[str, float]] = {}
    width = joined.parts[0].segment.facts.width
    for kind in KINDS:
        size = joined.passages if kind == "passage" else joined.sentences
        found = fill_vectors(draft, kind, _vectors(joined, kind, size), width=width, size=size)
        sketches |= {kind: found} if found else {}
        done += size
        on_rows(done, total)
    _fill_rows(draft, joined)
    _fill_words(draft, joined)
    facts = SegmentFacts(
        fingerprint=joined.parts[0].segment.facts.fingerprint,
        width=width,
        articles=joined.articles,
        sentences=joined.sentences,
        passages=joined.passages,
        sketches=sketches,
    )
    fill_facts(draft, facts)


def _fill_articles(draft: Draft, joined: Joined) -> None:
    import numpy as np

    table = np.empty((joined.articles, len(ARTICLE_COLUMNS)), dtype=np.int64)
    digests = np.empty((joined.articles, DIGEST_COLUMNS), dtype=np.int64)
    for number, part in enumerate(joined.parts):
        own = joined.owners == number
        locals_ = joined.locals[own]
        begins = part.segment.begins
        rows = begins[1:][locals_]
        rows[:, ENDS] -= begins[:-1][locals_][:, ENDS]
        table[own] = rows
        digests[own] = part.segment.digests[locals_]
    table[:, ENDS] = np.cumsum(table[:, ENDS], axis=0)
    with draft.writing("articles.bin") as write:
        for segment, begin, end in _runs(joined):
            first, last = segment.begins[[begin, end], BYTES].tolist()
            for at in range(first, last, 1 << 20):
                write(segment.raw[at : min(last, at + (1 << 20))].data)
    with draft.writing("paths.bin") as write:
        for segment, begin, end in _runs(joined):
            first, last = segment.begins[[begin, end], PATH].tolist()
            write(segment.paths[first:last])
    fill_table(draft, "articles.npy", (len(table), len(ARTICLE_COLUMNS)), [table])
    fill_table(draft, "digests.npy", (len(digests), DIGEST_COLUMNS), [digests])


def _fill_keys(draft: Draft, joined: Joined) -> None:
    import numpy as np

    hashes, rows = [], []
    for part, mapping in zip(joined.parts, joined.sentence_rows, strict=True):
        keys = part.segment.keys
        new = mapping[keys[2]]
        hashes.append(keys[:2, new >= 0])
        rows.append(new[new >= 0])
    fill_keys(draft, np.concatenate(hashes, axis=1), np.concatenate(rows))


def _vectors(joined: Joined, kind: Kind, size: int) -> Iterator[NDArray[np.float32]]:
    parts = zip(joined.parts, joined.rows(kind), strict=True)
    vectors = JoinedVectors([(part.segment.vectors[kind], rows) for part, rows in parts])
    for first in range(0, size, BLOCK):
        yield vectors.vectors(range(first, min(first + BLOCK, size)))


def _fill_rows(draft: Draft, joined: Joined) -> None:
    runs = list(_runs(joined))
    sentences = (
        segment.sentences[slice(*segment.begins[[begin, end], SENTENCES].tolist())]
        for segment, begin, end in runs
    )
    fill_table(draft, "sentences.npy", (joined.sentences, ROW_COLUMNS), sentences)
    passages = (
        segment.passages[slice(*segment.begins[[begin, end], PASSAGES].tolist())]
        for segment, begin, end in runs
    )
    fill_table(draft, "passages.npy", (joined.passages, ROW_COLUMNS), passages)


def _fill_words(draft: Draft, joined: Joined) -> None:
    by_sentence, by_passage = joined.sentence_rows, joined.passage_rows
    segments = [part.segment for part in joined.parts]
    with draft.writing("sentence_words.bin") as write:
        parts = zip((each.sentence_words for each in segments), by_sentence, strict=True)
        merge_postings(list(parts), size=joined.sentences, write=write)
    with draft.writing("sentence_spellings.bin") as write:
        parts = zip((each.sentence_spellings for each in segments), by_sentence, strict=True)
        merge_postings(list(parts), size=joined.sentences, write=write)
    with draft.writing("passage_words.bin") as write:
        parts = zip((each.passage_words for each in segments), by_passage, strict=True)
        merge_postings(list(parts), size=joined.passages, write=write)


def _runs(joined: Joined) -> Iterator[tuple[Segment, int, int]]:
    """Give articles that stand together in a segment too: it, the first and the end of them."""
    import numpy as np

    owners, numbers = joined.owners, joined.locals
    goes_on = (owners[1:] == owners[:-1]) & (numbers[1:] == numbers[:-1] + 1)
    begins = np.concatenate([[0], np.flatnonzero(~goes_on) + 1]).tolist()
    for first, end in zip(begins, [*begins[1:], joined.articles], strict=True):
        segment, local = joined.place(first)
        yield segment, local, local + end - first
