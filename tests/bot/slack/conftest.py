"""The bot as a user starts it: `python -m bot slack`, a process, against the stand-in."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.slack_server import SlackServer

ROOT = Path(__file__).parents[3]
OURS = ("CLIPPINGS_", "SLACK_", "DATABASE_URL", "EMBEDDING_MODEL", "RERANKER_MODEL")


class RunningBot:
    """A bot that was started; its log is a file in its folder."""

    def __init__(self, slack: SlackServer, *, folder: Path, extra: dict[str, str]) -> None:
        self.folder = folder
        self._log = folder / "log"
        # The SDK takes a proxy from the environment even for this machine.
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(OURS) and not name.lower().endswith("_proxy")
        }
        environment = {**kept, "PYTHONPATH": str(ROOT), **slack.environment, **extra}
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bot", "slack"], cwd=folder, env=environment, stderr=log
            )

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8")

    def stop(self, *, by: signal.Signals = signal.SIGTERM, timeout_s: float = 30) -> int:
        """Send a signal and give the exit code."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(by)
        return self.process.wait(timeout_s)


@pytest.fixture(scope="module")
def start_bot(index, tmp_path_factory):
    """Start bots: `start_bot(slack, SLACK_HTTP_PORT="...")`; those of one folder share a database.

    The bot answers from the five articles of the corpus, by an index that all bots share.
    """
    bots = []

    def start(slack: SlackServer, *, folder: Path | None = None, **extra: str) -> RunningBot:
        place = folder or tmp_path_factory.mktemp("bot")
        defaults = {
            "CLIPPINGS_CORPUS": str(ROOT / "corpus"),
            "CLIPPINGS_INDEX": str(index),
            "DATABASE_URL": f"sqlite:///{place / 'bot.db'}",
        }
        bots.append(RunningBot(slack, folder=place, extra={**defaults, **extra}))
        return bots[-1]

    yield start
    for bot in bots:
        if bot.process.poll() is None:
            bot.stop(by=signal.SIGKILL)


@pytest.fixture(scope="session")
def manifest() -> dict:
    return json.loads((ROOT / "bot" / "manifest.json").read_text("utf-8"))
