"""The one way at index time: a folder of articles → a generation.

Only what is new is encoded: a vector of the previous generation is taken over where text and
encoder are the same, and a text that occurs twice is encoded once. `Encoder` gives a text the same
bits whatever is encoded beside it, so the outcome does not depend on what was there before: same
corpus and same encoder, same generation.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from retrieval.corpus import Skipped, read_corpus
from retrieval.datatypes import Article, Passage, Sentence, Span
from retrieval.embedding import Encoder
from retrieval.errors import IndexFault, IndexUnwritable
from retrieval.generations import collect, current, locked, publish
from retrieval.lexical import build_lexical
from retrieval.library import Facts, Library, by_date, open_library, tables, to_json
from retrieval.segmentation import passage_windows, sentence_spans
from retrieval.vectors import VectorIndex, build_vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Progress = Callable[[str, int, int], None]  # stage, done, total

# The surroundings that a sentence is read in: so many sentences on each side, and no more
# characters than the model reads (some 250 word pieces of English).
NEIGHBOURS = 2
NEIGHBOURHOOD_LIMIT = 900

_Key = TypeVar("_Key", bound=Hashable)
_Context = tuple[str, int, int]  # a neighbourhood, and where in it the sentence stands


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a build did.

    Attributes:
        unchanged: Articles whose bytes the previous generation had under the same path.
        reused: Sentences and passages whose vectors the previous generation had.
        published: False if this very generation was current already.
    """

    generation: str
    articles: int
    sentences: int
    passages: int
    unchanged: int
    reused: int
    skipped: tuple[Skipped, ...]
    ignored: int
    published: bool


