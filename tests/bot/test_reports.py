"""reports.py: what index, status and verify say."""

from datetime import date

import pytest

from bot.reports import (
    drift,
    drift_lines,
    human_age,
    human_size,
    report_lines,
    status_lines,
    tally,
    verdict,
)
from bot.terminal import plain
from retrieval import Facts, Report, Skipped, Way


def test_an_indexing_tells_its_counts_and_names_what_it_skipped():
    """Every skipped file has its reason and remedy; its name can not act on a terminal."""
    report = Report(
        generation="3f2a",
        articles=5,
        sentences=1204,
        passages=1,
        unchanged=4,
        reused=310,
        skipped=(Skipped(path="b\x1bad.txt", reason="is empty", remedy="remove it"),),
        ignored=2,
        published=True,
    )
    assert plain(report_lines(report)) == (
        "5 articles, 1,204 sentences, 1 passage in generation 3f2a\n"
        "4 articles unchanged, 310 vectors re-used\n"
        "2 hidden or temporary files left out\n"
        "1 file skipped:\n"
        "  b\\x1bad.txt is empty; remove it\n"
    )


def test_an_indexing_that_changed_nothing_says_so():
    """Nobody wonders whether it worked."""
    report = Report(
        generation="3f2a", articles=5, sentences=9, passages=3, unchanged=5, reused=12,
        skipped=(), ignored=0, published=False,
    )  # fmt: skip
    assert plain(report_lines(report)).splitlines()[1] == (
        "5 articles unchanged, 12 vectors re-used; the index was up to date"
    )


def test_status_has_a_line_for_each_fact():
    """Where, which, when, by which model, how much, from when to when."""
    facts = Facts(
        model="all-MiniLM-L6-v2", fingerprint="f", content="c", corpus="/news", width=384,
        articles=5, sentences=104, passages=60, earliest=date(2025, 5, 1), latest=date(2025, 5, 2),
    )  # fmt: skip
    shown = status_lines(
        generation="3f2a",
        facts=facts,
        age_s=7300,
        size=1_234_567,
        index=".clippings",
        way=Way(name="bf16", reason="the processor has it"),
        segments=3,
        recall=None,
    )
    assert plain(shown) == (
        "index       .clippings (1.2 MB)\n"
        "generation  3f2a\n"
        "built       2 hours ago\n"
        "model       all-MiniLM-L6-v2\n"
        "encoding    bf16, the processor has it\n"
        "holds       5 articles, 104 sentences, 60 passages\n"
        "search      exact, in 3 segments\n"
        "published   2025-05-01 to 2025-05-02\n"
        "articles    /news\n"
    )


def test_drift_tells_changed_new_and_gone_files_apart():
    """By the bytes of each path; a file that moved is gone and new."""
    found = drift(
        {"a": "1", "b": "2", "c": "3"},
        {"a": "1", "b": "2!", "d": "3"},
    )
    assert (found.changed, found.new, found.gone) == (("b",), ("d",), ("c",))
    assert plain(drift_lines(found)) == (
        "changed     1 file: b\n"
        "new         1 file: d\n"
        "gone        1 file: c\n"
        "Run `clippings index` to bring the index up to date.\n"
    )


def test_no_drift_is_said_in_one_line():
    """The good case is short."""
    assert plain(drift_lines(drift({"a": "1"}, {"a": "1"}))) == ("changes     none since\n")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "less than a minute ago"),
        (59, "less than a minute ago"),
        (60, "1 minute ago"),
        (7199, "1 hour ago"),
        (172_800, "2 days ago"),
    ],
)
def test_an_age_is_said_in_its_largest_unit(seconds, words):
    """A clock that was set back gives no negative age."""
    assert human_age(seconds) == words


@pytest.mark.parametrize(
    ("size", "words"), [(999, "999 bytes"), (1000, "1.0 kB"), (2_500_000_000, "2.5 GB")]
)
def test_a_size_is_said_in_decimal_units(size, words):
    """As file managers say it."""
    assert human_size(size) == words


def test_a_verdict_names_the_quote_its_file_and_what_is_wrong():
    """One line, PASS or FAIL first, so that it can be searched."""
    assert plain([verdict("q-1", "a.txt", [])]) == "PASS  q-1  a.txt\n"
    assert plain([verdict("q-1", "a.txt", ["x", "y"])]) == "FAIL  q-1  a.txt: x; y\n"
    assert plain([tally(passed=2, failed=1)]) == "3 quotes: 2 PASS, 1 FAIL\n"
