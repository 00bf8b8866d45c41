"""Socket Mode: how events come in without an open port.

slack_sdk's client reconnects by itself but for three cases, measured on 3.47.0. When no pong ever
comes it believes a deaf socket to be alive: hence the watchdog. After `too_many_websockets` it
reconnects without a pause for ever: hence the pace. And where Slack refreshes a connection it reads
the new one up to 3 s late, which is too late for a command: hence `connect` here.
"""

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from slack_bolt import BoltResponse
from slack_bolt.adapter.socket_mode.internals import send_response
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.builtin.connection import Connection, ConnectionState
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.batch import Json
from bot.slack.payloads import is_chatter
from bot.slack.posting import VERDICTS, Verdict

PING_S = 3.0  # a lost connection is noticed within five pings: 15 s (10 s, Bolt's default, took 51)
DEAF_S = 4 * PING_S  # no pong for so long: the socket is deaf
HOPELESS_S = 300.0  # no pong for so long: the process ends, and its supervisor starts it again
DEAF: Final = "deaf"
_LONGEST_PAUSE_S = 60.0
_STABLE_S = 30.0  # a connection that lived so long makes up for earlier failures
_MOST_OF_CONTROL = 1_000  # characters of a «hello» or «disconnect»; what people send may be longer
_LINGER_S = 5.0  # how long a connection that was replaced is still read
_WORKERS = 16  # envelopes in hand at once; each waits for one commit

logger = logging.getLogger(__name__)


class Pace:
    """How long to wait before connecting again; none after a connection that was good."""

    def __init__(self, *, clock: Callable[[], float], spread: Callable[[], float]) -> None:
        self._clock = clock
        self._spread = spread  # in [0, 1): keeps bots that were cut off together apart
        self._tries = 0
        self._hello_at: float | None = None

    def heard_hello(self) -> None:
        self._hello_at = self._clock()

    def heard_disconnect(self, reason: str) -> None:
        """Slack refreshes connections every few hours: that is nobody's failure."""
        if self._hello_at is not None and reason in {"refresh_requested", "warning"}:
            self._tries = 0

    def next_pause(self) -> float:
        """Give the seconds to wait before the try that is about to be made."""
        if self._hello_at is not None and self._clock() - self._hello_at >= _STABLE_S:
            self._tries = 0
        self._hello_at = None
        self._tries += 1
        if self._tries == 1:
            return 0.0
        longest = min(_LONGEST_PAUSE_S, 2.0 ** (self._tries - 1))
        return longest * (0.5 + self._spread() / 2)


