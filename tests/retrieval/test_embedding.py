"""`retrieval.embedding`: the model we trust, vectors that leave nothing out, and no noise."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import modelfiles
from retrieval.bert import BF16, F32, load_checkpoint, ready
from retrieval.embedding import DEFAULT_MODEL, Encoder, _load, _self_test, _windows, load_encoder
from retrieval.errors import ModelError

ROOT = Path(__file__).parent.parent.parent
QUESTION = "What did Rubio urge Pakistan to do?"
TEXTS = (
    "Rubio urged Pakistan to help.",
    "",
    "The talks were held in New Delhi on Thursday, said the ministry of defence.",
    "🙂",
    "Prices rose by 4.5% in São Paulo.",
    "A short one.",
)
FOUR_FILES = {  # as published upstream, at revision 1110a243fdf4706b3f48f1d95db1a4f5529b4d41
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}


@pytest.fixture(scope="module")
def model_folder():
    return modelfiles._package_folder()


@pytest.fixture
def copied(model_folder, tmp_path):
    """Give a folder like the package's, its weights linked so that the copy is quick."""
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder, ignore=shutil.ignore_patterns("model.safetensors"))
    (folder / "model.safetensors").symlink_to(model_folder / "model.safetensors")
    return folder


@pytest.fixture(scope="module")
def transformer(model_folder):
    """The default model as sentence-transformers loads it."""
    return _load(model_folder, DEFAULT_MODEL)


@pytest.fixture(scope="module")
def other(model_folder):
    """The same model under a name that only sentence-transformers serves."""
    return Encoder(model=str(model_folder), folder=model_folder, fingerprint="")


@pytest.fixture(params=["plain torch", "sentence-transformers"])
def each(request, encoder, other):
    """What must hold for the default model must hold for any other."""
    return encoder if request.param == "plain torch" else other


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )


def test_pins_are_those_published_upstream():
    """The four main files are pinned to the hashes that their authors published."""
    assert {name: modelfiles.PINNED[name] for name in FOUR_FILES} == FOUR_FILES


@pytest.mark.parametrize("name", sorted(set(modelfiles.PINNED) - {"model.safetensors"}))
def test_one_flipped_bit_is_refused_by_name(copied, name):
    """Each file is checked; the message names the one that differs and what to do."""
    data = bytearray((copied / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copied / name).write_bytes(data)
    with pytest.raises(ModelError, match=f"{name}.*pip install"):
        modelfiles._refuse_changed(copied, modelfiles._digests(copied))


def test_other_weights_are_refused(copied):
    """So are the weights."""
    (copied / "model.safetensors").unlink()
    (copied / "model.safetensors").write_bytes(b"other")
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        modelfiles._refuse_changed(copied, modelfiles._digests(copied))


@pytest.mark.parametrize("change", ["missing", "too many"])
def test_missing_or_additional_file_is_refused(copied, change):
    """Loaders look for optional files by name: one more is as bad as one less."""
    if change == "missing":
        (copied / "modules.json").unlink()
        name = "modules.json"
    else:
        (copied / "adapter_config.json").write_text("{}")
        name = "adapter_config.json"
    with pytest.raises(ModelError, match=name):
        modelfiles._refuse_changed(copied, modelfiles._digests(copied))


def test_folder_that_does_not_exist_is_a_clear_error(tmp_path):
    """A path without a model is named, and what can be given instead."""
    with pytest.raises(ModelError, match=f"{tmp_path}/none.*{DEFAULT_MODEL}"):
        load_encoder(f"{tmp_path}/none")


def test_folder_without_a_model_is_a_clear_error(tmp_path):
    """A folder that sentence-transformers can not load is named when it is first used."""
    (tmp_path / "notes.txt").write_text("nothing here")
    with pytest.raises(ModelError, match=f"{tmp_path}.*safetensors"):
        load_encoder(str(tmp_path)).warm()


def test_hub_name_is_not_fetched_where_the_network_is_off():
    """A model that is not at hand and can not be fetched is a clear error."""
    code = (
        "from retrieval.embedding import load_encoder\n"
        "from retrieval.errors import ModelError\n"
        "try: load_encoder('nobody/no-such-model')\n"
        "except ModelError as error: print(error)"
    )
    assert "'nobody/no-such-model' could not be fetched" in run(code, HF_HUB_OFFLINE="1").stdout


def test_fingerprint_is_that_of_the_files(copied, model_folder):
    """The same files have one fingerprint wherever they are; another file, another one."""
    same = load_encoder(str(copied)).fingerprint
    assert same == load_encoder(str(model_folder)).fingerprint
    (copied / "config.json").write_text("{}")
    assert load_encoder(str(copied)).fingerprint != same


def test_fingerprint_is_another_where_the_vectors_are(copied, encoder):
    """The same files run by sentence-transformers give other bits than plain torch."""
    other = load_encoder(str(copied))
    assert not np.array_equal(other.encode(TEXTS), encoder.encode(TEXTS))
    assert other.fingerprint != encoder.fingerprint


def test_model_in_a_folder_gives_nearly_the_vectors_of_the_default(copied, encoder):
    """A configured folder works as the default does."""
    other = load_encoder(str(copied))
    assert other.width == 384
    assert (other.encode(TEXTS) * encoder.encode(TEXTS)).sum(axis=1).min() >= 0.999


def test_nothing_heavy_is_imported_before_the_first_text():
    """Finding and hashing the model leaves torch and numpy alone."""
    code = (
        "import sys; from retrieval.embedding import *; load_encoder(DEFAULT_MODEL).width;"
        "print([n for n in ('torch', 'numpy', 'transformers', 'tokenizers') if n in sys.modules])"
    )
    assert run(code).stdout == "[]\n"


def test_loading_and_encoding_are_silent():
    """No progress bar, no log line, no warning on either stream."""
    code = "from retrieval.embedding import *; load_encoder(DEFAULT_MODEL).encode(['word ' * 600])"
    done = run(code)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize("numbers", [BF16, F32])
def test_model_that_computes_something_else_is_refused(model_folder, numbers):
    """What no hash can tell, a library that computes other vectors, the self-test does."""
    checkpoint = load_checkpoint(model_folder)
    _self_test(ready(checkpoint, numbers))
    checkpoint.weights["encoder.layer.0.output.dense.weight"].mul_(0.9)
    with pytest.raises(ModelError, match=r"other vectors.*requirements\.txt"):
        _self_test(ready(checkpoint, numbers))


def test_rows_are_those_of_sentence_transformers(other, transformer):
    """Our batches and padding change nothing beyond rounding."""
    plain = transformer.encode(list(TEXTS), show_progress_bar=False)
    assert np.abs(other.encode(TEXTS) - plain).max() < 1e-6


def test_rows_are_unit_vectors_in_the_order_of_the_texts(each):
    """Sorting by length inside does not show; nearest to itself is each text."""
    rows = each.encode(TEXTS)
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-6)
    assert each.encode(TEXTS[::-1])[::-1].tolist() == rows.tolist()


