"""watching.py: a pass after each change, whatever happens to a pass or to the folder."""

import threading
import time

import pytest

from bot import watching
from bot.watching import keep_indexed
from retrieval import CorpusError


class Stop(Exception):
    """Ends the watching, as Ctrl-C does."""


@pytest.fixture
def watched(tmp_path):
    """Watch `corpus`; `watched(*passes)` runs one function per pass and gives what was said."""

    def run(*passes):
        left = list(passes)
        said = []

        def index_once():
            left.pop(0)()

        with pytest.raises(Stop):
            keep_indexed(
                tmp_path / "corpus", tmp_path / "corpus" / ".index",
                index_once=index_once, say=said.append,
            )  # fmt: skip
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
