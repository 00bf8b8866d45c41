"""Numbers → a figure."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.measures import auroc, calibration_error, mean, reliability

SCORED = st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]), st.booleans()), max_size=30)


def slow_auroc(scored):
    positive = [score for score, yes in scored if yes]
    negative = [score for score, yes in scored if not yes]
    if not positive or not negative:
        return math.nan
    wins = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    return wins / (len(positive) * len(negative))


@given(SCORED)
def test_auroc_is_the_chance_that_a_positive_outranks_a_negative(scored):
    """For any scores, ties too, it equals the count over all pairs."""
    figure = auroc([score for score, _ in scored], [yes for _, yes in scored])
    assert figure == pytest.approx(slow_auroc(scored), nan_ok=True)


def test_calibration_error_weighs_each_bin_by_its_replies():
    """Three sure replies, two of them right, and one unsure and wrong."""
    confidences, right = [0.95, 0.95, 0.95, 0.05], [True, True, False, False]
    bins = reliability(confidences, right)
    assert [(b.low, b.count, b.right) for b in bins] == [
        (0.0, 1, 0.0),
        (0.9, 3, pytest.approx(2 / 3)),
    ]
    expected = 0.75 * (0.95 - 2 / 3) + 0.25 * 0.05
    assert calibration_error(bins) == pytest.approx(expected)


def test_a_figure_of_nothing_is_no_number():
    """The mean of no question is NaN, not 0."""
    assert math.isnan(mean([]))
