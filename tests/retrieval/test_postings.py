"""`retrieval.postings`: which texts have a word, in a file."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.errors import IndexDamaged
from retrieval.postings import (
    BLOCK,
    build_postings,
    merge_postings,
    open_postings,
    read_postings,
)
from retrieval.words import stems

TEXTS = ("bee ant bee", "", "cat", "ant ant ant")


def postings_of(texts):
    data = np.frombuffer(build_postings(texts, cut=str.split), dtype=np.uint8)
    return read_postings(data, size=len(texts), name="the words")


def merged(parts, size, block=BLOCK):
    pieces = []
    merge_postings(parts, size=size, write=lambda piece: pieces.append(bytes(piece)), block=block)
    return b"".join(pieces)


def told(postings):
    """Give all that postings say: for each term its rows and counts."""
    return {
        term: list(
            zip(
                postings.rows[postings.range_of(term)].tolist(),
                postings.counts[postings.range_of(term)].tolist(),
                strict=True,
            )
        )
        for term in postings.terms
    }


def test_terms_have_their_texts_and_counts():
    """Terms sorted, texts ascending, lengths with repetitions."""
    postings = postings_of(TEXTS)
    assert list(postings.terms) == ["ant", "bee", "cat"]
    assert told(postings) == {"ant": [(0, 1), (3, 3)], "bee": [(0, 2)], "cat": [(2, 1)]}
    assert postings.lengths.tolist() == [3, 0, 1, 3]
    assert postings.size == 4


@pytest.mark.parametrize("term", ["", "aardvark", "bat", "zebra", "ants"])
def test_unknown_terms_have_no_texts(term):
    """Before, between and after the others."""
    assert postings_of(TEXTS).range_of(term) == slice(0, 0)


def test_a_word_may_stand_in_a_text_more_often_than_a_byte_can_say():
    """Counts get wider where they must."""
    postings = postings_of(["ant " * 256, "ant " * 255])
    assert told(postings) == {"ant": [(0, 256), (1, 255)]}
    assert postings_of(["ant " * 255]).counts.dtype == np.uint8


WORDS = st.lists(st.sampled_from(["ant", "bee", "cat", "élan", "\ud800"]), max_size=6)
DOCUMENTS = st.lists(WORDS.map(" ".join), max_size=8)


@given(texts=DOCUMENTS)
def test_any_texts_can_be_told_again(texts):
    """None, empty ones, other alphabets."""
    postings = postings_of(texts)
    counts = [Counter(text.split()) for text in texts]
    assert told(postings) == {
        term: [(row, count[term]) for row, count in enumerate(counts) if term in count]
        for term in sorted({term for count in counts for term in count})
    }


@settings(max_examples=300)
@given(data=st.data())
def test_merging_is_indexing_all_at_once(data):
    """Byte for byte, whatever is left out and however the texts are mixed."""
    texts = data.draw(DOCUMENTS)
    owners = data.draw(st.lists(st.integers(0, 3), min_size=len(texts), max_size=len(texts)))
    kept = [number for number, owner in enumerate(owners) if owner]
    order = data.draw(st.permutations(kept))
    new = {number: row for row, number in enumerate(order)}
    parts = []
    for owner in (1, 2, 3):
        # What is left out lies among the texts of the first part.
        own = [n for n, each in enumerate(owners) if each == owner or (owner == 1 and not each)]
        rows = np.array([new.get(number, -1) for number in own], dtype=np.int64)
        parts.append((postings_of([texts[number] for number in own]), rows))
    whole = build_postings([texts[number] for number in order], cut=str.split)
    assert merged(parts, len(order)) == whole


def test_merging_in_blocks_changes_nothing():
    """Terms are merged some at a time; one with more texts than a block is merged alone."""
    texts = [f"ant w{number % 7} x{number}" for number in range(100)]
    parts = [
        (postings_of(texts[0::2]), np.arange(0, 100, 2)),
        (postings_of(texts[1::2]), np.arange(1, 100, 2)),
    ]
    for block in (1, 10, 64):
        assert merged(parts, 100, block) == build_postings(texts, cut=str.split)


def test_a_wide_count_that_is_left_out_makes_no_wide_file():
    """The merged file is the one of its own texts."""
    parts = [(postings_of(["ant " * 300, "ant"]), np.array([-1, 0]))]
    assert merged(parts, 1) == build_postings(["ant"], cut=str.split)


def test_a_file_is_read_where_it_lies(tmp_path):
    """Opening copies nothing; the file can not be written through it."""
    place = tmp_path / "words"
    place.write_bytes(build_postings(TEXTS, cut=str.split))
    postings = open_postings(place, size=4)
    assert told(postings) == told(postings_of(TEXTS))
    assert not postings.rows.flags.owndata
    assert not postings.rows.flags.writeable


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda data: data[:-1],
        lambda data: data[:100],
        lambda data: data + b"\0",
        lambda data: b"x" + data[1:],
        lambda data: b"[]".ljust(128) + data[128:],
        lambda data: b"{}".ljust(128) + data[128:],
        lambda data: data.replace(b'"texts": 4', b'"texts":-4'),
        lambda data: data.replace(b'"texts": 4', b'"texts":""'),
        lambda data: data.replace(b'"count_bytes": 1', b'"count_bytes": 3'),
    ],
)
def test_what_is_no_such_file_is_damage(tmp_path, damage):
    """Cut, too long or something else: the message names the file and the remedy."""
    place = tmp_path / "words"
    place.write_bytes(damage(build_postings(TEXTS, cut=str.split)))
    with pytest.raises(IndexDamaged, match=r"words .*clippings index"):
        open_postings(place, size=4)


def test_a_missing_file_is_damage(tmp_path):
    """With the remedy too."""
    with pytest.raises(IndexDamaged, match="clippings index"):
        open_postings(tmp_path / "words", size=4)


def test_the_words_of_other_texts_are_damage(tmp_path):
    """The number of texts has to be the one that is expected."""
    place = tmp_path / "words"
    place.write_bytes(build_postings(TEXTS, cut=str.split))
    with pytest.raises(IndexDamaged, match="of 5 texts"):
        open_postings(place, size=5)


def test_bytes_do_not_depend_on_the_hash_seed():
    """Two processes with different hash seeds write the same file."""
    texts = ("Rubio urged Pakistan to cooperate.", "Pakistan and India; Pakistan replied.")
    code = (
        "import hashlib; from retrieval.postings import build_postings;"
        "from retrieval.words import stems;"
        f"print(hashlib.sha256(build_postings({texts!r}, cut=stems)).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parent.parent.parent,
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {hashlib.sha256(build_postings(texts, cut=stems)).hexdigest()}
