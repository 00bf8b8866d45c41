"""payloads.py: Slack's dicts → ours. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.incoming import Incoming
from bot.slack.payloads import (
    MOST_ASKED,
    clean,
    is_chatter,
    read_click,
    read_deletion,
    read_edit,
    read_mention,
    read_message,
    read_person,
    removed_at,
)

US = "UBOT"


def event(**fields):
    """Give an event's body as Slack sends it, about a message in C1."""
    about = {"type": "app_mention", "user": "U1", "channel": "C1", "ts": "1.0", **fields}
    return {
        "event_id": "Ev1",
        "team_id": "T1",
        "authorizations": [{"team_id": "T1", "user_id": US, "is_bot": True}],
        "event": about,
    }


CLEANED = {
    "<@UBOT> Who is Rubio?": "Who is Rubio?",
    "AT&amp;T &lt;3": "AT&T <3",
    "&amp;lt;": "&lt;",
    "see <https://example.com/a?b&amp;c|the report> now": "see the report now",
    "see <https://example.com>": "see https://example.com",
    "<!channel> who <@U2|rubio>?": "who  ?",
    "in <#C12|general>?": "in general?",
    "on <!date^1700000000^{date_short}|2 May 2025>?": "on 2 May 2025?",
    "a\x00b\x1bc\td\ne": "a b c\td\ne",
    "lone \ud800 surrogate": "lone   surrogate",
    "  ": "",
}


@pytest.mark.parametrize("sent", CLEANED, ids=repr)
def test_what_slack_sends_becomes_what_was_typed(sent):
    """Labels stay, people and commands go, entities are read once."""
    assert clean(sent, own=US) == CLEANED[sent]


@given(st.text() | st.none() | st.integers() | st.lists(st.integers()))
def test_whatever_comes_can_be_stored_and_encoded(sent):
    """No surrogate, no control, and never more than the cap."""
    text = clean(sent, own=US)
    assert text.encode() is not None
    assert len(text) <= MOST_ASKED + 1
    assert not any(ord(letter) < 32 and letter not in "\t\n" for letter in text)


def test_a_mention_is_read():
    """In a channel, the thread is known only where there is one."""
    assert read_mention(event(text="<@UBOT> Who?"), own=US) == Incoming(
        event_id="Ev1",
        team="T1",
        channel="C1",
        ts="1.0",
        thread_ts=None,
        user="U1",
        surface="mention",
        text="Who?",
    )


@pytest.mark.parametrize(
    "mark",
    [
        {"bot_id": "B1"},
        {"bot_profile": {"id": "B1"}},
        {"app_id": "A1"},
        {"subtype": "bot_message"},
        {"user": "USLACKBOT"},
        {"user": US},
        {"user": ""},
    ],
    ids=str,
)
def test_programs_are_not_listened_to(mark):
    """Two bots that answer each other never end."""
    assert read_mention(event(text="<@UBOT> Who?", **mark), own=US) is None
    direct = {"channel": "D1", "channel_type": "im", "type": "message", **mark}
    assert read_message(event(text="Who?", **direct), own=US) is None


def test_without_knowing_ourselves_nobody_is_listened_to():
    """Else our own answer could be a question."""
    assert read_mention(event(text="Who?"), own=None) is None


def quote_block(inside):
    user = {"type": "user", "user_id": US}
    section = {"type": "rich_text_quote" if inside else "rich_text_section", "elements": [user]}
    return {"type": "rich_text", "elements": [section]}


def test_who_quotes_a_question_does_not_ask_it():
    """A mention counts outside of quotations."""
    quoted = event(text="&gt; <@UBOT> Who?", blocks=[quote_block(inside=True)])
    both = event(text="<@UBOT>", blocks=[quote_block(inside=True), quote_block(inside=False)])
    assert read_mention(quoted, own=US) is None
    assert read_mention(both, own=US) is not None


THREAD = {"type": "message", "thread_ts": "0.5", "channel_type": "channel"}


@pytest.mark.parametrize(
    ("fields", "is_heard"),
    [
        ({**THREAD, "text": "And Sharif?"}, True),
        ({**THREAD, "text": "And Sharif?", "thread_ts": "1.0"}, False),  # a root is no reply
        ({**THREAD, "text": "And Sharif?", "thread_ts": ""}, False),
        ({**THREAD, "text": "<@UBOT> And Sharif?"}, False),  # its twin is heard
        ({**THREAD, "text": "<@U2> And Sharif?"}, False),
        ({**THREAD, "text": " "}, False),
        ({**THREAD, "text": "x", "subtype": "channel_join"}, False),
        ({"channel": "D1", "channel_type": "im", "text": ""}, True),  # gets a hint
        ({"channel": "D1", "channel_type": "im", "text": "x", "subtype": "file_share"}, True),
    ],
)
def test_messages_are_heard_in_threads_and_directly(fields, is_heard):
    """What is said to nobody, or to somebody else, is not."""
    assert (read_message(event(**fields), own=US) is not None) is is_heard


def changed(before, after, **fields):
    message = {"user": "U1", "ts": "1.0", "text": after, "edited": {"ts": "2.0"}, **fields}
    return event(
        type="message",
        subtype="message_changed",
        message=message,
        previous_message={"user": "U1", "ts": "1.0", "text": before},
    )


