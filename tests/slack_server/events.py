"""Events: what happens in the workspace, told to the app if it subscribed to it."""

import copy
import itertools
import time

from . import payloads
from .app import App
from .deliveries import Deliveries, Delivery
from .json_types import Json
from .workspace import BOT, BOT_USER, Channel, Workspace


class Events:
    """Sends events about the workspace.

    Args:
        origin: Where the stand-in listens, for the URLs in payloads.
        copies: How often each event is delivered.
        echo: Whether the app hears its own messages, as it does with Slack.
    """

    def __init__(
        self,
        *,
        space: Workspace,
        app: App,
        deliveries: Deliveries,
        origin: str,
        copies: int,
        echo: bool,
    ) -> None:
        self.space = space
        self.app = app
        self.deliveries = deliveries
        self.origin = origin
        self.copies = copies
        self.echo = echo
        self._event_numbers = itertools.count(1)

    def send_event(self, event: Json, *, channel: Channel | None = None) -> Delivery | None:
        """Send any event; None if the app did not subscribe to it."""
        name = event["type"]
        if name == "message":
            kinds = {"C": "channels", "G": "groups", "D": "im"}
            name = f"message.{kinds[str(event['channel'])[0]]}"
        if name not in self.app.events:
            return None
        number = next(self._event_numbers)
        payload = payloads.event_callback(
            event, event_id=f"Ev{number:08d}", event_time=int(time.time()), channel=channel
        )
        first = self.deliveries.start("events_api", payload)
        self.redeliver(first, self.copies - 1)
        return first

    def redeliver(self, delivery: Delivery, times: int = 1) -> None:
        """Deliver an event again though it may have been acked, as Slack now and then does."""
        for number in range(1, times + 1):
            self.deliveries.start("events_api", delivery.payload, attempt=number, reason="timeout")

    def tell_message(self, message: Json, place: Channel) -> None:
        """Tell of a new message; one with a mention has two events, with two ids."""
        mentions = f"<@{BOT_USER}>" in message["text"] and place.id[0] != "D"
        if mentions and message.get("bot_id") != BOT:
            self.send_event(payloads.mention_event(message, place), channel=place)
        self.send_event(payloads.message_event(message, place), channel=place)

    def tell_change(self, method: str, arguments: Json, result: Json) -> None:
        """Let the app hear what it did itself."""
        if not self.echo:
            return
        with self.space.lock:
            place = self.space.channel(arguments["channel"])
            ts = self.space.next_ts()
            message = copy.deepcopy(result.get("message", {"ts": result["ts"]}))
        if method == "chat.postMessage":
            event = payloads.message_event(message, place)
        elif method == "chat.update":
            event = payloads.changed_event(message, message, place, ts=ts)
        else:
            event = payloads.deleted_event({**message, "bot_id": BOT}, place, ts=ts)
        self.send_event(event, channel=place)