def test_nearest_text_to_a_question_is_the_one_that_answers(encoder):
    """The vectors mean something."""
    cosines = encoder.encode(TEXTS) @ encoder.encode([QUESTION])[0]
    assert int(cosines.argmax()) == 0


def test_no_texts_have_no_rows(each):
    """An empty list is ordinary."""
    assert each.encode([]).shape == (0, 384)
    assert each.encode_in_context([], []).shape == (0, 384)


def test_vector_does_not_depend_on_its_neighbours(each):
    """Alone, among few or among many: bit for bit the same vector."""
    among_many = each.encode([*TEXTS, *(f"Sentence number {i}." * (i % 9) for i in range(40))])
    for row, text in enumerate(TEXTS):
        assert each.encode([text]).tolist() == [among_many[row].tolist()]


def test_progress_counts_every_text_once(each):
    """A long text is one text, however many windows it has."""
    done = []
    each.encode(["word " * 1000, *(["short"] * 40)], on_batch=done.append)
    assert sum(done) == 41


def test_long_text_is_the_mean_of_its_windows(each, transformer):
    """Nothing is dropped: the end of a long text counts as much as its beginning."""
    start, end = "The cat sat on the mat. " * 36, "Interest rates rose again today. " * 42
    pieces = [window.pieces for window in _windows(transformer, 0, start + end)]
    assert len(pieces) > 1
    both = each.encode([start + end])[0]
    assert both @ each.encode([start])[0] > 0.6
    assert both @ each.encode([end])[0] > 0.6


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(
        st.sampled_from(
            ["word", "Pahalgam", "a.b.c.d", "…", "ﬁ", "한국어", "中文字", "x" * 150, "\u200b", "é"]
        ),
        min_size=250,
        max_size=700,
    ),
    gap=st.sampled_from([" ", "", "\n\n"]),
)
def test_windows_hold_the_whole_text_and_fit_the_model(words, gap, transformer):
    """For any text: windows follow each other, and each has no more pieces than are read."""
    model = transformer
    text = gap.join(words)
    windows = list(_windows(model, 0, text))
    assert "".join(window.text for window in windows) == text
    for window in windows:
        pieces = model.tokenizer([window.text], add_special_tokens=False)["input_ids"][0]
        assert len(pieces) <= 254
        assert len(pieces) == window.pieces


