"""What each good and bad file of a folder gets."""

import codecs
import fcntl
import os
import socket
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.corpus import (
    CLOSED_S,
    DEFAULT_LIMIT_BYTES,
    QUIET_S,
    Skipped,
    is_settled,
    list_corpus,
    read_article,
    read_corpus,
    shown_path,
    visit_corpus,
)
from retrieval.datatypes import Span
from retrieval.errors import CorpusError

CORPUS = Path(__file__).parents[2] / "corpus"
LONG_AGO = 1_000_000_000


class Time:
    """A clock that only waiting moves; it remembers what it was asked to wait."""

    def __init__(self, now):
        self.now = now
        self.waits = []

    def clock(self):
        return self.now

    def wait(self, seconds):
        self.waits.append(seconds)
        self.now += seconds


def put(folder, name, raw, written=LONG_AGO):
    path = folder / os.fsdecode(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    os.utime(path, (written, written))
    return path


def ignore(done, total):
    """Take progress and do nothing with it."""


def read(folder, *, limit_bytes=DEFAULT_LIMIT_BYTES, at=None, on_file=ignore):
    at = at or Time(LONG_AGO + 100)
    return read_corpus(
        folder, limit_bytes=limit_bytes, clock=at.clock, wait=at.wait, on_file=on_file
    )


def reasons(reading):
    return {skip.path: (skip.reason, skip.remedy) for skip in reading.skipped}


def test_the_five_articles_are_read_byte_for_byte():
    """The real folder gives its five files, sorted, each with its very bytes and its header."""
    reading = read(CORPUS, at=Time(time.time() + 10))
    names = sorted(path.name for path in CORPUS.glob("*.txt"))
    assert [article.path for article in reading.articles] == names
    assert [article.raw for article in reading.articles] == [
        (CORPUS / name).read_bytes() for name in names
    ]
    assert [str(article.published) for article in reading.articles] == [
        "2025-05-02",
        "2025-05-01",
        "None",
        "None",
        "None",
    ]
    assert reading.articles[4].at(reading.articles[4].dateline) == "New York"
    assert (reading.skipped, reading.ignored) == ((), 0)


UTF_16_TEXT = "Rubio in talks".encode("utf-16-le")


@pytest.mark.parametrize(
    ("raw", "reason", "remedy"),
    [
        (b"", "is empty", "remove it"),
        (b" \r\n\t", "is empty", "remove it"),
        (codecs.BOM_UTF8 + b"\n", "is empty", "remove it"),
        (codecs.BOM_UTF16_LE + UTF_16_TEXT, "is UTF-16, not UTF-8", "iconv -f UTF-16 -t UTF-8"),
        (codecs.BOM_UTF16_BE + b"\0R", "is UTF-16, not UTF-8", "iconv -f UTF-16 -t UTF-8"),
        (codecs.BOM_UTF32_LE + b"R\0\0\0", "is UTF-32, not UTF-8", "iconv -f UTF-32 -t UTF-8"),
        (codecs.BOM_UTF32_BE + b"\0\0\0R", "is UTF-32, not UTF-8", "iconv -f UTF-32 -t UTF-8"),
        (UTF_16_TEXT, "as UTF-16LE without a byte order mark", "iconv -f UTF-16LE"),
        ("Rubio".encode("utf-16-be"), "as UTF-16BE without a byte", "iconv -f UTF-16BE"),
        (b"Rubio\0spoke", "is binary: there is a NUL byte at offset 5", "save its text"),
        (b"caf\xe9 in Paris", "byte 0xE9 at offset 3 is not UTF-8", "iconv -f WINDOWS-1252"),
        (b"cut \xe2\x80", "byte 0xE2 at offset 4 is not UTF-8", "convert it"),
        (b"over\xc0\xaflong", "byte 0xC0 at offset 4 is not UTF-8", "convert it"),
        (b"half \xed\xa0\x80", "byte 0xED at offset 5 is not UTF-8", "convert it"),
        (b"\x89PNG\r\n\x1a\n....", "is a PNG image, not a text", "save its text"),
        (b"%PDF-1.7 text", "is a PDF document, not a text", "save its text"),
        (b"\x1f\x8b\x08\x08", "is a gzip archive, not a text", "save its text"),
        (b"\x01\x02Rubio spoke", "more than 5 % of it are control bytes", "save its text"),
        (b"x" * 101, "is 101 bytes long, over the limit of 100", "raise the limit"),
    ],
)
def test_bytes_that_are_no_article_are_skipped_with_reason_and_remedy(
    tmp_path, raw, reason, remedy
):
    """One bad file is named with what is wrong and what to do, and the good one is read."""
    put(tmp_path, "bad.txt", raw)
    put(tmp_path, "good.txt", b"Rubio spoke.")
    reading = read(tmp_path, limit_bytes=100)
    assert [article.path for article in reading.articles] == ["good.txt"]
    (skip,) = reading.skipped
    assert skip.path == "bad.txt"
    assert reason in skip.reason
    assert remedy in skip.remedy


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffRubio spoke.",
        "Rubio\r\nspoke\rto\nSharif\x0c\x85\u2028.",
        "cafe\u0301 &amp; caf\xe9 \U0001f469\u200d\U0001f680 \u202eright\u202c",
        " \xa0Rubio spoke. \n\n",
    ],
)
def test_odd_but_valid_text_is_kept_code_point_for_code_point(tmp_path, text):
    """Marks, line ends and compositions stay as they are, and offsets count from the true start."""
    put(tmp_path, "a.txt", text.encode())
    (article,) = read(tmp_path).articles
    assert article.text == text
    assert article.byte_range(Span(start=0, end=len(text))) == (0, len(text.encode()))


