"""`chat.*`: messages that the app posts, changes and deletes."""

import copy
import json
from typing import Final

from .blocks import check_message_blocks
from .errors import Refused, invalid_arguments
from .json_types import Json
from .schema import units
from .workspace import APP, BOT, BOT_USER, TEAM, Channel, Workspace

LONGEST_TEXT: Final = 40_000  # chat.postMessage cuts here, without a word
LONGEST_UPDATE: Final = 4_000
LONGEST_METADATA: Final = 16 * 1024
# Not documented; bolt-js#2509 and #2867 report refusals from there on.
LONGEST_BLOCKS: Final = 13_200
_DEFAULTS: Final = {
    "plain_text": {"emoji": True},
    "mrkdwn": {"verbatim": False},
    "input": {"optional": False, "dispatch_action": False},
}


def post_message(space: Workspace, arguments: Json) -> Json:
    """`chat.postMessage`."""
    channel = _writable(space, arguments["channel"])
    content = checked_content(arguments)
    thread_ts = arguments.get("thread_ts")
    if thread_ts:
        thread_ts = _thread(space, channel, thread_ts)
    message = {
        "type": "message",
        "user": BOT_USER,
        "bot_id": BOT,
        "app_id": APP,
        "team": TEAM,
        "bot_profile": {"id": BOT, "app_id": APP, "name": "clippings", "team_id": TEAM},
        **content,
        "text": content["text"][:LONGEST_TEXT],
        **({"thread_ts": thread_ts} if thread_ts else {}),
    }
    stored = space.add_message(channel, message)
    space.posts += 1
    return {"channel": channel.id, "ts": stored["ts"], "message": without_metadata(stored)}


def post_ephemeral(space: Workspace, arguments: Json) -> Json:
    """`chat.postEphemeral`: seen by one member of the channel, stored nowhere."""
    channel = _writable(space, arguments["channel"])
    if arguments["user"] not in channel.members:
        raise Refused("user_not_in_channel")
    content = checked_content(arguments)
    ts = space.next_ts()
    space.ephemerals.append(
        {
            "channel": channel.id,
            "user": arguments["user"],
            "thread_ts": arguments.get("thread_ts"),
            "ts": ts,
            "via": "chat.postEphemeral",
            **content,
        }
    )
    return {"message_ts": ts}


def update(space: Workspace, arguments: Json) -> Json:
    """`chat.update`: only the app's own messages."""
    channel = space.channel(arguments["channel"])
    message = space.message(channel, arguments["ts"])
    if message.get("bot_id") != BOT:
        raise Refused("cant_update_message")
    content = checked_content(arguments, changing=message)
    if len(arguments.get("text") or "") > LONGEST_UPDATE:
        raise Refused("msg_too_long")
    before, after = _kinds(message), _kinds(content)
    if "blocks" in content and "rich_text" in before and after and "rich_text" not in after:
        raise Refused("block_mismatch")
    message.update(content, edited={"user": BOT_USER, "ts": space.next_ts()})
    return {
        "channel": channel.id,
        "ts": message["ts"],
        "text": message["text"],
        "message": without_metadata(message),
    }


def delete(space: Workspace, arguments: Json) -> Json:
    """`chat.delete`: only the app's own messages."""
    channel = space.channel(arguments["channel"])
    message = space.message(channel, arguments["ts"])
    if message.get("bot_id") != BOT:
        raise Refused("cant_delete_message")
    channel.messages.remove(message)
    _count_reply_less(channel, message)
    return {"channel": channel.id, "ts": message["ts"]}


def get_permalink(space: Workspace, arguments: Json) -> Json:
    """`chat.getPermalink`."""
    channel = space.channel(arguments["channel"])
    message = space.message(channel, arguments["message_ts"])
    digits = message["ts"].replace(".", "")
    return {
        "channel": channel.id,
        "permalink": f"https://t1.slack.com/archives/{channel.id}/p{digits}",
    }


