"""Delivery: every question that was accepted is answered, once, whatever fails on the way.

The store, the client and the wire are real; Slack is the stand-in. Only the clock is set by hand,
and the threads' steps are taken one by one.
"""

import itertools
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bot.incoming import Incoming, Place
from bot.metrics import Metrics
from bot.slack.client import KeepingClient
from bot.slack.delivery import Answered, Delivery
from bot.slack.elements import Message, quotation, rich_text
from bot.slack.posting import VERDICTS, Later, NotInstalled, Verdict
from bot.slack.reception import Reception
from bot.slack.refusing import AT_ONCE, Refuser
from bot.store import Bounds, open_store
from tests.slack_server.methods import known_errors
from tests.slack_server.workspace import User

ROOT = Path(__file__).parents[3]


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


class Killed(BaseException):
    """The process ends here: nothing of ours catches it."""


class Bot:
    """A bot that is driven step by step, and may die and start again on the same database."""

    def __init__(self, slack, path, *, bounds=None, pace_s=0.0) -> None:
        self.slack, self.url, self.clock = slack, f"sqlite:///{path}/bot.db", Clock()
        self.bounds, self.pace_s = bounds or Bounds(per_channel=64, per_user=64), pace_s
        self.answer = says("«The ceasefire holds», he said.")
        self.stopped: list[str] = []
        self.bar = lambda _team, _code: False
        self.events = 0
        self.open()

    def open(self) -> None:
        self.store = open_store(self.url, clock=self.clock)
        self.metrics = Metrics()
        self.client = KeepingClient(
            self.slack.bot_token, base_url=self.slack.api_url, retry_handlers=[], timeout=2
        )
        self.delivery = Delivery(
            store=self.store,
            answer=self.reply,
            client_for=lambda _team: self.client,
            trouble=lambda reference: message(f"trouble {reference}"),
            unshared=lambda code: message(f"unshared {code}"),
            bar=self.refuse,
            metrics=self.metrics,
            on_stop=self.stopped.append,
            clock=self.clock,
            pace_s=self.pace_s,
            posters=4,
        )
        refuser = Refuser(
            store=self.store,
            client_for=lambda _team: self.client,
            busy=lambda count: message(f"busy {count}"),
            bar=self.refuse,
            figures=self.metrics,
            on_stop=self.delivery.stop,
            clock=self.clock,
        )
        self.reception = Reception(
            store=self.store,
            refuser=refuser,
            figures=self.metrics,
            on_accepted=self.delivery.hear,
            clock=self.clock,
            bounds=self.bounds,
        )

    def refuse(self, team, code):
        """Say whether other workspaces go on."""
        return self.bar(team, code)

    def reply(self, asked):
        return self.answer(asked)

    def restart(self) -> None:
        """Let go of everything without a word, as kill -9 does, and open the database anew."""
        self.store.close()
        self.open()

    def hear(self, ts, text="Does it hold?", **changes) -> str:
        self.events += 1
        incoming = Incoming(
            event_id=f"Ev{self.events}",
            team="T1",
            channel="C1",
            ts=ts,
            thread_ts=None,
            user="U1",
            surface="mention",
            text=text,
        )
        return self.reception.accept(replace(incoming, **changes))

    def ask(self, text="Does it hold?", *, channel="C1", user="U1") -> str:
        ts = self.slack.mention(text, channel=channel, user=user)
        assert self.hear(ts, text, channel=channel, user=user) == "taken"
        return ts

    def work(self, *, for_s=120.0) -> None:
        """Let the workers and posters work until nothing is left to do."""
        end = self.clock.now + for_s
        while self.clock.now < end and not self.stopped:
            while self._step():
                if self.stopped:
                    return
            self.clock.now += 1.0
            if not (
                self.store.count_open() or self.store.count_unsent() or self.store.count_untold()
            ):
                return

    def _step(self) -> bool:
        return (
            self.delivery.answer_one() or self.delivery.post_one() or self.reception.refuse_some()
        )

    def texts(self, ts, channel="C1") -> list[str]:
        return [reply["text"] for reply in self.slack.replies(channel, ts)]

    def figure(self, line: str) -> float:
        lines = self.metrics.render().decode().splitlines()
        return float(next((it for it in lines if it.startswith(line + " ")), "x 0").split()[-1])


def message(*quotes: str) -> Message:
    blocks = (rich_text(*(quotation(quote) for quote in quotes)),)
    return Message(text=" / ".join(quotes), blocks=blocks, quotes=quotes)


def says(*texts: str, private: bool = False):
    """Give an answerer that always says the first text, and the others where that is refused."""
    answered = Answered(messages=tuple(message(text) for text in texts), private=private)
    return lambda _asked: answered


