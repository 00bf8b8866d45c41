"""SlackServer: the stand-in as a whole."""

import copy
import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Self, TypeVar

from . import acks, response_urls, signing
from .app import DEFAULT_MANIFEST, read_manifest
from .clock import Clock
from .deliveries import RETRY_AFTER_S, Deliveries, Delivery
from .errors import Refused
from .faults import Faults
from .json_types import Json
from .methods import RateLimits
from .people import People
from .server import HttpServer
from .socket_mode import SocketMode
from .web import Answer, Call, WebApi
from .workspace import BOT_USER, OTHER_TEAM, Channel, Shown, User, Workspace

_T = TypeVar("_T")
BOT_TOKEN: Final = "xoxb-test"  # noqa: S105
APP_TOKEN: Final = "xapp-test"  # noqa: S105
SIGNING_SECRET: Final = "8f742231b10e8888abcd99yyyzzz85a5"  # noqa: S105


class SlackServer(People):
    """A workspace with a few people and channels, and one app.

    Args:
        manifest: The app's manifest; without one, all scopes and events the bot could want.
        seed: Of ids and dice.
        speed: Slack's seconds per real second.
        retry_after: Slack's seconds before each further delivery of an event without an ack.
        generosity: How many times what Slack's rate limits allow is allowed.
        request_url: In HTTP mode, where the app listens; without it, Socket Mode.
        copies: How often each event is delivered.
        echo: Whether the app hears its own messages, as it does with Slack.
    """

    def __init__(
        self,
        *,
        manifest: Json = DEFAULT_MANIFEST,
        seed: int = 0,
        speed: float = 1.0,
        retry_after: Sequence[float] = RETRY_AFTER_S,
        generosity: float = 1.0,
        request_url: str | None = None,
        copies: int = 1,
        echo: bool = True,
    ) -> None:
        self.bot_token, self.app_token, self.bot_user = BOT_TOKEN, APP_TOKEN, BOT_USER
        self.signing_secret = SIGNING_SECRET
        app = read_manifest(manifest)
        dice = _dice(seed)
        clock = Clock(speed)
        self.request_url = request_url
        self.clock = clock
        self.faults = Faults(_dice(seed + 1))
        self.sockets = SocketMode(clock=clock, dice=_dice(seed + 2))
        self.limits = RateLimits(clock, generosity=generosity)
        self._http = HttpServer(
            call=lambda *call: self._tell_waiters(self.web.answer(*call)),
            respond=self._respond,
            admits=self.sockets.admits,
            serve_socket=lambda socket: self.sockets.serve(socket, self.deliveries),
        )
        self._changes = threading.Condition()
        super().__init__(
            space=Workspace(clock=clock, dice=dice, began=int(time.time())),
            app=app,
            deliveries=Deliveries(
                clock=clock,
                dice=_dice(seed + 3),
                send=self._send,
                on_ack=self._take_ack,
                on_silence=self._note_silence,
                retry_after=retry_after,
            ),
            origin=f"http://127.0.0.1:{self._http.port}",
            copies=copies,
            echo=echo,
        )
        self.web = WebApi(
            self.space,
            bot_token=BOT_TOKEN,
            app_token=APP_TOKEN,
            scopes=self.app.scopes,
            limits=self.limits,
            faults=self.faults,
            on_change=self.tell_change,
            open_connection=self._socket_url,
        )
        self._settle()
        self._http.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # What the app must be told.

    @property
    def api_url(self) -> str:
        return f"{self.origin}/api/"

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which the app finds the stand-in."""
        return {
            "SLACK_API_URL": self.api_url,
            "SLACK_BOT_TOKEN": self.bot_token,
            **(
                {"SLACK_SIGNING_SECRET": self.signing_secret}
                if self.request_url
                else {"SLACK_APP_TOKEN": self.app_token}
            ),
        }

    # What there is.

    @property
    def violations(self) -> list[Json]:
        return self.web.violations

    @property
    def ephemerals(self) -> list[Json]:
        with self.space.lock:
            return copy.deepcopy(self.space.ephemerals)

    @property
    def views(self) -> list[Shown]:
        """All views that were opened, updated, pushed or published, in order."""
        with self.space.lock:
            return list(self.space.shown)

    def messages(self, channel: str) -> list[Json]:
        """Give a channel's messages, oldest first, with their metadata."""
        return self.space.snapshot(channel)

    def replies(self, channel: str, ts: str) -> list[Json]:
        """Give the app's messages in a thread."""
        return [
            each
            for each in self.messages(channel)
            if each.get("thread_ts") == ts and each.get("bot_id")
        ]

    def calls(self, method: str) -> list[Call]:
        """Give the calls of a method that were received, refused ones too."""
        return [call for call in list(self.web.calls) if call.method == method]

    def wait_for(self, predicate: Callable[[], object], timeout: float = 10.0) -> bool:
        """Wait (real seconds) until something is so."""
        end = time.monotonic() + timeout
        while not predicate():
            with self._changes:
                left = end - time.monotonic()
                if left <= 0:
                    return bool(predicate())
                self._changes.wait(min(left, 0.05))
        return True

    def wait_until_connected(self, timeout: float = 30.0, *, at_least: int = 1) -> bool:
        return self.sockets.wait_for_connection(timeout, at_least=at_least)

    def add_user(self, user: User) -> None:
        self.space.users[user.id] = user
        self.space.direct(user.id)

    def add_channel(self, channel: Channel) -> None:
        self.space.channels[channel.id] = channel

    def uninstall(self, team: str) -> None:
        """Remove the app from a workspace: its token is void, and the app is told twice."""
        self.web.consents.revoke(team)
        for event in (
            {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [BOT_USER]}},
            {"type": "app_uninstalled"},
        ):
            self.send_event(event, channel=Channel(id="C0", members=set(), team=team))

    def stop(self) -> None:
        """Hang up and free the port."""
        self.sockets.close()
        self.clock.stop()
        self._http.stop()

    def _settle(self) -> None:
        """Let a few people move in."""
        for name in ("U1", "U2", "U3", "U4"):
            self.add_user(User(id=name, name=name.lower()))
        self.add_user(User(id="UADMIN", name="ada", is_admin=True))
        self.add_user(User(id="UGUEST", name="gus", is_restricted=True))
        self.add_user(User(id="USINGLE", name="sam", is_ultra_restricted=True))
        self.add_user(User(id="USTRANGER", name="sue", team=OTHER_TEAM))
        self.add_user(User(id="UROBOT", name="rob", is_bot=True))
        self.space.users[BOT_USER] = User(id=BOT_USER, name="clippings", is_bot=True)
        everybody = set(self.space.users)
        for number in range(1, 10):
            self.add_channel(Channel(id=f"C{number}", members=set(everybody)))
        self.add_channel(Channel(id="G1", members=set(everybody)))
        self.add_channel(Channel(id="CSHARED", members=set(everybody), is_ext_shared=True))
        self.add_channel(Channel(id="COUTSIDE", members=everybody - {BOT_USER}))
        self.add_channel(Channel(id="CARCHIVED", members=set(everybody), is_archived=True))

    def _socket_url(self) -> str:
        return f"ws://127.0.0.1:{self._http.port}/link?ticket={self.sockets.ticket()}"

    def _send(self, delivery: Delivery) -> bool:
        if self.request_url is None:
            return self.sockets.send(delivery)
        threading.Thread(target=self._push, args=(delivery,), daemon=True).start()
        return True

    def _push(self, delivery: Delivery) -> None:
        """Deliver in HTTP mode; any answer but 2xx is no ack."""
        answer = signing.deliver(
            str(self.request_url), self.signing_secret, delivery, speed=self.clock.speed
        )
        if answer is not None:
            self.deliveries.ack(delivery.envelope_id, answer)

    def _take_ack(self, delivery: Delivery) -> None:
        """Do what an ack's payload asks for."""
        try:
            with self.space.lock:
                acks.carry_out(self.space, delivery)
        except Refused as refused:
            self.web.violate(f"ack of {delivery.kind}", refused.error, delivery.response)
        self._tell_waiters(None)

    def _note_silence(self, delivery: Delivery) -> None:
        """The user sees «operation_timeout»; that is the app's mistake."""
        self.web.violate(delivery.kind, "operation_timeout", {})

    def _respond(self, key: str, body: bytes) -> Answer:
        fault = self.faults.pick("response_url", {})
        if fault is not None and fault.error:
            return _refusal(fault.error)
        try:
            with self.space.lock:
                response_urls.respond(self.space, key, body)
        except Refused as refused:
            self.web.violate("response_url", refused.error, {}, refused.more)
            return _refusal(refused.error)
        return self._tell_waiters(Answer(status=200, body=b"ok", headers={}))

    def _tell_waiters(self, answer: _T) -> _T:
        with self._changes:
            self._changes.notify_all()
        return answer


def _dice(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - it must repeat, not surprise


def _refusal(error: str) -> Answer:
    body = json.dumps({"ok": False, "error": error}).encode()
    return Answer(status=404, body=body, headers={"Content-Type": "application/json"})
