"""What the tests of the surfaces share: the real articles, an index of them, a real terminal."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from retrieval import DEFAULT_LIMIT_BYTES, Article, Skipped, read_article

ROOT = Path(__file__).parents[2]
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# The terminal becomes the controlling one of the new session, so that Ctrl-C is a signal.
IN_TERMINAL = (
    "import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "from bot.cli import main; sys.exit(main())"
)


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Give the environment of a user: none of our variables, and a terminal of known kind."""
    ours = (
        "CLIPPINGS_",
        "INDEX_",
        "EMBEDDING_MODEL",
        "NO_COLOR",
        "FORCE_COLOR",
        "COLUMNS",
        "LINES",
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm-256color",
        "PROMPT_TOOLKIT_NO_CPR": "1",
        **extra,
    }


class Terminal:
    """A pseudo-terminal of 100 columns with `clippings` in it."""

    def __init__(self, arguments: Sequence[str], *, folder: Path, extra: Mapping[str, str]) -> None:
        self.shown = ""
        self._read_to = 0
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        self._fd = ours
        self._process = subprocess.Popen(
            [sys.executable, "-c", IN_TERMINAL, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env=environment(extra),
            start_new_session=True,
        )
        os.close(theirs)

    def type(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def wait_for(self, text: str) -> None:
        """Read until the text appears after what was waited for before."""
        self.wait_until(lambda: self.plain.find(text, self._read_to) >= 0)
        self._read_to = self.plain.find(text, self._read_to) + len(text)

    def wait_until(self, reached: Callable[[], bool], *, timeout_s: float = 60) -> None:
        ends = time.monotonic() + timeout_s
        while not reached():
            if time.monotonic() > ends or not self._read(0.1):
                pytest.fail(f"it never came; the terminal shows:\n{self.plain}")

    def leave(self, *, timeout_s: float = 60) -> int:
        """Read to the end and give the exit code."""
        ends = time.monotonic() + timeout_s
        while self._read(0.1) and time.monotonic() < ends:
            pass
        return self._process.wait(timeout=30)

    def close(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        os.close(self._fd)

    @property
    def plain(self) -> str:
        """What was shown, without colours and with the file's line breaks."""
        return ANSI.sub("", self.shown).replace("\r\n", "\n")

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._fd], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self._fd, 65536)
        except OSError:  # EIO: the program ended
            return False
        self.shown += data.decode("utf-8", "replace")
        return bool(data)


@pytest.fixture
def open_terminal(tmp_path: Path) -> Iterator:
    """Start clippings in a terminal: `open_terminal("ask", "...", NO_COLOR="1")`."""
    with contextlib.ExitStack() as stack:

        def start(*arguments: str, **extra: str) -> Terminal:
            terminal = Terminal(arguments, folder=tmp_path, extra=extra)
            stack.callback(terminal.close)
            return terminal

        yield start


@pytest.fixture
def clippings(tmp_path: Path):
    """Run clippings as a user does, behind pipes: `clippings("ask", "...", stdin=b"")`."""

    def run(*arguments: str, stdin: bytes = b"", **extra: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "bot", *arguments],
            input=stdin,
            capture_output=True,
            cwd=tmp_path,
            env=environment(extra),
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Path:
    """Build an index of the five articles once. Tests that change it work on a copy."""
    from bot.config import Settings
    from bot.wiring import build_index

    folder = tmp_path_factory.mktemp("index") / "index"
    settings = Settings(CLIPPINGS_CORPUS=corpus, CLIPPINGS_INDEX=folder, _env_file=None)
    build_index(settings, on_progress=lambda _stage, _done, _total: None)
    return folder


@pytest.fixture
def article_of(tmp_path: Path):
    """Make an Article of bytes, through a real file: `article_of(b"...", name="a.txt")`."""

    def make(raw: bytes, name: str = "a.txt") -> Article:
        folder = tmp_path / "made"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(raw)
        article = read_article(folder, name, limit_bytes=DEFAULT_LIMIT_BYTES)
        assert not isinstance(article, Skipped), article
        return article

    return make