def echo(asked):
    """Answer a question with the question, and what it was asked after."""
    return Answered(messages=(message(asked.incoming.text, *asked.context),), private=False)


@pytest.fixture
def slack(start_slack):
    return start_slack(generosity=1_000)


@pytest.fixture
def bot(slack, tmp_path):
    bot = Bot(slack, tmp_path)
    yield bot
    bot.store.close()


# The way of a question


def test_answer_is_posted_in_the_thread_of_its_question(bot, slack):
    """One message, in the thread, with our key and nothing that Slack could unfold."""
    ts = bot.ask()
    bot.work()
    (reply,) = slack.replies("C1", ts)
    assert reply["text"] == "«The ceasefire holds», he said."
    assert reply["metadata"]["event_type"] == "clippings_answer"
    assert list(reply["metadata"]["event_payload"]) == ["key"]
    (call,) = slack.calls("chat.postMessage")
    assert (call.arguments["unfurl_links"], call.arguments["unfurl_media"]) == (False, False)
    assert bot.store.count_open() == 0


def test_question_in_a_thread_is_answered_with_its_context(bot, slack):
    """A follow-up knows what was asked before, and its answer goes to the same thread."""
    bot.answer = echo
    root = bot.ask("Who met?")
    bot.work()
    ts = slack.say("And where?", "C1", thread_ts=root)
    bot.hear(ts, "And where?", thread_ts=root, surface="message")
    bot.work()
    assert bot.texts(root) == ["Who met?", "And where? / Who met?"]


def test_nothing_is_said_where_the_answerer_says_nothing(bot):
    """None closes the question without a message."""
    bot.answer = lambda _asked: None
    ts = bot.ask()
    bot.work()
    assert (bot.texts(ts), bot.store.count_open()) == ([], 0)


def test_events_that_come_four_times_are_answered_once(bot, slack):
    """Retries, twins, and a restart between them."""
    stamps = [slack.mention("?") for _ in range(10)]
    for surface in ("mention", "message"):
        for number, ts in enumerate(stamps):
            bot.hear(ts, event_id=f"{surface}{number}", surface=surface)
            bot.hear(ts, event_id=f"{surface}{number}", surface=surface)
        bot.work()
        bot.restart()
    assert [len(bot.texts(ts)) for ts in stamps] == [1] * 10


def test_command_is_answered_to_the_asker_alone(bot, slack):
    """By the response_url; nothing is posted in the channel."""
    bot.answer = says("psst", private=True)
    payload = slack.command("/ask", "Does it hold?").payload
    bot.hear(
        payload["trigger_id"],
        channel=payload["channel_id"],
        surface="command",
        response_url=payload["response_url"],
    )
    bot.work()
    (shown,) = slack.ephemerals
    assert (shown["text"], shown["user"], shown["via"]) == ("psst", "U1", "response_url")
    assert slack.calls("chat.postMessage") == []


def test_private_answer_takes_another_way_where_the_response_url_is_used_up(bot, slack):
    """`chat.postEphemeral` reaches the asker too."""
    bot.answer = says("psst", private=True)
    payload = slack.command("/ask", "Does it hold?").payload
    slack.faults.fail_next("response_url", error="used_url")
    bot.hear(payload["trigger_id"], surface="command", response_url=payload["response_url"])
    bot.work()
    assert [(it["text"], it["via"]) for it in slack.ephemerals] == [("psst", "chat.postEphemeral")]


def test_message_of_our_own_is_as_durable(bot, slack):
    """«Share» posts once, however often its event comes, and after a crash too."""
    to = Incoming(
        event_id="share-1",
        team="T1",
        channel="C1",
        ts="trigger",
        thread_ts=None,
        user="U1",
        surface="command",
        text="",
    )
    place = Place(path="a.txt", sha256="11", start=0, end=4)

    def shared(answer_id):
        return Answered(messages=(message(f"shared {answer_id}"),), private=False, places=(place,))

    answer_id = bot.delivery.send(shared, to=to)
    assert bot.delivery.send(shared, to=to) is None
    slack.faults.fail_next("chat.postMessage", lose_response=True)
    bot.work()
    assert [it["text"] for it in slack.messages("C1")] == [f"shared {answer_id}"]
    assert bot.store.shown(answer_id).places == (place,)


def test_note_of_our_own_stands_under_the_message_it_is_about(bot, slack):
    """In its thread, or below it where it stands in none; a deleted question does not take it."""
    ts = bot.ask()
    bot.work()
    (reply,) = slack.replies("C1", ts)
    note = Answered(messages=(message("The article has changed."),), private=False)
    for event_id, thread_ts in (("changed-1", ts), ("changed-2", None)):
        to = Incoming(
            event_id=event_id,
            team="T1",
            channel="C1",
            ts=ts,
            thread_ts=thread_ts,
            user="U1",
            surface="mention",
            text="",
        )
        assert bot.delivery.send(lambda _: note, to=to)
    bot.work()
    bot.hear(ts, "", surface="delete")
    bot.work()
    assert reply["text"] not in bot.texts(ts)
    assert bot.texts(ts) == ["The article has changed."] * 2


