"""A generation opened for reading, and the files it is made of.

Row i is sentence i (or passage i) in every table and index of a generation. Rows ascend by
(published, path, start), articles without a date last, so that a window of dates is a range of
rows. The articles' own bytes are in the generation: a quote stays right while files change.

    articles.bin        the bytes of all articles, one after the other
    articles.json       for each: path, place in articles.bin, what its header says
    sentences.npy       int64, (n, 5): article, start, end, passage, is_heading
    passages.npy        int64, (n, 5): article, start, end, first sentence, number of sentences
    *_vectors.faiss     sentence, context (a sentence as its surroundings make it read), passage
    *_words.*           sentence, passage (with its article's headline before it)
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval import generations
from retrieval.datatypes import Article, Passage, Sentence, Span
from retrieval.embedding import no_collection
from retrieval.errors import IndexDamaged, IndexMismatch
from retrieval.generations import Generation, Hold, Json
from retrieval.lexical import LexicalIndex, open_lexical
from retrieval.vectors import VectorIndex, open_vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TABLE_WIDTH = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a generation says of itself.

    Attributes:
        model, fingerprint: The encoder's.
        corpus: The folder that was indexed.
        width: Numbers in a vector.
        articles, sentences, passages: How many.
        earliest, latest: Days of publication, of the articles that state one.
    """

    model: str
    fingerprint: str
    corpus: str
    width: int
    articles: int
    sentences: int
    passages: int
    earliest: date | None
    latest: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """An opened generation; it stays on disk until `close`.

    Attributes:
        generation: Its id.
        articles: Sorted by (published, path), those without a date last.
        sentences, passages: In row order.
        passage_articles: Shape (n,), int64: for each passage, the number of its article.
    """

    generation: str
    facts: Facts
    articles: tuple[Article, ...]
    sentences: tuple[Sentence, ...]
    passages: tuple[Passage, ...]
    passage_articles: NDArray[np.int64] = field(repr=False)
    sentence_vectors: VectorIndex
    context_vectors: VectorIndex
    passage_vectors: VectorIndex
    sentence_words: LexicalIndex
    passage_words: LexicalIndex
    _rows: Mapping[str, range] = field(repr=False)
    _hold: Hold = field(repr=False)

    def rows_of(self, article: Article) -> range:
        """Give the rows of an article's sentences."""
        return self._rows[article.path]

    def close(self) -> None:
        """Let the generation be collected; what was read stays readable."""
        self._hold.close()


def open_library(index: Path, *, fingerprint: str | None) -> Library:
    """Open the current generation, every file of it verified.

    Args:
        index: The folder of the index.
        fingerprint: Of the encoder whose questions are to be compared with it; None where no
            question will be.

    Raises:
        IndexMissing: Nothing was indexed yet.
        IndexMismatch: Another encoder, or another version of Clippings, wrote it.
        IndexDamaged: A file is not what was written.
    """
    hold = generations.hold(index)
    try:
        generation = generations.read(index, hold.generation)
        facts = _to_facts(generation.facts)
        _refuse_other_model(index, facts, fingerprint)
        with no_collection():
            return _to_library(generation, facts, hold)
    except KeyError as cause:
        hold.close()
        raise IndexDamaged(
            f"The index in {index} has no {cause}. Build it anew: clippings index"
        ) from cause
    except BaseException:
        hold.close()
        raise


def by_date(article: Article) -> tuple[date, str]:
    """Give the key that articles are sorted by."""
    return article.published or date.max, article.path


def tables(
    articles: Sequence[Article], sentences: Sequence[Sentence], passages: Sequence[Passage]
) -> dict[str, bytes]:
    """Give the files of a generation that hold no index, by name.

    The articles are sorted by `by_date`; sentences and passages are theirs, in row order.
    """
    numbers = {article.path: number for number, article in enumerate(articles)}
    return {
        "articles.bin": b"".join(article.raw for article in articles),
        "articles.json": _articles_json(articles),
        "sentences.npy": _table(
            (
                numbers[sentence.article.path],
                sentence.span.start,
                sentence.span.end,
                sentence.passage,
                int(sentence.is_heading),
            )
            for sentence in sentences
        ),
        "passages.npy": _table(
            (
                numbers[passage.article.path],
                passage.span.start,
                passage.span.end,
                passage.sentences[0],
                len(passage.sentences),
            )
            for passage in passages
        ),
    }


def to_json(facts: Facts) -> dict[str, Json]:
    """Give facts as a manifest keeps them."""
    return {
        "model": facts.model,
        "fingerprint": facts.fingerprint,
        "corpus": facts.corpus,
        "width": facts.width,
        "articles": facts.articles,
        "sentences": facts.sentences,
        "passages": facts.passages,
        "earliest": _iso(facts.earliest),
        "latest": _iso(facts.latest),
    }


