"""One call to Slack → what came of it. The only place that knows Slack's error codes.

Nothing is retried here, and a client must not retry either (`retry_handlers=[]`): a call whose
response is lost may have been carried out, and a second one would post the answer twice.
"""

import http.client
import json
import re
import socket
import urllib.error
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse
from slack_sdk.webhook import WebhookClient

from bot.batch import Json
from bot.slack.elements import AS_TEXT, POSTED, Message

TIMEOUT_S: Final = 10
EVENT_TYPE: Final = "clippings_answer"
_PAGE: Final = 200
_CODE: Final = re.compile("[a-z0-9_]{1,80}")
_PATIENCE_S: Final = 5.0  # where Slack asks to wait and does not say how long
_GONE_URLS: Final = {"used_url", "expired_url", "invalid_url", "no_text"}


class Verdict(Enum):
    """What an error code means for the call."""

    LATER = "nothing happened; again when Slack, or the network, is ready"
    UNKNOWN = "it may have been carried out; look before anything else"
    PERMANENT = "it will not succeed for this question"
    SMALLER = "again with fewer or plainer quotes"
    GONE = "the message to change is not there, or may not be changed any more"
    STOP = "no call will succeed in this workspace; the operator must act"


# From the error lists of chat.postMessage, chat.postEphemeral, chat.update, chat.delete and
# conversations.replies (slack-api-ref of 2026-08-20). A code that is not here is PERMANENT: Slack
# refused, so nothing was posted, and asking again would be answered the same.
VERDICTS: Final[Mapping[str, Verdict]] = {
    **dict.fromkeys(
        ("ratelimited", "rate_limited", "accesslimited", "external_channel_migrating"),
        Verdict.LATER,
    ),
    # «It's possible some aspect of the operation succeeded before the error was raised.»
    **dict.fromkeys(
        (
            "internal_error",
            "fatal_error",
            "service_unavailable",
            "request_timeout",
            "update_failed",
        ),
        Verdict.UNKNOWN,
    ),
    **dict.fromkeys(
        (
            "msg_blocks_too_long",
            "msg_too_long",
            "invalid_blocks",
            "invalid_blocks_format",
            "block_mismatch",
        ),
        Verdict.SMALLER,
    ),
    **dict.fromkeys(
        ("message_not_found", "edit_window_closed", "cant_update_message", "is_inactive"),
        Verdict.GONE,
    ),
    **dict.fromkeys(
        (
            "invalid_auth",
            "not_authed",
            "token_revoked",
            "token_expired",
            "account_inactive",
            "missing_scope",
            "not_allowed_token_type",
            "no_permission",
            "org_login_required",
            "two_factor_setup_required",
            "team_access_not_granted",
        ),
        Verdict.STOP,
    ),
    **dict.fromkeys(
        (
            "channel_not_found",
            "not_in_channel",
            "user_not_in_channel",
            "is_archived",
            "restricted_action",
            "restricted_action_read_only_channel",
            "restricted_action_thread_only_channel",
            "restricted_action_non_threadable_channel",
            "restricted_action_thread_locked",
            "cannot_reply_to_message",
            "thread_not_found",
            "messages_tab_disabled",
            "message_limit_exceeded",
            "ekm_access_denied",
            "access_denied",
            "app_access_restricted",
            "channel_is_limited_access",
            "posting_to_channel_denied",
            "cant_delete_message",
            "team_not_found",
            "no_text",
            "invalid_arguments",
            "invalid_metadata_format",
            "invalid_metadata_schema",
            "metadata_too_large",
            "method_not_supported_for_channel_type",
        ),
        Verdict.PERMANENT,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """Slack has it.

    Attributes:
        ts: Of the message, or None where only one person sees it.
        blocks: As Slack says that it stored them, or None where it does not say.
    """

    ts: str | None
    blocks: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Slack does not have it, or it is not known.

    Attributes:
        code: Slack's error code, or what happened instead («timeout», «http_503»). No text of ours.
        after_s: How long Slack asks to wait.
    """

    verdict: Verdict
    code: str
    after_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """It was looked for and is not there."""


Outcome = Posted | Failed


class NotInstalled(LookupError):
    """We have no token for a workspace, or none that Slack takes: nothing can be said there."""


class Later(Exception):
    """Slack does not say now what must be known first; nothing was done."""

    def __init__(self, after_s: float) -> None:
        super().__init__("later")
        self.after_s = after_s


def post(
    client: WebClient, message: Message, *, channel: str, thread_ts: str | None, key: str
) -> Outcome:
    """Post a message for all, with our key in its metadata; the key is random and says nothing."""
    return _call(
        lambda: client.chat_postMessage(
            channel=channel,
            thread_ts=thread_ts,
            text=message.text,
            blocks=list(message.blocks),
            metadata={"event_type": EVENT_TYPE, "event_payload": {"key": key}},
            **POSTED,  # type: ignore[arg-type]
        )
    )


def change(client: WebClient, message: Message, *, channel: str, ts: str) -> Outcome:
    return _call(
        lambda: client.chat_update(
            channel=channel,
            ts=ts,
            text=message.text,
            blocks=list(message.blocks),
            **AS_TEXT,  # type: ignore[arg-type]
        )
    )


def remove(client: WebClient, *, channel: str, ts: str) -> Outcome:
    outcome = _call(lambda: client.chat_delete(channel=channel, ts=ts))
    if isinstance(outcome, Failed) and outcome.code == "message_not_found":
        return Posted(ts=None)  # somebody else deleted it, or we did
    return outcome


def tell(
    client: WebClient,
    message: Message,
    *,
    channel: str,
    user: str,
    thread_ts: str | None,
    response_url: str | None,
) -> Outcome:
    """Show a message to one person, by the response_url as long as it holds."""
    if response_url:
        outcome = _respond(client, message, response_url)
        if isinstance(outcome, Posted) or outcome.code not in _GONE_URLS:
            return outcome
    outcome = _call(
        lambda: client.chat_postEphemeral(
            channel=channel,
            user=user,
            thread_ts=thread_ts,
            text=message.text,
            blocks=list(message.blocks),
            **AS_TEXT,  # type: ignore[arg-type]
        )
    )
    return Posted(ts=None) if isinstance(outcome, Posted) else outcome


def find(
    client: WebClient, *, channel: str, thread_ts: str | None, oldest: str, key: str
) -> Outcome | Absent:
    """Look for the message that has our key in its metadata, from a ts on."""
    cursor: str | None = None
    while True:
        page = _page(client, channel, thread_ts, oldest, cursor)
        if isinstance(page, Failed):
            return Absent() if page.code == "thread_not_found" else page
        messages: list[dict[str, Json]] = page.get("messages", [])
        for message in messages:
            if _key_of(message) == key:
                return Posted(ts=str(message["ts"]), blocks=message.get("blocks"))
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            return Absent()


def read_user(client: WebClient, user: str) -> SlackResponse | Failed:
    """Ask who somebody is."""
    return _ask(lambda: client.users_info(user=user))


def _page(
    client: WebClient, channel: str, thread_ts: str | None, oldest: str, cursor: str | None
) -> SlackResponse | Failed:
    def read() -> SlackResponse:
        if thread_ts is None:
            return client.conversations_history(
                channel=channel,
                oldest=oldest,
                cursor=cursor,
                limit=_PAGE,
                include_all_metadata=True,
            )
        return client.conversations_replies(
            channel=channel,
            ts=thread_ts,
            oldest=oldest,
            cursor=cursor,
            limit=_PAGE,
            include_all_metadata=True,
        )

    return _ask(read)


def _key_of(message: Mapping[str, Json]) -> Json:
    metadata = message.get("metadata")
    if not isinstance(metadata, Mapping) or metadata.get("event_type") != EVENT_TYPE:
        return None
    payload = metadata.get("event_payload")
    return payload.get("key") if isinstance(payload, Mapping) else None


def _call(send: Callable[[], SlackResponse]) -> Outcome:
    response = _ask(send)
    if isinstance(response, Failed):
        return response
    found: Json = response.get("message")
    message: Mapping[str, Json] = found if isinstance(found, Mapping) else {}
    return Posted(ts=response.get("ts"), blocks=message.get("blocks"))


def _ask(send: Callable[[], SlackResponse]) -> SlackResponse | Failed:
    try:
        return send()
    except SlackApiError as error:
        return _refused(error.response)
    except (OSError, http.client.HTTPException) as error:
        return _broken(error)


def _refused(response: SlackResponse | Mapping[str, Json]) -> Failed:
    """Read a refusal; where Slack's body is not JSON, the SDK gives a plain dict."""
    if isinstance(response, SlackResponse):
        data = response.data if isinstance(response.data, Mapping) else {}
        return _failure(response.status_code, response.headers, data.get("error"))
    status, headers = response.get("status"), response.get("headers")
    return _failure(
        status if isinstance(status, int) else 0,
        headers if isinstance(headers, Mapping) else {},
        None,
    )


def _failure(status: int, headers: Mapping[str, Json], code: Json) -> Failed:
    # Where the body is not JSON, the SDK puts a sentence with a piece of the body here.
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        code = "ratelimited" if status == http.HTTPStatus.TOO_MANY_REQUESTS else f"http_{status}"
        verdict = VERDICTS.get(code, Verdict.UNKNOWN)
    else:
        verdict = VERDICTS.get(code, Verdict.PERMANENT)
    if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        verdict = Verdict.UNKNOWN
    return Failed(verdict=verdict, code=code, after_s=_seconds(headers.get("Retry-After")))


def _seconds(header: Json) -> float:
    try:
        return max(0.0, float(str(header)))
    except ValueError:
        return _PATIENCE_S


def _broken(error: Exception) -> Failed:
    """Tell what never left from what may have arrived."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, ConnectionRefusedError | socket.gaierror):
        return Failed(verdict=Verdict.LATER, code="not_connected", after_s=_PATIENCE_S)
    code = "timeout" if isinstance(reason, TimeoutError) else "connection_lost"
    return Failed(verdict=Verdict.UNKNOWN, code=code)


def _respond(client: WebClient, message: Message, url: str) -> Outcome:
    body: dict[str, Json] = {
        "response_type": "ephemeral",
        "replace_original": False,
        "text": message.text,
        "blocks": list(message.blocks),
    }
    try:
        webhook = WebhookClient(url, timeout=TIMEOUT_S, ssl=client.ssl, retry_handlers=[])
        response = webhook.send_dict(body)
    except (OSError, http.client.HTTPException) as error:
        return _broken(error)
    if response.status_code == http.HTTPStatus.OK:
        return Posted(ts=None)
    if response.status_code in (http.HTTPStatus.NOT_FOUND, http.HTTPStatus.GONE):
        return Failed(verdict=Verdict.GONE, code="used_url")
    return _failure(response.status_code, response.headers, _error_in(response.body))


def _error_in(body: str) -> Json:
    try:
        read = json.loads(body)
    except ValueError:
        return None
    return read.get("error") if isinstance(read, Mapping) else None