# Crashes


@pytest.mark.parametrize("lost", [False, True], ids=["request", "response"])
@pytest.mark.parametrize("method", ["post", "update", "delete"])
def test_process_that_dies_in_a_call_answers_once(bot, method, lost):
    """Killed just before or just after Slack carried a call out."""
    ts = bot.ask()
    if method != "post":
        bot.work()
        surface = {"update": "edit", "delete": "delete"}[method]
        bot.answer = says("Better.")
        bot.hear(ts, "Better?", surface=surface)
    name = {"post": "chat_postMessage", "update": "chat_update", "delete": "chat_delete"}[method]
    call = getattr(bot.client, name)

    def die(**arguments):
        if lost:
            call(**arguments)
        raise Killed

    setattr(bot.client, name, die)
    bot.delivery.answer_one()
    with pytest.raises(Killed):
        bot.delivery.post_one()
    bot.restart()
    bot.work()
    first = "«The ceasefire holds», he said."
    assert bot.texts(ts) == {"post": [first], "update": ["Better."], "delete": []}[method]


STEPS = (
    "claim_question",
    "finish",
    "claim_job",
    "posted",
    "look_later",
    "absent",
)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_process_that_dies_at_a_step_of_the_store_answers_once(bot, slack, step, after):
    """Killed before or after each transaction; the way goes by a reset, so that all are passed."""
    slack.faults.fail_next("chat.postMessage", reset=True)
    do = getattr(bot.store, step)

    def die(*arguments, **named):
        if after:
            do(*arguments, **named)
        raise Killed

    setattr(bot.store, step, die)
    ts = bot.ask()
    with pytest.raises(Killed):
        bot.work()
    bot.restart()
    bot.work()
    assert bot.texts(ts) == ["«The ceasefire holds», he said."]


def test_process_that_dies_before_put_returns_hears_the_event_again(bot, slack):
    """What was stored but not acknowledged comes again, and is known."""
    ts = slack.mention("?")
    put = bot.store.put

    def die(*arguments, **named):
        put(*arguments, **named)
        raise Killed

    bot.store.put = die
    with pytest.raises(Killed):
        bot.hear(ts, event_id="Ev")
    bot.restart()
    assert bot.hear(ts, event_id="Ev") == "duplicate"
    bot.work()
    assert len(bot.texts(ts)) == 1


def test_question_that_ends_the_process_each_time_is_given_up(bot, slack):
    """Three times; then the asker is told, so that the others are answered."""

    def die(_asked):
        raise Killed

    bot.answer = die
    ts = bot.ask()
    for _ in range(3):
        with pytest.raises(Killed):
            bot.work()
        bot.restart()
    bot.work()
    assert [it["text"].split()[0] for it in slack.ephemerals] == ["trouble"]
    assert (bot.texts(ts), bot.store.count_open()) == ([], 0)


# Lost responses and other faults of the wire


@pytest.mark.parametrize(
    "fault",
    [
        {"lose_response": True},
        {"reset": True},
        {"error": "service_unavailable"},
        {"status": 500},
        {"status": 503, "accepted": True},
        {"malformed": True, "accepted": True},
        {"error": "fatal_error"},
        {"stall": 3.0, "accepted": True},
    ],
    ids=str,
)
def test_call_that_may_have_succeeded_is_looked_up(bot, slack, fault):
    """Whether Slack had carried it out or not, the answer stands there once."""
    slack.faults.fail_next("chat.postMessage", **fault)
    ts = bot.ask()
    bot.work()
    assert bot.texts(ts) == ["«The ceasefire holds», he said."]
    assert len(slack.calls("conversations.replies")) == 1


def test_lost_responses_of_many_posts(bot, slack):
    """One post in five loses its response: none double, none missing."""
    slack.faults.fail_next("chat.postMessage", lose_response=True, times=None, share=0.2)
    stamps = [bot.ask(channel=f"C{number % 9 + 1}") for number in range(40)]
    bot.work()
    replies = [slack.replies(f"C{number % 9 + 1}", ts) for number, ts in enumerate(stamps)]
    assert [len(found) for found in replies] == [1] * 40
    assert bot.figure('clippings_slack_calls_total{code="connection_lost",kind="post"}') > 0


def test_look_up_that_fails_is_made_again(bot, slack):
    """Nothing is posted before it is known that nothing is there."""
    slack.faults.fail_next("chat.postMessage", lose_response=True)
    slack.faults.fail_next("conversations.replies", status=503, times=3)
    ts = bot.ask()
    bot.work(for_s=600)
    assert len(bot.texts(ts)) == 1
    assert len(slack.calls("chat.postMessage")) == 1


