"""What people do, as the app hears of it; and what the app may do about it."""

import json
from urllib.request import Request, urlopen

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from tests.slack_server.app import DEFAULT_MANIFEST
from tests.slack_server.raw_app import RawApp, ack

MODAL = {"type": "modal", "title": {"type": "plain_text", "text": "T"}, "blocks": []}
QUESTION = {
    **MODAL,
    "callback_id": "question",
    "submit": {"type": "plain_text", "text": "Ask"},
    "blocks": [
        {
            "type": "input",
            "block_id": "question",
            "label": {"type": "plain_text", "text": "Question"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}
BUTTONS = [
    {
        "type": "actions",
        "block_id": "row",
        "elements": [
            {
                "type": "button",
                "action_id": "open",
                "value": "q1",
                "text": {"type": "plain_text", "text": "Open"},
            }
        ],
    },
    {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": "feedback",
                "positive_button": {
                    "text": {"type": "plain_text", "text": "Good"},
                    "value": "good",
                },
                "negative_button": {"text": {"type": "plain_text", "text": "Bad"}, "value": "bad"},
            }
        ],
    },
]


class Desk:
    """A stand-in, an app that acks as it is told, and the app's client."""

    def __init__(self, slack) -> None:
        self.slack = slack
        self.answer = ack
        self.app = RawApp(slack, self._answer)
        self.client = WebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])
        assert slack.wait_until_connected(5)

    def _answer(self, envelope: dict) -> dict | None:
        return self.answer(envelope)

    def next(self) -> dict:
        """Give the payload of the next envelope."""
        assert self.slack.wait_for(self.app.envelopes)
        payload = self.app.envelopes()[0]["payload"]
        self.app.heard.clear()
        return payload

    def error(self, method: str, **arguments) -> str:
        with pytest.raises(SlackApiError) as caught:
            self.client.api_call(method, json=arguments)
        self.slack.violations.clear()
        return caught.value.response["error"]


@pytest.fixture
def desk(start_slack):
    made = Desk(start_slack(manifest=DEFAULT_MANIFEST, speed=10, echo=False))
    yield made
    made.app.close()


def test_direct_message_has_no_thread(desk):
    """The root of a direct message has no thread_ts; its channel type is im."""
    desk.slack.direct_message("why?")
    event = desk.next()["event"]
    assert (event["channel"], event["channel_type"], event.get("thread_ts")) == ("DU1", "im", None)


def test_reply_names_its_parent(desk):
    """A message in a thread has the parent's ts and author."""
    parent = desk.slack.say("one", "C1", user="U2")
    desk.next()
    desk.slack.say("two", "C1", parent)
    event = desk.next()["event"]
    assert (event["thread_ts"], event["parent_user_id"]) == (parent, "U2")


def test_edit_shows_before_and_after(desk):
    """message_changed holds both messages; the ts of the question stays."""
    ts = desk.slack.direct_message("why?")
    desk.next()
    desk.slack.edit("DU1", ts, "why not?")
    event = desk.next()["event"]
    assert event["subtype"] == "message_changed"
    assert event["message"]["text"] == "why not?"
    assert event["previous_message"]["text"] == "why?"
    assert event["message"]["ts"] == ts != event["ts"]


def test_deleted_question_without_replies_is_gone(desk):
    """message_deleted names the ts and what was there."""
    ts = desk.slack.direct_message("why?")
    desk.next()
    desk.slack.delete("DU1", ts)
    event = desk.next()["event"]
    assert (event["subtype"], event["deleted_ts"]) == ("message_deleted", ts)
    assert desk.slack.messages("DU1") == []


def test_deleted_question_with_replies_is_a_tombstone(desk):
    """With replies, Slack says message_changed, and the message is a tombstone."""
    ts = desk.slack.direct_message("why?")
    desk.next()
    desk.client.chat_postMessage(channel="DU1", thread_ts=ts, text="because")
    desk.slack.delete("DU1", ts)
    event = desk.next()["event"]
    assert event["subtype"] == "message_changed"
    assert (event["message"]["subtype"], event["message"]["ts"]) == ("tombstone", ts)


def test_shared_channel_says_so(desk):
    """A Slack Connect channel is named in the envelope, a stranger's team in the event."""
    desk.slack.mention("why?", user="USTRANGER", channel="CSHARED")
    payload = desk.next()
    assert payload["is_ext_shared_channel"] is True
    assert payload["event"]["user_team"] == "T2"