def checked_content(arguments: Json, *, changing: Json | None = None) -> Json:
    """Check what a message says: its text, blocks and metadata.

    Args:
        changing: The message that is changed; what the call leaves out stays as it was.

    Raises:
        Refused: Slack would not take it.
    """
    text = arguments.get("text") or ""
    if not isinstance(text, str):
        raise invalid_arguments("text must be a string")
    blocks = parsed(arguments.get("blocks"), "invalid_blocks_format")
    if arguments.get("markdown_text") is not None and (text or blocks):
        raise Refused("markdown_text_conflict")
    if not (text or blocks or arguments.get("markdown_text")):
        raise Refused("no_text")
    content: Json = {"text": text}
    if blocks:
        content["blocks"] = _stored_blocks(blocks)
    elif changing is not None and "blocks" in changing:
        content["blocks"] = [] if text else changing["blocks"]
    if (metadata := parsed(arguments.get("metadata"), "invalid_metadata_format")) is not None:
        content["metadata"] = _checked_metadata(metadata)
    return content


def parsed(value: object, error: str) -> object:
    """Read an argument that may come as JSON text."""
    if not isinstance(value, str) or not value:
        return value or None
    try:
        return json.loads(value)
    except ValueError:
        raise Refused(error) from None


def without_metadata(message: Json) -> Json:
    """Copy a message as calls show it that do not ask for metadata."""
    return copy.deepcopy({key: value for key, value in message.items() if key != "metadata"})


def as_stored(blocks: list[Json]) -> list[Json]:
    """Copy blocks as Slack stores them: with ids, and with what was left to its defaults."""
    stored = copy.deepcopy(blocks)
    for number, block in enumerate(stored):
        block.setdefault("block_id", f"b{number:03d}")
    _fill_in(stored)
    return stored


def _fill_in(node: object) -> None:
    if isinstance(node, list):
        for each in node:
            _fill_in(each)
    elif isinstance(node, dict):
        for name, value in _DEFAULTS.get(str(node.get("type")), {}).items():
            node.setdefault(name, value)
        for each in list(node.values()):
            _fill_in(each)


def _stored_blocks(blocks: object) -> list[Json]:
    """Check blocks and give them as Slack stores them: each with an id."""
    check_message_blocks(blocks)
    assert isinstance(blocks, list)
    if units(json.dumps(blocks, ensure_ascii=False)) > LONGEST_BLOCKS:
        raise Refused("msg_blocks_too_long")
    return as_stored(blocks)


def _checked_metadata(metadata: object) -> Json:
    if metadata == {}:
        return {}
    if not isinstance(metadata, dict) or set(metadata) != {"event_type", "event_payload"}:
        raise Refused("invalid_metadata_format")
    if not isinstance(metadata["event_type"], str) or not metadata["event_type"]:
        raise Refused("invalid_metadata_format")
    if not isinstance(metadata["event_payload"], dict):
        raise Refused("invalid_metadata_format")
    if len(json.dumps(metadata)) > LONGEST_METADATA:
        raise Refused("metadata_too_large")
    return copy.deepcopy(metadata)


def _writable(space: Workspace, channel_id: str) -> Channel:
    channel = space.channel(channel_id)
    if channel.is_archived:
        raise Refused("is_archived")
    if BOT_USER not in channel.members:
        raise Refused("not_in_channel")
    return channel


def _thread(space: Workspace, channel: Channel, thread_ts: str) -> str:
    """Check the parent of a reply.

    thread_not_found is not among the published errors, but is what Slack says (bolt-js#2307).
    """
    try:
        parent = space.message(channel, thread_ts)
    except Refused:
        raise Refused("thread_not_found") from None
    if parent.get("thread_ts", thread_ts) != thread_ts:
        raise invalid_arguments("thread_ts must be the parent's ts, not a reply's")
    if thread_ts in channel.locked_threads:
        raise Refused("restricted_action_thread_locked")
    return thread_ts


def _count_reply_less(channel: Channel, reply: Json) -> None:
    """Forget a deleted reply; a tombstone without replies goes too."""
    for parent in channel.messages:
        if parent["ts"] == reply.get("thread_ts"):
            parent["reply_count"] -= 1
            if parent.get("subtype") == "tombstone" and not parent["reply_count"]:
                channel.messages.remove(parent)
            return


def _kinds(message: Json) -> set[str]:
    return {block["type"] for block in message.get("blocks") or []}