def test_slack_that_is_not_there_is_waited_for(bot):
    """No network uses up no tries."""
    ts = bot.ask()
    there = bot.client.base_url
    bot.client.base_url = "http://127.0.0.1:9/api/"
    bot.work(for_s=300)
    bot.client.base_url = there
    bot.work()
    assert len(bot.texts(ts)) == 1


def test_answer_is_posted_at_most_five_times(bot, slack):
    """A Slack that always fails is left alone in the end."""
    slack.faults.fail_next("chat.postMessage", status=500, times=None)
    ts = bot.ask()
    bot.work(for_s=3_000)
    assert len(slack.calls("chat.postMessage")) == 5
    assert (bot.texts(ts), bot.store.count_open()) == ([], 0)
    assert bot.figure('clippings_deliveries_total{result="gave_up"}') == 1


# What Slack says


def test_429_parks_one_channel_only(bot, slack):
    """The others are answered meanwhile; the parked one as soon as Slack allows."""
    slack.faults.fail_next("chat.postMessage", retry_after=30, channel="C1")
    parked, other = bot.ask(channel="C1"), bot.ask(channel="C2")
    bot.work(for_s=29)
    assert (bot.texts(parked), len(bot.texts(other, "C2"))) == ([], 1)
    bot.work(for_s=3)
    assert len(bot.texts(parked)) == 1
    assert len(slack.calls("chat.postMessage")) == 3


def test_a_channel_gets_one_message_a_second(slack, tmp_path):
    """Five questions in one channel take four seconds."""
    bot = Bot(slack, tmp_path, pace_s=1.0)
    stamps = [bot.ask() for _ in range(5)]
    began, seen = bot.clock.now, []
    while len(seen) < 5:
        while bot.delivery.answer_one() or bot.delivery.post_one():
            pass
        seen = [ts for ts in stamps if bot.texts(ts)]
        bot.clock.now += 0.5
    assert bot.clock.now - began == 4.5
    bot.store.close()


def codes(verdict: Verdict, method: str = "chat.postMessage") -> list[str]:
    """Give the codes of a class that Slack publishes for a method."""
    known = known_errors(method)
    return sorted(code for code, it in VERDICTS.items() if it is verdict and code in known)


def test_at_least_25_codes_have_a_class():
    """What is tested below, code by code, over the wire."""
    assert len(codes(Verdict.PERMANENT)) >= 20
    assert codes(Verdict.STOP) == [
        "account_inactive",
        "invalid_auth",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
        "two_factor_setup_required",
    ]
    assert codes(Verdict.SMALLER) == [
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
    ]
    assert codes(Verdict.LATER) == ["accesslimited", "rate_limited", "ratelimited"]
    assert codes(Verdict.UNKNOWN) == [
        "fatal_error",
        "internal_error",
        "request_timeout",
        "service_unavailable",
    ]


@pytest.mark.parametrize("code", codes(Verdict.PERMANENT))
def test_permanent_error_ends_the_question_once(bot, slack, code):
    """One call, and the question is closed; the next one is answered."""
    slack.faults.fail_next("chat.postMessage", error=code)
    ts = bot.ask()
    bot.work()
    assert (bot.texts(ts), len(slack.calls("chat.postMessage"))) == ([], 1)
    assert bot.store.count_open() == 0
    assert bot.figure(f'clippings_deliveries_total{{result="{code}"}}') == 1
    after = bot.ask()
    bot.work()
    assert len(bot.texts(after)) == 1


def test_code_that_nobody_knows_yet_is_permanent(bot, slack):
    """Slack refused, so nothing was posted, and asking again would be answered the same."""
    fault = slack.faults.fail_next("chat.postMessage", error="is_archived")
    fault.error = "a_code_of_tomorrow"
    ts = bot.ask()
    bot.work()
    slack.violations.clear()  # the stand-in complains of its own error
    assert (bot.texts(ts), len(slack.calls("chat.postMessage"))) == ([], 1)


@pytest.mark.parametrize("code", codes(Verdict.STOP))
def test_fatal_error_stops_everything_and_loses_nothing(bot, slack, code):
    """One call; after the operator has acted, what waited is answered."""
    slack.faults.fail_next("chat.postMessage", error=code)
    ts = bot.ask()
    bot.work()
    assert (bot.stopped, bot.delivery.stopped_by) == ([code], code)
    assert not bot.delivery.is_running
    assert len(slack.calls("chat.postMessage")) == 1
    bot.stopped.clear()
    bot.restart()
    bot.work()
    assert len(bot.texts(ts)) == 1


