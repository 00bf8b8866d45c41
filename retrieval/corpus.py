"""A folder of files -> articles, and what could not be read, and why.

Decisions: a bad file never stops the others, it becomes one `Skipped`. An article is a file whose
name ends in «.txt», in any case of letters, and is not hidden. Identity is the path: two files of
the same content are two articles. A link is never followed, for then a file would have two paths.
How a single file is opened and decoded: `files.py`; which files there are: `listing.py`.
"""

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from retrieval.datatypes import Article
from retrieval.dates import read_header
from retrieval.errors import CorpusError
from retrieval.files import (
    Contents,
    Stamp,
    Unfit,
    decode,
    read_closed,
    read_file,
    shown_path,
)
from retrieval.listing import Listing, list_folder

DEFAULT_LIMIT_BYTES = 10_000_000

# A file written to within this time may be torn without its stat showing it, for a file system
# counts time in steps; git calls such a file racy and reads it again. Of 1,930 torn readings a stat
# before and after let 1,929 pass; of 2,791 files quiet for 2 s none was torn (both measured).
QUIET_S = 2.0

# Where the system says that nobody has the file open for writing, so much is enough: for those who
# open a file again to write more to it.
CLOSED_S = 0.2

_MARGIN_S = 0.01  # a clock tick of the kernel, by which the time of a file may lag
_LISTED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Something in the folder that was not indexed.

    Attributes:
        path: As in `Article.path`; show it with `shown_path`.
        reason: What is wrong, to be read after the path: «is empty».
        remedy: What to do about it.
    """

    path: str
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a folder holds; both tuples ascend by the bytes of the path.

    Attributes:
        ignored: How many names were passed over: hidden ones, leftovers of editors, and files that
            do not end in «.txt».
    """

    articles: tuple[Article, ...]
    skipped: tuple[Skipped, ...]
    ignored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What was met beside the articles; as in `Reading`."""

    skipped: tuple[Skipped, ...]
    ignored: int


def read_corpus(
    folder: Path,
    *,
    limit_bytes: int,
    clock: Callable[[], float],
    wait: Callable[[float], None],
    on_file: Callable[[int, int], None],
) -> Reading:
    """Read every article of a folder and of the folders in it; as `visit_corpus`, all at once."""
    articles: list[Article] = []
    visit = visit_corpus(
        folder,
        list_corpus(folder),
        limit_bytes=limit_bytes,
        clock=clock,
        wait=wait,
        on_file=on_file,
        is_known=lambda _path, _stamp: False,
        is_same=lambda _path, _contents: False,
        on_article=lambda article, _stamp: articles.append(article),
    )
    if not articles:
        raise nothing_readable(folder, skipped=visit.skipped, ignored=visit.ignored)
    return Reading(
        articles=tuple(sorted(articles, key=lambda article: os.fsencode(article.path))),
        skipped=visit.skipped,
        ignored=visit.ignored,
    )


def list_corpus(folder: Path) -> Listing:
    """List all files of a folder, and of the folders in it, that may be articles.

    Raises:
        CorpusError: The folder is missing, or is no folder.
    """
    try:
        return list_folder(folder)
    except OSError as error:
        raise CorpusError(_no_folder(folder, error)) from error


def nothing_readable(folder: Path, *, skipped: Sequence[Skipped], ignored: int) -> CorpusError:
    """Give the error for a folder in which there are no articles."""
    return CorpusError(_nothing_readable(folder, skipped, ignored))


def visit_corpus(
    folder: Path,
    listing: Listing,
    *,
    limit_bytes: int,
    clock: Callable[[], float],
    wait: Callable[[float], None],
    on_file: Callable[[int, int], None],
    is_known: Callable[[str, Stamp], bool],
    is_same: Callable[[str, Contents], bool],
    on_article: Callable[[Article, Stamp], None],
) -> Visit:
    """Read the articles of a listing, one after the other.

    Args:
        folder: May itself be a link.
        listing: Of the whole folder, or of some paths in it.
        limit_bytes: Larger files are skipped without being read.
        clock: Seconds since the epoch, as the times of files are counted.
        wait: Waits so many seconds. Called at most once, and only if a file was written to within
            the last `QUIET_S` seconds (`CLOSED_S` where nobody has it open) or while it was being
            read; such files are read once more.
        on_file: Told, after each file, how many of how many are done.
        is_known: Whether a file with this path and this stamp was read before; then it is not read
            again. A stamp that `on_article` was given is one that no writing can leave as it is,
            or empty, which no stamp of a listing is.
        is_same: Whether an article with this path and these bytes is known already; then nothing is
            made of them.
        on_article: Given each other article that was read, and the stamp of its file.
    """
    troubles = [_skip_for(path, error) for path, error in listing.troubles]
    outcomes = _Outcomes(is_same=is_same, on_article=on_article, skipped=troubles, unsettled=[])
    for done, (name, stamp) in enumerate(listing.files, start=1):
        path = os.fsdecode(name)
        if stamp is None or not is_known(path, stamp):
            outcomes.sort_in(_read_settled(folder, path, limit_bytes, clock))
        on_file(done, len(listing.files))
    unsettled, outcomes.unsettled = outcomes.unsettled, []
    if unsettled:
        # A time in the future would ask for a longer wait; nothing is worth more than QUIET_S.
        youngest = max(file.mtime for file in unsettled)
        wait(min(QUIET_S, max(0.0, QUIET_S - (clock() - youngest))) + _MARGIN_S)
        for file in unsettled:
            outcomes.sort_in(_read_again(folder, file, limit_bytes, clock))
    return Visit(
        skipped=tuple(sorted(outcomes.skipped, key=lambda skip: os.fsencode(skip.path))),
        ignored=listing.ignored,
    )


def read_article(folder: Path, path: str, *, limit_bytes: int) -> Article | Skipped:
    """Read one file of a corpus, by its path in it, whatever its name ends in.

    It is refused if it changes while being read. One that was written to a moment ago is taken as
    it is: `read_corpus` alone can wait.
    """
    outcome = _read(folder, path, limit_bytes)
    if isinstance(outcome, Skipped):
        return outcome
    if not outcome.steady:
        return _still_changing(path)
    return article_of(path, outcome.raw)


def is_settled(folder: Path, path: str, *, limit_bytes: int, clock: Callable[[], float]) -> bool:
    """Tell whether `visit_corpus` would not have to wait for a file; also of what is none."""
    return not isinstance(_read_settled(folder, path, limit_bytes, clock), _Unsettled)


def article_of(path: str, raw: bytes) -> Article | Skipped:
    """Make an article of the bytes of a file, or say why it is none."""
    try:
        text = decode(raw)
    except Unfit as unfit:
        return Skipped(path=path, reason=unfit.reason, remedy=unfit.remedy)
    header = read_header(text)
    return Article(
        path=path,
        raw=raw,
        text=text,
        title=header.title,
        published=header.published,
        dateline=header.dateline,
        outlet=header.outlet,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unsettled:
    path: str
    stamp: Stamp
    mtime: float


@dataclass(slots=True, kw_only=True)
class _Outcomes:
    """What came of the files so far."""

    is_same: Callable[[str, Contents], bool]
    on_article: Callable[[Article, Stamp], None]
    skipped: list[Skipped]
    unsettled: list["_Unsettled"]

    def sort_in(self, outcome: "tuple[str, Contents] | Skipped | _Unsettled") -> None:
        match outcome:
            case Skipped():
                self.skipped.append(outcome)
            case _Unsettled():
                self.unsettled.append(outcome)
            case path, contents if not self.is_same(path, contents):
                self._sort_in_new(path, contents)

    def _sort_in_new(self, path: str, contents: Contents) -> None:
        article = article_of(path, contents.raw)
        if isinstance(article, Skipped):
            self.skipped.append(article)
            return
        self.on_article(article, contents.stamp)


def _read_settled(
    folder: Path, path: str, limit_bytes: int, clock: Callable[[], float]
) -> tuple[str, Contents] | Skipped | _Unsettled:
    outcome = _read(folder, path, limit_bytes)
    if isinstance(outcome, Skipped):
        return outcome
    age = clock() - outcome.mtime
    if outcome.steady and age >= QUIET_S:
        return path, outcome
    # A time in the future says nothing of its own.
    closed = _read_closed(folder, path, limit_bytes) if not 0 <= age < CLOSED_S else None
    if closed is not None and closed.steady and closed.stamp == outcome.stamp:
        # A writing that comes at once may leave so young a stamp as it is.
        return path, replace(closed, stamp=())
    return _Unsettled(path=path, stamp=outcome.stamp, mtime=outcome.mtime)


def _read_again(
    folder: Path, file: _Unsettled, limit_bytes: int, clock: Callable[[], float]
) -> tuple[str, Contents] | Skipped:
    outcome = _read(folder, file.path, limit_bytes)
    if isinstance(outcome, Skipped):
        return outcome
    age = clock() - outcome.mtime
    # A time in the future says nothing of its own; but had it been written to, it would differ.
    quiet = age >= QUIET_S or (age < 0 and outcome.stamp == file.stamp)
    if not (outcome.steady and quiet):
        return _still_changing(file.path)
    return file.path, outcome


def _read(folder: Path, path: str, limit_bytes: int) -> Contents | Skipped:
    try:
        return read_file(folder, path, limit_bytes=limit_bytes)
    except (Unfit, OSError) as error:
        return _skip_for(path, error)


def _read_closed(folder: Path, path: str, limit_bytes: int) -> Contents | None:
    try:
        return read_closed(folder, path, limit_bytes=limit_bytes)
    except (Unfit, OSError):  # exchanged for something else meanwhile, which reading again tells
        return None


def _skip_for(path: str, error: Unfit | OSError) -> Skipped:
    if isinstance(error, Unfit):
        reason, remedy = error.reason, error.remedy
    elif isinstance(error, PermissionError):
        reason, remedy = "may not be read: permission denied", "grant read access to it"
    elif isinstance(error, FileNotFoundError):
        reason, remedy = "has vanished meanwhile", "nothing, if it was removed on purpose"
    elif error.errno in {errno.ELOOP, errno.ENOTDIR}:
        reason = "lies behind a link or a file, which was not followed"
        remedy = "copy what it points to into the folder"
    else:
        reason = f"can not be read: {error.strerror or error}"
        remedy = "check the disk, or move it out of the folder"
    return Skipped(path=path, reason=reason, remedy=remedy)


def _still_changing(path: str) -> Skipped:
    return Skipped(
        path=path,
        reason="is still changing: it was written to while it was read",
        remedy="index again once nothing writes to it",
    )


def _no_folder(folder: Path, error: OSError) -> str:
    name = shown_path(os.fspath(folder))
    if isinstance(error, FileNotFoundError):
        return f"There is no folder «{name}»; name the folder that holds the articles."
    if isinstance(error, NotADirectoryError):
        return f"«{name}» is not a folder; name the folder that holds the articles."
    return f"The folder «{name}» can not be read ({error.strerror}); grant access or name another."


def _nothing_readable(folder: Path, skipped: Sequence[Skipped], ignored: int) -> str:
    name = shown_path(os.fspath(folder))
    if not skipped:
        return (
            f"The folder «{name}» holds no articles: no file in it ends in «.txt» "
            f"({ignored} other names ignored). Put articles into it or name another folder."
        )
    rows = [f"  {shown_path(skip.path)}: {skip.reason}; {skip.remedy}" for skip in skipped]
    more = f"\n  and {len(rows) - _LISTED} more" if len(rows) > _LISTED else ""
    return (
        f"Nothing in the folder «{name}» can be read:\n" + "\n".join(rows[:_LISTED]) + more + "\n"
        "Put this right or name another folder."
    )