class Socket:
    """A connection to Slack that is kept up until it is closed.

    Args:
        respond: From what Slack sends to what it is told; status 200 alone acknowledges.
        client: Without a token; it asks Slack where to connect.
        on_stop: Called with Slack's error code, or DEAF, where only an end of the process helps.
    """

    def __init__(
        self,
        respond: Callable[[SocketModeRequest], BoltResponse],
        *,
        app_token: str,
        client: WebClient,
        on_stop: Callable[[str], None],
    ) -> None:
        self._respond = respond
        self._on_stop = on_stop
        self._closed = threading.Event()
        self._client = _PatientClient(
            app_token, client, closed=self._closed, on_stop=on_stop, handle=self._handle
        )
        self._watchdog = threading.Thread(target=self._watch, name="socket-watchdog", daemon=True)

    def connect(self) -> None:
        """Connect; a failure is tried again in the background."""
        try:
            self._client.connect_to_new_endpoint()
        except (SlackApiError, OSError) as error:
            logger.warning("socket_failed error=%s", type(error).__name__)
            self._client.monitor()
        self._watchdog.start()

    def close(self) -> None:
        self._closed.set()
        self._client.close()

    @property
    def is_healthy(self) -> bool:
        """Whether Slack greeted us and answered a ping of late: «connected» alone says nothing."""
        return self._client.silent_s() < DEAF_S and self._client.is_greeted

    def _handle(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        response = self._respond(request)
        if response.status != 200:  # noqa: PLR2004 - not acknowledged: Slack sends it again
            logger.warning("not_acknowledged status=%d type=%s", response.status, request.type)
            return
        send_response(client, request, response, time.time())

    def _watch(self) -> None:
        while not self._closed.wait(1.0):
            silent_s = self._client.silent_s()
            if silent_s >= HOPELESS_S:
                logger.error("socket_hopeless silent_s=%.0f", silent_s)
                self._on_stop(DEAF)
                return
            if silent_s >= DEAF_S and self._client.is_connected():
                logger.warning("socket_deaf silent_s=%.0f", silent_s)
                self._client.disconnect()  # the client's own monitor connects anew


class _PatientClient(SocketModeClient):
    def __init__(
        self,
        app_token: str,
        client: WebClient,
        *,
        closed: threading.Event,
        on_stop: Callable[[str], None],
        handle: Callable[[BaseSocketModeClient, SocketModeRequest], None],
    ) -> None:
        self._pace = Pace(clock=time.monotonic, spread=random.random)
        self._closed = closed
        self._on_stop = on_stop
        self._turn = threading.Lock()  # one thread connects; the others find it done
        self._heard_at = time.monotonic()
        self._last_pong: tuple[str | None, float | None] = (None, None)
        self.is_greeted = False
        super().__init__(
            app_token,
            logger=logging.getLogger("slack_sdk.socket_mode"),
            web_client=client,
            ping_interval=PING_S,
            receive_buffer_size=16_384,
            concurrency=_WORKERS,
        )
        self.socket_mode_request_listeners.append(handle)

    def silent_s(self) -> float:
        """Give the seconds since the last pong; a clock that is set does not change them."""
        session = self.current_session
        pong = (session.session_id, session.last_ping_pong_time) if session else (None, None)
        if pong[1] is not None and pong != self._last_pong:
            self._last_pong, self._heard_at = pong, time.monotonic()
        return time.monotonic() - self._heard_at

    def monitor(self) -> None:
        """Ping, and connect where there is no connection, from now on."""
        if not self.current_app_monitor_started:
            self.current_app_monitor_started = True
            self.current_app_monitor.target = self._connect_if_needed
            self.current_app_monitor.start()

    def enqueue_message(self, message: str) -> None:
        """Hear what is said about the connection before the client acts on it.

        What is for nobody is acknowledged here: Bolt would look through all listeners for it.
        """
        self._hear(_control(message))
        envelope_id = _chatter(message)
        if envelope_id is None:
            super().enqueue_message(message)
        else:
            self.send_socket_mode_response(SocketModeResponse(envelope_id=envelope_id))

    def connect_to_new_endpoint(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - as slack_sdk has it
        before = self.session_id()
        with self._turn:
            if self.is_connected() and (not force or self.session_id() != before):
                return
            pause = self._pace.next_pause()
            if pause:
                logger.warning("socket_waits pause_s=%.1f", pause)
            if not self._closed.wait(pause):
                super().connect_to_new_endpoint(force=force)

    def connect(self) -> None:
        """Replace the connection by one that is read at once; the old one is read to its end."""
        ending = threading.Event()

        def hear(message: str) -> None:
            if _control(message).get("type") == "disconnect":
                # A connection is replaced once, and that a replaced one ends is no news.
                if ending.is_set() or session is not self.current_session:
                    return
                ending.set()
            self._on_message(message)

        self.wss_uri = self.wss_uri or self.issue_new_wss_url()
        session = Connection(
            url=self.wss_uri,
            logger=self.logger,
            ping_interval=self.ping_interval,
            receive_buffer_size=self.receive_buffer_size,
            proxy=self.proxy,
            proxy_headers=self.proxy_headers,
            on_message_listener=hear,
            on_error_listener=self._on_error,
            on_close_listener=self._on_close,
            ssl_context=self.web_client.ssl,
        )
        session.connect()
        if not session.is_active():
            raise ConnectionError("the handshake failed")
        old, old_state = self.current_session, self.current_session_state
        self.is_greeted = False
        self.current_session, self.current_session_state = session, ConnectionState()  # type: ignore[no-untyped-call]
        _in_background(session.run_until_completion, self.current_session_state)
        if old is not None:
            _in_background(_retire, old, old_state)
        self.monitor()

    def issue_new_wss_url(self) -> str:
        try:
            return super().issue_new_wss_url()
        except SlackApiError as error:
            code = str(error.response.get("error"))
            if VERDICTS.get(code) is Verdict.STOP:
                self._on_stop(code)
            raise

    def _run_current_session(self) -> None:
        """Read nothing here: each connection has a thread of its own; see `connect`."""

    def _connect_if_needed(self) -> None:
        try:
            if self.current_session is not None:
                self._monitor_current_session()  # type: ignore[no-untyped-call]
            else:
                self.connect_to_new_endpoint()
        except (SlackApiError, OSError) as error:
            logger.warning("socket_failed error=%s", type(error).__name__)

    def _hear(self, said: Mapping[str, Json]) -> None:
        if said.get("type") == "hello":
            self.is_greeted = True
            self._heard_at = time.monotonic()
            self._pace.heard_hello()
            connections = said.get("num_connections")
            logger.info("socket_greeted connections=%s", connections)
        elif said.get("type") == "disconnect":
            reason = str(said.get("reason"))
            logger.info("socket_refreshed reason=%.40s", reason)
            self._pace.heard_disconnect(reason)


def _control(message: str) -> Mapping[str, Json]:
    """Read what is said about the connection itself; nothing of what people say."""
    if len(message) >= _MOST_OF_CONTROL or '"envelope_id"' in message:
        return {}
    return _object(message)


def _chatter(message: str) -> str | None:
    """Give the envelope of what people in a channel write to each other; None for all else."""
    if '"message"' not in message:
        return None
    said = _object(message)
    payload, envelope_id = said.get("payload"), said.get("envelope_id")
    if said.get("type") != "events_api" or not isinstance(payload, dict):
        return None
    return envelope_id if isinstance(envelope_id, str) and is_chatter(payload) else None


def _object(message: str) -> Mapping[str, Json]:
    """Read a JSON object; what is none is an empty one."""
    try:
        said = json.loads(message)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _retire(session: Connection, state: ConnectionState) -> None:
    """Let Slack finish with a connection that was replaced, and close it."""
    ends = time.monotonic() + _LINGER_S
    while session.is_active() and time.monotonic() < ends:
        time.sleep(0.1)
    state.terminated = True
    session.close()


def _in_background(work: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=work, args=arguments, name="socket", daemon=True).start()