@settings(max_examples=40, deadline=None)
@given(text=st.text(alphabet=st.characters(categories=["C", "L", "M", "N", "P", "S", "Z"])))
def test_any_text_has_a_vector(text, encoder):
    """Control characters, lone surrogates, nothing at all: a unit vector, not an error."""
    assert np.linalg.norm(encoder.encode([text])[0]) == pytest.approx(1.0, abs=1e-5)


def test_part_read_in_its_surroundings(other, transformer):
    """A part is pooled from its own word pieces of one pass over the surroundings."""
    text = "Rubio called Sharif. He urged him to cooperate."
    spans = [(0, 20), (21, 47)]
    rows = other.encode_in_context([text], [spans])
    model = transformer
    pieces = model.encode([text], output_value="token_embeddings", show_progress_bar=False)[0]
    offsets = model.tokenizer([text], return_offsets_mapping=True)["offset_mapping"][0]
    for row, (start, end) in zip(rows, spans, strict=True):
        inside = [i for i, (a, b) in enumerate(offsets) if start <= a < b <= end]
        mean = pieces[inside].mean(dim=0).numpy()
        assert row == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)


def test_surroundings_change_how_a_part_reads(each):
    """«He» after «Sharif» is nearer to Sharif than «he» after «Modi» is."""
    sharif, modi = "Sharif spoke. He agreed.", "Modi spoke. He agreed."
    rows = each.encode_in_context([sharif, modi], [[(14, 24)], [(12, 22)]])
    asked = each.encode(["Did Sharif agree?"])[0]
    assert rows[0] @ asked > rows[1] @ asked + 0.05


def test_part_without_pieces_or_out_of_sight_is_encoded_alone(each):
    """White space, and what lies beyond the model's view, still get their own vector."""
    text = "word " * 400 + "Interest rates rose."
    spans = [[(0, 4), (2000, 2020)], [(5, 6)]]
    rows = each.encode_in_context([text, "Hello world"], spans)
    assert rows[1].tolist() == each.encode(["Interest rates rose."])[0].tolist()
    assert rows[2].tolist() == each.encode([" "])[0].tolist()


def test_rows_in_context_are_bit_for_bit_the_same_in_any_batch(each):
    """As for texts: an index that re-uses vectors is the one built afresh."""
    texts = [f"Sentence {i}. " * (1 + i % 7) + "The end." for i in range(24)]
    spans = [[(0, 11), (len(text) - 8, len(text))] for text in texts]
    together = each.encode_in_context(texts, spans)
    for number in (0, 5, 23):
        alone = each.encode_in_context([texts[number]], [spans[number]])
        assert alone.tolist() == together[2 * number : 2 * number + 2].tolist()


def test_a_question_takes_the_short_way_to_the_same_vector(encoder, other):
    """Plain torch and sentence-transformers agree on questions of every kind."""
    questions = ["What did Rubio urge Pakistan to do?", "26", "Zürich — “Grüezi”?", "x " * 200]
    long_way = other.encode(questions)
    cosines = [
        float(encoder.encode_question(question) @ vector)
        for question, vector in zip(questions, long_way, strict=True)
    ]
    assert min(cosines) >= 0.9999


def test_a_question_longer_than_the_model_reads_is_not_cut(encoder):
    """Its vector is that of the whole text, window by window."""
    question = "word " * 400 + "Pakistan " * 400
    assert (encoder.encode_question(question) == encoder.encode([question])[0]).all()


def test_articles_do_not_wait_for_sentence_transformers_either():
    """Encoding with the default model imports neither of the larger packages."""
    code = (
        "import sys; from retrieval import DEFAULT_MODEL, load_encoder;"
        "load_encoder(DEFAULT_MODEL).encode_in_context(['He came.'], [[(0, 8)]]);"
        "print([m for m in ('sentence_transformers', 'transformers') if m in sys.modules])"
    )
    assert run(code).stdout == "[]\n"


def test_a_question_does_not_wait_for_sentence_transformers():
    """The first question imports torch and tokenizers, and neither of the larger packages."""
    code = (
        "import sys; from retrieval import DEFAULT_MODEL, load_encoder;"
        "load_encoder(DEFAULT_MODEL).encode_question('Who?');"
        "print([m for m in ('sentence_transformers', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout == "[]\n"