def test_an_edit_is_the_new_text_of_the_old_message():
    """It bears the ts of the question, and the time of the edit."""
    edit = read_edit(changed("Who?", "<@UBOT> When?"), own=US)
    assert edit is not None
    assert (edit.surface, edit.ts, edit.text, edit.edited) == ("edit", "1.0", "When?", "2.0")


def test_a_link_that_unfolds_is_no_edit():
    """Slack «changes» a message for many reasons."""
    assert read_edit(changed("Who?", "Who?"), own=US) is None
    assert read_edit(changed("Who?", "When?", bot_id="B1"), own=US) is None


def test_a_deletion_is_read_with_and_without_replies():
    """A message with replies is not deleted but replaced."""
    before = {"user": "U1", "ts": "1.0", "text": "Who?", "thread_ts": "1.0"}
    gone = event(
        type="message", subtype="message_deleted", deleted_ts="1.0", previous_message=before
    )
    tombstone = changed("Who?", "This message was deleted.", subtype="tombstone", user="USLACKBOT")
    read = [read_deletion(body, own=US) for body in (gone, tombstone)]
    assert [(one.surface, one.ts, one.text) for one in read if one] == [("delete", "1.0", "")] * 2


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["event", "message", "user", "team", "actions", "blocks", "channel"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=15,
    )
)
def test_no_shape_of_a_body_is_an_error(body):
    """What can not be read is not for us."""
    body = body if isinstance(body, dict) else {"event": body}
    for read in (read_mention, read_message, read_edit, read_deletion):
        assert read(body, own=US) is None
    assert read_click(body).value == ""


PEOPLE = [
    ({}, "member"),
    ({"is_restricted": True}, "guest"),
    ({"is_ultra_restricted": True}, "guest"),
    ({"is_bot": True}, "bot"),
    ({"team_id": "T2"}, "external"),
    ({"team_id": "T1", "is_stranger": True}, "external"),
    ({"team_id": "T2", "enterprise_user": {"teams": ["T1", "T2"]}}, "external"),
    ({"deleted": True}, "external"),
]


@pytest.mark.parametrize(("fields", "kind"), PEOPLE, ids=str)
def test_who_is_not_plainly_ours_is_external(fields, kind):
    """What Slack does not say counts against somebody."""
    user = {"id": "U1", "team_id": "T1", "name": "ada", **fields}
    if "enterprise_user" in fields:
        kind = "member"  # Slack says itself that the person belongs to our workspace too
    assert read_person({"user": user}, team="T1").kind == kind


def test_a_user_that_slack_does_not_know_is_external():
    """No answer is no permission."""
    assert read_person({}, team="T1").kind == "external"


@pytest.mark.parametrize(
    ("event", "at"),
    [
        ({"type": "app_uninstalled"}, 1_795_000_000.0),
        ({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": ["UBOT"]}}, 1_795_000_000.0),
        ({"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}}, None),
        ({"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}}, None),
    ],
)
def test_a_workspace_leaves_with_the_bots_token(event, at):
    """People's own tokens are not ours; when it was tells a late event from a new installation."""
    body = {"team_id": "T2", "event": event, "event_time": 1_795_000_000}
    assert removed_at(body) == at


CHATTER = {
    "what people write to each other": ({"type": "message"}, True),
    "the twin of a mention": ({"type": "message", "text": "<@UBOT> who?"}, True),
    "the first message of a thread": ({"type": "message", "thread_ts": "1.0"}, True),
    "a reply in a thread": ({"type": "message", "thread_ts": "0.5"}, False),
    "a direct message": ({"type": "message", "channel": "D1"}, False),
    "an edit": ({"type": "message", "subtype": "message_changed"}, False),
    "a mention": ({"type": "app_mention"}, False),
}


@pytest.mark.parametrize("kind", CHATTER)
def test_what_is_said_in_a_channel_outside_of_threads_is_for_nobody(kind):
    """It may be let be before anything looks at it."""
    fields, is_for_nobody = CHATTER[kind]
    assert is_chatter(event(**fields)) is is_for_nobody


@given(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["message", "app_mention"])},
        optional={
            "subtype": st.sampled_from(["file_share", "message_changed", "message_deleted"]),
            "channel": st.sampled_from(["C1", "D1", "G1"]),
            "channel_type": st.sampled_from(["channel", "im", "mpim"]),
            "thread_ts": st.sampled_from(["1.0", "0.5", ""]),
            "text": st.sampled_from(["Who is Rubio?", "<@UBOT> who?", ""]),
            "message": st.just({"user": "U1", "ts": "1.0", "text": "Who?"}),
            "previous_message": st.just({"user": "U1", "ts": "1.0", "text": "What?"}),
        },
    )
)
def test_nothing_that_asks_is_chatter(fields):
    """Whatever a reader of ours takes reaches it."""
    body = event(**fields)
    readers = {"app_mention": [read_mention]}.get(
        fields["type"], [read_message, read_edit, read_deletion]
    )
    asked = [read(body, own=US) for read in readers]
    assert not (is_chatter(body) and any(asked))
