"""Socket Mode of the stand-in: the protocol, acks and redelivery, and how connections end."""

import itertools
import json
import time

import pytest

from tests.slack_server.app import DEFAULT_MANIFEST
from tests.slack_server.raw_app import RawApp, ack, silent
from tests.slack_server.websocket import CLOSE, PING, PONG, TEXT, accept_key


@pytest.fixture
def start(start_slack):
    """Start a stand-in whose clock runs 20 times as fast."""
    return lambda **options: start_slack(**{"manifest": DEFAULT_MANIFEST, "speed": 20, **options})


@pytest.fixture
def connect():
    apps = []

    def connect_one(slack, answer=ack) -> RawApp:
        apps.append(RawApp(slack, answer))
        if apps[-1].status == 101:
            assert slack.wait_for(lambda: apps[-1].heard)
        return apps[-1]

    yield connect_one
    for app in apps:
        app.close()


def test_accept_key_is_that_of_the_rfc():
    """The example of RFC 6455, section 1.3."""
    assert accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_hello_counts_connections(start, connect):
    """The first message says how many connections the app has, with the new one."""
    slack = start()
    first, second = connect(slack), connect(slack)
    assert [app.heard[0]["type"] for app in (first, second)] == ["hello", "hello"]
    assert [app.heard[0]["num_connections"] for app in (first, second)] == [1, 2]


def test_ticket_is_good_once(start, connect):
    """A WebSocket without a fresh ticket is refused."""
    slack = start()
    app = connect(slack)
    slack.sockets.ticket = lambda: "used"
    again = connect(slack)
    assert (app.status, again.status) == (101, 401)


def test_ping_is_answered_with_its_payload(start, connect):
    """Slack answers each ping; without it the SDK believes the socket to be dead."""
    app = connect(start())
    app.send(PING, b"a:1.5")
    assert app.frames.count(PONG) or _soon(lambda: PONG in app.frames)


def test_unmasked_frame_ends_the_connection(start, connect):
    """A client must mask: RFC 6455, section 5.1."""
    slack = start()
    app = connect(slack)
    app.send_raw(bytes([0x80 | TEXT, 2]) + b"{}")
    assert app.ended.wait(5)
    assert slack.sockets.breaches == ["a client must mask its frames"]


def test_text_that_is_no_ack_is_noted(start, connect):
    """The app may send acks and nothing else."""
    slack = start()
    connect(slack).send(TEXT, b'{"hello": 1}')
    assert slack.wait_for(lambda: slack.sockets.breaches == ["not an ack: b'{\"hello\": 1}'"])


def test_large_ack_arrives_whole(start, connect):
    """Lengths of 16 and of 64 bits are read."""
    slack = start()
    connect(slack, lambda _: {"text": "x" * 70_000})
    slack.command("/ask", "why?")
    assert slack.wait_for(lambda: slack.ephemerals)
    assert len(slack.ephemerals[0]["text"]) == 70_000


def test_mention_is_two_events(start, connect):
    """app_mention and message tell of one message under two event ids."""
    slack = start()
    app = connect(slack)
    ts = slack.mention("why & how?")
    assert slack.wait_for(lambda: len(app.envelopes()) == 2)
    events = [each["payload"]["event"] for each in app.envelopes()]
    assert [event["type"] for event in events] == ["app_mention", "message"]
    assert [event["ts"] for event in events] == [ts, ts]
    assert [event["text"] for event in events] == ["<@UBOT> why &amp; how?"] * 2
    assert len({each["payload"]["event_id"] for each in app.envelopes()}) == 2


def test_unacked_event_comes_three_times_more(start, connect):
    """At once, after a minute and after five; then Slack gives up. The event id stays."""
    slack = start(speed=2000)
    app = connect(slack, silent)
    slack.direct_message("why?")
    assert slack.wait_for(lambda: slack.deliveries.given_up)
    seen = [(each["retry_attempt"], each["retry_reason"]) for each in app.envelopes()]
    assert seen == [(0, ""), (1, "timeout"), (2, "timeout"), (3, "timeout")]
    assert len({each["payload"]["event_id"] for each in app.envelopes()}) == 1
    assert len({each["envelope_id"] for each in app.envelopes()}) == 4
    times = [each.began for each in slack.deliveries.all]
    gaps = [late - early for early, late in itertools.pairwise(times)]
    assert [gap >= low for gap, low in zip(gaps, (3, 63, 303), strict=True)] == [True] * 3


def test_acked_event_comes_once(start, connect):
    """An ack in time ends the matter."""
    slack = start(retry_after=(0,))
    app = connect(slack)
    slack.direct_message("why?")
    slack.clock.wait(10)
    assert len(app.envelopes()) == 1


