"""Every surface, end to end: the bot is a process, Slack is the stand-in, nothing is mocked."""

import re
import signal
import time
from collections.abc import Iterator

import pytest

from bot.slack.blocks import quotes_in
from tests.bot.slack.waiting import answer_in, text_of, told, values
from tests.slack_server import SlackServer
from tests.slack_server.workspace import User

RUBIO = "What did Rubio urge Pakistan to do?"
SAID = (
    "In his discussion with Prime Minister Sharif, Rubio urged Pakistan to condemn the April 22 "
    "attack in Kashmir and cooperate in the ensuing investigation."
)
BRUCE = "Who is the spokesperson of the US State Department?"
CANARY = "kanarienvogel"


@pytest.fixture(scope="module")
def slack(manifest) -> Iterator[SlackServer]:
    with SlackServer(manifest=manifest, generosity=10) as server:
        yield server


@pytest.fixture(scope="module")
def bot(slack, start_bot):
    # With a client id in the environment Bolt turns to OAuth and forgets the bot's token.
    bolts = {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "c", "SLACK_VERIFICATION_TOKEN": "v"}
    running = start_bot(slack, **bolts)
    assert slack.wait_until_connected(60), running.log
    yield running
    assert running.stop(by=signal.SIGINT) == 0
    assert CANARY not in running.log
    assert not re.search(r"xoxb|xapp|ticket=[^[]", running.log)


@pytest.fixture(autouse=True)
def _nothing_refused(slack, bot):  # noqa: ARG001 - it runs
    """Slack refused nothing that the bot sent in this test."""
    before = len(slack.violations)
    yield
    assert slack.violations[before:] == []


def direct_channel(slack, user):
    return slack.space.direct(user).id


def test_a_mention_is_answered_in_its_thread(slack):
    """The best quote comes first, and the fallback text has it too."""
    ts = slack.mention(RUBIO, channel="C1")
    answer = answer_in(slack, "C1", ts)
    assert quotes_in(answer["blocks"])[0] == SAID
    assert answer["text"].startswith(SAID)
    assert answer["thread_ts"] == ts


def test_a_mention_inside_a_thread_is_answered_there(slack):
    """The parent's ts is the thread, not the question's own."""
    root = slack.say("An unrelated thread", "C2")
    slack.mention(RUBIO, channel="C2", thread_ts=root)
    assert quotes_in(answer_in(slack, "C2", root)["blocks"])[0] == SAID


def test_a_direct_message_is_answered(slack):
    """No mention is needed; a status is shown while the bot searches."""
    ts = slack.direct_message(RUBIO, user="U1")
    answer = answer_in(slack, direct_channel(slack, "U1"), ts)
    assert quotes_in(answer["blocks"])[0] == SAID
    shown = [each for each in slack.space.statuses if each["thread_ts"] == ts]
    assert [each["status"] for each in shown] == ["is searching 5 articles…"]


def test_the_agent_view_offers_questions(slack):
    """Opening the messages tab brings prompts made of names in the articles."""
    slack.open_home("U2", tab="messages")
    assert slack.wait_for(lambda: slack.calls("assistant.threads.setSuggestedPrompts"))
    prompts = slack.calls("assistant.threads.setSuggestedPrompts")[0].arguments["prompts"]
    assert {"title": "Tammy Bruce", "message": "What do the articles say about Tammy Bruce?"} in (
        prompts
    )


def test_a_follow_up_is_understood_with_and_without_a_mention(slack):
    """What a question leans on is taken from the question before it in the thread."""
    ts = slack.mention("What did Marco Rubio urge Pakistan to do?", channel="C3")
    answer_in(slack, "C3", ts)
    slack.say("And what did he tell India?", "C3", ts)
    assert "Rubio" in text_of(answer_in(slack, "C3", ts, number=2)["blocks"])
    slack.mention("When did he speak with Sharif?", channel="C3", thread_ts=ts)
    assert "Rubio" in text_of(answer_in(slack, "C3", ts, number=3)["blocks"])


def test_what_people_say_to_each_other_is_left_alone(slack):
    """No answer outside of threads that the bot is in, to thanks, or to who names somebody else."""
    root = slack.say(RUBIO, "C4")
    slack.say(RUBIO, "C4", root)
    ts = slack.mention(RUBIO, channel="C4")
    answer_in(slack, "C4", ts)
    slack.write("<@U3> what do you think?", channel="C4", thread_ts=ts)
    slack.say("Thanks!", "C4", ts)
    last = slack.mention(BRUCE, channel="C4", user="U2")  # U1 has two messages waiting
    answer_in(slack, "C4", last)
    assert len(slack.replies("C4", ts)) == 1
    assert slack.replies("C4", root) == []


