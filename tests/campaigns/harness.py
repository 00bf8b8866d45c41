"""What all campaigns share: an index, the bot as a process of its own, and a table of results.

Every campaign starts the bot as a user does, `python -m bot slack`, with SLACK_API_URL naming the
stand-in. Runs are seeded; what the operating system schedules when is not.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.slack_server import SlackServer
from tests.slack_server.workspace import Channel, User

ROOT: Final = Path(__file__).parent.parent.parent

MANIFEST: Final = ROOT / "bot" / "manifest.json"
CHANNELS: Final = 400
USERS: Final = 400
BOT: Final = ("-m", "bot", "slack")
CONTROL: Final = (str(Path(__file__).parent / "plain_bolt.py"),)
STARTS_WITHIN_S: Final = 60.0
SECOND_ANSWER_S: Final = 2.0  # if there were to be one, it would come by then
# A question per topic of the articles; each is made unlike all others by its number.
TOPICS: Final = (
    "What did Rubio urge Pakistan to do?",
    "Who called the attack unconscionable?",
    "What did Hegseth say?",
    "When was the attack in Kashmir?",
    "What did Jaishankar say?",
    "What did India decide?",
    "Who spoke with Sharif?",
    "What is the price of copper?",
)


@dataclass(slots=True, kw_only=True)
class Result:
    """What a campaign found. It fails where a check does."""

    name: str
    figures: dict[str, object] = field(default_factory=dict)
    misses: list[str] = field(default_factory=list)

    def require(self, claim: str, holds: object) -> None:
        if not holds:
            self.misses.append(claim)

    def require_no_refusals(self, slack: SlackServer) -> None:
        """Nothing that Slack refuses was sent; a miss says what."""
        self.figures["refused by Slack"] = len(slack.violations)
        sent = "".join(
            f"; {each['method']}: {each['error']} {each['detail'] or ''} {each['arguments']}"
            for each in slack.violations[:3]
        )
        self.require(f"nothing that Slack refuses was sent{sent}", not sent)

    def show(self) -> int:
        """Print the table; gives the exit code."""
        width = max(map(len, self.figures), default=0)
        print(f"{self.name}: {'MISSED' if self.misses else 'held'}")
        for name, value in self.figures.items():
            print(f"  {name:<{width}}  {value}")
        for miss in self.misses:
            print(f"  MISSED: {miss}")
        return 1 if self.misses else 0


class Process:
    """The bot, or the control, as a process.

    Args:
        program: What Python is to run.
        folder: Where its database and its log are.
    """

    def __init__(
        self,
        slack: SlackServer,
        *,
        folder: Path,
        corpus: Path,
        index: Path,
        program: Sequence[str] = BOT,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.log = folder / "log.txt"
        self.starts = 0
        self._slack = slack
        self._program = program
        self._folder = folder
        self._running: subprocess.Popen[bytes] | None = None
        self._environment = {
            **{name: value for name, value in os.environ.items() if not _is_ours(name)},
            **slack.environment,
            "PYTHONPATH": str(ROOT),
            "CLIPPINGS_CORPUS": str(corpus),
            "CLIPPINGS_INDEX": str(index),
            "DATABASE_URL": f"sqlite:///{folder / 'bot.db'}",
            "CLIPPINGS_CHANNELS": "allowed",
            **(variables or {}),
        }

    @property
    def is_running(self) -> bool:
        return self._running is not None and self._running.poll() is None

    def start(self) -> None:
        """Start, and wait until it is connected.

        Raises:
            RuntimeError: it ended, or did not connect in time.
        """
        others = self._slack.sockets.connections
        self.launch()
        if not self._slack.wait_until_connected(STARTS_WITHIN_S, at_least=others + 1):
            raise RuntimeError(f"the app did not connect:\n{self.tail()}")

    def launch(self) -> None:
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                [sys.executable, *self._program],
                env=self._environment,
                cwd=self._folder,
                stdout=log,
                stderr=log,
            )
        self.starts += 1

    def kill(self) -> None:
        """Kill -9, and wait until the stand-in knows that the connection is gone."""
        assert self._running is not None
        before = self._slack.sockets.connections
        self._running.kill()
        self._running.wait()
        self._slack.wait_for(lambda: self._slack.sockets.connections < before, 10)

    def stop(self) -> int | None:
        """SIGTERM; gives the exit code."""
        if self._running is None or not self.is_running:
            return None
        self._running.terminate()
        return self.wait()

    def wait(self, timeout: float = 30.0) -> int | None:
        """Wait for the end; None, and kill -9, if it does not come."""
        assert self._running is not None
        try:
            return self._running.wait(timeout)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()
            return None

    def tail(self, lines: int = 15) -> str:
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])


def people_the_place(slack: SlackServer, *, users: int, channels: int) -> None:
    """Let more people move in: W1 ... and channels CW1 ..., all of them in all."""
    names = [f"W{number}" for number in range(1, users + 1)]
    for name in names:
        slack.add_user(User(id=name, name=name.lower()))
    for number in range(1, channels + 1):
        members = {*names, slack.bot_user}
        slack.add_channel(Channel(id=f"CW{number}", members=members))


@contextmanager
def indexed(keep: Path | None) -> Iterator[Path]:
    """Give an index of our articles; with `keep` one that stays for the next campaign."""
    with tempfile.TemporaryDirectory(prefix="campaign-") as made:
        index = keep or Path(made) / "index"
        build_index(ROOT / "corpus", index)
        yield index


@contextmanager
def stage(
    *,
    index: Path,
    seed: int,
    corpus: Path = ROOT / "corpus",
    program: Sequence[str] = BOT,
    generosity: float = 1000.0,
    variables: Mapping[str, str] | None = None,
) -> Iterator[tuple[SlackServer, Process]]:
    """Start a stand-in and the bot; both are stopped at the end.

    Args:
        generosity: Of Slack's rate limits: most campaigns set them aside, and say so.
        variables: Further ones of the bot's environment.
    """
    manifest = json.loads(MANIFEST.read_text("utf-8"))
    with (
        tempfile.TemporaryDirectory(prefix="campaign-") as made,
        SlackServer(manifest=manifest, seed=seed, generosity=generosity, echo=False) as slack,
    ):
        people_the_place(slack, users=USERS, channels=CHANNELS)
        app = Process(
            slack,
            folder=Path(made),
            corpus=corpus,
            index=index,
            program=program,
            variables=variables,
        )
        try:
            app.start()
            yield slack, app
        finally:
            app.stop()


def build_index(corpus: Path, index: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "bot", "index", str(corpus), "--index", str(index)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        check=True,
        capture_output=True,
    )


def question(number: int) -> str:
    """Give the question with this number; no two are alike."""
    return f"{TOPICS[number % len(TOPICS)]} ({number})"


class Asker:
    """Asks numbered questions in many channels, and knows how many wait for their answer.

    Args:
        most_waiting: `ask` waits while so many questions have no post yet; below the bot's own
            bounds nobody is told «busy».
    """

    def __init__(
        self, slack: SlackServer, *, channels: int = 40, users: int = 80, most_waiting: int = 30
    ) -> None:
        self._posts_before = slack.space.posts
        self._told_before = len(slack.ephemerals)
        self.asked: list[tuple[str, str]] = []
        self._slack = slack
        self._channels = channels
        self._users = users
        self._most_waiting = most_waiting

    def ask(self) -> tuple[str, str]:
        """Ask the next question; gives its channel and ts."""
        self._slack.wait_for(lambda: self.waiting() < self._most_waiting, 60)
        number = len(self.asked)
        channel, user = f"CW{number % self._channels + 1}", f"W{number % self._users + 1}"
        ts = self._slack.mention(question(number), user=user, channel=channel)
        self.asked.append((channel, ts))
        return channel, ts

    def waiting(self) -> int:
        return len(self.asked) + self._posts_before - self._slack.space.posts

    def settle(self, *, quiet_s: float = 15.0) -> float:
        """Wait until every question has an answer, or nothing happens; gives the seconds."""
        began = time.monotonic()
        wait_until_settled(
            self._slack,
            lambda: not answers_of(self._slack, self.asked)[0],
            quiet_s=quiet_s,
            timeout_s=120.0 + len(self.asked) / 5,
        )
        took = time.monotonic() - began
        time.sleep(SECOND_ANSWER_S)
        return took

    def count_into(self, result: Result) -> None:
        """Write down how often the questions were answered, and require that it was once."""
        counts = answers_of(self._slack, self.asked)
        result.figures |= {
            "questions": len(self.asked),
            "answered once": counts[1],
            "missing": counts[0],
            "answered twice or more": sum(n for many, n in counts.items() if many > 1),
            "told «busy»": len(self._slack.ephemerals) - self._told_before,
        }
        result.require("every question is answered exactly once", counts == {1: len(self.asked)})
        result.require_no_refusals(self._slack)


def answers_of(slack: SlackServer, asked: Iterable[tuple[str, str]]) -> Counter[int]:
    """Count how many questions, as (channel, ts), have 0, 1, 2, ... answers in their threads."""
    counts: Counter[tuple[str, str]] = Counter()
    places = set(asked)
    for channel in {channel for channel, _ in places}:
        for message in slack.messages(channel):
            if message.get("bot_id") and message.get("thread_ts"):
                counts[channel, message["thread_ts"]] += 1
    return Counter(counts[place] for place in places)


def wait_until_settled(
    slack: SlackServer, is_done: Callable[[], bool], *, quiet_s: float, timeout_s: float
) -> bool:
    """Wait until all is done, or until nothing was called for a while."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end and not is_done():
        last = max((call.at for call in list(slack.web.calls)[-5:]), default=0.0)
        began = end - timeout_s
        if time.monotonic() - max(last, began) > quiet_s:
            return is_done()
        time.sleep(0.2)
    return is_done()


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value below which this share of the values lies; 0 if there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def parser(doc: str | None) -> argparse.ArgumentParser:
    """Make the parser of a campaign, with what all understand."""
    made = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--index", type=Path, help="a folder to keep the index in")
    return made


def _is_ours(variable: str) -> bool:
    """Variables of the caller that the bot would read, or that would lead it astray."""
    ours = ("SLACK_", "CLIPPINGS_", "DATABASE_URL", "EMBEDDING_MODEL", "RERANKER_MODEL")
    return variable.startswith(ours) or variable.lower() in {"http_proxy", "https_proxy"}
