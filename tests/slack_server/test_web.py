"""The Web API of the stand-in: what it refuses, and with which of Slack's errors."""

import http.client
import json
import socket

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.slack_server import SlackServer
from tests.slack_server.app import DEFAULT_MANIFEST
from tests.slack_server.methods import METHODS
from tests.slack_server.web import HANDLERS

TEXT = {"type": "section", "text": {"type": "plain_text", "text": "hello"}}


@pytest.fixture
def slack(start_slack):
    return start_slack(manifest=DEFAULT_MANIFEST)


@pytest.fixture
def client(slack) -> WebClient:
    return client_of(slack)


def client_of(slack: SlackServer) -> WebClient:
    return WebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])


def refusal(slack: SlackServer, method: str, arguments: dict) -> str:
    """Call a method, and give the error and drop the violation that the call was."""
    with pytest.raises(SlackApiError) as caught:
        client_of(slack).api_call(method, json=arguments)
    slack.violations.clear()
    return caught.value.response["error"]


def raw(slack: SlackServer, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", int(slack.origin.rsplit(":", 1)[1]))
    connection.request("POST", path, body, headers)
    response = connection.getresponse()
    read = response.status, response.read()
    connection.close()
    return read


def test_every_method_has_a_published_schema():
    """The stand-in serves no method that Slack does not publish."""
    assert set(HANDLERS) <= set(METHODS)


def test_posted_message_is_stored_and_given_back(client):
    """A message comes back with block ids and defaults, and is in the channel's history."""
    posted = client.chat_postMessage(channel="C1", text="hi", blocks=[TEXT])
    text = {**TEXT["text"], "emoji": True}
    assert posted["message"]["blocks"] == [{**TEXT, "text": text, "block_id": "b000"}]
    assert [m["text"] for m in client.conversations_history(channel="C1")["messages"]] == ["hi"]


def test_metadata_is_shown_to_who_asks_for_it(slack, client):
    """conversations.replies shows metadata with include_all_metadata, and only then."""
    ts = slack.mention("why?")
    key = {"event_type": "answer", "event_payload": {"key": "k1"}}
    client.chat_postMessage(channel="C1", thread_ts=ts, text="because", metadata=key)
    plain = client.conversations_replies(channel="C1", ts=ts)["messages"]
    full = client.conversations_replies(channel="C1", ts=ts, include_all_metadata=True)["messages"]
    assert [m.get("metadata") for m in plain] == [None, None]
    assert [m.get("metadata") for m in full] == [None, key]


def test_history_shows_no_replies_and_pages(slack, client):
    """conversations.history gives parents alone, newest first, page by page."""
    first = slack.say("one", "C1")
    slack.say("reply", "C1", first)
    slack.say("two", "C1")
    page = client.conversations_history(channel="C1", limit=1)
    rest = client.conversations_history(
        channel="C1", limit=1, cursor=page["response_metadata"]["next_cursor"]
    )
    assert [page["messages"][0]["text"], rest["messages"][0]["text"]] == ["two", "one"]
    assert (page["has_more"], rest["has_more"]) == (True, False)


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("chat.postMessage", {"channel": "C1"}, "no_text"),
        ("chat.postMessage", {"text": "hi"}, "invalid_arguments"),
        ("chat.postMessage", {"channel": "C404", "text": "hi"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "COUTSIDE", "text": "hi"}, "not_in_channel"),
        ("chat.postMessage", {"channel": "CARCHIVED", "text": "hi"}, "is_archived"),
        ("chat.postMessage", {"channel": "C1", "text": "hi", "tset": 1}, "invalid_arguments"),
        ("chat.postMessage", {"channel": "C1", "text": ["hi"]}, "invalid_arguments"),
        (
            "chat.postMessage",
            {"channel": "C1", "text": "hi", "unfurl_links": "no"},
            "invalid_arguments",
        ),
        (
            "chat.postMessage",
            {"channel": "C1", "text": "hi", "thread_ts": "1.000000"},
            "thread_not_found",
        ),
        (
            "chat.postMessage",
            {"channel": "C1", "text": "hi", "markdown_text": "hi"},
            "markdown_text_conflict",
        ),
        ("chat.postMessage", {"channel": "C1", "blocks": "[{"}, "invalid_blocks_format"),
        ("chat.postMessage", {"channel": "C1", "blocks": {"a": 1}}, "invalid_blocks_format"),
        ("chat.postMessage", {"channel": "C1", "blocks": [{"type": "x"}]}, "invalid_blocks"),
        (
            "chat.postMessage",
            {"channel": "C1", "text": "a", "metadata": {"event_type": "e"}},
            "invalid_metadata_format",
        ),
        (
            "chat.postMessage",
            {
                "channel": "C1",
                "text": "a",
                "metadata": {"event_type": "e", "event_payload": {"k": "x" * 17_000}},
            },
            "metadata_too_large",
        ),
        ("chat.postEphemeral", {"channel": "C1", "text": "hi"}, "invalid_arguments"),
        (
            "chat.postEphemeral",
            {"channel": "C1", "text": "hi", "user": "U404"},
            "user_not_in_channel",
        ),
        (
            "chat.postEphemeral",
            {"channel": "C1", "text": "hi", "user": "U1", "unfurl_links": False},
            "invalid_arguments",
        ),
        ("chat.update", {"channel": "C1", "ts": "1.0", "text": "hi"}, "message_not_found"),
        ("chat.delete", {"channel": "C1", "ts": "1.0"}, "message_not_found"),
        ("conversations.info", {"channel": "C1"}, "invalid_post_type"),
        ("views.open", {"trigger_id": "1", "view": {"type": "modal"}}, "invalid_arguments"),
        (
            "views.update",
            {"view_id": "V1", "view": {"type": "home", "blocks": []}},
            "invalid_arguments",
        ),
        ("views.publish", {"user_id": "U1", "view": {"type": "modal"}}, "invalid_arguments"),
        (
            "assistant.threads.setSuggestedPrompts",
            {"channel_id": "DU1", "prompts": []},
            "invalid_arguments",
        ),
        ("assistant.threads.setSuggestedPrompts", {"channel_id": "DU1"}, "invalid_arguments"),
        (
            "assistant.threads.setStatus",
            {"channel_id": "C1", "thread_ts": "1.0", "status": "busy"},
            "invalid_thread_ts",
        ),
        ("agents.sessions.setStatus", {"channel_id": "C1", "status": "tired"}, "invalid_status"),
        ("reactions.add", {"channel": "C1", "timestamp": "1.0", "name": "eyes"}, "missing_scope"),
        ("chat.startStream", {"channel": "C1"}, "unknown_method"),
    ],
)  # fmt: skip
def test_call_is_refused(slack, method, arguments, error):
    """What Slack refuses is refused with Slack's error."""
    assert refusal(slack, method, arguments) == error


