"""Slack's dicts → ours. Pure, and the only reader of what Slack sends.

A reader gives None where nobody asks us: bots (other bots loop with ours), ourselves, messages that
people write to each other. Where our own user id is unknown, every message may be our own: None.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from bot.batch import Json
from bot.incoming import Incoming

Body = Mapping[str, Json]
Kind = Literal["member", "guest", "external", "bot"]

MOST_ASKED = 4_000  # characters of a question; the model reads some 1,000 of them

_MOST_READ = 4 * MOST_ASKED  # of a text before it is cleaned: markup goes, the words stay
_TYPED = {None, "file_share", "thread_broadcast", "me_message"}  # subtypes of what people type
_SLACKBOT = "USLACKBOT"
# Lone surrogates are valid JSON and no valid text; C0 controls are not typed. (Not \t and \n.)
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_MARKUP = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """Somebody presses a button, or chooses in a menu.

    Attributes:
        value: What the button bears: an id of ours, perhaps with a place.
        message_ts: The message that the button is on, or "" on a view.
        thread_ts: The thread of that message, or "".
        view_id: The view that the button is on, or "".
        chosen: What is chosen where it is a menu of several.
    """

    team: str
    channel: str
    user: str
    value: str
    trigger: str
    message_ts: str = ""
    thread_ts: str = ""
    view_id: str = ""
    response_url: str | None = None
    chosen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Somebody sends a modal off; `fields` are its values by block id."""

    team: str
    user: str
    view_id: str
    private: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Somebody opens the bot's Home or its messages."""

    team: str
    user: str
    channel: str
    tab: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Somebody presses «Stop» while the bot searches."""

    team: str
    channel: str
    thread_ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What Slack says of a user."""

    kind: Kind
    is_admin: bool
    name: str


def read_mention(body: Body, *, own: str | None) -> Incoming | None:
    event = _event(body)
    if _is_direct(event) or _is_bot(event, own) or not _is_for_us(event, own or ""):
        return None
    return _asked(body, event, "mention", own)


def read_message(body: Body, *, own: str | None) -> Incoming | None:
    """Read a direct message, or one in a thread; whether we take part in it, the store knows."""
    event = _event(body)
    if event.get("subtype") not in _TYPED or _is_bot(event, own):
        return None
    if not _is_direct(event):
        text = _string(event, "text")
        # Who names somebody asks that person; who names us is heard as a mention.
        if not _is_reply(event) or "<@" in text or not clean(text):
            return None
    return _asked(body, event, "message", own)


def is_chatter(body: Body) -> bool:
    """Say whether it is what people write in a channel outside of threads: never for us.

    It is most of what Slack sends; and a mention comes as an event of its own besides.
    """
    event = _event(body)
    is_typed = event.get("type") == "message" and event.get("subtype") in _TYPED
    return is_typed and not _is_direct(event) and not _is_reply(event)


def read_edit(body: Body, *, own: str | None) -> Incoming | None:
    """Read that a question was changed; a message also «changes» when a link in it unfolds."""
    event = _event(body)
    message, before = _object(event, "message"), _object(event, "previous_message")
    if event.get("subtype") != "message_changed" or _is_bot(message, own):
        return None
    if message.get("subtype") not in _TYPED or message.get("text") == before.get("text"):
        return None
    edited = _string(_object(message, "edited"), "ts") or _string(event, "event_ts")
    asked = _asked(body, {**message, "channel": event.get("channel")}, "edit", own)
    return replace(asked, edited=edited) if asked else None


def read_deletion(body: Body, *, own: str | None) -> Incoming | None:
    """Read that a question was deleted; one with replies is replaced by a «tombstone»."""
    event = _event(body)
    message, before = _object(event, "message"), _object(event, "previous_message")
    is_tombstone = message.get("subtype") == "tombstone"
    if event.get("subtype") != "message_deleted" and not is_tombstone:
        return None
    if _is_bot(before, own):
        return None
    ts = _string(message, "ts") or _string(event, "deleted_ts")
    gone = {**before, "ts": ts, "text": "", "channel": event.get("channel")}
    return _asked(body, gone, "delete", own)


