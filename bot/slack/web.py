"""HTTP mode: Slack calls us. What can be wrong with a request is found before anything parses it.

What a browser opens (to install the bot) is one of a few pages, by its exact path.

Bolt 1.30.0 parses a body before it checks the signature: bodies that are no JSON raise, and a body
of any size lands in the log. The guard here lets through what Slack signed, and nothing else.
"""

import hashlib
import hmac
import io
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from slack_bolt import App
from slack_bolt.adapter.wsgi import SlackRequestHandler

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/slack/events"
MOST_BYTES = 1_000_000  # Slack's own events are some kilobytes
FRESH_S = 300  # as Slack asks: an older request is a replay
_THREADS = 16
_FINE, _NOT_SLACK = "200 OK", "401 Unauthorized"
_LENGTH = re.compile(r"[0-9]{1,7}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")

logger = logging.getLogger(__name__)


class Guard:
    """Lets a request of Slack's through once, as it is, and answers all others itself.

    Args:
        clock: Seconds since the epoch.
        pages: What a browser may open, by path; such a request has no body.
    """

    def __init__(
        self,
        inner: "WSGIApplication",
        *,
        secret: str,
        clock: Callable[[], float],
        pages: "Mapping[str, WSGIApplication] | None" = None,
    ) -> None:
        self._inner = inner
        self._secret = secret.encode()
        self._clock = clock
        self._pages = dict(pages or {})
        self._lock = threading.Lock()
        self._seen: dict[str, float] = {}

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        page = self._pages.get(str(environ.get("PATH_INFO")))
        if page:
            if environ.get("REQUEST_METHOD") != "GET":
                return _refuse("405 Method Not Allowed", start_response)
            return page(environ, start_response)
        status, body = self._check(environ)
        if status != _FINE:
            return _refuse(status, start_response)
        signature = str(environ["HTTP_X_SLACK_SIGNATURE"])
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))

        def start(
            given: str, headers: list[tuple[str, str]], exc_info: object = None, /
        ) -> Callable[[bytes], object]:
            if not given.startswith("200"):
                self._forget(signature)  # Slack may send it again
            del exc_info
            return start_response(given, headers)

        return self._inner(environ, start)

    def _check(self, environ: "WSGIEnvironment") -> tuple[str, bytes]:
        """Give the status, and the body of a request that is Slack's."""
        wrong = _misfit(environ)
        if wrong:
            return wrong, b""
        timestamp = str(environ.get("HTTP_X_SLACK_REQUEST_TIMESTAMP") or "")
        signature = str(environ.get("HTTP_X_SLACK_SIGNATURE") or "")
        if not (_TIMESTAMP.fullmatch(timestamp) and _SIGNATURE.fullmatch(signature)):
            return _NOT_SLACK, b""
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        is_fresh = abs(self._clock() - int(timestamp)) <= FRESH_S
        is_signed = hmac.compare_digest(signature, self._sign(timestamp, body))
        return (_FINE if is_fresh and is_signed and self._is_new(signature) else _NOT_SLACK), body

    def _sign(self, timestamp: str, body: bytes) -> str:
        signed = b"v0:" + timestamp.encode() + b":" + body
        return "v0=" + hmac.new(self._secret, signed, hashlib.sha256).hexdigest()

    def _is_new(self, signature: str) -> bool:
        now = self._clock()
        with self._lock:
            # A signature can be replayed as long as its time is fresh, early or late.
            self._seen = {one: at for one, at in self._seen.items() if now - at <= 2 * FRESH_S}
            if signature in self._seen:
                return False
            self._seen[signature] = now
            return True

    def _forget(self, signature: str) -> None:
        with self._lock:
            self._seen.pop(signature, None)


class Web:
    """A server behind which the guard and Bolt stand."""

    def __init__(
        self,
        app: App,
        *,
        secret: str,
        host: str,
        port: int,
        pages: "Mapping[str, WSGIApplication] | None" = None,
    ) -> None:
        from waitress.server import create_server

        bolt = SlackRequestHandler(app, path=PATH)
        guard = Guard(bolt, secret=secret, clock=time.time, pages=pages)
        self._server = create_server(
            guard,
            host=host,
            port=port,
            threads=_THREADS,
            max_request_body_size=MOST_BYTES,
            max_request_header_size=16_384,
            channel_timeout=30,
            ident=None,
            clear_untrusted_proxy_headers=True,
        )
        self._thread = threading.Thread(target=self._server.run, name="web", daemon=True)

    @property
    def port(self) -> int:
        """The port that was chosen, where 0 was asked for."""
        return int(getattr(self._server, "effective_port", 0))

    def connect(self) -> None:
        self._thread.start()
        logger.info("listening port=%d", self.port)

    def close(self) -> None:
        """Finish what is being answered and take no more."""
        self._server.task_dispatcher.shutdown()
        self._server.close()

    @property
    def is_healthy(self) -> bool:
        return self._thread.is_alive()


def _misfit(environ: "WSGIEnvironment") -> str | None:
    """Give the status for a request that needs no reading to be refused."""
    length = str(environ.get("CONTENT_LENGTH") or "")
    if environ.get("PATH_INFO") != PATH:
        return "404 Not Found"
    if environ.get("REQUEST_METHOD") != "POST":
        return "405 Method Not Allowed"
    if not _LENGTH.fullmatch(length):
        return "411 Length Required"
    return "413 Content Too Large" if int(length) > MOST_BYTES else None


def _refuse(status: str, start_response: "StartResponse") -> Iterable[bytes]:
    said = status.partition(" ")[2].encode()
    start_response(status, [("content-type", "text/plain"), ("content-length", str(len(said)))])
    return [said]
