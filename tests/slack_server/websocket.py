"""The server's half of RFC 6455, as far as Slack's Socket Mode needs it.

No extensions, no subprotocols. A client that breaks the protocol (an unmasked frame, a reserved
opcode, a fragmented control frame) is refused, as Slack would refuse it.
"""

import base64
import hashlib
import os
import socket
import struct
import threading
from collections.abc import Iterator
from typing import BinaryIO, Final

GUID: Final = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
LARGEST_FRAME: Final = 4 * 1024 * 1024


class ProtocolError(Exception):
    """The other side does not speak RFC 6455."""


def accept_key(key: str) -> str:
    """Give the `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key`.

    Raises:
        ProtocolError: the key is not 16 bytes in base64.
    """
    try:
        nonce = base64.b64decode(key, validate=True)
    except ValueError:
        raise ProtocolError("Sec-WebSocket-Key is not base64") from None
    if len(nonce) != 16:
        raise ProtocolError("Sec-WebSocket-Key is not 16 bytes long")
    return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()  # noqa: S324


def frame(opcode: int, payload: bytes) -> bytes:
    """Build one unmasked frame, as a server sends it."""
    head = bytes([0x80 | opcode])
    if len(payload) < 126:
        return head + bytes([len(payload)]) + payload
    if len(payload) < 1 << 16:
        return head + b"\x7e" + struct.pack("!H", len(payload)) + payload
    return head + b"\x7f" + struct.pack("!Q", len(payload)) + payload


class WebSocket:
    """A WebSocket after its handshake. One thread reads; any thread may send."""

    def __init__(self, connection: socket.socket, reader: BinaryIO) -> None:
        self._connection = connection
        self._reader = reader
        self._sending = threading.Lock()
        self._cut = False

    def send(self, opcode: int, payload: bytes) -> None:
        """Send one frame.

        Raises:
            OSError: the connection is gone.
        """
        if self._cut:
            raise BrokenPipeError("the connection was reset")
        with self._sending:
            self._connection.sendall(frame(opcode, payload))

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """Yield (opcode, payload) until the other side closes; fragments are put together.

        Raises:
            ProtocolError: the client breaks RFC 6455.
        """
        opcode, parts = CONTINUATION, b""
        while (read := self._frame()) is not None:
            final, code, payload = read
            if code >= CLOSE:
                if not final:
                    raise ProtocolError("a fragmented control frame")
                yield code, payload
                continue
            if (code == CONTINUATION) != (opcode != CONTINUATION):
                raise ProtocolError("a continuation of nothing, or a message in a message")
            opcode, parts = code or opcode, parts + payload
            if final:
                yield opcode, parts
                opcode, parts = CONTINUATION, b""

    def close(self) -> None:
        """Say goodbye and hang up."""
        try:
            self.send(CLOSE, struct.pack("!H", 1000))
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def reset(self) -> None:
        """Break the connection as a cut cable would: RST, no close frame."""
        self._cut = True  # the thread that reads wakes first, and would say goodbye
        reset(self._connection)

    def _frame(self) -> tuple[bool, int, bytes] | None:
        try:
            head = self._reader.read(2)
            if len(head) < 2:
                return None
            return self._rest(head)
        except (OSError, ValueError):
            return None

    def _rest(self, head: bytes) -> tuple[bool, int, bytes] | None:
        if head[0] & 0x70 or (head[0] & 0x0F) not in {0, 1, 2, 8, 9, 10}:
            raise ProtocolError("a reserved bit or opcode")
        if not head[1] & 0x80:
            raise ProtocolError("a client must mask its frames")
        length = head[1] & 0x7F
        if length == 126:
            length = struct.unpack("!H", self._reader.read(2))[0]
        elif length == 127:
            length = struct.unpack("!Q", self._reader.read(8))[0]
        if length > LARGEST_FRAME:
            raise ProtocolError("a frame that is too large")
        mask, masked = self._reader.read(4), self._reader.read(length)
        if len(mask) < 4 or len(masked) < length:
            return None
        key = (mask * (length // 4 + 1))[:length]
        plain = int.from_bytes(masked, "big") ^ int.from_bytes(key, "big")
        return bool(head[0] & 0x80), head[0] & 0x0F, plain.to_bytes(length, "big")


def reset(connection: socket.socket) -> None:
    """Close a TCP connection with RST."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RD)  # wakes the thread that reads
        os.close(connection.detach())  # close() would wait for its file object, and say FIN
    except OSError:
        pass