def read_command(body: Body) -> Incoming:
    trigger = _string(body, "trigger_id")
    return Incoming(
        event_id=trigger,
        team=_team(body),
        channel=_string(body, "channel_id"),
        ts=trigger,
        thread_ts=None,
        user=_string(body, "user_id"),
        surface="command",
        text=clean(body.get("text")),
        response_url=_string(body, "response_url") or None,
        trigger=trigger,
    )


def read_shortcut(body: Body) -> Incoming:
    """Read «Find the source» on a message: what the message says is the question."""
    message, trigger = _object(body, "message"), _string(body, "trigger_id")
    ts = _string(message, "ts")
    return Incoming(
        event_id=trigger,
        team=_team(body),
        channel=_string(_object(body, "channel"), "id"),
        ts=trigger,
        thread_ts=_string(message, "thread_ts") or ts or None,
        user=_string(_object(body, "user"), "id"),
        surface="shortcut",
        text=clean(message.get("text")),
        response_url=_string(body, "response_url") or None,
        trigger=trigger,
    )


def read_click(body: Body) -> Click:
    (action, *_) = [*_objects(body, "actions"), {}]
    container = _object(body, "container")
    return Click(
        team=_team(body),
        channel=_string(_object(body, "channel"), "id") or _string(container, "channel_id"),
        user=_string(_object(body, "user"), "id"),
        value=_string(action, "value") or _string(_object(action, "selected_option"), "value"),
        trigger=_string(body, "trigger_id"),
        message_ts=_string(container, "message_ts"),
        thread_ts=_string(_object(body, "message"), "thread_ts") or _string(container, "thread_ts"),
        view_id=_string(_object(body, "view"), "id"),
        response_url=_string(body, "response_url") or None,
        chosen=_strings(action, "selected_conversations"),
    )


def read_submission(body: Body) -> Submission:
    view = _object(body, "view")
    state = _object(_object(view, "state"), "values")
    return Submission(
        team=_team(body),
        user=_string(_object(body, "user"), "id"),
        view_id=_string(view, "id"),
        private=_string(view, "private_metadata"),
        fields={block: _entered(_object(state, block)) for block in state},
    )


def read_opening(body: Body) -> Opening:
    event = _event(body)
    return Opening(
        team=_team(body),
        user=_string(event, "user"),
        channel=_string(event, "channel"),
        tab=_string(event, "tab"),
    )


def read_stop(body: Body) -> Stop:
    event = _event(body)
    return Stop(
        team=_team(body),
        channel=_string(event, "channel"),
        thread_ts=_string(event, "thread_ts"),
    )


def read_person(response: Body, *, team: str) -> Person:
    """Read the answer of users.info; whoever is not plainly of our workspace is external."""
    user = _object(response, "user")
    profile = _object(user, "profile")
    name = _string(profile, "display_name") or _string(profile, "real_name")
    is_admin = bool(user.get("is_admin") or user.get("is_owner"))
    return Person(kind=_kind(user, team), is_admin=is_admin, name=name or _string(user, "name"))


def trigger_of(body: Body) -> str:
    return _string(body, "trigger_id")


def removed_at(body: Body) -> float | None:
    """Give when a workspace took our token back; None where it took people's own tokens."""
    event, at = _event(body), body.get("event_time")
    is_removal = event.get("type") == "app_uninstalled" or _strings(_object(event, "tokens"), "bot")
    return float(at) if is_removal and isinstance(at, int) else None


def is_shared(body: Body) -> bool:
    """Say whether people of other companies read the channel that this comes from."""
    return body.get("is_ext_shared_channel") is True


def channel_of(body: Body) -> str:
    """Give the channel that an event is about, where it is about one."""
    channel = _event(body).get("channel")
    return channel if isinstance(channel, str) else ""


def team_of(body: Body) -> str:
    return _team(body)


