"""One file of a folder -> its bytes and its text, or why not.

Decisions: only regular files are ever opened. Each step of a path is taken without following links,
so nothing outside the folder is read, and nothing that blocks (a FIFO) is touched. Bytes are read
once and decoded once, strictly: no newline translation, no repair, no detection of encodings.
"""

import codecs
import errno
import fcntl
import os
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_CONTROL_SHARE = 0.05  # a text with more control bytes than this is no text
_CONTROLS = bytes([*range(1, 9), *range(14, 32), 127])
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_BYTE_ORDER_MARKS = (  # UTF-32 first: the mark of UTF-16-LE begins that of UTF-32-LE
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"%PDF-", "a PDF document"),
    (b"{\\rtf", "an RTF document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\xd0\xcf\x11\xe0", "an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh91AY&SY", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x7fELF", "a program"),
)

Stamp = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The bytes of a file as they were read.

    Attributes:
        stamp: Whatever of its stat would differ had it been written to.
        mtime: When it was last written to, in seconds since the epoch.
        steady: Whether nothing was seen to write to it meanwhile.
    """

    raw: bytes
    stamp: Stamp
    mtime: float
    steady: bool


class Unfit(Exception):
    """A file can not be an article; caught in `corpus.py`, where it becomes a `Skipped`."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


def read_file(folder: Path, path: str, *, limit_bytes: int) -> Contents:
    """Read a file by its path in the folder.

    Raises:
        Unfit: It is no regular file inside the folder, or too large.
        OSError: The system does not let it be read.
    """
    with _opened(folder, path) as file:
        return _contents(file, limit_bytes)


def read_closed(folder: Path, path: str, *, limit_bytes: int) -> Contents | None:
    """Read a file that nobody has open for writing; None if somebody has, or nobody can tell.

    Raises:
        Unfit, OSError: As `read_file`.
    """
    with _opened(folder, path) as file, _leased(file) as is_closed:
        return _contents(file, limit_bytes) if is_closed else None


def decode(raw: bytes) -> str:
    """Decode UTF-8, strictly; a byte order mark stays in the text, so that offsets are the file's.

    Raises:
        Unfit: It is another encoding, binary, or empty.
    """
    for magic, kind in _MAGIC:
        if raw.startswith(magic):
            raise Unfit(f"is {kind}, not a text", "save its text as UTF-8")
    for mark, encoding in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            raise Unfit(f"is {encoding}, not UTF-8", f"convert it: iconv -f {encoding} -t UTF-8")
    if b"\0" in raw:
        raise _nul_trouble(raw)
    if len(raw) - len(raw.translate(None, _CONTROLS)) > _CONTROL_SHARE * len(raw):
        raise Unfit("is binary: more than 5 % of it are control bytes", "save its text as UTF-8")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unfit(
            f"byte 0x{raw[error.start]:02X} at offset {error.start} is not UTF-8",
            "convert it; if it is Latin-1: iconv -f WINDOWS-1252 -t UTF-8",
        ) from None
    if not text.removeprefix("\ufeff").strip():
        raise Unfit("is empty", "remove it, or write the article into it")
    return text


def _nul_trouble(raw: bytes) -> Unfit:
    even, odd = raw[::2].count(0), raw[1::2].count(0)
    for nuls, others, encoding in ((odd, even, "UTF-16LE"), (even, odd, "UTF-16BE")):
        # Of the high bytes of western text in UTF-16 nearly all are NUL, of the low ones none.
        if nuls > len(raw) // 4 and not others:
            return Unfit(
                f"holds NUL bytes, as {encoding} without a byte order mark does",
                f"convert it: iconv -f {encoding} -t UTF-8",
            )
    return Unfit(
        f"is binary: there is a NUL byte at offset {raw.index(0)}", "save its text as UTF-8"
    )


def stamp_of(of: os.stat_result) -> Stamp:
    """Give whatever of a stat would differ had the file been written to."""
    return (of.st_dev, of.st_ino, of.st_size, of.st_mtime_ns, of.st_ctime_ns)