def build(
    corpus: Path,
    index: Path,
    encoder: Encoder,
    *,
    limit_bytes: int,
    clock: Callable[[], float],
    wait: Callable[[float], None],
    on_progress: Progress,
) -> Report:
    """Index a folder of articles; readers keep the old generation until the new one is whole.

    Args:
        corpus: The folder of articles.
        index: The folder of the index; made if it is missing.
        encoder: Loaded only if there is something to encode.
        limit_bytes: Larger files are skipped.
        clock: Seconds since the epoch.
        wait: Waits so many seconds, for files that are just being written.
        on_progress: Told the stage («reading», «encoding», «writing»), and how much of it is done.

    Raises:
        CorpusError: Nothing there to index.
        IndexBusy: Another build is under way.
        IndexUnwritable: The disk is full or closed to us.
        ModelError: The model can not be loaded.
    """
    with locked(index):  # before any work: two builds at once would do it twice
        reading = read_corpus(
            corpus,
            limit_bytes=limit_bytes,
            clock=clock,
            wait=wait,
            on_file=lambda done, total: on_progress("reading", done, total),
        )
        articles = tuple(sorted(reading.articles, key=by_date))
        sentences, passages = _split(articles)
        before = _current_or_none(index)
        previous = _previous(index)
        if previous is None:
            known = _Known(sentences={}, contexts={}, passages={})
            unchanged = 0
        else:
            with closing(previous):
                known = _known(previous, encoder.fingerprint)
                unchanged = _unchanged(articles, previous)
        files = {
            **tables(articles, sentences, passages),
            **_vector_files(sentences, passages, encoder, known, on_progress),
            **_word_files(sentences, passages),
        }
        on_progress("writing", 0, 1)
        facts = _facts(corpus, encoder, articles, len(sentences), len(passages))
        generation = publish(index, files, to_json(facts))
        # The index is built; an old generation that can not be deleted only takes up room.
        with suppress(IndexUnwritable):
            collect(index)
        on_progress("writing", 1, 1)
    reused = sum(sentence.text in known.sentences for sentence in sentences)
    reused += sum(passage.text in known.passages for passage in passages)
    return Report(
        generation=generation,
        articles=len(articles),
        sentences=len(sentences),
        passages=len(passages),
        unchanged=unchanged,
        reused=reused,
        skipped=reading.skipped,
        ignored=reading.ignored,
        published=generation != before,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """Vectors of the previous generation, by what was encoded."""

    sentences: Mapping[str, NDArray[np.float32]]
    contexts: Mapping[_Context, NDArray[np.float32]]
    passages: Mapping[str, NDArray[np.float32]]


def _split(articles: Sequence[Article]) -> tuple[tuple[Sentence, ...], tuple[Passage, ...]]:
    """Cut articles into numbered sentences and passages."""
    sentences: list[Sentence] = []
    passages: list[Passage] = []
    for article in articles:
        found = sentence_spans(article.text)
        spans = [span for span, _ in found]
        windows = passage_windows(spans)
        middles = _middle_windows(windows, len(spans))
        first, first_passage = len(sentences), len(passages)
        for number, (span, is_heading) in enumerate(found):
            sentences.append(
                Sentence(
                    row=first + number,
                    article=article,
                    span=span,
                    passage=first_passage + middles[number],
                    is_heading=is_heading,
                )
            )
        for number, window in enumerate(windows):
            passages.append(
                Passage(
                    row=first_passage + number,
                    article=article,
                    span=Span(start=spans[window.start].start, end=spans[window.stop - 1].end),
                    sentences=tuple(range(first + window.start, first + window.stop)),
                )
            )
    return tuple(sentences), tuple(passages)


def _middle_windows(windows: Sequence[range], count: int) -> list[int]:
    """Give for each sentence the window that has it most in the middle, the first of equals."""
    best: list[tuple[int, int]] = [(-1, 0)] * count
    for i, window in enumerate(windows):
        for number in window:
            depth = min(number - window.start, window.stop - 1 - number)
            if depth > best[number][0]:
                best[number] = (depth, i)
    return [i for _, i in best]


def _contexts(sentences: Sequence[Sentence]) -> Iterator[_Context]:
    """Give each sentence's surroundings, and where in them it stands; rows of whole articles."""
    for row, sentence in enumerate(sentences):
        first = last = row
        for step in range(1, NEIGHBOURS + 1):
            if first == row - step + 1 and _together(sentences, row - step, last):
                first = row - step
            if last == row + step - 1 and _together(sentences, first, row + step):
                last = row + step
        start = sentences[first].span.start
        text = sentence.article.text[start : sentences[last].span.end]
        yield text, sentence.span.start - start, sentence.span.end - start


def _together(sentences: Sequence[Sentence], first: int, last: int) -> bool:
    """Tell whether sentences stand in one article and near enough to be read at once."""
    if first < 0 or last >= len(sentences):
        return False
    one, other = sentences[first], sentences[last]
    return (
        one.article.path == other.article.path
        and other.span.end - one.span.start <= NEIGHBOURHOOD_LIMIT
    )


def _current_or_none(index: Path) -> str | None:
    try:
        return current(index)
    except IndexFault:
        return None


def _previous(index: Path) -> Library | None:
    """Open the generation that is being replaced; None if there is none that can be used."""
    try:
        return open_library(index, fingerprint=None)
    except IndexFault:
        return None


def _known(previous: Library, fingerprint: str) -> _Known:
    if previous.facts.fingerprint != fingerprint:
        return _Known(sentences={}, contexts={}, passages={})
    sentences = [sentence.text for sentence in previous.sentences]
    passages = [passage.text for passage in previous.passages]
    return _Known(
        sentences=_by_key(sentences, previous.sentence_vectors),
        contexts=_by_key(list(_contexts(previous.sentences)), previous.context_vectors),
        passages=_by_key(passages, previous.passage_vectors),
    )


def _by_key(keys: Sequence[_Key], index: VectorIndex) -> dict[_Key, NDArray[np.float32]]:
    return dict(zip(keys, index.vectors(range(index.size)), strict=True))


def _unchanged(articles: Sequence[Article], previous: Library) -> int:
    digests = {article.path: article.digest for article in previous.articles}
    return sum(digests.get(article.path) == article.digest for article in articles)


def _vector_files(
    sentences: Sequence[Sentence],
    passages: Sequence[Passage],
    encoder: Encoder,
    known: _Known,
    on_progress: Progress,
) -> dict[str, bytes]:
    sentence_keys = [sentence.text for sentence in sentences]
    passage_keys = [passage.text for passage in passages]
    context_keys = list(_contexts(sentences))
    # A sentence and a passage may be the same text: it is still encoded once.
    texts = _new([*sentence_keys, *passage_keys], {**known.passages, **known.sentences})
    contexts = _new(context_keys, known.contexts)
    total = len(texts) + len(contexts)
    done = 0

    def on_batch(count: int) -> None:
        nonlocal done
        done += count
        on_progress("encoding", done, total)

    by_text = {**known.passages, **known.sentences}
    by_context = dict(known.contexts)
    if texts:
        by_text.update(zip(texts, encoder.encode(texts, on_batch=on_batch), strict=True))
    if contexts:
        encoded = encoder.encode_in_context(
            [text for text, _, _ in contexts],
            [[(start, end)] for _, start, end in contexts],
            on_batch=on_batch,
        )
        by_context.update(zip(contexts, encoded, strict=True))
    return {
        "sentence_vectors.faiss": _stacked(sentence_keys, by_text, encoder.width),
        "context_vectors.faiss": _stacked(context_keys, by_context, encoder.width),
        "passage_vectors.faiss": _stacked(passage_keys, by_text, encoder.width),
    }


def _new(keys: Sequence[_Key], known: Mapping[_Key, NDArray[np.float32]]) -> list[_Key]:
    """Give each key that is not known yet, once, in order of its first appearance."""
    return [key for key in dict.fromkeys(keys) if key not in known]


def _stacked(
    keys: Sequence[_Key], vectors: Mapping[_Key, NDArray[np.float32]], width: int
) -> bytes:
    import numpy as np

    matrix = np.empty((len(keys), width), dtype=np.float32)
    for row, key in enumerate(keys):
        matrix[row] = vectors[key]
    return build_vectors(matrix)


def _word_files(sentences: Sequence[Sentence], passages: Sequence[Passage]) -> dict[str, bytes]:
    by_sentence = build_lexical([sentence.text for sentence in sentences])
    by_passage = build_lexical([_headed(passage) for passage in passages])
    return {
        **{f"sentence_words.{name}": data for name, data in by_sentence.items()},
        **{f"passage_words.{name}": data for name, data in by_passage.items()},
    }


def _headed(passage: Passage) -> str:
    """Give a passage's words with the headline before them: what the report is about."""
    title = passage.article.title
    if title is None or passage.span.holds(title):
        return passage.text
    return f"{passage.article.at(title)}\n{passage.text}"


def _facts(
    corpus: Path, encoder: Encoder, articles: Sequence[Article], sentences: int, passages: int
) -> Facts:
    days = [article.published for article in articles if article.published is not None]
    return Facts(
        model=encoder.model,
        fingerprint=encoder.fingerprint,
        corpus=str(corpus.resolve()),
        width=encoder.width,
        articles=len(articles),
        sentences=sentences,
        passages=passages,
        earliest=min(days, default=None),
        latest=max(days, default=None),
    )
