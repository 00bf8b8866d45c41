"""What the stand-in knows of the app: its scopes, events, commands and shortcuts.

They are read from the app's manifest, so that a scope or an event that the manifest lacks is
missing here too, as it would be in a workspace.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .json_types import Json

# Which scope an event needs: docs.slack.dev/events/events.json of slack-ruby/slack-api-ref.
EVENT_SCOPES: Final[Mapping[str, str]] = {
    "agent_session_stopped": "chat:write",
    "app_context_changed": "assistant:write",
    "app_mention": "app_mentions:read",
    "channel_shared": "channels:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
}

DEFAULT_MANIFEST: Final[Json] = {
    "features": {
        "slash_commands": [{"command": "/ask"}],
        "shortcuts": [
            {"type": "message", "callback_id": "find_source"},
            {"type": "global", "callback_id": "ask_question"},
        ],
    },
    "oauth_config": {
        "scopes": {
            "bot": [
                "app_mentions:read",
                "assistant:write",
                "channels:history",
                "channels:read",
                "chat:write",
                "commands",
                "groups:history",
                "groups:read",
                "im:history",
                "im:read",
                "im:write",
                "mpim:history",
                "users:read",
            ]
        }
    },
    "settings": {
        "event_subscriptions": {
            "bot_events": [
                "agent_session_stopped",
                "app_home_opened",
                "app_mention",
                "message.channels",
                "message.groups",
                "message.im",
                "message.mpim",
            ]
        }
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The app as its manifest declares it."""

    scopes: frozenset[str]
    events: frozenset[str]
    commands: frozenset[str]
    shortcuts: Mapping[str, str]


def read_manifest(manifest: Json) -> App:
    """Read an app's manifest.

    Raises:
        ValueError: it subscribes to an event without the scope that the event needs, or has
            commands or shortcuts without the scope «commands».
    """
    features = manifest.get("features", {})
    scopes = frozenset(manifest["oauth_config"]["scopes"]["bot"])
    subscribed = manifest["settings"].get("event_subscriptions", {})
    app = App(
        scopes=scopes,
        events=frozenset(subscribed.get("bot_events", [])),
        commands=frozenset(each["command"] for each in features.get("slash_commands", [])),
        shortcuts={each["callback_id"]: each["type"] for each in features.get("shortcuts", [])},
    )
    for event in sorted(app.events):
        if EVENT_SCOPES.get(event, "") not in scopes | {""}:
            raise ValueError(f"{event} needs the scope {EVENT_SCOPES[event]}")
    if (app.commands or app.shortcuts) and "commands" not in scopes:
        raise ValueError("commands and shortcuts need the scope commands")
    return app
