"""What Slack sends to the app, the acks it waits for, and what it sends again.

Events that are not acked within 3 s are sent again: at once, after a minute, after 5 minutes, each
time in a new envelope with the same event id; then they are given up. Commands and interactions are
never sent again. (docs.slack.dev/apis/events-api, reliability.md section 4.)
"""

import random
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from .clock import Clock
from .json_types import Json

Kind = Literal["events_api", "slash_commands", "interactive"]
ACK_WITHIN_S: Final = 3.0
RETRY_AFTER_S: Final = (0.0, 60.0, 300.0)


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One envelope on its way. Times are Slack's seconds."""

    kind: Kind
    payload: Json
    envelope_id: str
    attempt: int
    reason: str
    began: float
    connected: bool = True
    acked: float | None = None
    response: Json = field(default_factory=dict)

    @property
    def event_id(self) -> str:
        return str(self.payload.get("event_id", ""))

    @property
    def seconds(self) -> float | None:
        """From sending to ack."""
        return None if self.acked is None else self.acked - self.began

    @property
    def in_time(self) -> bool:
        return self.seconds is not None and self.seconds <= ACK_WITHIN_S


Send = Callable[[Delivery], bool]
OnAck = Callable[[Delivery], None]


class Deliveries:
    """Sends payloads to the app until they are acked.

    Args:
        send: Hands a delivery to the app; false if nobody is connected.
        on_ack: Told of each first ack, for the answers that acks carry.
        on_silence: Told of each command or interaction that a connected app did not ack in time.
        retry_after: Slack's seconds before each further attempt for an event.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        dice: random.Random,
        send: Send,
        on_ack: OnAck,
        on_silence: OnAck,
        retry_after: Sequence[float] = RETRY_AFTER_S,
    ) -> None:
        self.all: list[Delivery] = []
        self.given_up: list[Delivery] = []
        self.retry_after = tuple(retry_after)
        self._clock = clock
        self._dice = dice
        self._send = send
        self._on_ack = on_ack
        self._on_silence = on_silence
        self._open: dict[str, Delivery] = {}
        self._lock = threading.Lock()

    def start(self, kind: Kind, payload: Json, *, attempt: int = 0, reason: str = "") -> Delivery:
        """Send a payload for the first time, or as the given retry; returns at once."""
        delivery = Delivery(
            kind=kind,
            payload=payload,
            envelope_id=str(uuid.UUID(int=self._dice.getrandbits(128), version=4)),
            attempt=attempt,
            reason=reason,
            began=self._clock.now(),
        )
        with self._lock:
            self.all.append(delivery)
            self._open[delivery.envelope_id] = delivery
        delivery.connected = self._send(delivery)
        wait = ACK_WITHIN_S if delivery.connected else 0.0
        self._clock.after(wait, lambda: self._check(delivery))
        return delivery

    def ack(self, envelope_id: str, response: Json) -> bool:
        """Take an ack; false if the envelope is unknown or was acked before."""
        with self._lock:
            delivery = self._open.pop(envelope_id, None)
            if delivery is None:
                return False
            delivery.acked = self._clock.now()
            delivery.response = response
        self._on_ack(delivery)
        return True

    def unacked(self) -> list[Delivery]:
        with self._lock:
            return [each for each in self.all if each.acked is None]

    def _check(self, delivery: Delivery) -> None:
        """Send an event again if it was not acked in time."""
        if delivery.in_time:
            return
        if delivery.kind != "events_api":
            if delivery.connected:
                self._on_silence(delivery)
            return
        if delivery.attempt >= len(self.retry_after):
            self.given_up.append(delivery)
            return
        wait = self.retry_after[delivery.attempt]
        reason = "timeout" if delivery.connected else "connection_failed"
        self._clock.after(
            wait,
            lambda: self._again(delivery, reason),
        )

    def _again(self, delivery: Delivery, reason: str) -> None:
        if delivery.payload.get("event_id"):
            self.start(delivery.kind, delivery.payload, attempt=delivery.attempt + 1, reason=reason)
