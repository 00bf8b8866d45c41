"""What the stand-in remembers: people, channels, messages, views, and what is still usable."""

import copy
import itertools
import random
import threading
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from .clock import Clock
from .errors import Refused
from .json_types import Json

TEAM: Final = "T1"
OTHER_TEAM: Final = "T2"
APP: Final = "A1"
BOT_USER: Final = "UBOT"
BOT: Final = "BBOT"
TRIGGER_LIVES_S: Final = 3.0
RESPONSE_URL_LIVES_S: Final = 30 * 60.0
RESPONSE_URL_USES: Final = 5


@dataclass(slots=True, kw_only=True)
class User:
    """A member of the workspace, a guest, or somebody of another one."""

    id: str
    name: str
    team: str = TEAM
    is_admin: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_bot: bool = False
    deleted: bool = False

    def as_json(self) -> Json:
        """Give the user as `users.info` shows it."""
        return {
            "id": self.id,
            "team_id": self.team,
            "name": self.name,
            "deleted": self.deleted,
            "real_name": self.name.title(),
            "tz": "Europe/Berlin",
            "tz_offset": 3600,
            "profile": {"real_name": self.name.title(), "display_name": self.name},
            "is_admin": self.is_admin,
            "is_owner": False,
            "is_restricted": self.is_restricted,
            "is_ultra_restricted": self.is_ultra_restricted,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "is_stranger": self.team != TEAM,
            "updated": 1_700_000_000,
        }


@dataclass(slots=True, kw_only=True)
class Channel:
    """A conversation; its id's first letter says which kind."""

    id: str
    members: set[str]
    team: str = TEAM
    is_archived: bool = False
    is_ext_shared: bool = False
    locked_threads: set[str] = field(default_factory=set)
    messages: list[Json] = field(default_factory=list)

    @property
    def event_type(self) -> str:
        return {"C": "channel", "G": "group", "D": "im"}[self.id[0]]

    def as_json(self) -> Json:
        """Give the channel as `conversations.info` shows it."""
        direct = self.id[0] == "D"
        shown: Json = {
            "id": self.id,
            "created": 1_700_000_000,
            "is_archived": self.is_archived,
            "is_im": direct,
            "is_channel": self.id[0] == "C",
            "is_group": self.id[0] == "G",
            "is_mpim": False,
            "is_private": self.id[0] != "C",
            "is_ext_shared": self.is_ext_shared,
            "is_shared": self.is_ext_shared,
            "is_org_shared": False,
            "context_team_id": self.team,
        }
        if direct:
            return {**shown, "user": min(self.members - {BOT_USER})}
        return {**shown, "name": self.id.lower(), "is_member": BOT_USER in self.members}


class Shown(NamedTuple):
    """A view that the app opened, updated, pushed or published."""

    method: str
    user: str
    view: Json


@dataclass(slots=True, kw_only=True)
class Trigger:
    user: str
    expires: float
    used: bool = False
    forced: bool = False


@dataclass(slots=True, kw_only=True)
class ResponseUrl:
    channel: str
    user: str
    expires: float
    source: Json | None = None
    uses: int = 0


class Workspace:
    """The state of the stand-in. `lock` guards all of it."""

    def __init__(self, *, clock: Clock, dice: random.Random, began: int) -> None:
        self.clock = clock
        self.dice = dice
        self.lock = threading.RLock()
        self.teams = {TEAM}
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.views: dict[str, Json] = {}
        self.view_users: dict[str, str] = {}
        self.shown: list[Shown] = []
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.ephemerals: list[Json] = []
        self.statuses: list[Json] = []
        self.prompts: list[Json] = []
        self.reactions: set[tuple[str, str, str]] = set()
        self.posts = 0  # messages that the app posted
        self._began = began
        self._counts = itertools.count(1)
        self._ids = itertools.count(1)

    def next_ts(self) -> str:
        """Give a time stamp that no other message has; each is later than the one before."""
        count = next(self._counts)
        return f"{self._began + count // 1000}.{count % 1000:03d}{100:03d}"

    def new_id(self, letter: str) -> str:
        return f"{letter}{next(self._ids):08d}"

    def user(self, user_id: str) -> User:
        try:
            return self.users[user_id]
        except KeyError:
            raise Refused("user_not_found") from None

    def channel(self, channel_id: str) -> Channel:
        """Find a channel; a user's id stands for the direct messages with that user."""
        if channel_id in self.users and channel_id != BOT_USER:
            return self.direct(channel_id)
        try:
            return self.channels[channel_id]
        except KeyError:
            raise Refused("channel_not_found") from None

    def direct(self, user_id: str) -> Channel:
        channel_id = f"D{user_id}"
        return self.channels.setdefault(
            channel_id, Channel(id=channel_id, members={user_id, BOT_USER})
        )

    def message(self, channel: Channel, ts: str) -> Json:
        for message in channel.messages:
            if message["ts"] == ts:
                return message
        raise Refused("message_not_found")

    def add_message(self, channel: Channel, message: Json) -> Json:
        """Store a message with a time stamp of its own; gives the stored one."""
        stored = {**message, "ts": self.next_ts()}
        parent = None
        if thread_ts := stored.get("thread_ts"):
            parent = self.message(channel, thread_ts)
            stored["parent_user_id"] = parent.get("user")
            parent["thread_ts"] = thread_ts
            parent["reply_count"] = parent.get("reply_count", 0) + 1
            parent["latest_reply"] = stored["ts"]
        channel.messages.append(stored)
        return stored

    def new_trigger(self, user: str, *, lives: float = TRIGGER_LIVES_S) -> str:
        number = next(self._ids)
        trigger_id = f"{number}.{self._began}.{self.dice.getrandbits(128):032x}"
        self.triggers[trigger_id] = Trigger(
            user=user, expires=self.clock.now() + lives, forced=lives <= 0
        )
        return trigger_id

    def use_trigger(self, trigger_id: str) -> Trigger:
        """Take a trigger, once.

        Raises:
            Refused: it was never issued, was used before, or is older than 3 s.
        """
        trigger = self.triggers.get(trigger_id)
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.used:
            raise Refused("exchanged_trigger_id")
        if self.clock.now() > trigger.expires:
            raise Refused("expired_trigger_id")
        trigger.used = True
        return trigger

    def new_response_url(self, channel: str, user: str, source: Json | None) -> str:
        """Give the path of a response_url; `source` is the message that held the button."""
        key = f"{self.dice.getrandbits(96):024x}"
        self.response_urls[key] = ResponseUrl(
            channel=channel,
            user=user,
            expires=self.clock.now() + RESPONSE_URL_LIVES_S,
            source=source,
        )
        return f"/response/{TEAM}/{key}"

    def snapshot(self, channel_id: str) -> list[Json]:
        """Give copies of a channel's messages, oldest first."""
        with self.lock:
            return copy.deepcopy(self.channel(channel_id).messages)