def test_refusals_are_violations(slack, client):
    """A refused payload is noted; a channel that is gone is nobody's mistake."""
    with pytest.raises(SlackApiError):
        client.api_call("chat.postMessage", json={"channel": "C1"})
    with pytest.raises(SlackApiError):
        client.chat_postMessage(channel="C404", text="hi")
    noted = [(each["method"], each["error"]) for each in slack.violations]
    slack.violations.clear()
    assert noted == [("chat.postMessage", "no_text")]


def test_tokens_are_checked(slack):
    """No token, a wrong one, and the token of the other kind are refused."""
    errors = []
    for token, method in (
        (None, "auth.test"),
        ("xoxb-wrong", "auth.test"),
        (slack.app_token, "auth.test"),
        (slack.bot_token, "apps.connections.open"),
    ):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        errors.append(json.loads(raw(slack, f"/api/{method}", b"", headers)[1])["error"])
    slack.violations.clear()
    wrong_kind = "not_allowed_token_type"
    assert errors == ["not_authed", "invalid_auth", wrong_kind, wrong_kind]


def test_a_scope_that_the_manifest_lacks_is_missing(start_slack):
    """missing_scope names what is needed and what there is."""
    manifest = json.loads(json.dumps(DEFAULT_MANIFEST))
    manifest["oauth_config"]["scopes"]["bot"].remove("users:read")
    slack = start_slack(manifest=manifest)
    with pytest.raises(SlackApiError) as caught:
        client_of(slack).users_info(user="U1")
    slack.violations.clear()
    response = caught.value.response
    assert (response["error"], response["needed"]) == ("missing_scope", "users:read")
    assert "chat:write" in response["provided"].split(",")


def test_an_event_without_its_scope_is_no_manifest(start_slack):
    """A manifest that subscribes to what it may not hear is refused at once."""
    manifest = json.loads(json.dumps(DEFAULT_MANIFEST))
    manifest["oauth_config"]["scopes"]["bot"].remove("im:history")
    with pytest.raises(ValueError, match=r"message\.im needs the scope im:history"):
        start_slack(manifest=manifest)


