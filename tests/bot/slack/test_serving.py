"""`clippings slack` as a process: starting, ending, restarting, HTTP mode, what it is allowed."""

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from bot.slack.blocks import quotes_in
from tests.bot.slack.waiting import answer_in, text_of, told, values
from tests.slack_server import payloads

ROOT = Path(__file__).parents[3]
RUBIO = "What did Rubio urge Pakistan to do?"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_without_tokens_the_remedy_is_named(tmp_path):
    """Nothing is opened or loaded before that."""
    done = subprocess.run(
        [sys.executable, "-m", "bot", "slack"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "SLACK_BOT_TOKEN": "xoxb-x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        "clippings: not set: SLACK_APP_TOKEN. README.md says in five steps where to get them; put "
        "them into .env\n"
    )


def test_a_token_that_slack_refuses_ends_the_bot(slack, start_bot):
    """Exit code 78 tells a supervisor not to try again; the line says what to check."""
    bot = start_bot(slack, SLACK_BOT_TOKEN="xoxb-wrong-token")  # noqa: S106
    assert bot.process.wait(60) == 78
    assert "Slack refuses the tokens: invalid_auth. Check SLACK_BOT_TOKEN" in bot.log
    assert "wrong-token" not in bot.log
    slack.violations.clear()


def test_a_token_that_is_revoked_ends_the_bot(slack, start_bot):
    """No storm of calls: the first refusal is the last."""
    bot = start_bot(slack)
    assert slack.wait_until_connected(60), bot.log
    slack.faults.fail_next("chat.postMessage", error="token_revoked", times=None)
    slack.mention(RUBIO)
    assert bot.process.wait(20) == 78
    assert "Slack refuses the tokens: token_revoked" in bot.log
    assert len(slack.calls("chat.postMessage")) == 1
    slack.violations.clear()


def test_http_mode_answers_what_slack_signed(manifest, start_slack, start_bot):
    """Events, commands and buttons come in by requests; others are refused in few words."""
    port = free_port()
    address = f"http://127.0.0.1:{port}/slack/events"
    slack = start_slack(manifest=manifest, request_url=address)
    bot = start_bot(slack, SLACK_HTTP_PORT=str(port))
    assert slack.wait_for(lambda: "listening" in bot.log, 60), bot.log
    ts = slack.mention(RUBIO)
    answer = answer_in(slack, "C1", ts)
    slack.command("/ask", RUBIO, user="U2", channel="C2")
    assert quotes_in(told(slack, "U2")["blocks"]) == quotes_in(answer["blocks"])
    slack.click("open_article", values(answer, "open_article")[0], message_ts=answer["ts"])
    assert slack.wait_for(lambda: "in bold" in text_of([each.view for each in slack.views]))
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(address, data=b"[" * 100_000)
    assert status_for_length(port, 1_000_001) == 413
    assert max(map(len, bot.log.splitlines())) < 300
    assert bot.stop() == 0


def status_for_length(port, length):
    """Announce a body of a length, send none of it, and give the status of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest("POST", "/slack/events")
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    """Two collections that have no article in common, and the file that says who sees which."""
    folder = tmp_path_factory.mktemp("apart")
    for name, text in (("news", "Mayor Ada Berg opened the new harbour."), ("legal", "")):
        (folder / name).mkdir()
        said = text or "Judge Ida Holm rejected the secret appeal of the harbour company."
        (folder / name / f"{name}.txt").write_text(f"{said}\n", encoding="utf-8")
        os.utime(folder / name / f"{name}.txt", (1_700_000_000, 1_700_000_000))
    file = folder / "collections.toml"
    file.write_text(
        f'[news]\ncorpus = "{folder}/news"\nindex = "{folder}/i1"\nchannels = ["*"]\n'
        f'[legal]\ncorpus = "{folder}/legal"\nindex = "{folder}/i2"\nchannels = ["C2"]\n',
        encoding="utf-8",
    )
    return file


def test_channels_see_their_collection_where_an_admin_allows_them(
    slack, start_bot, apart, tmp_path
):
    """Denied by default, allowed in the Home; what a channel may not see is not found there."""
    port = free_port()
    extra = {"CLIPPINGS_CHANNELS": "denied", "CLIPPINGS_HEALTH_PORT": str(port)}
    bot = start_bot(slack, CLIPPINGS_COLLECTIONS=str(apart), folder=tmp_path, **extra)
    assert slack.wait_until_connected(60), bot.log
    question = "What did Judge Ida Holm reject?"
    slack.mention(question, channel="C1")
    assert "have not been allowed to answer" in text_of(told(slack, "U1")["blocks"])
    assert slack.wait_for(lambda: ready(port))

    choose_channels(slack, ["C1", "C2"], user="U1")  # no admin: nothing happens
    choose_channels(slack, ["C1", "C2"], user="UADMIN")
    assert slack.wait_for(lambda: "C2" in str(slack.views[-1:]))
    there = slack.mention(question, channel="C2")
    assert "rejected the secret appeal" in text_of(answer_in(slack, "C2", there)["blocks"])
    elsewhere = slack.mention(question, channel="C1")
    direct = slack.direct_message(question, user="U2")  # one may have two questions waiting
    shown = [
        text_of(answer_in(slack, "C1", elsewhere)["blocks"]),
        text_of(answer_in(slack, slack.space.direct("U2").id, direct)["blocks"]),
    ]
    assert all("The articles do not say." in each and "secret" not in each for each in shown)
    assert "clippings_answers_total" in fetch(f"http://127.0.0.1:{port}/metrics")
    assert bot.stop() == 0


def choose_channels(slack, channels, *, user):
    """Open the Home and choose channels in its menu."""
    slack.open_home(user)
    assert slack.wait_for(lambda: f"VHOME{user}" in slack.space.views)
    payload = payloads.interaction(
        "block_actions", user=slack.space.user(user), trigger_id=slack.space.new_trigger(user)
    )
    action = {"type": "multi_conversations_select", "action_id": "channel_policy"}
    payload |= {
        "view": slack.space.views[f"VHOME{user}"],
        "container": {"type": "view", "view_id": f"VHOME{user}"},
        "actions": [{**action, "block_id": "b", "selected_conversations": channels}],
    }
    published = len(slack.calls("views.publish"))
    slack.deliveries.start("interactive", payload)
    assert slack.wait_for(lambda: len(slack.calls("views.publish")) > published)


def fetch(url):
    with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - our own port
        return response.read().decode()


def ready(port):
    try:
        return fetch(f"http://127.0.0.1:{port}/readyz") == "ok\n"
    except OSError:
        return False


def test_buttons_outlive_a_restart_and_threads_hear_of_changes(slack, start_bot, tmp_path):
    """After a restart quotes are read from the index; once a file changes, its thread is told."""
    corpus, index = tmp_path / "corpus", tmp_path / "index"
    shutil.copytree(ROOT / "corpus", corpus)
    extra = {"CLIPPINGS_CORPUS": str(corpus), "CLIPPINGS_INDEX": str(index)}
    bot = start_bot(slack, folder=tmp_path, **extra)
    assert slack.wait_until_connected(60), bot.log
    ts = slack.mention(RUBIO)
    answer = answer_in(slack, "C1", ts)
    assert bot.stop() == 0

    bot = start_bot(slack, folder=tmp_path, **extra)
    assert slack.wait_until_connected(60), bot.log
    value = values(answer, "copy_quote")[0]
    slack.click("copy_quote", value, message_ts=answer["ts"], channel="C1", user="U2")
    copied = told(slack, "U2")
    assert quotes_in(answer["blocks"])[0] in text_of(copied["blocks"])

    path = corpus / "003_54675ee963de578f.txt"
    path.write_text(path.read_text("utf-8") + "Corrected.\n", encoding="utf-8")
    os.utime(path, (time.time() - 60,) * 2)
    subprocess.run(
        [sys.executable, "-m", "bot", "--index", index, "index", corpus],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
    )
    note = answer_in(slack, "C1", ts, number=2)
    assert text_of(note["blocks"]).startswith("003_54675ee963de578f.txt changed")
    before = len(slack.ephemerals)
    slack.click("copy_quote", value, message_ts=answer["ts"], channel="C1", user="U2")
    gone = told(slack, "U2", after=before)
    assert "indexed anew since this answer" in text_of(gone["blocks"])
    assert bot.stop() == 0