def test_bots_are_not_answered(slack):
    """Whatever marks a message as a program's is enough."""
    marks = ({"bot_id": "B9"}, {"app_id": "A9"}, {"subtype": "bot_message"})
    asked = [
        slack.write(f"<@{slack.bot_user}> {RUBIO}", channel="C5", fields=mark) for mark in marks
    ]
    asked.append(slack.mention(RUBIO, channel="C5", user="UROBOT"))
    last = slack.mention(BRUCE, channel="C5")
    answer_in(slack, "C5", last)
    assert [slack.replies("C5", ts) for ts in asked] == [[], [], [], []]


@pytest.mark.parametrize(
    ("user", "why"),
    [
        ("UGUEST", "you are a guest here"),
        ("USINGLE", "you are a guest here"),
        ("USTRANGER", "members of the workspace that I belong to"),
    ],
)
def test_guests_and_people_from_outside_are_refused_once(slack, user, why):
    """The first question gets the reason, in private; the next ones get nothing."""
    before = len(slack.ephemerals)
    first = slack.mention(RUBIO, channel="C6", user=user)
    assert why in text_of(told(slack, user, after=before)["blocks"])
    second = slack.mention(RUBIO, channel="C6", user=user)
    last = slack.mention(BRUCE, channel="C6", user="U1")
    answer_in(slack, "C6", last)
    assert [slack.replies("C6", ts) for ts in (first, second)] == [[], []]
    assert len([each for each in slack.ephemerals[before:] if each["user"] == user]) == 1


def test_a_channel_that_others_share_is_refused(slack):
    """People of other companies would read the answer."""
    before = len(slack.ephemerals)
    ts = slack.mention(RUBIO, channel="CSHARED", user="U2")
    assert "outside can read along" in text_of(told(slack, "U2", after=before)["blocks"])
    assert slack.replies("CSHARED", ts) == []


def test_greetings_get_help_and_empty_mentions_a_hint(slack):
    """Neither is searched for."""
    hello = slack.mention("Hello!", channel="C7")
    assert "How to ask" in text_of(answer_in(slack, "C7", hello)["blocks"])
    empty = slack.mention("", channel="C7")
    assert "What would you like to know?" in text_of(answer_in(slack, "C7", empty)["blocks"])


def test_an_abstention_says_so_and_why(slack):
    """The words that no article mentions are named, and the nearest passages are no answer."""
    ts = slack.mention(f"What is the capital of {CANARY}?", channel="C8")
    said = text_of(answer_in(slack, "C8", ts)["blocks"])
    assert "The articles do not say." in said
    assert f"No article mentions: capital, {CANARY}" in said
    assert "They are not an answer" in said


def test_a_command_is_answered_in_private_and_can_be_shared(slack):
    """Share posts the answer for all, with the question and who shared it; once."""
    before = len(slack.ephemerals)
    slack.command("/ask", RUBIO, user="U3", channel="C9")
    private = told(slack, "U3", after=before)
    assert quotes_in(private["blocks"])[0] == SAID
    assert f"You asked: {RUBIO}" in text_of(private["blocks"])
    assert slack.messages("C9") == []
    for _ in range(2):
        slack.click("share_answer", message_ts=private["ts"], channel="C9", user="U3")
    assert slack.wait_for(lambda: slack.messages("C9"))
    (shared,) = slack.messages("C9")
    assert quotes_in(shared["blocks"])[0] == SAID
    assert f"{RUBIO} (shared by u3)" in text_of(shared["blocks"])


def test_sharing_where_the_bot_is_no_member_says_what_to_do(slack):
    """The asker is told to invite it; then the same button shares."""
    before = len(slack.ephemerals)
    slack.command("/ask", RUBIO, user="U3", channel="COUTSIDE")
    private = told(slack, "U3", after=before)
    before = len(slack.ephemerals)
    slack.click("share_answer", message_ts=private["ts"], channel="COUTSIDE", user="U3")
    said = text_of(told(slack, "U3", after=before)["blocks"])
    assert "I am not in this channel. Type /invite @Clippings, then press Share again." in said
    slack.space.channels["COUTSIDE"].members.add(slack.bot_user)
    slack.click("share_answer", message_ts=private["ts"], channel="COUTSIDE", user="U3")
    assert slack.wait_for(lambda: slack.messages("COUTSIDE"))
    assert SAID in quotes_in(slack.messages("COUTSIDE")[0]["blocks"])


