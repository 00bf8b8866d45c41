"""/healthz, /readyz and /metrics on a port of this machine alone, for whoever watches the bot.

/healthz: the process is to be restarted unless it says 200. /readyz: it takes questions.
"""

import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar, Self

_PATIENCE_S = 5.0
_TEXT = "text/plain; charset=utf-8"
_FIGURES = "text/plain; version=0.0.4; charset=utf-8"


class HealthServer:
    """Listens on 127.0.0.1 from the beginning to `close`.

    Args:
        port: 0 chooses a free one; see `port`.
        is_alive, is_ready: Asked at each request; must not wait.
        figures: What /metrics shows.

    Raises (from `__init__`):
        OSError: the port is taken.
    """

    def __init__(
        self,
        *,
        port: int,
        is_alive: Callable[[], bool],
        is_ready: Callable[[], bool],
        figures: Callable[[], bytes],
    ) -> None:
        class Handler(_Handler):
            checks: ClassVar = {"/healthz": is_alive, "/readyz": is_ready}
            render = staticmethod(figures)

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def port(self) -> int:
        return self._server.server_port

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    checks: ClassVar[dict[str, Callable[[], bool]]]
    render: Callable[[], bytes]
    timeout = _PATIENCE_S
    server_version = "clippings"
    sys_version = ""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._say(HTTPStatus.OK, self.render(), _FIGURES)
        elif path not in self.checks:
            self._say(HTTPStatus.NOT_FOUND, b"not found\n", _TEXT)
        elif self.checks[path]():
            self._say(HTTPStatus.OK, b"ok\n", _TEXT)
        else:
            self._say(HTTPStatus.SERVICE_UNAVAILABLE, b"not now\n", _TEXT)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing: who watches asks often."""

    def _say(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