def test_a_byte_order_mark_takes_the_first_three_bytes(tmp_path):
    """The first letter after a byte order mark stands at byte 3 and code point 1."""
    put(tmp_path, "a.txt", "\ufeffRubio in talks\n\nUS Secretary Rubio spoke.".encode())
    (article,) = read(tmp_path).articles
    assert article.title == Span(start=1, end=15)
    assert article.byte_range(article.title) == (3, 17)


def test_a_huge_file_is_skipped_without_being_read(tmp_path):
    """A file of 100 MB is told by its size alone."""
    put(tmp_path, "a.txt", b"Rubio spoke.")
    with (tmp_path / "huge.txt").open("wb") as file:
        file.truncate(100_000_000)
    start = time.perf_counter()
    reading = read(tmp_path)
    assert time.perf_counter() - start < 0.5
    assert reasons(reading) == {
        "huge.txt": (
            "is 100,000,000 bytes long, over the limit of 10,000,000",
            "split it, or raise the limit",
        )
    }


def test_what_is_no_regular_file_is_never_opened(tmp_path, monkeypatch):
    """A FIFO, a socket, a device and a folder that are named like articles are only looked at."""
    put(tmp_path, "a.txt", b"Rubio spoke.")
    os.mkfifo(tmp_path / "fifo.txt")
    (tmp_path / "folder.txt").mkdir()
    bound = socket.socket(socket.AF_UNIX)
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    bound.bind("socket.txt")
    opened = []
    real_open = os.open
    monkeypatch.setattr(os, "open", lambda *a, **k: opened.append(a[0]) or real_open(*a, **k))
    reading = read(tmp_path)
    bound.close()
    assert {path: reason for path, (reason, _) in reasons(reading).items()} == {
        "fifo.txt": "is a FIFO, not a regular file; it was not opened",
        "folder.txt": "is a folder, though its name ends like a file's",
        "socket.txt": "is a socket, not a regular file; it was not opened",
    }
    assert {name for name in opened if name != tmp_path} == {b"a.txt"}


def test_a_device_is_not_opened():
    """The devices of the system are refused by what they are."""
    skip = read_article(Path("/dev"), "null", limit_bytes=100)
    assert skip == Skipped(
        path="null",
        reason="is a device, not a regular file; it was not opened",
        remedy="move it out of the folder",
    )