def clean(text: Json, *, own: str = "") -> str:
    """Make what Slack sends what the person typed; done once, and the result is never markup.

    Entities last, and `&amp;` after the others: else «&amp;lt;» would become «<».
    """
    if not isinstance(text, str):
        return ""
    typed = _UNFIT.sub(" ", text[:_MOST_READ])
    typed = _MARKUP.sub(lambda found: _said(found, own), typed)
    typed = typed.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return typed.strip()[: MOST_ASKED + 1]


def _said(found: re.Match[str], own: str) -> str:
    """Give what stands for a piece of Slack's markup: labels stay, people and commands go."""
    sigil, target, label = found[1], found[2], found[3]
    match sigil:
        case "@":
            return "" if target == own else " "
        case "!":
            return (label or "") if target.startswith("date^") else " "
        case "#":
            return label or ""
        case _:
            return label or target


def _asked(
    body: Body,
    event: Body,
    surface: Literal["mention", "message", "edit", "delete"],
    own: str | None,
) -> Incoming | None:
    event_id, channel, ts = (
        _string(body, "event_id"),
        _string(event, "channel"),
        _string(event, "ts"),
    )
    if not (event_id and channel and ts):
        return None
    return Incoming(
        event_id=event_id,
        team=_team(body),
        channel=channel,
        ts=ts,
        thread_ts=_string(event, "thread_ts") or None,
        user=_string(event, "user"),
        surface=surface,
        text=clean(event.get("text"), own=own or ""),
    )


def _is_bot(event: Body, own: str | None) -> bool:
    user = _string(event, "user")
    by_program = any(event.get(name) for name in ("bot_id", "bot_profile", "app_id"))
    return (
        by_program
        or event.get("subtype") == "bot_message"
        or not own
        or user in {"", own, _SLACKBOT}
    )


def _is_for_us(event: Body, own: str) -> bool:
    """Say whether we are named outside of a quotation: who quotes a question does not ask it."""
    blocks = _objects(event, "blocks")
    named = [quoted for block in blocks for quoted in _namings(block, own, quoted=False)]
    return not named or not all(named)


def _namings(element: Body, own: str, *, quoted: bool) -> Iterator[bool]:
    """For each time that we are named, give whether that is inside a quotation."""
    if element.get("type") == "user" and element.get("user_id") == own:
        yield quoted
    inside = quoted or element.get("type") == "rich_text_quote"
    for child in _objects(element, "elements"):
        yield from _namings(child, own, quoted=inside)


def _is_reply(event: Body) -> bool:
    return _string(event, "thread_ts") not in {"", _string(event, "ts")}


def _is_direct(event: Body) -> bool:
    return event.get("channel_type") == "im" or _string(event, "channel").startswith("D")


def _kind(user: Body, team: str) -> Kind:
    if user.get("is_bot") or user.get("id") == _SLACKBOT:
        return "bot"
    ours = {team, *_strings(_object(user, "enterprise_user"), "teams")}
    if user.get("is_stranger") or _string(user, "team_id") not in ours or user.get("deleted"):
        return "external"
    return "guest" if user.get("is_restricted") or user.get("is_ultra_restricted") else "member"


def _entered(block: Body) -> str:
    """Give what was entered in an input block, whatever its kind; Slack puts no markup into it."""
    for name in block:
        entry = _object(block, name)
        value = _string(entry, "value") or _string(_object(entry, "selected_option"), "value")
        return _UNFIT.sub(" ", value).strip()
    return ""


def _event(body: Body) -> Body:
    return _object(body, "event")


def _team(body: Body) -> str:
    """Give the workspace: where the app is installed for an organisation, that of the user."""
    team = _object(body, "team")
    return (
        _string(body, "team_id") or _string(team, "id") or _string(_object(body, "user"), "team_id")
    )


def _object(body: Body, name: str) -> Body:
    value = body.get(name)
    return value if isinstance(value, Mapping) else {}


def _objects(body: Body, name: str) -> list[Body]:
    value = body.get(name)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _string(body: Body, name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


def _strings(body: Body, name: str) -> tuple[str, ...]:
    value = body.get(name)
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()