def test_fatal_error_of_one_workspace_leaves_the_others_alone(bot, slack):
    """Its question is ended once; what comes from elsewhere is answered, and nothing stops."""
    barred = []
    bot.bar = lambda team, code: not barred.append((team, code))
    slack.faults.fail_next("chat.postMessage", error="token_revoked", channel="C2")
    ts = bot.ask(channel="C2")
    after = bot.ask(channel="C3")
    bot.work()
    assert (bot.texts(ts, "C2"), len(bot.texts(after, "C3"))) == ([], 1)
    assert (barred, bot.stopped, bot.delivery.stopped_by) == ([("T1", "token_revoked")], [], None)
    assert (bot.store.count_open(), bot.store.count_unsent()) == (0, 0)


def test_question_of_a_workspace_that_is_not_installed_is_dropped(bot, slack):
    """There is nobody to whom anything could be said, not even that it failed."""

    def refuse(asked):
        raise NotInstalled(asked.incoming.team)

    bot.answer = refuse
    ts = bot.ask()
    bot.work()
    assert (bot.texts(ts), slack.ephemerals, bot.store.count_open()) == ([], [], 0)


def test_question_waits_as_long_as_slack_asks(bot):
    """However often: that is no failure of ours, and counts as no try."""
    times = []

    def later(asked):
        times.append(bot.clock.now)
        if len(times) <= 5:
            raise Later(7.0)
        return echo(asked)

    bot.answer = later
    ts = bot.ask()
    bot.work()
    assert bot.texts(ts) == ["Does it hold?"]
    assert [b - a for a, b in itertools.pairwise(times)] == [7.0] * 5


def test_question_that_would_wait_for_ever_is_given_up(bot, slack):
    """After an hour the asker is told."""

    def later(_asked):
        raise Later(600.0)

    bot.answer = later
    ts = bot.ask()
    bot.work(for_s=5_000)
    (told,) = slack.ephemerals
    assert (told["text"].split()[0], bot.texts(ts)) == ("trouble", [])


def share(bot, slack, *, channel):
    """Press «Share» of a private answer in a channel."""
    payload = slack.command("/ask", "Does it hold?", channel=channel).payload
    answered = Answered(messages=(message("shared"),), private=False)
    return bot.delivery.send(
        lambda _: answered,
        to=Incoming(
            event_id="share:1",
            team="T1",
            channel=channel,
            ts=payload["trigger_id"],
            thread_ts=None,
            user="U1",
            surface="command",
            text="",
            response_url=payload["response_url"],
        ),
    )


def test_share_that_can_not_be_posted_is_told_and_may_be_tried_again(bot, slack):
    """Once the bot was invited, the same button works; then it has done its work."""
    assert share(bot, slack, channel="COUTSIDE")
    bot.work()
    assert [it["text"] for it in slack.ephemerals] == ["unshared not_in_channel"]
    slack.space.channels["COUTSIDE"].members.add(slack.bot_user)
    assert share(bot, slack, channel="COUTSIDE")
    bot.work()
    assert [it["text"] for it in slack.messages("COUTSIDE")] == ["shared"]
    assert share(bot, slack, channel="COUTSIDE") is None
    assert len(slack.ephemerals) == 1


def test_question_that_is_stopped_is_not_answered(bot, slack):
    """Neither while it waits, nor while it is answered, nor before its answer is on its way."""
    bot.answer = lambda asked: bot.store.stop("T1", "C1", asked.incoming.root) and echo(asked)
    answering = bot.ask()
    bot.work()
    bot.answer = echo
    waiting = bot.ask()
    assert bot.store.stop("T1", "C1", waiting) == 1
    written = bot.ask()
    assert bot.delivery.answer_one()
    assert bot.store.stop("T1", "C1", written) == 1
    bot.work()
    assert [bot.texts(ts) for ts in (answering, waiting, written)] == [[], [], []]
    assert (bot.store.count_open(), bot.store.count_unsent()) == (0, 0)
    assert slack.calls("chat.postMessage") == []


def test_answer_that_is_there_is_not_stopped(bot):
    """Who presses «Stop» too late keeps what there is; other threads are left alone."""
    ts = bot.ask()
    bot.work()
    other = bot.ask(user="U2")
    assert bot.store.stop("T1", "C1", ts) == 0
    bot.work()
    assert (len(bot.texts(ts)), len(bot.texts(other))) == (1, 1)


@pytest.mark.parametrize("code", codes(Verdict.UNKNOWN))
def test_error_that_says_nothing_is_looked_up_each_time(bot, slack, code):
    """At most five posts, a look between each two, and one after the last."""
    slack.faults.fail_next("chat.postMessage", error=code, times=None)
    ts = bot.ask()
    bot.work(for_s=3_000)
    calls = len(slack.calls("chat.postMessage")), len(slack.calls("conversations.replies"))
    assert (bot.texts(ts), calls) == ([], (5, 5))