def test_links_are_not_followed(tmp_path):
    """A link that leaves the folder is refused, one inside it is an alias."""
    folder = tmp_path / "corpus"
    put(tmp_path, "secret.txt", b"xoxb-secret")
    put(tmp_path, "elsewhere/b.txt", b"Rubio spoke.")
    put(folder, "a.txt", b"Rubio spoke.")
    put(folder, "inner/c.txt", b"Rubio spoke.")
    (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "environ.txt").symlink_to("/proc/self/environ")
    (folder / "outer").symlink_to(tmp_path / "elsewhere")
    (folder / "alias.txt").symlink_to("inner/c.txt")
    (folder / "again").symlink_to("inner")
    (folder / "loop.txt").symlink_to("loop.txt")
    (folder / "self").symlink_to(".")
    (folder / "gone.txt").symlink_to("nowhere.txt")
    (folder / "gone").symlink_to("nowhere")
    (folder / "circle").symlink_to("circle")
    reading = read(folder)
    assert [article.path for article in reading.articles] == ["a.txt", "inner/c.txt"]
    assert {path: reason for path, (reason, _) in reasons(reading).items()} == {
        "again": "is a link to «inner», which is in the folder itself",
        "alias.txt": "is a link to «inner/c.txt», which is in the folder itself",
        "environ.txt": "is a link that leaves the folder; it was not followed",
        "gone.txt": "is a link to something that is not there",
        "loop.txt": "is a link that leads in a circle",
        "out.txt": "is a link that leaves the folder; it was not followed",
        "outer": "is a link that leaves the folder; it was not followed",
        "self": "is a link to the folder itself",
    }
    assert reading.ignored == 2  # «gone» and «circle» are no articles and lead to none


def test_the_folder_itself_may_be_a_link(tmp_path):
    """Whoever names a link as the corpus means the folder behind it."""
    put(tmp_path, "real/a.txt", b"Rubio spoke.")
    (tmp_path / "link").symlink_to("real")
    assert [article.path for article in read(tmp_path / "link").articles] == ["a.txt"]


def test_hidden_names_leftovers_and_other_files_are_counted(tmp_path):
    """What is no article by its name is passed over, and the count says so."""
    put(tmp_path, "a.TXT", b"Rubio spoke.")
    for name in (".hidden.txt", "~lock.txt", "a.txt~", "a.txt.swp", "a.tmp", "photo.png"):
        put(tmp_path, name, b"no")
    put(tmp_path, ".git/config.txt", b"no")
    reading = read(tmp_path)
    assert [article.path for article in reading.articles] == ["a.TXT"]
    assert (reading.skipped, reading.ignored) == ((), 7)


def test_names_of_any_bytes_are_identities(tmp_path):
    """Spaces, line ends, markup, bytes that are not UTF-8 and twins are told apart, in order."""
    names = [
        b" a b.txt",
        b"*_<!channel>.txt",
        b"-rf.txt",
        b"A.txt",
        b"a.txt",
        b"cafe\xcc\x81.txt",
        b"caf\xc3\xa9.txt",
        b"caf\xe9.txt",
        b"line\nend.txt",
    ]
    for name in reversed(names):
        put(tmp_path, name, b"Rubio spoke.")
    reading = read(tmp_path)
    assert [os.fsencode(article.path) for article in reading.articles] == sorted(names)
    assert read_article(tmp_path, os.fsdecode(b"caf\xe9.txt"), limit_bytes=100).text == (
        "Rubio spoke."
    )


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("a b/é.txt", "a b/é.txt"),
        (os.fsdecode(b"caf\xe9.txt"), "caf\\xe9.txt"),
        ("line\nend\x1b[31m.txt", "line\\nend\\x1b[31m.txt"),
        ("\u202etxt.exe", "\\u202etxt.exe"),
        ("\ud800.txt", "\\ud800.txt"),
    ],
)
def test_paths_are_shown_on_one_line_that_can_be_printed(path, shown):
    """Nothing in a name can break a line, colour a terminal or fail to encode."""
    assert shown_path(path) == shown


def test_copies_are_articles_of_their_own(tmp_path):
    """Two files of the same bytes, even one file with two names, keep both paths."""
    put(tmp_path, "a.txt", b"Rubio spoke.")
    put(tmp_path, "b.txt", b"Rubio spoke.")
    os.link(tmp_path / "a.txt", tmp_path / "c.txt")
    assert [article.path for article in read(tmp_path).articles] == ["a.txt", "b.txt", "c.txt"]


def test_articles_are_sorted_by_the_bytes_of_their_paths(tmp_path):
    """Order does not depend on the system, nor on which folder is walked first."""
    for name in ("b/z.txt", "b.txt", "b/é.txt", "a/a/a.txt", "Z.txt"):
        put(tmp_path, name, b"Rubio spoke.")
    paths = [article.path for article in read(tmp_path).articles]
    assert paths == ["Z.txt", "a/a/a.txt", "b.txt", "b/z.txt", "b/é.txt"]


