"""The reception in a process of its own: both end together, and what was heard is not lost."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.bot.slack.test_serving import fetch, free_port, ready
from tests.bot.slack.waiting import answer_in

RUBIO = "What did Rubio urge Pakistan to do?"


def reception_of(bot) -> int:
    """Give the process id of a bot's reception."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
            command = (status.parent / "cmdline").read_text()
        except OSError:  # it ended meanwhile
            continue
        if "spawn_main" in command:
            parents[int(lines["Pid"])] = int(lines["PPid"])
    return next(child for child, parent in parents.items() if parent == bot.process.pid)


def is_alive(pid: int) -> bool:
    try:
        return "Z (zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def is_taken_in(deliveries) -> bool:
    """Say whether a mention was acknowledged; its twin, a message, always is at once."""
    mentions = [it for it in deliveries if it.payload["event"]["type"] == "app_mention"]
    return any(it.in_time for it in mentions)


@pytest.fixture
def started(slack, start_bot, tmp_path):
    port = free_port()
    bot = start_bot(slack, folder=tmp_path, CLIPPINGS_HEALTH_PORT=str(port))
    assert slack.wait_until_connected(60), bot.log
    return bot, port


def test_what_is_heard_there_is_counted_here(slack, started):
    """The figures of the bot hold the events, their time and the answers."""
    bot, port = started
    answer_in(slack, "C1", slack.mention(RUBIO))
    figures = fetch(f"http://127.0.0.1:{port}/metrics").splitlines()
    assert 'clippings_events_total{result="taken",surface="mention"} 1.0' in figures
    assert 'clippings_seconds_count{step="put"} 1.0' in figures
    assert 'clippings_answers_total{outcome="answer"} 1.0' in figures
    assert bot.stop() == 0


def test_where_the_reception_ends_the_bot_asks_to_be_started_again(slack, started, start_bot):
    """Exit code 75; what was acknowledged by then is answered once, at the latest then."""
    bot, _ = started
    before = len(slack.deliveries.all)
    ts = slack.mention(RUBIO)
    assert slack.wait_for(lambda: is_taken_in(slack.deliveries.all[before:]), 10)
    os.kill(reception_of(bot), signal.SIGKILL)
    assert bot.process.wait(30) == 75
    assert "the reception ended" in bot.log
    again = start_bot(slack, folder=bot.folder)
    assert slack.wait_until_connected(60), again.log
    answer_in(slack, "C1", ts)
    time.sleep(1)
    assert len(slack.replies("C1", ts)) == 1
    assert again.stop() == 0


def test_where_the_bot_is_killed_the_reception_ends(slack, started):
    """No process is left that acknowledges what nobody answers."""
    bot, _ = started
    reception = reception_of(bot)
    bot.stop(by=signal.SIGKILL)
    assert slack.wait_for(lambda: not is_alive(reception), 10)
    assert slack.wait_for(lambda: slack.sockets.connections == 0, 10)


def test_ctrl_c_which_both_get_ends_both_well(slack, started):
    """A terminal sends it to both, and so does systemd its SIGTERM."""
    bot, _ = started
    os.kill(reception_of(bot), signal.SIGINT)
    os.kill(reception_of(bot), signal.SIGTERM)
    answer_in(slack, "C1", slack.mention(RUBIO))
    assert bot.stop(by=signal.SIGINT) == 0
    assert "Traceback" not in bot.log


def test_a_reception_that_says_nothing_is_not_ready(slack, started):
    """/readyz tells a load balancer or a person; it recovers by itself."""
    bot, port = started
    assert slack.wait_for(lambda: ready(port), 10)
    reception = reception_of(bot)
    os.kill(reception, signal.SIGSTOP)
    assert slack.wait_for(lambda: not ready(port), 15)
    os.kill(reception, signal.SIGCONT)
    assert slack.wait_for(lambda: ready(port), 15)
    assert bot.stop() == 0