def test_a_question_waits_until_slack_says_who_asks(slack):
    """A limit of users.info is waited for as one of a post is; nobody is told of trouble."""
    slack.add_user(User(id="U77", name="new"))
    slack.space.channels["C9"].members.add("U77")
    before = len(slack.ephemerals)
    slack.faults.fail_next("users.info", retry_after=2, times=4)
    began = time.monotonic()
    ts = slack.mention(RUBIO, channel="C9", user="U77")
    assert quotes_in(answer_in(slack, "C9", ts)["blocks"])[0] == SAID
    assert time.monotonic() - began > 8
    assert slack.ephemerals[before:] == []


def test_stop_drops_the_question_and_clears_the_status(slack):
    """What is not answered yet will not be."""
    slack.add_user(User(id="U78", name="hasty"))
    slack.faults.fail_next(
        "users.info", retry_after=2
    )  # it waits, so that there is time to stop it
    asked = len(slack.calls("users.info"))
    ts = slack.direct_message(RUBIO, user="U78")
    channel = direct_channel(slack, "U78")
    assert slack.wait_for(lambda: len(slack.calls("users.info")) > asked)
    event = {"type": "agent_session_stopped", "channel": channel, "thread_ts": ts, "user": "U78"}
    slack.send_event({**event, "streaming_message_ts": [], "event_ts": slack.space.next_ts()})

    def cleared():
        return [it for it in slack.space.statuses if (it["thread_ts"], it["status"]) == (ts, "")]

    assert slack.wait_for(cleared)
    last = slack.direct_message(BRUCE, user="U78")
    answer_in(slack, channel, last)
    assert slack.replies(channel, ts) == []


def test_who_clicks_too_late_is_told(slack):
    """A trigger lives three seconds; then nothing can be opened any more, and that is said."""
    before = len(slack.ephemerals)
    ts = slack.mention(RUBIO, channel="C1", user="U2")
    answer = answer_in(slack, "C1", ts)
    value = values(answer, "open_article")[0]
    slack.click("open_article", value, message_ts=answer["ts"], user="U2", expired=True)
    assert "press it again" in text_of(told(slack, "U2", after=before)["blocks"])
    slack.add_user(User(id="U79", name="patient"))
    slack.space.channels["C1"].members.add("U79")
    slack.faults.fail_next("users.info", retry_after=60)
    slack.click("copy_quote", message_ts=answer["ts"], user="U79")
    assert "press it again" in text_of(told(slack, "U79")["blocks"])
    slack.faults.fail_next("views.open", error="expired_trigger_id")
    slack.shortcut("ask_articles", user="U2")
    direct = direct_channel(slack, "U2")
    assert slack.wait_for(lambda: "press it again" in str(slack.messages(direct)))


def test_a_response_that_can_not_be_read_is_not_logged(slack, bot):
    """It may hold what people wrote; the log has its kind."""
    slack.faults.fail_next("chat.postMessage", malformed=True)
    ts = slack.mention(f"Who is {CANARY}?", channel="C2", user="U2")
    answer_in(slack, "C2", ts)
    assert slack.wait_for(lambda: "code=http_200" in bot.log)
    assert "Failed to decode" not in bot.log  # as the SDK says, with a piece of the body
    assert CANARY not in bot.log


def test_the_source_of_a_message_is_found(slack):
    """The message shortcut shows its finder alone the quotes that bear on a message."""
    before = len(slack.ephemerals)
    ts = slack.say("Rubio told Pakistan to condemn the attack in Kashmir", "C1", user="U2")
    slack.shortcut("find_source", message_ts=ts, channel="C1", user="U4")
    found = told(slack, "U4", after=before)
    assert SAID in quotes_in(found["blocks"])
    slack.click("share_answer", message_ts=found["ts"], channel="C1", user="U4")
    assert SAID in quotes_in(answer_in(slack, "C1", ts)["blocks"])


def wait_for_view(slack, wanted, *, user):
    """Wait for a view of somebody's that has a text, and give it as it is now."""

    def found():
        shown = [each.view for each in slack.views if each.user == user]
        return [view for view in shown if wanted in text_of(view["blocks"])]

    assert slack.wait_for(found), f"no view says {wanted!r}"
    return found()[-1]


def test_the_global_shortcut_asks_and_answers_in_a_modal(slack):
    """The answer takes the place of the question; its buttons work there."""
    slack.shortcut("ask_articles", user="U2")
    asked = wait_for_view(slack, "What would you like to know?", user="U2")
    slack.submit(asked, {"text": RUBIO}, user="U2")
    answer = wait_for_view(slack, SAID, user="U2")
    value = values(answer, "open_article")[0]
    slack.click("open_article", value, view_id=answer["id"], user="U2")
    wait_for_view(slack, "003_54675ee963de578f.txt · undated", user="U2")