@pytest.mark.parametrize(
    ("body", "kind", "error"),
    [
        (b"{", "application/json", "invalid_json"),
        (b"[1]", "application/json", "invalid_json"),
        (b'{"channel": "C1", "text": "\\ud800"}', "application/json", "invalid_arguments"),
        (b'{"channel": "\xff"}', "application/json", "invalid_charset"),
        (b"channel=C1&text=hi", "text/plain", "invalid_post_type"),
    ],
)
def test_body_is_refused(slack, body, kind, error):
    """A body that is not what its type says is refused."""
    headers = {"Authorization": f"Bearer {slack.bot_token}", "Content-Type": kind}
    answer = json.loads(raw(slack, "/api/chat.postMessage", body, headers)[1])
    slack.violations.clear()
    assert answer["error"] == error


@pytest.mark.parametrize(
    "cut",
    [
        b"POST /api/chat.postMessage HTTP/1.1\r\nContent-Length: 18\r\n\r\nchannel=C1",
        b"POST /api/chat.postMessage HTTP/1.1\r\nHost: here\r\n",
    ],
    ids=["body", "headers"],
)
def test_call_that_was_cut_short_is_no_call(slack, cut):
    """What is left of the request of a killed process is neither done nor held against it."""
    with socket.create_connection(("127.0.0.1", int(slack.origin.rsplit(":", 1)[1]))) as killed:
        killed.sendall(cut)
        killed.shutdown(socket.SHUT_WR)
        killed.settimeout(5)
        while killed.recv(4096):
            pass
    assert (slack.web.calls, slack.violations) == ([], [])


def test_message_limit_counts_all_blocks(slack, client):
    """13,200 characters of blocks are taken, one more is msg_blocks_too_long."""

    def blocks(length: int) -> list[dict]:
        element = {"type": "text", "text": ""}
        section = {"type": "rich_text_section", "elements": [element]}
        whole = [{"type": "rich_text", "elements": [section]}]
        element["text"] = "x" * (length - len(json.dumps(whole)))
        return whole

    assert client.chat_postMessage(channel="C1", text="a", blocks=blocks(13_200))["ok"]
    arguments = {"channel": "C1", "text": "a", "blocks": blocks(13_201)}
    assert refusal(slack, "chat.postMessage", arguments) == "msg_blocks_too_long"


def test_only_own_messages_can_be_changed(slack):
    """A user's message can be neither updated nor deleted by the app."""
    ts = slack.say("mine", "C1")
    change = {"channel": "C1", "ts": ts, "text": "yours"}
    assert refusal(slack, "chat.update", change) == "cant_update_message"
    assert refusal(slack, "chat.delete", {"channel": "C1", "ts": ts}) == "cant_delete_message"


def test_update_has_its_own_limits(slack, client):
    """chat.update refuses a long text, and plain blocks in place of rich text."""
    rich = {
        "type": "rich_text",
        "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "hello"}]}
        ],
    }
    ts = client.chat_postMessage(channel="C1", text="a", blocks=[rich])["ts"]
    long = {"channel": "C1", "ts": ts, "text": "x" * 4_001}
    assert refusal(slack, "chat.update", long) == "msg_too_long"
    other = {"channel": "C1", "ts": ts, "text": "b", "blocks": [TEXT]}
    assert refusal(slack, "chat.update", other) == "block_mismatch"


def test_reply_to_a_reply_is_refused(slack):
    """thread_ts must be the parent's."""
    parent = slack.say("one", "C1")
    reply = slack.say("two", "C1", parent)
    arguments = {"channel": "C1", "text": "three", "thread_ts": reply}
    assert refusal(slack, "chat.postMessage", arguments) == "invalid_arguments"


def test_posts_of_a_channel_are_limited_to_one_a_second(start_slack):
    """After a burst of five the sixth is told to wait a second; another channel is free."""
    slack = start_slack(manifest=DEFAULT_MANIFEST)
    client = client_of(slack)
    for _ in range(5):
        client.chat_postMessage(channel="C1", text="hi")
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel="C1", text="hi")
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (
        429,
        "1",
    )
    assert client.chat_postMessage(channel="C2", text="hi")["ok"]
    assert [call.method for call in slack.web.rate_limited] == ["chat.postMessage"]


def test_tier_3_is_fifty_calls_a_minute(client):
    """The 51st call of conversations.info within a minute is refused."""
    for _ in range(50):
        client.conversations_info(channel="C1")
    with pytest.raises(SlackApiError) as caught:
        client.conversations_info(channel="C1")
    assert caught.value.response["error"] == "ratelimited"


def test_last_reply_takes_the_tombstone_along(slack, client):
    """A deleted question stays as a tombstone while it has replies."""
    ts = slack.mention("why?")
    answer = client.chat_postMessage(channel="C1", thread_ts=ts, text="because")["ts"]
    slack.delete("C1", ts)
    assert [m.get("subtype") for m in slack.messages("C1")] == ["tombstone", None]
    client.chat_delete(channel="C1", ts=answer)
    assert slack.messages("C1") == []
