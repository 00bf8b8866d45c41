"""progress.py: how fast an indexing goes."""

import pytest

from bot.progress import pace_of


@pytest.mark.parametrize(
    ("done", "left", "seconds", "words"),
    [
        (50_000, 1_000_000, 10.0, " (5,000/s, 3 min 20 s left)"),
        (3, 1, 1.0, " (3/s, 0 min 00 s left)"),
        (10, 0, 1.0, ""),
        (0, 10, 1.0, ""),
        (10, 10, 0.0, ""),
    ],
)
def test_a_log_tells_rate_and_remaining_time(done, left, seconds, words):
    """Where nothing is done yet, or all is, there is nothing to tell."""
    assert pace_of(done, left, seconds=seconds) == words
