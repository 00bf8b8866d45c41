"""`clippings index --watch`: a pass after each change, and one every few minutes all the same.

A pass after a change looks at the paths that changed alone, once nobody writes to them any more.
The first pass looks everywhere, and so does the periodic one, which finds what no notification
tells of: network folders, a folder that was away, more changes than the system keeps.
"""

import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from watchfiles import Change, watch

from retrieval import ClippingsError, is_passed_over

DEBOUNCE_MS = 200  # changes that go on and on are told of this often
LOOK_MS = 100  # how often to look at what is being written, and whether the folder is still there
PERIOD_S = 300.0  # a full pass at least this often
MISSING_S = 5.0  # how long to wait for a folder that is away

IndexOnce = Callable[[Collection[str] | None], None]  # given the paths that changed; None: any may
IsSettled = Callable[[str], bool]  # whether a path can be read without waiting


def keep_indexed(
    corpus: Path,
    index: Path,
    *,
    index_once: IndexOnce,
    is_settled: IsSettled,
    say: Callable[[str], None],
) -> None:
    """Index again and again until Ctrl-C; a pass that fails is told and the next one comes.

    Raises:
        KeyboardInterrupt: the user stops it.
    """
    while True:
        passes = _Passes(index_once, is_settled, say)
        folder = _identity(corpus)
        if folder is None:
            passes.look_everywhere()
            time.sleep(MISSING_S)
        else:
            _watch_folder(corpus, index, folder, passes)


class _Passes:
    """Decides when to make a pass, and over what.

    Attributes:
        _waiting: Paths that changed and were not looked at since.
        _due: When to look everywhere, by the monotonic clock.
        _is_behind: Whether the last pass failed: then what it was to look at was not looked at.
    """

    def __init__(
        self, index_once: IndexOnce, is_settled: IsSettled, say: Callable[[str], None]
    ) -> None:
        self._index_once = index_once
        self._is_settled = is_settled
        self._say = say
        self._waiting: set[str] = set()
        self._due = 0.0
        self._is_behind = False

    def go_on(self, changed: Iterable[str]) -> None:
        """Make the pass that is due, if one is, now that some paths changed."""
        self._waiting.update(changed)
        if time.monotonic() >= self._due:
            self.look_everywhere()
            return
        settled = {path for path in self._waiting if self._is_settled(path)}
        if settled and self._is_behind:
            self.look_everywhere()
        elif settled:
            self._waiting -= settled
            self._pass(settled)

    def look_everywhere(self) -> None:
        self._waiting = {path for path in self._waiting if not self._is_settled(path)}
        self._pass(None)
        self._due = time.monotonic() + PERIOD_S

    def _pass(self, changed: Collection[str] | None) -> None:
        self._is_behind = True
        try:
            self._index_once(changed)
        except ClippingsError as error:
            self._say(f"{error}\nstill watching; Ctrl-C ends")
        else:
            self._is_behind = False


def _watch_folder(corpus: Path, index: Path, folder: tuple[int, int], passes: _Passes) -> None:
    """Have passes made until the folder is gone.

    The watch begins before the first pass, so that no change falls between them.
    """
    root, own = corpus.resolve(), index.resolve()

    def concerns_articles(_change: Change, path: str) -> bool:
        return not (Path(path).is_relative_to(own) or is_passed_over(_inside(root, path)))

    for changes in watch(
        root,
        watch_filter=concerns_articles,
        debounce=DEBOUNCE_MS,
        rust_timeout=LOOK_MS,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    ):
        if _identity(corpus) != folder:
            return
        passes.go_on(_inside(root, path) for _, path in changes)


def _inside(root: Path, path: str) -> str:
    return Path(path).relative_to(root).as_posix()


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