def test_folders_deeper_than_64_are_not_entered(tmp_path):
    """The walk ends at the depth limit and names the folder it did not enter."""
    deep = "/".join(["d"] * 64)
    put(tmp_path, f"{deep}/a.txt", b"Rubio spoke.")
    put(tmp_path, f"{deep}/d/b.txt", b"Rubio spoke.")
    reading = read(tmp_path)
    assert [article.path for article in reading.articles] == [f"{deep}/a.txt"]
    assert reasons(reading) == {
        f"{deep}/d": ("lies more than 64 folders deep; nothing in it was read", "move it up")
    }


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError(13, "Permission denied"), "may not be read: permission denied"),
        (FileNotFoundError(2, "No such file"), "has vanished meanwhile"),
        (OSError(5, "Input/output error"), "can not be read: Input/output error"),
    ],
)
def test_what_the_system_refuses_is_skipped(tmp_path, monkeypatch, error, reason):
    """A file that can not be opened is named; the others are read."""
    put(tmp_path, "a.txt", b"Rubio spoke.")
    put(tmp_path, "b.txt", b"Rubio spoke.")
    real_open = os.open

    def failing_open(path, *rest, **options):
        if path == b"b.txt":
            raise error
        return real_open(path, *rest, **options)

    monkeypatch.setattr(os, "open", failing_open)
    reading = read(tmp_path)
    assert [article.path for article in reading.articles] == ["a.txt"]
    assert reasons(reading)["b.txt"][0] == reason


def test_a_folder_that_may_not_be_entered_is_skipped(tmp_path, monkeypatch):
    """A locked folder is named as a whole; its neighbours are read."""
    put(tmp_path, "a.txt", b"Rubio spoke.")
    put(tmp_path, "locked/b.txt", b"Rubio spoke.")
    real_scandir = os.scandir

    def failing_scandir(path):
        if path.endswith(b"locked"):
            raise PermissionError(13, "Permission denied")
        return real_scandir(path)

    monkeypatch.setattr(os, "scandir", failing_scandir)
    reading = read(tmp_path)
    assert [article.path for article in reading.articles] == ["a.txt"]
    assert reasons(reading) == {
        "locked": ("may not be read: permission denied", "grant read access to it")
    }


@pytest.fixture
def no_leases(monkeypatch):
    """Be a system that does not tell who has a file open."""
    monkeypatch.delattr(fcntl, "F_SETLEASE")


@pytest.mark.usefixtures("no_leases")
def test_young_files_are_read_again_after_one_wait(tmp_path):
    """A fresh checkout works: all its files wait together, and no longer than they need."""
    put(tmp_path, "a.txt", b"Rubio spoke.", written=LONG_AGO + 99)
    put(tmp_path, "b.txt", b"Rubio spoke.", written=LONG_AGO + 99.5)
    put(tmp_path, "old.txt", b"Rubio spoke.")
    at = Time(LONG_AGO + 100)
    reading = read(tmp_path, at=at)
    assert [article.path for article in reading.articles] == ["a.txt", "b.txt", "old.txt"]
    assert at.waits == [pytest.approx(1.5, abs=0.02)]


def test_a_folder_at_rest_is_read_without_waiting(tmp_path):
    """Files that were quiet long enough cost no time."""
    put(tmp_path, "a.txt", b"Rubio spoke.", written=LONG_AGO + 100 - QUIET_S)
    at = Time(LONG_AGO + 100)
    read(tmp_path, at=at)
    assert at.waits == []


def test_a_young_file_that_nobody_writes_to_is_read_at_once(tmp_path):
    """Linux tells that it is closed; it was quiet for a fifth of a second before."""
    put(tmp_path, "a.txt", b"Rubio spoke.", written=LONG_AGO + 100 - CLOSED_S)
    at = Time(LONG_AGO + 100)
    assert [article.text for article in read(tmp_path, at=at).articles] == ["Rubio spoke."]
    assert at.waits == []


