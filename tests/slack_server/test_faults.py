"""Faults on order: each does what its name says, and no more often."""

import http.client
import json

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.slack_server.app import DEFAULT_MANIFEST


@pytest.fixture
def slack(start_slack):
    return start_slack(manifest=DEFAULT_MANIFEST, speed=10, generosity=100)


@pytest.fixture
def client(slack) -> WebClient:
    return WebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])


def post(client: WebClient, text: str = "hi") -> object:
    return client.chat_postMessage(channel="C1", text=text)


def texts(slack) -> list[str]:
    return [message["text"] for message in slack.messages("C1")]


def test_error_is_given_once_and_is_no_violation(slack, client):
    """The call fails as ordered and is not carried out; the next one passes."""
    fault = slack.faults.fail_next("chat.postMessage", error="is_archived")
    with pytest.raises(SlackApiError) as caught:
        post(client, "first")
    assert caught.value.response["error"] == "is_archived"
    post(client, "second")
    assert (texts(slack), fault.hits, slack.violations) == (["second"], 1, [])


def test_error_must_be_one_of_slacks(slack):
    """A fault that Slack does not have can not be ordered."""
    with pytest.raises(ValueError, match=r"chat\.postMessage does not fail with bad_weather"):
        slack.faults.fail_next("chat.postMessage", error="bad_weather")


def test_429_has_its_retry_after(slack, client):
    """The header says how long, in real seconds; nothing was posted."""
    slack.faults.fail_next("chat.postMessage", retry_after=7)
    with pytest.raises(SlackApiError) as caught:
        post(client)
    response = caught.value.response
    assert (response.status_code, response.headers["Retry-After"]) == (429, "7")
    assert texts(slack) == []


@pytest.mark.parametrize(("accepted", "stored"), [(False, []), (True, ["hi"])])
def test_5xx_may_come_after_acceptance(slack, client, accepted, stored):
    """A page of HTML tells nothing of whether the message was posted."""
    slack.faults.fail_next("chat.postMessage", status=503, accepted=accepted)
    with pytest.raises(SlackApiError) as caught:
        post(client)
    assert caught.value.response.status_code == 503
    assert texts(slack) == stored


def test_lost_response_is_a_posted_message(slack, client):
    """The connection breaks after the message was stored."""
    slack.faults.fail_next("chat.postMessage", lose_response=True)
    with pytest.raises((OSError, http.client.HTTPException)):
        post(client)
    assert texts(slack) == ["hi"]


def test_reset_stores_nothing(slack, client):
    """The connection breaks before anything happened."""
    slack.faults.fail_next("chat.postMessage", reset=True)
    with pytest.raises((OSError, http.client.HTTPException)):
        post(client)
    assert texts(slack) == []


def test_stall_outlasts_a_timeout(slack):
    """The answer comes late; the message was stored all the same."""
    client = WebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[], timeout=1)
    slack.faults.fail_next("chat.postMessage", stall=20)
    with pytest.raises(TimeoutError):
        post(client)
    assert texts(slack) == ["hi"]


def test_malformed_answer_is_half_a_text(slack, client):
    """The body of the answer ends in the middle."""
    slack.faults.fail_next("chat.postMessage", malformed=True)
    with pytest.raises(SlackApiError):
        post(client)
    assert texts(slack) == ["hi"]


def test_share_is_the_dices_choice(slack, client):
    """A fifth of many calls fails, the same ones each time."""
    fault = slack.faults.fail_next("chat.postMessage", error="fatal_error", times=None, share=0.2)
    failed = 0
    for _ in range(100):
        try:
            post(client)
        except SlackApiError:
            failed += 1
    assert (failed, fault.hits, len(texts(slack))) == (16, 16, 84)


def test_fault_of_one_channel_spares_the_others(slack, client):
    """Only calls for the named channel fail."""
    slack.faults.fail_next("chat.postMessage", retry_after=5, times=None, channel="C2")
    post(client)
    with pytest.raises(SlackApiError):
        client.chat_postMessage(channel="C2", text="hi")
    assert texts(slack) == ["hi"]


def test_trimmed_quote_differs_from_what_was_sent(slack, client):
    """Slack may store other text than it was sent; the response shows it."""
    quote = {"type": "rich_text_quote", "elements": [{"type": "text", "text": " two  words "}]}
    slack.faults.fail_next("chat.postMessage", trim=True)
    blocks = [{"type": "rich_text", "elements": [quote]}]
    shown = client.chat_postMessage(channel="C1", text="a", blocks=blocks)["message"]["blocks"]
    assert shown[0]["elements"][0]["elements"][0]["text"] == "two words"
    assert json.dumps(shown[0]["elements"]) == json.dumps(
        slack.messages("C1")[0]["blocks"][0]["elements"]
    )