@pytest.mark.parametrize("code", codes(Verdict.LATER))
def test_error_that_says_later_is_obeyed(bot, slack, code):
    """The same call again, when it may be made."""
    slack.faults.fail_next("chat.postMessage", error=code, times=2)
    ts = bot.ask()
    bot.work()
    assert (len(bot.texts(ts)), len(slack.calls("chat.postMessage"))) == (1, 3)


@pytest.mark.parametrize("code", codes(Verdict.SMALLER))
def test_message_that_slack_refuses_is_replaced_by_a_smaller_one(bot, slack, code):
    """Fewer quotes, never cut ones."""
    bot.answer = says("three quotes", "two quotes", "one quote")
    slack.faults.fail_next("chat.postMessage", error=code, times=2)
    ts = bot.ask()
    bot.work()
    assert bot.texts(ts) == ["one quote"]


def test_message_that_slack_refuses_in_every_size_is_given_up(bot, slack):
    """There is an end to it."""
    bot.answer = says("two quotes", "one quote")
    slack.faults.fail_next("chat.postMessage", error="invalid_blocks", times=None)
    ts = bot.ask()
    bot.work()
    assert (bot.texts(ts), len(slack.calls("chat.postMessage"))) == ([], 2)


@pytest.mark.parametrize("code", codes(Verdict.SMALLER, "chat.update"))
def test_change_that_slack_refuses_is_replaced_by_a_smaller_one(bot, slack, code):
    """Messages that are changed have limits of their own."""
    ts = bot.ask("First?")
    bot.work()
    bot.answer = says("three quotes", "one quote")
    slack.faults.fail_next("chat.update", error=code)
    bot.hear(ts, "Second?", surface="edit")
    bot.work()
    assert bot.texts(ts) == ["one quote"]


@pytest.mark.parametrize("code", codes(Verdict.GONE, "chat.update"))
def test_message_that_can_not_be_changed_is_posted_anew(bot, slack, code):
    """An edited question gets its answer, as a new message."""
    bot.answer = echo
    ts = bot.ask("First?")
    bot.work()
    slack.faults.fail_next("chat.update", error=code)
    bot.hear(ts, "Second?", surface="edit")
    bot.work()
    assert bot.texts(ts) == ["First?", "Second?"]


# Edits, deletions, reading back


def test_edited_question_changes_its_answer(bot, slack):
    """The message stays where it is and says something else; nothing new is posted."""
    bot.answer = echo
    ts = bot.ask("First?")
    bot.work()
    assert bot.hear(ts, "Second?", surface="edit") == "applied"
    bot.work()
    assert bot.texts(ts) == ["Second?"]
    assert len(slack.calls("chat.postMessage")) == 1


def test_edit_after_a_lost_response_changes_what_is_found(bot, slack):
    """First it is found where the answer is, then it is changed."""
    bot.answer = echo
    slack.faults.fail_next("chat.postMessage", lose_response=True)
    ts = bot.ask("First?")
    while bot.delivery.answer_one() or bot.delivery.post_one():
        pass
    bot.hear(ts, "Second?", surface="edit")
    bot.work()
    assert bot.texts(ts) == ["Second?"]
    assert len(slack.calls("chat.postMessage")) == 1


def test_deleted_question_takes_its_answer_along(bot, slack):
    """Nothing of it remains in the thread, and a second deletion changes nothing."""
    ts = bot.ask()
    bot.work()
    assert bot.hear(ts, "", surface="delete") == "applied"
    bot.work()
    assert bot.texts(ts) == []
    bot.hear(ts, "", surface="delete")
    bot.work()
    assert len(slack.calls("chat.delete")) == 1


def test_answer_that_somebody_else_deleted_needs_no_deleting(bot, slack):
    """`message_not_found` is what was wanted."""
    ts = bot.ask()
    bot.work()
    bot.hear(ts, "", surface="delete")
    slack.faults.fail_next("chat.delete", error="message_not_found")
    bot.work()
    assert (len(slack.calls("chat.delete")), bot.store.count_unsent()) == (1, 0)


def test_message_that_slack_stored_otherwise_is_replaced(bot, slack):
    """Where the quotes that Slack stored are not the quotes that were sent, plainer ones follow."""
    bot.answer = says("He  said  so.", "Only the place.")
    slack.faults.fail_next("chat.postMessage", trim=True)
    ts = bot.ask()
    bot.work()
    assert bot.texts(ts) == ["Only the place."]
    assert bot.figure("clippings_quote_roundtrip_mismatches_total") == 1