@pytest.fixture(scope="module")
def answered(slack, bot):  # noqa: ARG001 - it runs
    """An answer in the thread of a direct message of U4, whose channel is nobody else's."""
    ts = slack.direct_message(RUBIO, user="U4")
    channel = direct_channel(slack, "U4")
    return channel, answer_in(slack, channel, ts)


def click(slack, answered, action_id, value=None):
    channel, answer = answered
    slack.click(action_id, value, message_ts=answer["ts"], channel=channel, user="U4")


def test_an_article_opens_where_the_quote_is_and_its_pages_turn(slack, answered):
    """A modal comes at once, then the article; the quote is marked; the next page follows."""
    before = len(slack.views)
    value = values(answered[1], "open_article")[0]
    click(slack, answered, "open_article", value)
    opened = wait_for_view(slack, "The quote (line 3) is in bold.", user="U4")
    assert slack.views[before].method == "open"
    turns = [
        element
        for block in opened["blocks"]
        for element in block.get("elements", [])
        if str(element.get("action_id")).startswith("article_page")
    ]
    for turn in turns[-1:]:
        slack.click(turn["action_id"], turn["value"], view_id=opened["id"], user="U4")
        wait_for_view(slack, "page 2 of", user="U4")


def test_more_quotes_are_shown_in_private(slack, answered):
    """They go on where the answer ended."""
    before = len(slack.ephemerals)
    click(slack, answered, "more_quotes")
    more = told(slack, "U4", after=before)
    assert "These passages may not answer it." in text_of(more["blocks"])
    assert set(quotes_in(more["blocks"])).isdisjoint(quotes_in(answered[1]["blocks"]))


def test_a_quote_is_copied_bare(slack, answered):
    """Letter by letter, in a block that can be selected, with its receipt below."""
    before = len(slack.ephemerals)
    value = values(answered[1], "copy_quote")[0]
    click(slack, answered, "copy_quote", value)
    copied = told(slack, "U4", after=before)
    assert copied["blocks"][0]["elements"][0]["elements"] == [{"type": "text", "text": SAID}]
    assert "q-b2413255" in text_of(copied["blocks"])


def test_thumbs_up_is_thanked_and_thumbs_down_asks_why(slack, answered):
    """The reason is asked for in a modal, and thanked for in its place."""
    before = len(slack.ephemerals)
    (buttons,) = [
        element
        for block in answered[1]["blocks"]
        for element in block.get("elements", [])
        if element.get("action_id") == "answer_feedback"
    ]
    click(slack, answered, "answer_feedback", buttons["positive_button"]["value"])
    assert "Thank you." in text_of(told(slack, "U4", after=before)["blocks"])
    click(slack, answered, "answer_feedback", buttons["negative_button"]["value"])
    asked = wait_for_view(slack, "What was wrong with the answer?", user="U4")
    slack.submit(asked, {"choice": "missed", "text": f"{CANARY} is missing"}, user="U4")
    assert slack.wait_for(lambda: "Thank you." in text_of(slack.space.views[asked["id"]]["blocks"]))


def test_the_home_tells_what_the_bot_knows_and_what_was_asked(slack):
    """Members see the articles, how to ask, and their own last questions."""
    ts = slack.direct_message(BRUCE, user="U3")
    answer_in(slack, direct_channel(slack, "U3"), ts)
    slack.open_home("U3")
    home = text_of(wait_for_view(slack, BRUCE, user="U3")["blocks"])
    assert "5 articles" in home
    assert "Where I answer" not in home


def test_an_edited_question_changes_its_answer(slack):
    """The message stays where it is; what it says is the answer to the new question."""
    ts = slack.mention(BRUCE, channel="C2")
    first = answer_in(slack, "C2", ts)
    slack.edit("C2", ts, RUBIO)

    def changed():
        return quotes_in(slack.replies("C2", ts)[0]["blocks"])[0] == SAID

    assert slack.wait_for(changed)
    assert [each["ts"] for each in slack.replies("C2", ts)] == [first["ts"]]


def test_a_deleted_question_takes_its_answer_along(slack):
    """Nobody is left to wonder what the quotes are about."""
    ts = slack.mention(BRUCE, channel="C3")
    answer_in(slack, "C3", ts)
    slack.delete("C3", ts)
    assert slack.wait_for(lambda: slack.replies("C3", ts) == [])
