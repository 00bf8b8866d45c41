"""watching.py: a pass after each change, whatever happens to a pass or to the folder."""

import threading
import time
from inspect import signature

import pytest

from bot import watching
from bot.watching import keep_indexed
from retrieval import CorpusError, is_settled


class Stop(Exception):
    """Ends the watching, as Ctrl-C does."""


@pytest.fixture
def watched(tmp_path):
    """Watch `corpus`; `watched(*passes)` runs one function per pass and gives what was said.

    A function may take the paths that it is to look at.
    """

    def run(*passes):
        left = list(passes)
        said = []

        def index_once(changed):
            each = left.pop(0)
            each(changed) if signature(each).parameters else each()

        with pytest.raises(Stop):
            keep_indexed(
                tmp_path / "corpus",
                tmp_path / "corpus" / ".index",
                index_once=index_once,
                is_settled=lambda path: is_settled(
                    tmp_path / "corpus", path, limit_bytes=100, clock=time.time
                ),
                say=said.append,
            )
        return said

    return run


def stop():
    raise Stop


def test_a_change_brings_a_pass_and_an_error_is_survived(watched, tmp_path):
    """The first pass comes at once; one that fails is told; the next change brings the next."""
    folder = tmp_path / "corpus"
    folder.mkdir()

    def change():
        threading.Timer(0.2, lambda: (folder / "a.txt").write_text("News.", "utf-8")).start()

    def fail():
        threading.Timer(0.2, lambda: (folder / "b.txt").write_text("News.", "utf-8")).start()
        raise CorpusError("nothing readable")

    assert watched(change, fail, stop) == ["nothing readable\nstill watching; Ctrl-C ends"]


def test_what_the_index_itself_writes_brings_no_pass(watched, tmp_path):
    """An index inside the folder of articles does not index itself for ever."""
    folder = tmp_path / "corpus"
    (folder / ".index").mkdir(parents=True)
    passes = []

    def write_index():
        passes.append(time.monotonic())
        (folder / ".index" / "CURRENT").write_text("x", "utf-8")
        threading.Timer(3.0, lambda: (folder / "a.txt").write_text("News.", "utf-8")).start()

    def second():
        passes.append(time.monotonic())
        raise Stop

    watched(write_index, second)
    assert passes[1] - passes[0] >= 3.0


def test_a_folder_that_was_away_is_watched_again(watched, tmp_path, monkeypatch):
    """A missing folder is told; once it is back, it is indexed."""
    monkeypatch.setattr(watching, "MISSING_S", 0.05)
    folder = tmp_path / "corpus"

    def missing():
        folder.mkdir()
        raise CorpusError("no folder")

    def back():
        folder.rename(tmp_path / "moved")

    def gone():
        raise Stop

    assert watched(missing, back, gone) == ["no folder\nstill watching; Ctrl-C ends"]


def test_a_pass_is_given_the_paths_that_changed(watched, tmp_path):
    """The first looks everywhere, the next at what was written; hidden files bring none."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    given = []

    def first(changed):
        given.append(changed)
        (folder / ".hidden.txt").write_text("No news.", "utf-8")
        (folder / "a.txt").write_text("News.", "utf-8")

    def second(changed):
        given.append(set(changed))
        raise Stop

    watched(first, second)
    assert given == [None, {"a.txt"}]


def test_a_file_that_is_being_written_is_waited_for(watched, tmp_path):
    """However its writer pauses: it is there whole when the pass comes, and others go before."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    found, is_enough = [], threading.Event()

    def write():
        with (folder / "slow.txt").open("w", encoding="utf-8", buffering=1) as slow:
            while not is_enough.wait(0.3):
                slow.write("News.\n")
            slow.write("The end.\n")

    def first():
        threading.Thread(target=write).start()
        (folder / "quick.txt").write_text("News.", "utf-8")

    def quick(changed):
        found.append(set(changed))
        is_enough.set()

    def slow(changed):
        found.append(set(changed))
        assert (folder / "slow.txt").read_text("utf-8").endswith("The end.\n")
        raise Stop

    watched(first, quick, slow)
    assert found == [{"quick.txt"}, {"slow.txt"}]


def test_after_a_pass_that_failed_the_next_looks_everywhere(watched, tmp_path):
    """What the one that failed was to look at was not looked at."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    given = []

    def first():
        (folder / "a.txt").write_text("News.", "utf-8")

    def fail(changed):
        given.append(set(changed))
        (folder / "b.txt").write_text("News.", "utf-8")
        raise CorpusError("no room")

    def last(changed):
        given.append(changed)
        raise Stop

    watched(first, fail, last)
    assert given == [{"a.txt"}, None]