def test_the_stamp_of_a_young_file_is_not_to_be_trusted(tmp_path):
    """A writing that follows at once may leave it as it is, so it is read again the next time."""
    put(tmp_path, "old.txt", b"Rubio spoke.")
    put(tmp_path, "young.txt", b"Rubio spoke.", written=LONG_AGO + 99)
    stamps = {}
    at = Time(LONG_AGO + 100)
    visit_corpus(
        tmp_path,
        list_corpus(tmp_path),
        limit_bytes=100,
        clock=at.clock,
        wait=at.wait,
        on_file=ignore,
        is_known=lambda _path, _stamp: False,
        is_same=lambda _path, _contents: False,
        on_article=lambda article, stamp: stamps.update({article.path: stamp}),
    )
    listed = dict(list_corpus(tmp_path).files)
    assert stamps == {"old.txt": listed[b"old.txt"], "young.txt": ()}


def test_a_young_file_that_is_open_for_writing_is_waited_for(tmp_path):
    """Half an article is no article: more may come from who has the file open."""
    path = put(tmp_path, "a.txt", b"Rubio ", written=LONG_AGO + 99)
    at = Time(LONG_AGO + 100)
    with path.open("ab"):
        read(tmp_path, at=at)
    assert at.waits == [pytest.approx(1.0, abs=0.02)]


def test_a_file_of_this_moment_is_waited_for_though_it_is_closed(tmp_path):
    """Who writes an article in pieces may open it again for the next."""
    put(tmp_path, "a.txt", b"Rubio ", written=LONG_AGO + 99.9)
    at = Time(LONG_AGO + 100)
    read(tmp_path, at=at)
    assert at.waits == [pytest.approx(QUIET_S - 0.1, abs=0.02)]


def test_a_young_file_is_settled_once_it_is_closed(tmp_path):
    """Who watches a folder asks before each pass; what is no article need not be waited for."""
    path = put(tmp_path, "a.txt", b"Rubio spoke.", written=LONG_AGO + 99)

    def settled(name):
        return is_settled(tmp_path, name, limit_bytes=100, clock=lambda: LONG_AGO + 100)

    with path.open("ab"):
        assert not settled("a.txt")
    assert settled("a.txt")
    assert settled("gone.txt")


@pytest.mark.usefixtures("no_leases")
def test_what_is_written_while_waiting_is_read_anew_or_skipped(tmp_path):
    """A file that settles is taken as it ends; one that is written to again is still changing."""
    put(tmp_path, "settles.txt", b"Rub", written=LONG_AGO + 99)
    put(tmp_path, "goes_on.txt", b"Rub", written=LONG_AGO + 99)
    at = Time(LONG_AGO + 100)

    def write_on(seconds):
        put(tmp_path, "settles.txt", b"Rubio spoke.", written=LONG_AGO + 99)
        put(tmp_path, "goes_on.txt", b"Rubio", written=LONG_AGO + 101)
        at.now += seconds

    reading = read_corpus(
        tmp_path,
        limit_bytes=100,
        clock=at.clock,
        wait=write_on,
        on_file=ignore,
    )
    assert [(article.path, article.text) for article in reading.articles] == [
        ("settles.txt", "Rubio spoke.")
    ]
    assert reasons(reading) == {
        "goes_on.txt": (
            "is still changing: it was written to while it was read",
            "index again once nothing writes to it",
        )
    }


@pytest.mark.usefixtures("no_leases")
def test_a_file_from_the_future_is_taken_if_it_stays_the_same(tmp_path):
    """A wrong clock elsewhere costs one wait of the quiet time, not the article."""
    put(tmp_path, "a.txt", b"Rubio spoke.", written=LONG_AGO + 10_000)
    at = Time(LONG_AGO + 100)
    assert [article.path for article in read(tmp_path, at=at).articles] == ["a.txt"]
    assert at.waits == [pytest.approx(QUIET_S, abs=0.02)]


def change_while_reading(monkeypatch, path, changes):
    """Have the file changed right after its first stat, once for each of the changes."""
    real_fstat = os.fstat
    left = list(changes)

    def fstat(file):
        found = real_fstat(file)
        if left and found.st_ino == path.stat().st_ino:
            with path.open("ab") as more:
                more.write(left.pop())
        return found

    monkeypatch.setattr(os, "fstat", fstat)


def test_a_file_that_grows_while_it_is_read_is_read_again(tmp_path, monkeypatch):
    """What a stat before and after shows to differ gets its second chance at the end."""
    path = put(tmp_path, "a.txt", b"Rubio ")
    change_while_reading(monkeypatch, path, [b"spoke."])
    (article,) = read(tmp_path, at=Time(time.time() + 60)).articles
    assert article.text == "Rubio spoke."


