"""`response_url`: five uses within 30 minutes, without a token.

What Slack says in refusal is not in its reference; `used_url` and `expired_url` with 404 are what
apps report (zenn.dev/slack/articles/256c916f71b343).
"""

import json
from typing import Final

from .chat import checked_content
from .errors import Refused
from .json_types import Json
from .workspace import APP, BOT, BOT_USER, RESPONSE_URL_USES, TEAM, ResponseUrl, Workspace

KNOWN: Final = frozenset(
    {
        "text",
        "blocks",
        "attachments",
        "response_type",
        "replace_original",
        "delete_original",
        "unfurl_links",
        "unfurl_media",
        "thread_ts",
        "metadata",
    }
)


def respond(space: Workspace, key: str, body: bytes) -> Json:
    """Carry out a POST to a response_url; gives what was shown.

    Raises:
        Refused: the URL is unknown, used up or expired, or the message can not be shown.
    """
    url = space.response_urls.get(key)
    if url is None:
        raise Refused("invalid_url")
    if space.clock.now() > url.expires:
        raise Refused("expired_url")
    if url.uses >= RESPONSE_URL_USES:
        raise Refused("used_url")
    message = _message(body)
    url.uses += 1
    return answer(space, url, message, via="response_url")


def answer(space: Workspace, url: ResponseUrl, message: Json, *, via: str) -> Json:
    """Show the answer to a command or interaction, as response_type and the rest ask."""
    if message.get("delete_original"):
        _remove_original(space, url)
        return {}
    content = checked_content(message)
    if message.get("replace_original") and url.source is not None:
        url.source.update(content)
        return url.source
    shown = {"channel": url.channel, **content}
    if message.get("thread_ts"):
        shown["thread_ts"] = message["thread_ts"]
    if message.get("response_type") == "in_channel":
        author = {"type": "message", "user": BOT_USER, "bot_id": BOT, "app_id": APP, "team": TEAM}
        return space.add_message(space.channel(url.channel), {**author, **shown})
    ephemeral = {**shown, "user": url.user, "ts": space.next_ts(), "via": via}
    space.ephemerals.append(ephemeral)
    return ephemeral


def _remove_original(space: Workspace, url: ResponseUrl) -> None:
    if url.source is None:
        return
    if url.source in space.ephemerals:
        space.ephemerals.remove(url.source)
    channel = space.channel(url.channel)
    if url.source in channel.messages:
        channel.messages.remove(url.source)


def _message(body: bytes) -> Json:
    try:
        message = json.loads(body)
    except ValueError:
        raise Refused("invalid_payload") from None
    if not isinstance(message, dict) or set(message) - KNOWN:
        raise Refused("invalid_payload")
    if message.get("response_type", "ephemeral") not in {"ephemeral", "in_channel"}:
        raise Refused("invalid_payload")
    return message
