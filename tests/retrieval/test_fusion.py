"""Scores of different kinds → one score."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from retrieval.fusion import fuse, normalised

FINITE = st.floats(-1e6, 1e6, width=32)


def test_each_arm_counts_by_its_weight_after_stretching():
    """BM25 scores and cosines are put on one scale before they are summed."""
    words = np.array([0.0, 4.0, 8.0], dtype=np.float32)
    cosines = np.array([0.9, 0.1, 0.5], dtype=np.float32)
    assert fuse((words, cosines), weights=(0.75, 0.25)).tolist() == [0.25, 0.375, 0.875]


def test_an_arm_without_an_opinion_counts_nothing():
    """Scores that are all the same say nothing, whatever their height."""
    same = np.full(3, 7.0, dtype=np.float32)
    assert normalised(same).tolist() == [0.0, 0.0, 0.0]


@given(arrays(np.float32, st.integers(1, 20), elements=FINITE))
def test_stretching_keeps_the_order_within_0_and_1(scores):
    """Any finite scores end up in [0, 1], in the same order."""
    stretched = normalised(scores)
    assert ((stretched >= 0) & (stretched <= 1)).all()
    order = np.argsort(scores, kind="stable")
    assert (np.diff(stretched[order]) >= 0).all()
