"""`clippings index --watch`: one pass after each change, and one every few minutes all the same.

The periodic pass finds what no notification tells of: network folders, a folder that was away.
"""

import time
from collections.abc import Callable
from pathlib import Path

from watchfiles import Change, watch

from retrieval import ClippingsError

DEBOUNCE_MS = 1_600  # changes that come closer together than this are one
LOOK_MS = 500  # how often to look whether the folder is still the one that is watched
PERIOD_S = 300.0  # a full pass at least this often
MISSING_S = 5.0  # how long to wait for a folder that is away


def keep_indexed(
    corpus: Path, index: Path, *, index_once: Callable[[], None], say: Callable[[str], None]
) -> None:
    """Index again and again until Ctrl-C; a pass that fails is told and the next one comes.

    Raises:
        KeyboardInterrupt: the user stops it.
    """
    while True:
        folder = _identity(corpus)
        if folder is None:
            _one_pass(index_once, say)
            time.sleep(MISSING_S)
        else:
            _watch_folder(corpus, index, folder, lambda: _one_pass(index_once, say))


def _one_pass(index_once: Callable[[], None], say: Callable[[str], None]) -> None:
    try:
        index_once()
    except ClippingsError as error:
        say(f"{error}\nstill watching; Ctrl-C ends")


def _watch_folder(
    corpus: Path, index: Path, folder: tuple[int, int], one_pass: Callable[[], None]
) -> None:
    """Run a pass at once, after each change and after each period; return if the folder is gone.

    The watch begins before the first pass, so that no change falls between them.
    """
    own = index.resolve()

    def concerns_articles(_change: Change, path: str) -> bool:
        return not Path(path).is_relative_to(own)

    due = 0.0
    for changes in watch(
        corpus.resolve(),
        watch_filter=concerns_articles,
        debounce=DEBOUNCE_MS,
        rust_timeout=LOOK_MS,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    ):
        if _identity(corpus) != folder:
            return
        if changes or time.monotonic() >= due:
            one_pass()
            due = time.monotonic() + PERIOD_S


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
