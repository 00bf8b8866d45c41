"""`retrieval.encoding`: as near to f32 as promised, and the same bits in any company."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import modelfiles
from retrieval.bert import load_checkpoint, ready
from retrieval.embedding import DEFAULT_MODEL, GOLDEN_TEXTS, _load, load_encoder
from retrieval.encoding import (
    BF16,
    F32,
    MOST_PIECES,
    PIECES_AT_ONCE,
    Part,
    Way,
    _batches,
    encode_spans,
    encode_texts,
    load_bulk,
    way_of,
    windows,
)
from retrieval.errors import ModelError

TEXTS = (
    "",
    "Rubio urged Pakistan to help.",
    "Prices rose by 4.5% in São Paulo. 🙂",
    "The talks were held in New Delhi on Thursday. " * 12,
    "word " * 300,
)


@pytest.fixture(scope="module")
def checkpoint():
    return load_checkpoint(modelfiles._package_folder())


@pytest.fixture(scope="module", params=[BF16, F32])
def bulk(request, checkpoint):
    """Both ways, on any processor: where bf16 is not built in, it is only slow."""
    return load_bulk(ready(checkpoint, request.param), GOLDEN_TEXTS)


@pytest.fixture(scope="module")
def transformer():
    return _load(modelfiles._package_folder(), DEFAULT_MODEL)


def ignore(_done):
    pass


@pytest.mark.parametrize(
    ("flags", "way"),
    [
        (
            "fpu avx512_bf16 sse",
            Way(name=BF16, reason="plain torch: the processor has avx512_bf16"),
        ),
        (
            "avx512_bf16 amx_bf16",
            Way(name=BF16, reason="plain torch: the processor has amx_bf16"),
        ),
        (
            "fpu avx512f not_avx512_bf16",
            Way(name=F32, reason="plain torch: the processor has none of amx_bf16, avx512_bf16"),
        ),
    ],
)
def test_way_is_chosen_by_what_the_processor_can(flags, way, tmp_path):
    """Whole words of its flags count, and the reason names them."""
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : {flags}\n")
    assert way_of(DEFAULT_MODEL, cpu=tmp_path / "cpuinfo") == way


def test_way_is_f32_where_the_system_does_not_tell(tmp_path):
    """Outside Linux there is no such file."""
    way = way_of(DEFAULT_MODEL, cpu=tmp_path / "none")
    assert way == Way(
        name=F32, reason="plain torch: the system does not tell what the processor can"
    )


def test_way_of_another_model_is_sentence_transformers():
    """Its layers are not known."""
    assert way_of("some/model").reason.startswith("sentence-transformers: ")


def test_short_texts_are_as_sentence_transformers_reads_them(bulk, transformer):
    """Rounding apart: bf16 keeps the cosine at 0.9999."""
    rows = encode_texts(bulk, TEXTS[:4], ignore)
    plain = transformer.encode(list(TEXTS[:4]), show_progress_bar=False)
    assert (rows * plain).sum(axis=1).min() >= 0.999


def test_f32_is_sentence_transformers_to_rounding(checkpoint, transformer):
    """Without bf16 nothing moves by more than rounding does."""
    bulk = load_bulk(ready(checkpoint, F32), GOLDEN_TEXTS)
    plain = transformer.encode(list(TEXTS[:4]), show_progress_bar=False)
    assert np.abs(encode_texts(bulk, TEXTS[:4], ignore) - plain).max() < 1e-6


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.lists(st.integers(min_value=0, max_value=260), min_size=1, max_size=12),
    data=st.data(),
)
def test_a_vector_is_bit_for_bit_the_same_in_any_company(sizes, data, bulk):
    """Texts of any length, in any order and any batch: the vector that the text has alone."""
    texts = [f"{number} " + "word " * size for number, size in enumerate(sizes)]
    order = data.draw(st.permutations(range(len(texts))))
    together = encode_texts(bulk, [texts[number] for number in order], ignore)
    for row, number in enumerate(order):
        assert encode_texts(bulk, [texts[number]], ignore)[0].tolist() == together[row].tolist()


def test_a_part_is_pooled_from_its_own_pieces(bulk, transformer):
    """As `Encoder.encode_in_context` promises, and in any company."""
    text, spans = "Rubio called Sharif. He urged him to cooperate.", [(0, 20), (21, 47)]
    rows = encode_spans(bulk, [*TEXTS, text], [*([] for _ in TEXTS), spans], ignore)
    assert rows.tolist() == encode_spans(bulk, [text], [spans], ignore).tolist()
    pieces = transformer.encode([text], output_value="token_embeddings", show_progress_bar=False)[0]
    offsets = transformer.tokenizer([text], return_offsets_mapping=True)["offset_mapping"][0]
    for row, (start, end) in zip(rows, spans, strict=True):
        inside = [i for i, (a, b) in enumerate(offsets) if start <= a < b <= end]
        mean = pieces[inside].mean(dim=0).numpy()
        assert row @ mean / np.linalg.norm(mean) >= 0.999


@settings(max_examples=40, deadline=None)
@given(
    words=st.lists(
        st.sampled_from(["word", "Pahalgam", "a.b.c.d", "…", "한국어", "x" * 150, "\ud800", "é"]),
        min_size=150,
        max_size=600,
    )
)
def test_windows_have_every_word_piece_once(words, bulk):
    """For any text: in order, none left out, and each window fits the model."""
    text = " ".join(words)
    tokenizer = bulk.bert.tokenizer
    whole = tokenizer.encode(text.replace("\ud800", "\ufffd"), add_special_tokens=False).ids
    parts = list(windows(bulk, 7, text))
    assert [piece for part in parts for piece in part.ids[1:-1]] == whole
    assert all(len(part.ids) <= MOST_PIECES and part.row == 7 for part in parts)
    assert [part.is_first for part in parts] == [True, *[False] * (len(parts) - 1)]


def test_batches_keep_the_order_and_their_size():
    """A batch is full before the next begins; what is larger goes alone."""
    parts = [Part(row=n, ids=[0] * size, is_first=True) for n, size in enumerate([3, 3, 4, 11, 2])]
    rows = [[part.row for part in batch] for batch in _batches(parts, 10)]
    assert rows == [[0, 1, 2], [3], [4]]
    assert [[part.row for part in batch] for batch in _batches(parts, 1)] == [
        [0],
        [1],
        [2],
        [3],
        [4],
    ]


def test_vectors_too_far_from_f32_are_refused(checkpoint):
    """A model that bf16 ruins is not used: here, a weight that it rounds to infinity."""
    with pytest.raises(ModelError, match=r"In bf16 .*requirements\.txt"):
        load_bulk(ready(_nan_in_bf16(checkpoint), BF16), GOLDEN_TEXTS)


def _nan_in_bf16(checkpoint):
    """A weight that f32 holds and bf16 rounds to infinity."""
    name = "embeddings.LayerNorm.bias"
    weights = {**checkpoint.weights, name: checkpoint.weights[name].clone()}
    weights[name][0] = 3.4e38
    return replace(checkpoint, weights=weights)


def test_status_and_fingerprint_speak_of_the_same_way(encoder):
    """What `clippings status` shows is what encodes."""
    assert encoder.way == way_of(DEFAULT_MODEL)
    assert encoder.fingerprint == load_encoder(DEFAULT_MODEL).fingerprint
    assert encoder._ready().pieces_at_once in (PIECES_AT_ONCE, 1)
