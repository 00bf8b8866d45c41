"""An app without Bolt: as little as can speak Socket Mode, and misbehave on order."""

import contextlib
import json
import os
import socket
import struct
import threading
from collections.abc import Callable
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from .json_types import Json
from .slack import SlackServer
from .websocket import CLOSE, PING, PONG, TEXT

Answer = Callable[[Json], Json | None]


def ack(_envelope: Json) -> Json:
    """Ack without a payload."""
    return {}


def silent(_envelope: Json) -> None:
    """Ack nothing."""


class RawApp:
    """One WebSocket to the stand-in.

    Args:
        answer: Gives the payload of an envelope's ack, or None for no ack.
    """

    def __init__(self, slack: SlackServer, answer: Answer = ack) -> None:
        self.heard: list[Json] = []
        self.frames: list[int] = []
        self.ended = threading.Event()
        self._answer = answer
        url = urlsplit(open_url(slack))
        self._socket = socket.create_connection((url.hostname, url.port), timeout=10)
        self._reader = self._socket.makefile("rb")
        self.status = self._shake_hands(f"{url.path}?{url.query}")
        self._thread = threading.Thread(target=self._run, daemon=True)
        if self.status == 101:
            self._thread.start()

    def envelopes(self) -> list[Json]:
        return [each for each in list(self.heard) if "envelope_id" in each]

    def send(self, opcode: int, payload: bytes) -> None:
        """Send a masked frame."""
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))
        length = len(payload)
        head = bytes([0x80 | opcode])
        if length < 126:
            head += bytes([0x80 | length])
        elif length < 1 << 16:
            head += b"\xfe" + struct.pack("!H", length)
        else:
            head += b"\xff" + struct.pack("!Q", length)
        self.send_raw(head + mask + masked)

    def send_raw(self, data: bytes) -> None:
        self._socket.sendall(data)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.send(CLOSE, struct.pack("!H", 1000))
            self._socket.shutdown(socket.SHUT_RDWR)
        if self.status == 101:
            self._thread.join(5)
        self._reader.close()
        self._socket.close()

    def _shake_hands(self, target: str) -> int:
        self._socket.sendall(
            f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        status = int(self._reader.readline().split()[1])
        while self._reader.readline().strip():
            pass
        return status

    def _run(self) -> None:
        try:
            while (frame := self._frame()) is not None:
                self._take(*frame)
        except OSError:
            pass
        self.ended.set()

    def _take(self, opcode: int, payload: bytes) -> None:
        self.frames.append(opcode)
        if opcode == PING:
            self.send(PONG, payload)
        if opcode != TEXT:
            return
        message = json.loads(payload)
        self.heard.append(message)
        if "envelope_id" in message and (answer := self._answer(message)) is not None:
            reply = {"envelope_id": message["envelope_id"], "payload": answer}
            self.send(TEXT, json.dumps(reply).encode())

    def _frame(self) -> tuple[int, bytes] | None:
        head = self._reader.read(2)
        if len(head) < 2:
            return None
        length = head[1] & 0x7F
        if length == 126:
            length = struct.unpack("!H", self._reader.read(2))[0]
        elif length == 127:
            length = struct.unpack("!Q", self._reader.read(8))[0]
        return head[0] & 0x0F, self._reader.read(length)


def open_url(slack: SlackServer) -> str:
    """Ask for a WebSocket's URL."""
    request = Request(  # noqa: S310 - the stand-in's own address
        f"{slack.api_url}apps.connections.open",
        data=b"",
        headers={"Authorization": f"Bearer {slack.app_token}"},
    )
    with urlopen(request, timeout=10) as response:  # noqa: S310
        return str(json.loads(response.read())["url"])