def test_message_that_is_found_after_a_crash_is_read_back_too(bot, slack):
    """What was stored otherwise is noticed also where the response was lost."""
    bot.answer = says("He  said  so.", "Only the place.")
    slack.faults.fail_next("chat.postMessage", trim=True, lose_response=True)
    ts = bot.ask()
    bot.work()
    assert bot.texts(ts) == ["Only the place."]


# Bounds and trouble


def test_busy_is_told_to_each_who_found_no_room_and_never_answered(slack, tmp_path):
    """Each question gets one reply: an answer, or «busy»."""
    bot = Bot(slack, tmp_path, bounds=Bounds(in_all=2, per_channel=2, per_user=2))
    stamps = [slack.mention("?", user=f"U{number}") for number in (1, 2, 3, 4)]
    heard = [bot.hear(ts, user=f"U{number}") for number, ts in enumerate(stamps, start=1)]
    assert heard == ["taken", "taken", "busy", "busy"]
    bot.work()
    assert [len(bot.texts(ts)) for ts in stamps] == [1, 1, 0, 0]
    assert sorted(it["user"] for it in slack.ephemerals) == ["U3", "U4"]
    assert bot.hear(stamps[3], user="U4") == "duplicate"
    bot.work()
    assert [len(bot.texts(ts)) for ts in stamps] == [1, 1, 0, 0]
    bot.store.close()


@pytest.fixture
def full(slack, tmp_path):
    """A bot that has no room for any question."""
    bot = Bot(slack, tmp_path, bounds=Bounds(in_all=0))
    yield bot
    bot.store.close()


def told(slack) -> list[tuple[str, str]]:
    return [(it["user"], it["text"]) for it in slack.ephemerals]


def test_busy_is_told_once_for_several_questions_of_one_person(full, slack):
    """Who asks three times in a channel hears one «busy» that says so; others get their own."""
    for user in ("U1", "U1", "U2", "U1"):
        full.hear(slack.mention("?", user=user), user=user)
    full.work()
    assert told(slack) == [("U1", "busy 3"), ("U2", "busy 1")]


def test_refusals_are_told_a_handful_at_a_time(full, slack):
    """The oldest first; the rest waits for the next turn."""
    people = [f"U{number}" for number in range(101, 102 + AT_ONCE)]
    for user in people:
        slack.add_user(User(id=user, name=user.lower()))
        slack.space.channel("C1").members.add(user)
        full.hear(slack.mention("?", user=user), user=user)
    assert full.reception.refuse_some()
    assert [user for user, _ in told(slack)] == people[:AT_ONCE]
    assert full.reception.refuse_some()
    assert [user for user, _ in told(slack)] == people
    assert not full.reception.refuse_some()


def test_busy_is_told_after_a_crash(full, slack):
    """A refusal that was acknowledged and not told yet is told by the next process."""
    full.hear(slack.mention("?"))
    full.store.claim_refused(most=8)  # and here the process ends
    full.restart()
    full.work()
    assert told(slack) == [("U1", "busy 1")]


def test_busy_waits_as_long_as_slack_asks(full, slack):
    """After a 429 the same person is told when Slack is ready."""
    fault = slack.faults.fail_next("chat.postEphemeral", retry_after=7)
    full.hear(slack.mention("?"))
    assert full.reception.refuse_some()
    full.clock.now += 6.0
    assert not full.reception.refuse_some()
    full.clock.now += 2.0
    assert full.reception.refuse_some()
    assert (fault.hits, told(slack)) == (1, [("U1", "busy 1")])


def test_busy_that_failed_at_slacks_is_told_again(full, slack):
    """Nobody can be asked whether it was shown; 20 s later it is told once more."""
    slack.faults.fail_next("chat.postEphemeral", status=500)
    full.hear(slack.mention("?"))
    full.work()
    assert told(slack) == [("U1", "busy 1")]


def test_busy_that_slack_refuses_ends(full, slack):
    """A permanent error is not tried again."""
    slack.faults.fail_next("chat.postEphemeral", error="is_archived")
    full.hear(slack.mention("?"))
    full.work()
    assert (told(slack), len(slack.calls("chat.postEphemeral"))) == ([], 1)
    assert full.store.count_untold() == 0


def test_busy_stops_the_bot_where_the_token_is_refused(full, slack):
    """As with every call; what is to be told stays."""
    slack.faults.fail_next("chat.postEphemeral", error="token_revoked")
    full.hear(slack.mention("?"))
    full.work()
    assert (full.stopped, full.store.count_untold()) == (["token_revoked"], 1)


def test_answerer_that_fails_is_asked_three_times(bot, slack, caplog):
    """The asker gets a reference, the log a type; the error's text goes nowhere."""
    calls = []

    def fail(asked):
        calls.append(asked)
        raise ValueError("secret words of the question")

    bot.answer = fail
    ts = bot.ask()
    bot.work()
    (told,) = slack.ephemerals
    assert (len(calls), told["text"]) == (3, f"trouble {calls[0].answer_id}")
    assert bot.texts(ts) == []
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