def test_a_single_file_that_grows_while_it_is_read_is_refused(tmp_path, monkeypatch):
    """Reading one file alone does not wait: it says that the file is changing."""
    path = put(tmp_path, "a.txt", b"Rubio ")
    change_while_reading(monkeypatch, path, [b"spoke."])
    skip = read_article(tmp_path, "a.txt", limit_bytes=100)
    assert skip.reason == "is still changing: it was written to while it was read"


def test_a_file_deleted_during_the_run_has_vanished(tmp_path):
    """A file that is gone when its turn comes is named and does not stop the run."""
    put(tmp_path, "a.txt", b"Rubio spoke.")
    put(tmp_path, "b.txt", b"Rubio spoke.")
    reading = read(tmp_path, on_file=lambda done, _: done == 1 and (tmp_path / "b.txt").unlink())
    assert [article.path for article in reading.articles] == ["a.txt"]
    assert reasons(reading) == {
        "b.txt": ("has vanished meanwhile", "nothing, if it was removed on purpose")
    }


def test_progress_is_told_after_each_file(tmp_path):
    """Every candidate counts, good or bad."""
    put(tmp_path, "a.txt", b"Rubio spoke.")
    put(tmp_path, "b.txt", b"")
    told = []
    read(tmp_path, on_file=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../a.txt", "x/../a.txt", "./a.txt", "x//a.txt", "a\0b", "\ud800"]
)
def test_a_path_that_leaves_the_folder_is_refused(tmp_path, path):
    """Only a plain path inside the folder is looked up, whoever asks for another."""
    put(tmp_path, "a.txt", b"Rubio spoke.")
    skip = read_article(tmp_path, path, limit_bytes=100)
    assert skip == Skipped(
        path=path,
        reason="does not name a file inside the folder",
        remedy="give its path in the folder",
    )


def test_a_linked_parent_is_not_followed(tmp_path):
    """A folder on the way that is a link hides nothing from the check."""
    put(tmp_path, "elsewhere/a.txt", b"Rubio spoke.")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "way").symlink_to(tmp_path / "elsewhere")
    skip = read_article(tmp_path / "corpus", "way/a.txt", limit_bytes=100)
    assert skip.reason == "lies behind a link or a file, which was not followed"


def test_a_missing_folder_and_a_file_instead_of_one_are_named(tmp_path):
    """Whoever names no folder is told so and what to name instead."""
    put(tmp_path, "a.txt", b"Rubio spoke.")
    with pytest.raises(CorpusError, match=r"^There is no folder «.*/nowhere»; name the folder"):
        read(tmp_path / "nowhere")
    with pytest.raises(CorpusError, match=r"a\.txt» is not a folder; name the folder"):
        read(tmp_path / "a.txt")


def test_an_empty_folder_says_what_articles_are_called(tmp_path):
    """Files of other names do not make a corpus, and the message counts them."""
    put(tmp_path, "a.pdf", b"no")
    with pytest.raises(CorpusError, match=r"no file in it ends in «\.txt» \(1 other names ignored"):
        read(tmp_path)


def test_a_folder_without_a_readable_file_lists_the_first_five(tmp_path):
    """If nothing can be read, the message says why, for five files."""
    for number in range(7):
        put(tmp_path, f"{number}.txt", b"")
    with pytest.raises(CorpusError) as caught:
        read(tmp_path)
    lines = str(caught.value).split("\n")
    assert lines[1:7] == [
        *[
            f"  {number}.txt: is empty; remove it, or write the article into it"
            for number in range(5)
        ],
        "  and 2 more",
    ]


@given(st.lists(st.binary(max_size=60) | st.text(max_size=30).map(str.encode), max_size=4))
def test_random_bytes_never_raise(files):
    """Whatever bytes the files hold, each is an article of those bytes or is skipped."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        put(folder, "good.txt", b"Rubio spoke.")
        for number, raw in enumerate(files):
            put(folder, f"{number}.txt", raw)
        reading = read(folder)
        read_bytes = {article.path: article.raw for article in reading.articles}
        expected = {f"{number}.txt": raw for number, raw in enumerate(files)}
        assert read_bytes.items() <= {**expected, "good.txt": b"Rubio spoke."}.items()
        assert len(reading.articles) + len(reading.skipped) == len(files) + 1
