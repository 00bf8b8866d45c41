"""The stand-in's HTTP server: three kinds of paths on one local port."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from .web import Answer
from .websocket import ProtocolError, WebSocket, accept_key, reset

LARGEST_BODY = 4 * 1024 * 1024


class HttpServer(ThreadingHTTPServer):
    """Listens on 127.0.0.1, a port of the system's choice.

    Args:
        call: Answers POST /api/<method>: name, headers, body and query.
        respond: Answers POST /response/...
        admits: Says whether a WebSocket's ticket is good.
        serve_socket: Speaks with a WebSocket until it ends.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        *,
        call: Callable[..., Answer],
        respond: Callable[[str, bytes], Answer],
        admits: Callable[[str], bool],
        serve_socket: Callable[[WebSocket], None],
    ) -> None:
        self.call = call
        self.respond = respond
        self.admits = admits
        self.serve_socket = serve_socket
        super().__init__(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.05,), name="slack-http", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def stop(self) -> None:
        self.shutdown()
        self._thread.join(5)
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that were killed while they spoke."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm: ClassVar[bool] = True
    server: HttpServer

    def do_POST(self) -> None:
        if "Content-Length" not in self.headers:
            self._write(Answer(status=411, body=b"", headers={}))
            return
        length = int(self.headers["Content-Length"])
        if length > LARGEST_BODY:
            self._write(Answer(status=413, body=b"", headers={}))
            return
        body = self.rfile.read(length)
        if len(body) < length:
            # Who called was killed while it spoke: that is no call.
            self.close_connection = True
            return
        parts = urlsplit(self.path)
        if parts.path.startswith("/api/"):
            name = parts.path.removeprefix("/api/")
            self._write(self.server.call(name, self.headers, body, parts.query))
        elif parts.path.startswith("/response/"):
            self._write(self.server.respond(parts.path.rsplit("/", 1)[-1], body))
        else:
            self._write(Answer(status=404, body=b"not found", headers={}))

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path.startswith("/api/"):
            name = parts.path.removeprefix("/api/")
            self._write(self.server.call(name, self.headers, b"", parts.query))
        elif parts.path == "/link":
            self._open_socket(parse_qs(parts.query).get("ticket", [""])[0])
        else:
            self._write(Answer(status=404, body=b"not found", headers={}))

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""

    def _open_socket(self, ticket: str) -> None:
        upgrade = self.headers.get("Upgrade", "").lower() == "websocket"
        version = self.headers.get("Sec-WebSocket-Version") == "13"
        try:
            accept = accept_key(self.headers.get("Sec-WebSocket-Key", ""))
        except ProtocolError:
            accept = ""
        if not (upgrade and version and accept):
            self._write(Answer(status=400, body=b"not a WebSocket", headers={}))
            return
        if not self.server.admits(ticket):
            self._write(Answer(status=401, body=b"no such ticket", headers={}))
            return
        self.send_response(101, "Switching Protocols")
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept)
        self.end_headers()
        self.close_connection = True
        self.server.serve_socket(WebSocket(self.connection, self.rfile))

    def _write(self, answer: Answer) -> None:
        if answer.reset:
            self.close_connection = True
            reset(self.connection)
            return
        body = answer.body or b""
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
