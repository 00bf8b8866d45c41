"""A generation opened for reading: its segments as one, every file of it verified.

Row i is sentence i (or passage i) in every table and index of a Library. Rows ascend by
(published, path, start), articles without a date last, so that a window of dates is a range of
rows. The articles' own bytes are in the generation: a quote stays right while files change.
Nothing is read before it is needed: an article, a sentence or a passage is made when it is asked
for, of files that lie in the cache of the system and that several processes share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval import generations
from retrieval.datatypes import Article, Span
from retrieval.durable import ANEW, File, Json, Promise
from retrieval.errors import IndexDamaged, IndexMismatch
from retrieval.generations import Hold, Known, Manifest
from retrieval.joining import Joined, Part, join
from retrieval.lexical import LexicalIndex
from retrieval.postings import Postings
from retrieval.rows import Articles, Passages, Sentences
from retrieval.segments import Kind, Segment, open_segment
from retrieval.vectors import JoinedVectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a generation says of itself.

    Attributes:
        model, fingerprint: The encoder's.
        content: Hash of the articles' paths and bytes, and of the encoder. Two generations of the
            same content answer alike, whatever segments they are made of.
        corpus: The folder that was indexed; no part of the content.
        width: Numbers in a vector.
        articles, sentences, passages: How many.
        earliest, latest: Days of publication, of the articles that state one.
    """

    model: str
    fingerprint: str
    content: str
    corpus: str
    width: int
    articles: int
    sentences: int
    passages: int
    earliest: date | None
    latest: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A segment as a generation lists it: its id, and the numbers of its dead articles."""

    id: str
    dead: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Library:
    """An opened generation; it stays on disk until `close`.

    Attributes:
        generation: Its id.
        articles: Sorted by (published, path), those without a date last.
        sentences, passages: In row order.
        passage_articles: Shape (n,), int64: for each passage, the number of its article.
        spellings: The words of sentences as they are spelled.
    """

    generation: str
    facts: Facts
    articles: Articles
    sentences: Sentences
    passages: Passages
    passage_articles: NDArray[np.int64] = field(repr=False)
    sentence_vectors: JoinedVectors
    passage_vectors: JoinedVectors
    sentence_words: LexicalIndex
    spellings: LexicalIndex
    passage_words: LexicalIndex
    joined: Joined = field(repr=False)
    _hold: Hold = field(repr=False)

    @property
    def segments(self) -> Mapping[str, Segment]:
        """What it is made of, by id."""
        return {part.segment.id: part.segment for part in self.joined.parts}

    @property
    def recall(self) -> float | None:
        """Which share of the ten nearest a search finds, as measured; None where it is exact."""
        kept = (segment.facts.sketches.values() for segment in self.segments.values())
        return min((each["recall"] for sketches in kept for each in sketches), default=None)

    def rows_of(self, article: Article) -> range:
        """Give the rows of an article's sentences."""
        return self.sentences.rows_of(self.articles.number_of(article))

    def spans_of(self, article: Article) -> list[Span]:
        """Give the spans of an article's sentences, in order."""
        return self.sentences.spans_of(self.articles.number_of(article))

    def passages_of(self, rows: Sequence[int]) -> list[int]:
        """Give the passage that each of some sentences is scored with."""
        return [self.sentences.passage_of(row) for row in rows]

    def sentences_in(self, passage: int) -> range:
        """Give the rows of the sentences of a passage."""
        return self.passages.sentences_in(passage)

    def close(self) -> None:
        """Let the generation be collected; what was read stays readable."""
        self._hold.close()


def open_library(index: Path, *, fingerprint: str | None, before: Library | None = None) -> Library:
    """Open the current generation, every file of it verified.

    Args:
        index: The folder of the index.
        fingerprint: Of the encoder whose questions are to be compared with it; None where no
            question will be.
        before: The generation that this process had opened until now. What it shares with the
            current one is taken over as it is, unless something wrote to a file since.

    Raises:
        IndexMissing: Nothing was indexed yet.
        IndexMismatch: Another encoder, or another version of Clippings, wrote it.
        IndexDamaged: A file is not what was written.
    """
    hold = generations.hold(index)
    try:
        manifest = generations.read_manifest(index, hold.generation)
        facts = facts_of(manifest)
        _refuse_other_model(index, facts, fingerprint)
        opened = Opened(before.segments if before else {})
        parts = [opened.part(manifest, each) for each in listed(manifest)]
        return _to_library(hold, facts, join(parts))
    except BaseException:
        hold.close()
        raise


def current_facts(index: Path) -> Facts:
    """Give what the current generation says of itself; its other files are not looked at.

    Raises:
        IndexFault: As `open_library`, but for damage to other files.
    """
    with generations.hold(index) as hold:
        return facts_of(generations.read_manifest(index, hold.generation))