def _refuse_other_model(index: Path, facts: Facts, fingerprint: str | None) -> None:
    if fingerprint is not None and fingerprint != facts.fingerprint:
        raise IndexMismatch(
            f"The index in {index} was built with another model ({facts.model}), or with another "
            "version of it. Build it anew: clippings index"
        )


def _to_facts(facts: Mapping[str, Json]) -> Facts:
    return Facts(
        model=str(facts["model"]),
        fingerprint=str(facts["fingerprint"]),
        corpus=str(facts["corpus"]),
        width=_count(facts["width"]),
        articles=_count(facts["articles"]),
        sentences=_count(facts["sentences"]),
        passages=_count(facts["passages"]),
        earliest=_day(facts["earliest"]),
        latest=_day(facts["latest"]),
    )


def _to_library(generation: Generation, facts: Facts, hold: Hold) -> Library:
    files = generation.files
    articles = _to_articles(files["articles.json"], files["articles.bin"])
    sentences = _to_sentences(files["sentences.npy"], articles)

    def vectors(name: str, size: int) -> VectorIndex:
        return open_vectors(files[name], width=facts.width, size=size)

    return Library(
        generation=generation.id,
        facts=facts,
        articles=articles,
        sentences=sentences,
        passages=_to_passages(files["passages.npy"], articles),
        passage_articles=_array(files["passages.npy"])[:, 0],
        sentence_vectors=vectors("sentence_vectors.faiss", facts.sentences),
        context_vectors=vectors("context_vectors.faiss", facts.sentences),
        passage_vectors=vectors("passage_vectors.faiss", facts.passages),
        sentence_words=open_lexical(_inside(files, "sentence_words.")),
        passage_words=open_lexical(_inside(files, "passage_words.")),
        _rows=_rows_by_path(articles, sentences),
        _hold=hold,
    )


def _articles_json(articles: Sequence[Article]) -> bytes:
    entries: list[dict[str, Json]] = []
    offset = 0
    for article in articles:
        entries.append(
            {
                "path": article.path,  # ASCII escapes keep a name that is not UTF-8 as it is
                "offset": offset,
                "size": len(article.raw),
                "published": _iso(article.published),
                "title": _pair(article.title),
                "dateline": _pair(article.dateline),
                "outlet": _pair(article.outlet),
            }
        )
        offset += len(article.raw)
    return json.dumps(entries, separators=(",", ":")).encode("ascii")


def _to_articles(entries: bytes, raw: bytes) -> tuple[Article, ...]:
    articles = []
    for entry in json.loads(entries):
        content = raw[entry["offset"] : entry["offset"] + entry["size"]]
        articles.append(
            Article(
                path=entry["path"],
                raw=content,
                text=content.decode("utf-8"),
                title=_span(entry["title"]),
                published=_day(entry["published"]),
                dateline=_span(entry["dateline"]),
                outlet=_span(entry["outlet"]),
            )
        )
    return tuple(articles)


def _to_sentences(data: bytes, articles: Sequence[Article]) -> tuple[Sentence, ...]:
    return tuple(
        Sentence(
            row=row,
            article=articles[article],
            span=Span(start=start, end=end),
            passage=passage,
            is_heading=bool(is_heading),
        )
        for row, (article, start, end, passage, is_heading) in enumerate(_array(data).tolist())
    )


def _to_passages(data: bytes, articles: Sequence[Article]) -> tuple[Passage, ...]:
    return tuple(
        Passage(
            row=row,
            article=articles[article],
            span=Span(start=start, end=end),
            sentences=tuple(range(first, first + count)),
        )
        for row, (article, start, end, first, count) in enumerate(_array(data).tolist())
    )


def _rows_by_path(articles: Sequence[Article], sentences: Sequence[Sentence]) -> dict[str, range]:
    counts = dict.fromkeys((article.path for article in articles), 0)
    for sentence in sentences:
        counts[sentence.article.path] += 1
    rows, first = {}, 0
    for path, count in counts.items():
        rows[path] = range(first, first + count)
        first += count
    return rows


def _inside(files: Mapping[str, bytes], prefix: str) -> dict[str, bytes]:
    return {name.removeprefix(prefix): files[name] for name in files if name.startswith(prefix)}


def _table(rows: Iterable[tuple[int, ...]]) -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    table = np.array(list(rows), dtype="<i8").reshape(-1, TABLE_WIDTH)
    np.save(buffer, table, allow_pickle=False)
    return buffer.getvalue()


def _array(data: bytes) -> NDArray[np.int64]:
    import numpy as np

    array: NDArray[np.int64] = np.load(io.BytesIO(data), allow_pickle=False)
    return array


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(iso: Json) -> date | None:
    return None if iso is None else date.fromisoformat(str(iso))


def _count(number: Json) -> int:
    return int(str(number))


def _pair(span: Span | None) -> list[int] | None:
    return None if span is None else [span.start, span.end]


def _span(pair: Sequence[int] | None) -> Span | None:
    return None if pair is None else Span(start=pair[0], end=pair[1])