def test_command_is_escaped_and_answered_privately(desk):
    """The text is escaped as messages are; the ack's payload is seen by the asker alone."""
    desk.answer = lambda _: {"text": "yes"}
    desk.slack.command("/ask", "A & B?")
    assert desk.next()["text"] == "A &amp; B?"
    assert desk.slack.wait_for(lambda: desk.slack.ephemerals)
    seen = [(e["user"], e["text"], e["via"]) for e in desk.slack.ephemerals]
    assert seen == [("U1", "yes", "ack")]


def test_commands_and_shortcuts_must_be_in_the_manifest(desk):
    """What the app did not declare nobody can choose."""
    with pytest.raises(LookupError):
        desk.slack.command("/other", "why?")
    with pytest.raises(LookupError):
        desk.slack.shortcut("find_source")


def test_response_url_works_five_times(desk):
    """The sixth use is refused."""
    desk.slack.command("/ask", "why?")
    webhook = WebhookClient(desk.next()["response_url"])
    statuses = [webhook.send(text=f"{n}").status_code for n in range(6)]
    assert statuses == [200] * 5 + [404]
    assert [e["text"] for e in desk.slack.ephemerals] == ["0", "1", "2", "3", "4"]
    assert [v["error"] for v in desk.slack.violations] == ["used_url"]
    desk.slack.violations.clear()


def test_response_url_ends_after_half_an_hour(start_slack):
    """After 30 minutes it is expired_url."""
    slack = start_slack(manifest=DEFAULT_MANIFEST, speed=100_000)
    path = slack.space.new_response_url("C1", "U1", None)
    slack.clock.wait(31 * 60)
    answer = WebhookClient(slack.origin + path).send(text="late")
    assert json.loads(answer.body)["error"] == "expired_url"
    slack.violations.clear()


def test_response_url_takes_only_messages(desk):
    """Unknown fields and wrong blocks are refused."""
    desk.slack.command("/ask", "why?")
    url = desk.next()["response_url"]
    errors = []
    for body in ({"text": "a", "colour": "red"}, {"blocks": [{"type": "x"}]}, {}):
        request = Request(url, json.dumps(body).encode())  # noqa: S310
        try:
            urlopen(request)  # noqa: S310
        except OSError as error:
            errors.append(json.loads(error.read())["error"])
    desk.slack.violations.clear()
    assert errors == ["invalid_payload", "invalid_blocks", "no_text"]


def test_click_names_message_and_button(desk):
    """block_actions holds the message, the container and the button's value."""
    ts = desk.client.chat_postMessage(channel="C1", text="a", blocks=BUTTONS)["ts"]
    desk.slack.click("open", message_ts=ts, channel="C1")
    payload = desk.next()
    assert payload["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": "C1",
        "is_ephemeral": False,
    }
    action = payload["actions"][0]
    assert (action["action_id"], action["value"], action["block_id"]) == ("open", "q1", "row")


def test_feedback_names_the_button(desk):
    """Feedback buttons share an action_id; the value tells them apart."""
    ts = desk.client.chat_postMessage(channel="C1", text="a", blocks=BUTTONS)["ts"]
    desk.slack.click("feedback", "bad", message_ts=ts, channel="C1")
    action = desk.next()["actions"][0]
    assert (action["type"], action["value"]) == ("feedback_buttons", "bad")


def test_what_is_not_there_can_not_be_clicked(desk):
    """A test that clicks a button that is not shown fails."""
    ts = desk.client.chat_postMessage(channel="C1", text="a", blocks=BUTTONS)["ts"]
    with pytest.raises(LookupError):
        desk.slack.click("close", message_ts=ts, channel="C1")


def test_trigger_is_good_once(desk):
    """The second modal of one click is exchanged_trigger_id, an invented trigger invalid."""
    desk.slack.shortcut("ask_question")
    trigger_id = desk.next()["trigger_id"]
    assert desk.client.views_open(trigger_id=trigger_id, view=MODAL)["view"]["id"]
    assert desk.error("views.open", trigger_id=trigger_id, view=MODAL) == "exchanged_trigger_id"
    assert desk.error("views.open", trigger_id="1.2.3", view=MODAL) == "invalid_trigger_id"


def test_trigger_ends_after_three_seconds(desk):
    """A modal that comes later is expired_trigger_id."""
    desk.slack.shortcut("ask_question")
    trigger_id = desk.next()["trigger_id"]
    desk.slack.clock.wait(3.5)
    assert desk.error("views.open", trigger_id=trigger_id, view=MODAL) == "expired_trigger_id"