def test_log_holds_no_words_and_no_token(bot, slack, caplog):
    """Ids, codes and times; at every level, on the good way and on a bad one."""
    caplog.set_level("DEBUG", logger="bot")
    bot.answer = says("canary answer")
    slack.faults.fail_next("chat.postMessage", error="channel_not_found")
    bot.ask("canary question")
    bot.work()
    bot.ask("canary question")
    bot.work()
    assert "canary" not in caplog.text
    assert "xoxb" not in caplog.text
    assert "canary" not in bot.metrics.render().decode()


# Threads


def test_threads_answer_what_is_accepted(slack, tmp_path):
    """Started as the bot starts it, it answers within a second, and says that it runs."""
    bot = Bot(slack, tmp_path)
    bot.clock = bot.store._clock = time.time
    bot.delivery.start()
    assert bot.delivery.is_running
    stamps = [bot.ask(channel=f"C{number}") for number in range(1, 9)]
    assert slack.wait_for(
        lambda: all(bot.texts(ts, f"C{n}") for n, ts in enumerate(stamps, start=1)), timeout=5
    )
    bot.delivery.drain(seconds=5)
    assert not bot.delivery.is_running
    bot.store.close()


def test_drain_finishes_what_is_begun_and_leaves_the_rest(slack, tmp_path):
    """The question at the desk is answered and posted; what waits is answered after the restart."""
    bot = Bot(slack, tmp_path)
    bot.clock = bot.store._clock = time.time

    def slowly(asked):
        time.sleep(0.5)
        return echo(asked)

    bot.answer = slowly
    stamps = [bot.ask(f"{number}?") for number in range(6)]
    bot.delivery.start()
    time.sleep(0.2)
    began = time.monotonic()
    bot.delivery.drain(seconds=5)
    assert time.monotonic() - began < 3
    assert [len(bot.texts(ts)) for ts in stamps] == [1, 1, 0, 0, 0, 0]
    bot.answer, bot.clock = echo, Clock()
    bot.restart()
    bot.work()
    assert [len(bot.texts(ts)) for ts in stamps] == [1] * 6
    bot.store.close()


CHILD = """
import sys, time
from bot.slack.client import KeepingClient
from bot.incoming import Incoming
from bot.metrics import Metrics
from bot.slack.delivery import Answered, Delivery
from bot.slack.elements import Message, quotation, rich_text
from bot.store import Bounds, open_store

url, api, token = sys.argv[1:]
message = Message(text="yes", blocks=(rich_text(quotation("yes")),), quotes=("yes",))
client = KeepingClient(token, base_url=api, retry_handlers=[], timeout=2)
store = open_store(url, clock=time.time)
delivery = Delivery(
    store=store, answer=lambda asked: Answered(messages=(message,), private=False),
    client_for=lambda team: client, trouble=lambda key: message,
    metrics=Metrics(), unshared=lambda code: message, on_stop=print, clock=time.time, pace_s=0.0,
)
bounds = Bounds(in_all=999, per_channel=999, per_user=999)
delivery.start()
for line in sys.stdin:
    ts = line.strip()
    asked = Incoming(event_id="Ev" + ts, team="T1", channel="C1", ts=ts, thread_ts=None,
                     user="U1", surface="mention", text="?")
    delivery.hear(store.put(asked, bounds=bounds))
    print(ts, flush=True)
"""


def test_kill_at_random_moments_loses_nothing_and_answers_nothing_twice(slack, tmp_path):
    """Five times kill -9 while questions are on their way; each is answered once in the end."""
    url = f"sqlite:///{tmp_path}/bot.db"
    stamps = [slack.mention("?") for _ in range(60)]
    waiting = list(stamps)
    slack.faults.fail_next("chat.postMessage", stall=0.03, times=None)
    for lives in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, url, slack.api_url, slack.bot_token],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        acked = []
        for ts in waiting[:12] if lives < 5 else waiting:
            process.stdin.write(ts + "\n")
            process.stdin.flush()
            acked.append(process.stdout.readline().strip())
        waiting = [ts for ts in waiting if ts not in acked]
        if lives < 5:
            process.send_signal(signal.SIGKILL)
        else:
            assert slack.wait_for(lambda: all(slack.replies("C1", ts) for ts in stamps), timeout=30)
            process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
    assert [len(slack.replies("C1", ts)) for ts in stamps] == [1] * 60
    # A process that is killed while it sends leaves half a request, which the stand-in refuses.
    slack.violations[:] = [violation for violation in slack.violations if violation["arguments"]]