def shown_path(path: str) -> str:
    r"""Write a path as one line of text: bytes that are not UTF-8 and controls as «\xff», «\n»."""
    return "".join(mark if mark.isprintable() else _escaped(mark) for mark in path)


def _escaped(mark: str) -> str:
    if "\udc80" <= mark <= "\udcff":  # the surrogate escape of a byte, see os.fsdecode
        return f"\\x{ord(mark) - 0xDC00:02x}"
    return mark.encode("unicode_escape").decode("ascii")


@contextmanager
def _opened(folder: Path, path: str) -> Iterator[int]:
    """Open a regular file step by step, following no link below the folder."""
    *parents, name = _steps(path)
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for parent in parents:
            inner = os.open(parent, _OPEN | os.O_DIRECTORY, dir_fd=at)
            os.close(at)
            at = inner
        _refuse_irregular(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode, folder, path)
        file = os.open(name, _OPEN, dir_fd=at)
    finally:
        os.close(at)
    try:
        yield file
    finally:
        os.close(file)


@contextmanager
def _leased(file: int) -> Iterator[bool]:
    """Keep those who would write to a file away from it; False if that can not be done.

    Linux grants a lease for reading only while nobody has the file open for writing, and who opens
    it so then waits until the lease is given back. It must be a file of the user's own, and of a
    file system that knows leases.
    """
    try:
        # By default a process that holds a lease is killed by the signal that somebody waits.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except (AttributeError, OSError):  # AttributeError: a system without leases
        yield False
        return
    try:
        yield True
    finally:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)


def _steps(path: str) -> list[bytes]:
    try:
        steps = os.fsencode(path).split(b"/")
    except UnicodeEncodeError:  # a lone surrogate that stands for no byte: no file has such a name
        steps = [b""]
    if any(step in {b"", b".", b".."} or b"\0" in step for step in steps):
        raise Unfit("does not name a file inside the folder", "give its path in the folder")
    return steps


def _refuse_irregular(mode: int, folder: Path, path: str) -> None:
    if stat.S_ISREG(mode):
        return
    if stat.S_ISLNK(mode):
        raise _link_trouble(folder, path)
    if stat.S_ISDIR(mode):
        raise Unfit(
            "is a folder, though its name ends like a file's",
            "rename it, without «.txt», to have the articles in it indexed",
        )
    kinds = {
        stat.S_IFIFO: "a FIFO",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    kind = kinds.get(stat.S_IFMT(mode), "a special file")
    raise Unfit(f"is {kind}, not a regular file; it was not opened", "move it out of the folder")


def _link_trouble(folder: Path, path: str) -> Unfit:
    # Only names are looked at; nothing is opened.
    root = os.path.realpath(os.fsencode(folder))
    try:
        target = os.path.realpath(root + b"/" + os.fsencode(path), strict=True)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return Unfit("is a link that leads in a circle", "remove the link")
        return Unfit("is a link to something that is not there", "remove the link")
    if target == root:
        return Unfit("is a link to the folder itself", "remove the link")
    if not target.startswith(root.rstrip(b"/") + b"/"):
        return Unfit(
            "is a link that leaves the folder; it was not followed",
            "copy what it points to into the folder",
        )
    inside = shown_path(os.fsdecode(target[len(root.rstrip(b"/")) + 1 :]))
    return Unfit(
        f"is a link to «{inside}», which is in the folder itself",
        "nothing, if that file is indexed under its own name",
    )


def _contents(file: int, limit_bytes: int) -> Contents:
    before = os.fstat(file)
    if not stat.S_ISREG(before.st_mode):  # exchanged for something else since it was looked at
        raise Unfit("is not a regular file", "move it out of the folder")
    if before.st_size > limit_bytes:
        raise Unfit(
            f"is {before.st_size:,} bytes long, over the limit of {limit_bytes:,}",
            "split it, or raise the limit",
        )
    with open(file, "rb", closefd=False) as stream:
        raw = stream.read(before.st_size + 1)
    after = os.fstat(file)
    return Contents(
        raw=raw,
        stamp=stamp_of(after),
        mtime=after.st_mtime,
        steady=stamp_of(before) == stamp_of(after) and len(raw) == before.st_size,
    )
