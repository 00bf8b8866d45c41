"""socket.py: a connection that is kept up, and how long to wait before connecting again."""

import pytest

from bot.slack.socket import Pace
from tests.bot.slack.waiting import answer_in
from tests.slack_server import SlackServer

RUBIO = "What did Rubio urge Pakistan to do?"


def pauses(*, seconds, reason, greeted=True, spread=1.0):
    """Connect and be cut off again and again, each time after so many seconds."""
    now = [0.0]
    pace = Pace(clock=lambda: now[0], spread=lambda: spread)
    given = []
    for _ in range(9):
        given.append(pace.next_pause())
        if greeted:
            pace.heard_hello()
        now[0] += seconds
        pace.heard_disconnect(reason)
    return given


def test_refreshes_are_followed_at_once():
    """Slack renews connections; an event must not wait for ours."""
    assert pauses(seconds=1, reason="refresh_requested") == [0.0] * 9
    assert pauses(seconds=1, reason="warning") == [0.0] * 9


def test_too_many_sockets_are_answered_with_longer_and_longer_pauses():
    """At most a minute: another bot may have gone."""
    slower = [0.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
    assert pauses(seconds=1, reason="too_many_websockets") == slower
    assert pauses(seconds=1, reason="refresh_requested", greeted=False) == slower


def test_the_pauses_differ_from_bot_to_bot():
    """Those that were cut off together do not come back together."""
    halved = pauses(seconds=1, reason="too_many_websockets", spread=0.0)
    assert halved[:4] == [0.0, 1.0, 2.0, 4.0]


def test_a_connection_that_lasted_makes_up_for_failures():
    """The next loss is the first again."""
    assert pauses(seconds=31, reason="too_many_websockets") == [0.0] * 9


@pytest.fixture(scope="module")
def connected(manifest, start_bot):
    """A stand-in whose retries come soon, and a bot that is connected to it."""
    with SlackServer(manifest=manifest, retry_after=(0.5, 5.0, 30.0)) as slack:
        bot = start_bot(slack)
        assert slack.wait_until_connected(60), bot.log
        yield slack
        assert bot.stop() == 0
        assert slack.sockets.breaches == []
        assert slack.violations == []


def test_a_refresh_keeps_nobody_waiting(connected):
    """The new socket is read at once and the old one to its end: no event has to come twice."""
    asked = []
    for number in range(1, 6):
        connected.sockets.disconnect("refresh_requested")
        asked.append((f"C{number}", connected.mention(RUBIO, channel=f"C{number}")))
        answer_in(connected, *asked[-1])
    assert {each.attempt for each in connected.deliveries.all} == {0}
    assert len(connected.calls("apps.connections.open")) == 6


def test_what_people_write_to_each_other_is_acknowledged_and_nothing_more(connected):
    """It is most of what Slack sends; a question that comes after it is answered as ever."""
    said = [connected.say("Lunch?", channel="C8", user=f"U{n}") for n in (1, 2, 3)]
    answer_in(connected, "C8", connected.mention(RUBIO, channel="C8"))
    mine = [
        each
        for each in connected.deliveries.all
        if each.payload["event"]["ts"] in said  # no other event names these
    ]
    assert [each.attempt for each in mine] == [0] * 3
    assert all(each.seconds is not None for each in mine)
    assert all(not connected.replies("C8", ts) for ts in said)


def test_a_socket_that_is_cut_is_replaced(connected):
    """Events that were on their way come again, and are answered once."""
    connected.deliveries.retry_after = (0.0, *(2.0,) * 30)  # Slack's next try comes a minute later
    connected.sockets.reset()
    ts = connected.mention(RUBIO, channel="C6")
    answer_in(connected, "C6", ts)


def test_a_deaf_socket_is_noticed(connected):
    """It is open, and nothing comes; no pong for twelve seconds gives it away."""
    connected.sockets.half_open()
    assert connected.wait_until_connected(30)
    ts = connected.mention(RUBIO, channel="C7")
    answer_in(connected, "C7", ts)
