"""The shapes of what Slack sends: events, commands, interactions.

Compared, key by key and type by type, with the payloads recorded in slackapi/bolt-python's
tests/scenario_tests (mentions, edits, deletions, commands, both shortcuts, clicks, submissions):
all their fields are here but for those of Enterprise Grid and the deprecated `authed_users`.
Tombstones are as in slack-edge#10 and matterbridge#600. Ids are counted, not random, so that runs
repeat.
"""

import copy

from .json_types import Json
from .workspace import APP, BOT_USER, TEAM, Channel, User

VERIFICATION_TOKEN = "verification"  # noqa: S105 - deprecated by Slack; signatures count


def event_callback(event: Json, *, event_id: str, event_time: int, channel: Channel | None) -> Json:
    """Wrap an event as the Events API does."""
    team = channel.team if channel else TEAM
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": team,
        "context_team_id": team,
        "context_enterprise_id": None,
        "api_app_id": APP,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": event_time,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": team,
                "user_id": BOT_USER,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": bool(channel and channel.is_ext_shared),
        "event_context": f"4-{event_id}",
    }


def user_message(user: User, source: str, *, thread_ts: str | None) -> Json:
    """A message as a person writes it; `source` is what Slack's escaping made of the typing."""
    text = source.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    elements: list[Json] = []
    mention = f"<@{BOT_USER}>"
    for number, part in enumerate(source.split(mention)):
        if number:
            elements.append({"type": "user", "user_id": BOT_USER})
        shown = part.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        if shown:
            elements.append({"type": "text", "text": shown})
    message: Json = {
        "type": "message",
        "user": user.id,
        "team": user.team,
        "text": source,
        "client_msg_id": "",
    }
    if text:
        message["blocks"] = [
            {
                "type": "rich_text",
                "block_id": "typed",
                "elements": [{"type": "rich_text_section", "elements": elements}],
            }
        ]
    return message | ({"thread_ts": thread_ts} if thread_ts else {})


def message_event(message: Json, channel: Channel) -> Json:
    """The `message` event that tells of a new message."""
    event = {key: value for key, value in message.items() if key not in _COUNTS}
    event |= {"channel": channel.id, "event_ts": message["ts"]}
    event["channel_type"] = channel.event_type
    if channel.is_ext_shared and "user" in event:
        event["user_team"] = event.get("team", TEAM)
    return copy.deepcopy(event)


def mention_event(message: Json, channel: Channel) -> Json:
    """The `app_mention` event: the message's twin, without a channel type."""
    event = message_event(message, channel)
    del event["channel_type"]
    return {**event, "type": "app_mention"}


def changed_event(message: Json, before: Json, channel: Channel, *, ts: str) -> Json:
    """`message_changed`."""
    return {
        "type": "message",
        "subtype": "message_changed",
        "message": _inner(message),
        "previous_message": _inner(before),
        "channel": channel.id,
        "hidden": True,
        "ts": ts,
        "event_ts": ts,
        "channel_type": channel.event_type,
    }


def deleted_event(before: Json, channel: Channel, *, ts: str) -> Json:
    """`message_deleted`."""
    return {
        "type": "message",
        "subtype": "message_deleted",
        "previous_message": _inner(before),
        "channel": channel.id,
        "hidden": True,
        "deleted_ts": before["ts"],
        "ts": ts,
        "event_ts": ts,
        "channel_type": channel.event_type,
    }


def tombstone(before: Json) -> Json:
    """What Slack leaves of a deleted message that has replies."""
    kept = {key: before[key] for key in ("ts", "thread_ts", *_COUNTS) if key in before}
    return {
        "type": "message",
        "subtype": "tombstone",
        "user": "USLACKBOT",
        "text": "This message was deleted.",
        "hidden": True,
        **kept,
    }


def slash_command(
    command: str, text: str, *, user: User, channel: Channel, trigger_id: str, response_url: str
) -> Json:
    """The fields of a command; in HTTP mode they are form fields."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": TEAM,
        "team_domain": "t1",
        "channel_id": channel.id,
        "channel_name": "directmessage" if channel.id[0] == "D" else channel.id.lower(),
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }


def interaction(kind: str, *, user: User, trigger_id: str | None) -> Json:
    """What all interactive payloads have."""
    payload: Json = {
        "type": kind,
        "token": VERIFICATION_TOKEN,
        "team": {"id": TEAM, "domain": "t1"},
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team},
        "api_app_id": APP,
        "enterprise": None,
        "is_enterprise_install": False,
    }
    return payload | ({"trigger_id": trigger_id} if trigger_id else {})


def channel_field(channel: Channel) -> Json:
    name = "directmessage" if channel.id[0] == "D" else channel.id.lower()
    return {"id": channel.id, "name": name}


_COUNTS = ("reply_count", "latest_reply")


def _inner(message: Json) -> Json:
    return copy.deepcopy({"source_team": TEAM, "user_team": TEAM, **message})
