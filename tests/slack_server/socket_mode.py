"""Socket Mode: tickets, connections, envelopes, and the ways a connection ends."""

import json
import random
import threading
import uuid
from typing import Final, Literal

from .clock import Clock
from .deliveries import Deliveries, Delivery
from .json_types import Json
from .websocket import CLOSE, PING, PONG, TEXT, ProtocolError, WebSocket
from .workspace import APP

MOST_CONNECTIONS: Final = 10
# How long a connection lives on after Slack asked for a new one.
LINGERS_S: Final = 10.0
Reason = Literal["warning", "refresh_requested", "too_many_websockets", "link_disabled"]


class Connection:
    """One WebSocket of the app."""

    def __init__(self, socket: WebSocket, number: int) -> None:
        self.socket = socket
        self.number = number
        self.takes_envelopes = True
        self.is_ending = False
        self.deaf = False

    def send(self, message: Json) -> bool:
        """Send a message; false if the connection is gone."""
        if self.deaf:
            return True
        try:
            self.socket.send(TEXT, json.dumps(message, ensure_ascii=False).encode())
        except OSError:
            return False
        return True


class SocketMode:
    """The connections that are open. Each envelope goes to one of them, whichever."""

    def __init__(self, *, clock: Clock, dice: random.Random) -> None:
        self.opened = 0
        self.breaches: list[str] = []
        self._clock = clock
        self._dice = dice
        self._tickets: set[str] = set()
        self._connections: list[Connection] = []
        self._changed = threading.Condition()

    @property
    def connections(self) -> int:
        with self._changed:
            return len(self._connections)

    def ticket(self) -> str:
        """Issue a ticket, good for one connection."""
        ticket = str(uuid.UUID(int=self._dice.getrandbits(128), version=4))
        self._tickets.add(ticket)
        return ticket

    def admits(self, ticket: str) -> bool:
        """Take a ticket, once."""
        if ticket not in self._tickets:
            return False
        self._tickets.remove(ticket)
        return True

    def serve(self, socket: WebSocket, deliveries: Deliveries) -> None:
        """Speak with one connection until it ends; called in a thread of its own."""
        connection = self._admit(socket)
        if connection is None:
            return
        try:
            for opcode, payload in socket.frames():
                if connection.deaf:
                    continue
                if opcode == PING:
                    socket.send(PONG, payload)
                elif opcode == TEXT:
                    self._read(payload, deliveries)
                elif opcode == CLOSE:
                    break
        except ProtocolError as error:
            self.breaches.append(str(error))
        except OSError:
            pass
        finally:
            self._forget(connection)
            socket.close()

    def send(self, delivery: Delivery) -> bool:
        """Hand an envelope to one of the connections; false if there is none."""
        envelope = {
            "envelope_id": delivery.envelope_id,
            "payload": delivery.payload,
            "type": delivery.kind,
            "accepts_response_payload": delivery.kind != "events_api",
        }
        if delivery.kind == "events_api":
            envelope |= {"retry_attempt": delivery.attempt, "retry_reason": delivery.reason}
        with self._changed:
            able = [each for each in self._connections if each.takes_envelopes]
        self._dice.shuffle(able)
        return any(connection.send(envelope) for connection in able)

    def disconnect(self, reason: Reason, *, lingers: float = LINGERS_S) -> None:
        """Ask each open connection to be replaced, once, and close it later.

        With «warning» Slack announces the end only; with the others the client must connect anew.
        Until it closes, an old connection still gets envelopes, as it does with Slack.
        """
        with self._changed:
            present = [each for each in self._connections if not each.is_ending]
        for connection in present:
            self._end(connection, reason, lingers)

    def half_open(self) -> None:
        """Let all open connections be silent: nothing is sent, nothing read counts."""
        with self._changed:
            for connection in self._connections:
                connection.deaf = True

    def reset(self) -> None:
        """Cut all open connections with RST."""
        with self._changed:
            present = list(self._connections)
        for connection in present:
            self._forget(connection)
            connection.socket.reset()

    def wait_for_connection(self, timeout: float, *, at_least: int = 1) -> bool:
        """Wait (real seconds) until so many connections are open that are not deaf."""
        with self._changed:
            return self._changed.wait_for(
                lambda: sum(not each.deaf for each in self._connections) >= at_least, timeout
            )

    def close(self) -> None:
        with self._changed:
            present, self._connections = self._connections, []
        for connection in present:
            connection.socket.close()

    def _admit(self, socket: WebSocket) -> Connection | None:
        with self._changed:
            if len(self._connections) >= MOST_CONNECTIONS:
                connection = Connection(socket, self.opened)
                connection.send(_goodbye("too_many_websockets", self.opened))
                socket.close()
                return None
            self.opened += 1
            connection = Connection(socket, self.opened)
            self._connections.append(connection)
            count = len(self._connections)
        connection.send(
            {
                "type": "hello",
                "num_connections": count,
                "debug_info": {"host": f"stand-in-{connection.number}"},
                "connection_info": {"app_id": APP},
            }
        )
        socket.send(PING, b"stand-in")
        with self._changed:
            self._changed.notify_all()
        return connection

    def _read(self, payload: bytes, deliveries: Deliveries) -> None:
        try:
            message = json.loads(payload)
            envelope_id = message["envelope_id"]
            answer = message.get("payload") or {}
        except (ValueError, KeyError, TypeError, AttributeError):
            self.breaches.append(f"not an ack: {payload[:80]!r}")
            return
        if not isinstance(answer, dict):
            answer = {"text": answer}
        deliveries.ack(envelope_id, answer)

    def _end(self, connection: Connection, reason: Reason, lingers: float) -> None:
        connection.is_ending = reason != "warning"
        connection.send(_goodbye(reason, connection.number))
        if reason in {"too_many_websockets", "link_disabled"}:
            connection.takes_envelopes = False
            lingers = 0.0
        self._clock.after(lingers, connection.socket.close)

    def _forget(self, connection: Connection) -> None:
        with self._changed:
            if connection in self._connections:
                self._connections.remove(connection)
            self._changed.notify_all()


def _goodbye(reason: Reason, number: int) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": f"stand-in-{number}"}}
