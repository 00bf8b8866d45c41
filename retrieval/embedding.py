"""Texts to vectors. The default model runs in plain torch (`encoding`), others here.

Beside `reranking` this is the only module that knows sentence-transformers. Its decisions:

* Nothing opens a file of the model before `modelfiles` has hashed it; the hashes go into the
  fingerprint, and the index keeps that.
* A model reads a limited number of word pieces and drops the rest without a word. A longer text
  is encoded in windows whose vectors are averaged.
* A text is padded to a length that is its own affair, not its batch's. Its vector is then bit for
  bit the same in every batch (measured with torch 2.13 on one and two threads, batches of 1 to 32;
  padded to the longest neighbour it moved by 7e-8), so that an index that re-used vectors is the
  very index that a build from nothing writes.
"""

from __future__ import annotations

import gc
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.bert import (
    BF16,
    F32,
    Bert,
    load_checkpoint,
    ready,
    threads_for,
    vectors_of,
)
from retrieval.encoding import (
    MOST_PIECES,
    Bulk,
    Way,
    encode_spans,
    encode_texts,
    load_bulk,
    pieces_inside,
    readable,
    unit_rows,
    way_of,
    word_boundary,
)
from retrieval.errors import ModelError
from retrieval.modelfiles import (
    DEFAULT_MODEL,
    DEFAULT_NAMES,
    DEFAULT_WIDTH,
    find_model,
    set_libraries,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

# Raised when the way from a text to its vector changes: part of the fingerprint.
FORMAT = "1"
DEFAULT_FORMAT = "3"  # of the default model, with the name of its way
BATCH = 16  # 8 to 32 are equally fast on two cores
STEP = 8  # a text is padded to the next multiple of so many word pieces

# Cosines of the first text with the others under the default model: they move when a library
# changes what it computes, which no hash of a file can tell.
GOLDEN_TEXTS = (
    "Rubio urged Pakistan to help investigate the attack.",
    "The secretary asked Islamabad to cooperate with the inquiry.",
    "Lt. Gov. Smith's budget grew by 4.5% in São Paulo.",
)
GOLDEN_COSINES = (1.0, 0.449380, 0.096453)
GOLDEN_TOLERANCES = {F32: 1e-4, BF16: 4e-3}

LIBRARIES = {
    "HF_HUB_OFFLINE": "1",  # what must be fetched was fetched by now
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",  # one core is enough; warns at every fork otherwise
    "OMP_WAIT_POLICY": "PASSIVE",  # idle threads sleep instead of spinning; see `bert.FEW_TEXTS`
}


class Encoder:
    """An embedding model, loaded when it is first needed.

    Attributes:
        model: The name or path that the user gave.
        fingerprint: Sha256, in hex, of the model's files and of how this module uses them. Vectors
            of two encoders may be compared only if their fingerprints are equal.
        way: How articles are encoded on this machine.
    """

    def __init__(self, *, model: str, folder: Path, fingerprint: str) -> None:
        self.model = model
        self.fingerprint = fingerprint
        self.way: Way = way_of(model)
        self._folder = folder
        self._loaded: SentenceTransformer | None = None
        self._bert: Bert | None = None
        self._bulk: Bulk | None = None

    @property
    def width(self) -> int:
        """Numbers in a vector. Loads the model if it is not the default one."""
        if self.model in DEFAULT_NAMES:
            return DEFAULT_WIDTH
        return self._transformer().get_embedding_dimension() or 0

    def warm(self) -> None:
        """Load what a question needs now rather than with the first one."""
        self.encode_question(GOLDEN_TEXTS[0])

    def encode_question(self, text: str) -> NDArray[np.float32]:
        """Give the vector of a question, shape (width,), unit length."""
        encoded: NDArray[np.float32] = self.encode_questions([text])[0]
        return encoded

    def encode_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Give the vectors of a few questions, shape (len(texts), width), unit rows.

        The default model is run in plain torch, which is imported in a second; any other one, and
        a question longer than the model reads, by sentence-transformers.
        """
        if self.model in DEFAULT_NAMES:
            bert = self._plain()
            encodings = bert.tokenizer.encode_batch([readable(text) for text in texts])
            if all(len(encoding.ids) <= MOST_PIECES for encoding in encodings):
                return vectors_of(bert, encodings)
        return self.encode(texts)

    def encode(
        self, texts: Sequence[str], *, on_batch: Callable[[int], None] = lambda _done: None
    ) -> NDArray[np.float32]:
        """Give the vector of each text.

        Args:
            texts: Of any length. What is longer than the model reads is encoded in consecutive
                windows; their mean is taken, weighted by word pieces.
            on_batch: Called after each batch with the number of texts begun in it.

        Returns:
            Shape (len(texts), width), unit rows.
        """
        import numpy as np

        if self.model in DEFAULT_NAMES:
            return encode_texts(self._ready(), texts, on_batch)
        model = self._transformer()
        windows = [
            window for row, text in enumerate(texts) for window in _windows(model, row, text)
        ]
        sums = np.zeros((len(texts), self.width), dtype=np.float32)
        with threads_for(len(windows)):
            for length, batch in _batches(model, [window.pieces for window in windows]):
                parts = [windows[i] for i in batch]
                encoded = model.encode(
                    [part.text for part in parts],
                    batch_size=BATCH,
                    show_progress_bar=False,
                    processing_kwargs=_padded_to(length),
                )
                for part, vector in zip(parts, encoded, strict=True):
                    sums[part.row] += vector * part.weight
                on_batch(sum(part.is_first for part in parts))
        return unit_rows(sums)

    def encode_in_context(
        self,
        texts: Sequence[str],
        spans: Sequence[Sequence[tuple[int, int]]],
        *,
        on_batch: Callable[[int], None] = lambda _done: None,
    ) -> NDArray[np.float32]:
        """Give the vectors of parts of texts, each as its surroundings make it read.

        One pass over each text; a part's vector is the mean of the vectors of its word pieces. A
        part that lies beyond what the model reads of its text, or that has no word piece, is
        encoded by itself instead.

        Args:
            texts: The surroundings.
            spans: For each text, the half-open ranges of code points that are wanted.
            on_batch: Called after each batch with the number of texts in it.

        Returns:
            Shape (number of spans of all texts, width), unit rows, in the order of the spans.
        """
        import numpy as np

        if self.model in DEFAULT_NAMES:
            return encode_spans(self._ready(), texts, spans, on_batch)
        model = self._transformer()
        legible = [readable(text) for text in texts]
        places = _piece_places(model, legible)
        firsts = np.cumsum([0, *(len(wanted) for wanted in spans)])
        rows = np.zeros((int(firsts[-1]), self.width), dtype=np.float32)
        alone: dict[int, str] = {}
        with threads_for(len(texts)):
            for length, batch in _batches(model, [len(place) for place in places], special=0):
                passes = model.encode(
                    [legible[i] for i in batch],
                    batch_size=BATCH,
                    show_progress_bar=False,
                    output_value="token_embeddings",
                    processing_kwargs=_padded_to(length),
                )
                for i, vectors in zip(batch, passes, strict=True):
                    for row, (start, end) in enumerate(spans[i], start=int(firsts[i])):
                        inside = pieces_inside(places[i], start, end, read=len(vectors))
                        if inside is None:
                            alone[row] = legible[i][start:end]
                        else:
                            rows[row] = vectors[inside].mean(dim=0).numpy()
                on_batch(len(batch))
        if alone:
            rows[list(alone)] = self.encode(list(alone.values()))
        return unit_rows(rows)

    def _transformer(self) -> SentenceTransformer:
        if self._loaded is None:
            self._loaded = _load(self._folder, self.model)
        return self._loaded

    def _plain(self) -> Bert:
        if self._bert is None:
            set_libraries(LIBRARIES)
            bert = ready(load_checkpoint(self._folder), self.way.name)
            _self_test(bert)
            self._bert = bert
        return self._bert

    def _ready(self) -> Bulk:
        if self._bulk is None:
            self._bulk = load_bulk(self._plain(), GOLDEN_TEXTS)
        return self._bulk


def load_encoder(model: str) -> Encoder:
    """Find a model and hash its files; the heavy import waits for the first text.

    Args:
        model: What `find_model` takes: `DEFAULT_MODEL`, a folder, or a name of the hub.

    Raises:
        ModelError: There is no such model, or a file of the default one is not the pinned one.
    """
    folder, digests = find_model(model)
    is_default = model in DEFAULT_NAMES
    form = f"{DEFAULT_FORMAT} {way_of(model).name}" if is_default else FORMAT
    lines = [f"format {form}", *(f"{name} {digests[name]}" for name in sorted(digests))]
    fingerprint = hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
    return Encoder(model=model, folder=folder, fingerprint=fingerprint)


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep the garbage collector out while very many objects are made that will stay.

    It takes a fifth of the import of 3,500 modules, and half of opening 20,000 articles.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _load(folder: Path, name: str) -> SentenceTransformer:
    set_libraries(LIBRARIES)
    with no_collection():
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

        transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            model = SentenceTransformer(
                str(folder),
                device="cpu",
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
        except Exception as cause:
            raise ModelError(
                f"The model {name!r} in {folder} can not be loaded: {cause}. "
                "It must be a sentence-transformers model with weights as .safetensors."
            ) from cause
    if not getattr(model.tokenizer, "is_fast", False):
        raise ModelError(
            f"The model {name!r} has no tokenizer that tells where its word pieces stand. "
            f"Choose another one, or leave EMBEDDING_MODEL unset for {DEFAULT_MODEL}."
        )
    model.default_prompt_name = None  # a prompt would take up word pieces and shift their places
    return model


def _self_test(bert: Bert) -> None:
    vectors = vectors_of(bert, bert.tokenizer.encode_batch(GOLDEN_TEXTS))
    cosines = [round(float(vectors[0] @ vector), 6) for vector in vectors]
    if any(
        not abs(found - golden) <= GOLDEN_TOLERANCES[bert.numbers]  # so that NaN fails
        for found, golden in zip(cosines, GOLDEN_COSINES, strict=True)
    ):
        raise ModelError(
            f"The model {DEFAULT_MODEL} computes other vectors than it should (cosines {cosines}, "
            f"not {list(GOLDEN_COSINES)}). Install the versions of torch, transformers and "
            "tokenizers that requirements.txt names."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """A part of text number `row` that the model can read at once.

    Attributes:
        pieces: Its word pieces, without special ones.
    """

    row: int
    text: str
    pieces: int
    is_first: bool

    @property
    def weight(self) -> int:
        return max(self.pieces, 1)


def _windows(model: SentenceTransformer, row: int, text: str) -> Iterator[_Window]:
    """Cut a text where the model's view ends, between words; nothing is left out."""
    text = readable(text)
    limit = _most_pieces(model) - model.tokenizer.num_special_tokens_to_add()
    encoding = model.tokenizer([text], add_special_tokens=False, return_offsets_mapping=True)
    offsets = encoding["offset_mapping"][0]
    first, begin = 0, 0
    while first + limit < len(offsets):
        last = word_boundary(encoding.word_ids(0), first, first + limit)
        end = offsets[last][0]
        yield _Window(row=row, text=text[begin:end], pieces=last - first, is_first=first == 0)
        first, begin = last, end
    pieces = len(offsets) - first
    yield _Window(row=row, text=text[begin:], pieces=pieces, is_first=first == 0)


def _most_pieces(model: SentenceTransformer) -> int:
    """Word pieces that the model reads, with the special ones."""
    return int(model.max_seq_length or model.tokenizer.model_max_length)


def _batches(
    model: SentenceTransformer, pieces: Sequence[int], *, special: int | None = None
) -> Iterator[tuple[int, list[int]]]:
    """Group texts by padded length, short ones first: (length, numbers of the texts)."""
    most = _most_pieces(model)
    added = model.tokenizer.num_special_tokens_to_add() if special is None else special
    by_length: dict[int, list[int]] = defaultdict(list)
    for number, count in enumerate(pieces):
        steps = -(-(count + added) // STEP)
        by_length[min(steps * STEP, most)].append(number)
    for length in sorted(by_length):
        same = by_length[length]
        for first in range(0, len(same), BATCH):
            yield length, same[first : first + BATCH]


def _padded_to(length: int) -> dict[str, dict[str, str | int | bool]]:
    return {"text": {"padding": "max_length", "max_length": length, "truncation": True}}


def _piece_places(model: SentenceTransformer, texts: Sequence[str]) -> list[NDArray[np.int64]]:
    """Give the (start, end) of each word piece of each text, special ones as (0, 0)."""
    import numpy as np

    return [
        np.array(
            model.tokenizer([text], return_offsets_mapping=True)["offset_mapping"][0],
            dtype=np.int64,
        ).reshape(-1, 2)
        for text in texts
    ]
