"""`conversations.*`, `users.info`, `reactions.*`, `assistant.threads.*` and other small methods."""

import copy
from typing import Final

from .chat import parsed, without_metadata
from .errors import Refused, invalid_arguments
from .json_types import Json
from .workspace import APP, BOT, BOT_USER, TEAM, Channel, Workspace

LARGEST_PAGE: Final = 999
HISTORY_SCOPES: Final = {"C": "channels:history", "G": "groups:history", "D": "im:history"}
READ_SCOPES: Final = {"C": "channels:read", "G": "groups:read", "D": "im:read"}


def info(space: Workspace, arguments: Json) -> Json:
    """`conversations.info`."""
    return {"channel": space.channel(arguments["channel"]).as_json()}


def replies(space: Workspace, arguments: Json) -> Json:
    """`conversations.replies`: the parent first, then its replies, oldest first."""
    channel = _readable(space, arguments["channel"])
    ts = arguments["ts"]
    if all(message["ts"] != ts for message in channel.messages):
        raise Refused("thread_not_found")
    found = [m for m in channel.messages if m["ts"] == ts or m.get("thread_ts") == ts]
    return _page(found, arguments)


def history(space: Workspace, arguments: Json) -> Json:
    """`conversations.history`: without replies in threads, newest first."""
    channel = _readable(space, arguments["channel"])
    tops = [m for m in channel.messages if m.get("thread_ts", m["ts"]) == m["ts"]]
    return _page(tops[::-1], arguments)


def members(space: Workspace, arguments: Json) -> Json:
    """`conversations.members`."""
    return {"members": sorted(space.channel(arguments["channel"]).members)}


def open_(space: Workspace, arguments: Json) -> Json:
    """`conversations.open`, for one user."""
    users = str(arguments.get("users") or "")
    if not users:
        raise Refused("users_list_not_supplied")
    if "," in users:
        raise Refused("not_enough_users")
    return {"channel": {"id": space.direct(space.user(users).id).id}}


def user_info(space: Workspace, arguments: Json) -> Json:
    """`users.info`."""
    user = space.user(arguments["user"])
    return {"user": {**user.as_json(), "is_stranger": user.team not in space.teams}}


def team_info(_space: Workspace, _arguments: Json) -> Json:
    """`team.info`."""
    return {"team": {"id": TEAM, "name": "Test", "domain": "t1", "email_domain": ""}}


def bot_info(_space: Workspace, arguments: Json) -> Json:
    """`bots.info`."""
    if arguments.get("bot") not in (None, BOT):
        raise Refused("bot_not_found")
    return {"bot": {"id": BOT, "app_id": APP, "user_id": BOT_USER, "name": "clippings"}}


def auth_test(_space: Workspace, _arguments: Json) -> Json:
    """`auth.test`, for the bot token."""
    return {
        "url": "https://t1.slack.com/",
        "team": "Test",
        "user": "clippings",
        "team_id": TEAM,
        "user_id": BOT_USER,
        "bot_id": BOT,
        "is_enterprise_install": False,
    }


def api_test(_space: Workspace, arguments: Json) -> Json:
    """`api.test`."""
    if arguments.get("error"):
        raise Refused(str(arguments["error"]))
    return {"args": arguments}


def add_reaction(space: Workspace, arguments: Json) -> Json:
    """`reactions.add`."""
    channel = space.channel(arguments["channel"])
    space.message(channel, arguments["timestamp"])
    reaction = (channel.id, arguments["timestamp"], arguments["name"])
    if reaction in space.reactions:
        raise Refused("already_reacted")
    space.reactions.add(reaction)
    return {}


def remove_reaction(space: Workspace, arguments: Json) -> Json:
    """`reactions.remove`."""
    reaction = (arguments.get("channel"), arguments.get("timestamp"), arguments["name"])
    if reaction not in space.reactions:
        raise Refused("no_reaction")
    space.reactions.remove(reaction)
    return {}


def set_status(space: Workspace, arguments: Json) -> Json:
    """`assistant.threads.setStatus`; an empty status clears it."""
    channel = space.channel(arguments["channel_id"])
    _known_thread(space, channel, arguments["thread_ts"])
    loading = parsed(arguments.get("loading_messages"), "invalid_arguments") or []
    if not isinstance(loading, list) or len(loading) > 10:
        raise invalid_arguments("no more than 10 items allowed: loading_messages")
    if not all(isinstance(line, str) and 1 <= len(line) <= 50 for line in loading):
        raise invalid_arguments("must be 1 to 50 characters long: loading_messages")
    space.statuses.append({"at": space.clock.now(), **copy.deepcopy(arguments)})
    return {}


def set_suggested_prompts(space: Workspace, arguments: Json) -> Json:
    """`assistant.threads.setSuggestedPrompts`; in an agent's messages no thread is needed."""
    channel = space.channel(arguments["channel_id"])
    if channel.id[0] != "D":
        raise Refused("channel_not_found")
    if arguments.get("thread_ts"):
        _known_thread(space, channel, arguments["thread_ts"])
    prompts = parsed(arguments["prompts"], "invalid_arguments")
    # At most four are shown: docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts
    if not isinstance(prompts, list) or not 1 <= len(prompts) <= 4:
        raise invalid_arguments("1 to 4 items allowed: prompts")
    for prompt in prompts:
        if not isinstance(prompt, dict) or set(prompt) != {"title", "message"}:
            raise invalid_arguments("a prompt has a title and a message: prompts")
        if not all(isinstance(each, str) and each for each in prompt.values()):
            raise invalid_arguments("must be text: prompts")
    space.prompts.append(copy.deepcopy({**arguments, "prompts": prompts}))
    return {}


def set_title(space: Workspace, arguments: Json) -> Json:
    """`assistant.threads.setTitle`."""
    channel = space.channel(arguments["channel_id"])
    _known_thread(space, channel, arguments["thread_ts"])
    return {}


def set_session_status(space: Workspace, arguments: Json) -> Json:
    """`agents.sessions.setStatus`."""
    space.channel(arguments["channel_id"])
    if arguments["status"] not in {"active", "processing", "suspended", "closed"}:
        raise Refused("invalid_status")
    space.statuses.append({"at": space.clock.now(), **copy.deepcopy(arguments)})
    return {}


def _known_thread(space: Workspace, channel: Channel, thread_ts: str) -> None:
    try:
        space.message(channel, thread_ts)
    except Refused:
        raise Refused("invalid_thread_ts") from None


def _readable(space: Workspace, channel_id: str) -> Channel:
    channel = space.channel(channel_id)
    if BOT_USER not in channel.members:
        raise Refused("not_in_channel")
    return channel


def _page(found: list[Json], arguments: Json) -> Json:
    """Cut a page out of messages; a cursor is the place where the next one begins."""
    oldest, latest = arguments.get("oldest"), arguments.get("latest")
    inclusive = arguments.get("inclusive", False)
    chosen = [
        message
        for message in found
        if (not oldest or message["ts"] > oldest or (inclusive and message["ts"] == oldest))
        and (not latest or message["ts"] < latest or (inclusive and message["ts"] == latest))
    ]
    try:
        start = int(arguments.get("cursor") or 0)
    except ValueError:
        raise Refused("invalid_cursor") from None
    limit = max(1, min(arguments.get("limit", 100), LARGEST_PAGE))
    page = chosen[start : start + limit]
    more = start + limit < len(chosen)
    show = copy.deepcopy if arguments.get("include_all_metadata") else without_metadata
    return {
        "messages": [show(message) for message in page],
        "has_more": more,
        "response_metadata": {"next_cursor": str(start + limit) if more else ""},
    }