def test_expired_trigger_on_order_is_no_violation(desk):
    """Where the stand-in made the trigger too old, it is not the app's mistake."""
    ts = desk.client.chat_postMessage(channel="C1", text="a", blocks=BUTTONS)["ts"]
    desk.slack.click("open", message_ts=ts, channel="C1", expired=True)
    trigger_id = desk.next()["trigger_id"]
    with pytest.raises(SlackApiError) as caught:
        desk.client.views_open(trigger_id=trigger_id, view=MODAL)
    assert caught.value.response["error"] == "expired_trigger_id"
    assert desk.slack.violations == []


def test_views_stack_three_deep(desk):
    """The fourth view on one another is push_limit_reached."""
    desk.slack.shortcut("ask_question")
    desk.client.views_open(trigger_id=desk.next()["trigger_id"], view=MODAL)
    for _ in range(2):
        desk.client.views_push(trigger_id=desk.slack.space.new_trigger("U1"), view=MODAL)
    trigger_id = desk.slack.space.new_trigger("U1")
    assert desk.error("views.push", trigger_id=trigger_id, view=MODAL) == "push_limit_reached"


def test_stale_hash_is_a_conflict(desk):
    """Who updates a view that has changed since is told hash_conflict."""
    desk.slack.shortcut("ask_question")
    view = desk.client.views_open(trigger_id=desk.next()["trigger_id"], view=MODAL)["view"]
    desk.client.views_update(view_id=view["id"], hash=view["hash"], view=MODAL)
    change = {"view_id": view["id"], "hash": view["hash"], "view": MODAL}
    assert desk.error("views.update", **change) == "hash_conflict"


def test_submission_carries_what_was_typed(desk):
    """view_submission holds the state by block and action."""
    desk.slack.shortcut("ask_question")
    view = desk.client.views_open(trigger_id=desk.next()["trigger_id"], view=QUESTION)["view"]
    desk.slack.submit(view, {"text": "why?"})
    payload = desk.next()
    assert payload["type"] == "view_submission"
    typed = {"text": {"type": "plain_text_input", "value": "why?"}}
    assert payload["view"]["state"]["values"] == {"question": typed}
    with pytest.raises(LookupError):
        desk.slack.submit(view, {"colour": "red"})


def test_ack_of_a_submission_may_show_errors(desk):
    """response_action errors names inputs of the view; others are refused."""
    desk.slack.shortcut("ask_question")
    view = desk.client.views_open(trigger_id=desk.next()["trigger_id"], view=QUESTION)["view"]
    desk.answer = lambda _: {"response_action": "errors", "errors": {"question": "too short"}}
    desk.slack.submit(view, {"text": "?"})
    assert desk.slack.wait_for(lambda: desk.slack.views[-1].method == "errors")
    desk.answer = lambda _: {"response_action": "errors", "errors": {"colour": "red"}}
    desk.slack.submit(view, {"text": "?"})
    assert desk.slack.wait_for(lambda: desk.slack.violations)
    assert [v["error"] for v in desk.slack.violations] == ["invalid_errors"]
    desk.slack.violations.clear()


def test_home_opened_is_an_event_with_its_tab(desk):
    """The agent view is the tab «messages»."""
    desk.slack.open_home("U2", "messages")
    event = desk.next()["event"]
    assert (event["type"], event["tab"], event["channel"]) == ("app_home_opened", "messages", "DU2")


def test_ephemeral_message_can_be_clicked_and_replaced(desk):
    """A button of an ephemeral message comes without the message; its response_url deletes it."""
    desk.client.chat_postEphemeral(channel="C1", user="U1", text="psst", blocks=BUTTONS)
    desk.slack.click("open", channel="C1", user="U1")
    payload = desk.next()
    assert (payload["container"]["is_ephemeral"], "message" in payload) == (True, False)
    WebhookClient(payload["response_url"]).send(delete_original=True)
    assert desk.slack.ephemerals == []


def test_unknown_user_and_guest(desk):
    """users.info tells guests and strangers from members."""
    info = {u: desk.client.users_info(user=u)["user"] for u in ("U1", "UGUEST", "USTRANGER")}
    assert [each["is_restricted"] for each in info.values()] == [False, True, False]
    assert [each["is_stranger"] for each in info.values()] == [False, False, True]
    with pytest.raises(SlackApiError) as caught:
        desk.client.users_info(user="U404")
    assert caught.value.response["error"] == "user_not_found"