def test_event_without_a_connection_comes_later(start, connect):
    """Who was not there is told when they are back."""
    slack = start(retry_after=(0, 5, 300))
    slack.direct_message("why?")
    app = connect(slack)
    assert slack.wait_for(app.envelopes)
    first = app.envelopes()[0]
    assert (first["retry_attempt"] > 0, first["retry_reason"]) == (True, "connection_failed")


def test_unacked_command_is_a_violation_and_not_sent_again(start, connect):
    """The user sees operation_timeout."""
    slack = start(speed=200)
    app = connect(slack, silent)
    slack.command("/ask", "why?")
    assert slack.wait_for(lambda: slack.violations)
    noted = [(each["method"], each["error"]) for each in slack.violations]
    slack.violations.clear()
    assert noted == [("slash_commands", "operation_timeout")]
    assert len(app.envelopes()) == 1


def test_each_envelope_goes_to_one_connection(start, connect):
    """Several connections share the events."""
    slack = start()
    first, second = connect(slack), connect(slack)
    for number in range(20):
        slack.direct_message(f"question {number}")
    assert slack.wait_for(lambda: len(first.envelopes()) + len(second.envelopes()) == 20)
    assert min(len(first.envelopes()), len(second.envelopes())) > 0


def test_eleventh_connection_is_too_many(start, connect):
    """Ten are allowed; the next is told why, and closed."""
    slack = start()
    for _ in range(10):
        connect(slack)
    eleventh = connect(slack)
    assert eleventh.heard[0]["reason"] == "too_many_websockets"
    assert eleventh.ended.wait(5)


def test_refresh_keeps_sending_on_the_old_socket(start, connect):
    """Until it closes, an old connection gets envelopes, as it does with Slack."""
    slack = start()
    old = connect(slack)
    slack.sockets.disconnect("refresh_requested", lingers=10)
    slack.direct_message("why?")
    assert slack.wait_for(old.envelopes)
    assert old.heard[1]["reason"] == "refresh_requested"
    assert old.ended.wait(5)
    assert CLOSE in old.frames


def test_connection_is_asked_to_be_replaced_once(start, connect):
    """A second refresh is for those that connected since."""
    slack = start()
    old = connect(slack)
    slack.sockets.disconnect("refresh_requested", lingers=40)
    new = connect(slack)
    slack.sockets.disconnect("refresh_requested", lingers=40)
    assert slack.wait_for(lambda: len(new.heard) == 2)
    assert [each["type"] for each in old.heard] == ["hello", "disconnect"]
    assert [each["type"] for each in new.heard] == ["hello", "disconnect"]


def test_half_open_connection_is_silent(start, connect):
    """No pong, no envelope, no end: the app must notice by itself."""
    slack = start(retry_after=(0, 1000))
    app = connect(slack)
    slack.sockets.half_open()
    app.send(PING, b"a:1")
    slack.direct_message("why?")
    slack.clock.wait(20)
    assert (app.envelopes(), PONG in app.frames, app.ended.is_set()) == ([], False, False)


def test_reset_connection_ends_without_a_close_frame(start, connect):
    """As a cut cable does."""
    slack = start()
    app = connect(slack)
    slack.sockets.reset()
    assert app.ended.wait(5)
    assert CLOSE not in app.frames


def test_events_can_be_delivered_several_times(start, connect):
    """Copies share the event id, and differ in envelope and attempt."""
    slack = start(copies=4)
    app = connect(slack)
    slack.direct_message("why?")
    assert slack.wait_for(lambda: len(app.envelopes()) == 4)
    assert [each["retry_attempt"] for each in app.envelopes()] == [0, 1, 2, 3]
    assert len({each["payload"]["event_id"] for each in app.envelopes()}) == 1


def test_runs_repeat(start, connect):
    """The same seed gives the same ids; another one does not."""
    ids = []
    for seed in (1, 1, 2):
        slack = start(seed=seed)
        app = connect(slack)
        slack.direct_message("why?")
        assert slack.wait_for(app.envelopes)
        ids.append(app.envelopes()[0]["envelope_id"])
    assert ids[0] == ids[1] != ids[2]


def test_lone_surrogates_never_leave(start, connect):
    """All that is sent is UTF-8."""
    slack = start()
    app = connect(slack)
    slack.direct_message("caf\u00e9 \U0001f680 \u202e")
    assert slack.wait_for(app.envelopes)
    event = app.envelopes()[0]["payload"]["event"]
    assert json.loads(json.dumps(event))["text"] == "caf\u00e9 \U0001f680 \u202e"


def _soon(predicate) -> bool:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if predicate():
            return True
        time.sleep(0.01)
    return False