class Opened:
    """Segments that this process has open, and the files it has hashed."""

    def __init__(self, segments: Mapping[str, Segment]) -> None:
        self._segments = segments
        self._known: Known = {
            file.stamp: file for segment in segments.values() for file in segment.files.values()
        }

    def part(self, manifest: Manifest, each: Listed) -> Part:
        """Open a segment of a generation, or take it over.

        Raises:
            IndexDamaged: A file is missing, changed or something else; the message names it.
        """
        import numpy as np

        prefix = f"{each.id}."
        files = {
            name.removeprefix(prefix): manifest.file(name, known=self._known)
            for name in manifest.promises
            if name.startswith(prefix)
        }
        segment = self._taken_over(each.id, files) or open_segment(each.id, files)
        dead = np.zeros(segment.facts.articles, dtype=np.bool_)
        if each.dead and not max(each.dead) < len(dead):
            raise IndexDamaged(f"{manifest.folder} names articles that it has not. {ANEW}")
        dead[list(each.dead)] = True
        return Part(segment=segment, dead=dead)

    def _taken_over(self, identity: str, files: Mapping[str, File]) -> Segment | None:
        segment = self._segments.get(identity)
        if segment is None or _stamps(segment.files) != _stamps(files):
            return None
        # The old generation's folder may go; the files are the same under their new names.
        return replace(segment, files=files)


def listed(manifest: Manifest) -> list[Listed]:
    """Give the segments of a generation.

    Raises:
        IndexDamaged: The manifest names none.
    """
    segments = manifest.facts.get("segments")
    if not isinstance(segments, Mapping) or not segments:
        raise IndexDamaged(f"{manifest.folder} names no segments. {ANEW}")
    return [
        Listed(id=identity, dead=tuple(map(_count, dead)))
        for identity, dead in segments.items()
        if isinstance(dead, Sequence)
    ]


def facts_of(manifest: Manifest) -> Facts:
    """Give what a generation says of itself.

    Raises:
        IndexDamaged: Something is missing.
    """
    facts = manifest.facts
    try:
        return Facts(
            model=str(facts["model"]),
            fingerprint=str(facts["fingerprint"]),
            content=str(facts["content"]),
            corpus=str(facts["corpus"]),
            width=_count(facts["width"]),
            articles=_count(facts["articles"]),
            sentences=_count(facts["sentences"]),
            passages=_count(facts["passages"]),
            earliest=_day(facts["earliest"]),
            latest=_day(facts["latest"]),
        )
    except KeyError as cause:
        raise IndexDamaged(f"{manifest.folder} has no {cause}. {ANEW}") from cause


def to_json(facts: Facts, segments: Iterable[Listed]) -> dict[str, Json]:
    """Give facts as a manifest keeps them."""
    return {
        "model": facts.model,
        "fingerprint": facts.fingerprint,
        "content": facts.content,
        "corpus": facts.corpus,
        "width": facts.width,
        "articles": facts.articles,
        "sentences": facts.sentences,
        "passages": facts.passages,
        "earliest": _iso(facts.earliest),
        "latest": _iso(facts.latest),
        "segments": {each.id: each.dead for each in segments},
    }


def _to_library(hold: Hold, facts: Facts, joined: Joined) -> Library:
    import numpy as np

    def vectors(kind: Kind) -> JoinedVectors:
        own = (part.segment.vectors[kind] for part in joined.parts)
        return JoinedVectors(list(zip(own, joined.rows(kind), strict=True)))

    articles = Articles(joined)
    segments = [part.segment for part in joined.parts]
    words = [each.sentence_words for each in segments]
    spellings = [each.sentence_spellings for each in segments]
    passage_words = [each.passage_words for each in segments]
    by_sentence, by_passage = joined.sentence_rows, joined.passage_rows
    return Library(
        generation=hold.generation,
        facts=facts,
        articles=articles,
        sentences=Sentences(joined, articles),
        passages=Passages(joined, articles),
        passage_articles=np.repeat(np.arange(joined.articles), np.diff(joined.passage_begins)),
        sentence_vectors=vectors("sentence"),
        passage_vectors=vectors("passage"),
        sentence_words=_joined_words(words, by_sentence, joined.sentences),
        spellings=_joined_words(spellings, by_sentence, joined.sentences),
        passage_words=_joined_words(passage_words, by_passage, joined.passages),
        joined=joined,
        _hold=hold,
    )


def _joined_words(
    postings: Sequence[Postings], rows: Sequence[NDArray[np.int64]], size: int
) -> LexicalIndex:
    return LexicalIndex(list(zip(postings, rows, strict=True)), size=size)


def _refuse_other_model(index: Path, facts: Facts, fingerprint: str | None) -> None:
    if fingerprint is not None and fingerprint != facts.fingerprint:
        raise IndexMismatch(
            f"The index in {index} was built with another model ({facts.model}), or with another "
            "version of it. Build it anew: clippings index"
        )


def _stamps(files: Mapping[str, File]) -> dict[str, tuple[Promise, tuple[int, ...]]]:
    return {name: (file.promise, file.stamp) for name, file in files.items()}


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(iso: Json) -> date | None:
    return None if iso is None else date.fromisoformat(str(iso))


def _count(number: Json) -> int:
    return int(str(number))
