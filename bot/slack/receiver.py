"""Socket Mode: the reception in a process of its own.

To answer takes all that one interpreter has. What comes in would wait for it and take time from it,
most of all where more is asked than can be answered. So the connection to Slack, the inbox and
«busy» have an interpreter to themselves. What is none of their business (clicks, modals, the Home)
goes to the bot's process, and its response back to Slack. Between the two is a pipe with JSON:

    reception → bot    {"notes": [...], "is_healthy": true}      what was counted and stored
                       {"ask": 7, "request": {...}}              an envelope for the bot
                       {"stop": "invalid_auth"}
    bot → reception    {"told": 7, "status": 200, "headers": {...}, "body": ""}
                       {"end": true}

The reception ends when it is told to or the bot is gone; where the reception is gone, the bot ends
too, and its supervisor starts both again. What was acknowledged is stored.
"""

import contextlib
import gc
import itertools
import json
import logging
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from typing import Any, Final

from slack_bolt import App, BoltResponse
from slack_bolt.adapter.socket_mode.internals import run_bolt_app
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.config import Settings
from bot.incoming import Accepted
from bot.metrics import Figures
from bot.slack.app import make_bolt, make_reception
from bot.slack.client import web_client
from bot.slack.listeners import Questions, register_questions
from bot.slack.logs import log_on_stderr
from bot.slack.socket import Socket
from bot.slack.workspaces import OneWorkspace
from bot.store import join_store

GONE: Final = "the reception ended"
_FLUSH_S = 0.05  # between one handful of notes and the next
_BEAT_S = 1.0  # between notes where there is nothing to note
_SILENT_S = 5.0  # without a note for so long, the reception is not healthy
_RESPONSE_S = 3.0  # for so long Slack waits
_END_S = 5.0
_THREADS = 8
_NOT_OURS = 404  # Bolt's status where no listener takes a request
_LOST = 503

_Said = dict[str, Any]  # what goes through the pipe

logger = logging.getLogger(__name__)


class Receiver:
    """The reception's process, as the bot's process sees it.

    Args:
        app: What answers all that asks no question.
        on_accepted: Called with what became of each event once it is stored.
        on_stop: Called with Slack's error code, or GONE, where only an end of the process helps.
    """

    def __init__(
        self,
        settings: Settings,
        us: OneWorkspace,
        app: App,
        *,
        figures: Figures,
        on_accepted: Callable[[Accepted], None],
        on_stop: Callable[[str], None],
    ) -> None:
        self._app = app
        self._figures = figures
        self._on_accepted = on_accepted
        self._on_stop = on_stop
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="receiver")
        self._sending = threading.Lock()
        self._said_at, self._is_healthy = 0.0, False
        # Not a fork: this process has threads, and models that the reception does not need.
        context = multiprocessing.get_context("spawn")
        self._pipe, self._theirs = context.Pipe()
        self._process = context.Process(
            target=receive, args=(settings, us.identity, self._theirs), name="reception"
        )

    @property
    def is_healthy(self) -> bool:
        return self._is_healthy and time.monotonic() - self._said_at < _SILENT_S

    def connect(self) -> None:
        # A signal is for the bot, which then tells the reception; a blocked one is inherited so.
        # What multiprocessing starts first lifts the block, so it is started before.
        resource_tracker.ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._theirs.close()
        threading.Thread(target=self._listen, name="receiver", daemon=True).start()

    def close(self) -> None:
        """Take nothing in any more; what comes after that Slack sends again."""
        self._on_stop = lambda _code: None
        self._send({"end": True})
        self._process.join(_END_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _listen(self) -> None:
        try:
            while True:
                self._hear(json.loads(self._pipe.recv_bytes()))
        except (EOFError, OSError):
            self._on_stop(GONE)

    def _hear(self, said: _Said) -> None:
        if "ask" in said:
            self._pool.submit(self._respond, said["ask"], said["request"])
        elif "stop" in said:
            self._on_stop(said["stop"])
        else:
            self._said_at, self._is_healthy = time.monotonic(), said["is_healthy"]
            for kind, *values in said["notes"]:
                self._note(kind, values)

    def _note(self, kind: str, values: Sequence[Any]) -> None:
        match kind:
            case "event":
                self._figures.saw_event(*values)
            case "call":
                self._figures.saw_call(*values)
            case "step":
                self._figures.took(*values)
            case "accepted":
                self._on_accepted(*values)

    def _respond(self, number: int, request: _Said) -> None:
        response = run_bolt_app(self._app, SocketModeRequest(**request))
        told = {"status": response.status, "headers": response.headers, "body": response.body}
        self._send({"told": number, **told})

    def _send(self, said: _Said) -> None:
        try:
            with self._sending:
                self._pipe.send_bytes(json.dumps(said).encode())
        except OSError as error:  # it is gone; `_listen` hears of it
            logger.warning("reception_not_told error=%s", type(error).__name__)


def receive(settings: Settings, us: AuthorizeResult, pipe: Connection) -> None:
    """Be the reception, until the bot says so or is gone."""
    log_on_stderr()
    bot = _Bot(pipe)
    workspace = OneWorkspace(web_client(settings, token=settings.bot_token), us)
    with join_store(settings.database, clock=time.time) as store:
        reception = make_reception(
            workspace, store=store, figures=bot, on_accepted=bot.accepted, on_stop=bot.stop
        )
        app = make_bolt(settings, workspace)
        register_questions(app, Questions(reception, store))

        def respond(request: SocketModeRequest) -> BoltResponse:
            response = run_bolt_app(app, request)
            return bot.respond(request) if response.status == _NOT_OURS else response

        token = settings.app_token.get_secret_value() if settings.app_token else ""
        client = web_client(settings, token=None)
        socket = Socket(respond, app_token=token, client=client, on_stop=bot.stop)
        gc.collect()
        gc.freeze()
        reception.start()
        socket.connect()
        bot.listen(is_healthy=lambda: socket.is_healthy and reception.is_running)
        socket.close()
        reception.close()


class _Bot:
    """The bot's process, as the reception sees it."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._sending = threading.Lock()
        self._notes: SimpleQueue[tuple[str | float, ...]] = SimpleQueue()
        self._numbers = itertools.count()
        self._asked: dict[int, Future[BoltResponse]] = {}

    # What the reception counts

    def saw_event(self, surface: str, result: str) -> None:
        self._notes.put(("event", surface, result))

    def saw_call(self, kind: str, code: str) -> None:
        self._notes.put(("call", kind, code))

    def took(self, step: str, seconds: float) -> None:
        self._notes.put(("step", step, seconds))

    def accepted(self, accepted: Accepted) -> None:
        self._notes.put(("accepted", accepted))

    def stop(self, code: str) -> None:
        self._send({"stop": code})

    def respond(self, request: SocketModeRequest) -> BoltResponse:
        """Have the bot respond to what is none of our business."""
        number, response = next(self._numbers), Future[BoltResponse]()
        self._asked[number] = response
        self._send({"ask": number, "request": vars(request)})
        try:
            return response.result(_RESPONSE_S)
        except TimeoutError:
            return BoltResponse(status=_LOST)
        finally:
            del self._asked[number]

    def listen(self, *, is_healthy: Callable[[], bool]) -> None:
        """Hear what the bot tells, until it says that this is the end, or is gone."""
        threading.Thread(target=self._tell, args=[is_healthy], name="notes", daemon=True).start()
        try:
            while "end" not in (told := json.loads(self._pipe.recv_bytes())):
                response = self._asked.get(told.pop("told"))
                if response is not None:
                    response.set_result(BoltResponse(**told))
        except (EOFError, OSError):
            return

    def _tell(self, is_healthy: Callable[[], bool]) -> None:
        """Tell what was noted: at once where it comes alone, in handfuls where it does not."""
        while True:
            notes = []
            with contextlib.suppress(Empty):
                notes.append(self._notes.get(timeout=_BEAT_S))
                while True:
                    notes.append(self._notes.get_nowait())
            self._send({"notes": notes, "is_healthy": is_healthy()})
            time.sleep(_FLUSH_S)

    def _send(self, said: _Said) -> None:
        """Tell the bot; where it is gone, `listen` ends by itself."""
        try:
            with self._sending:
                self._pipe.send_bytes(json.dumps(said).encode())
        except OSError:
            logger.warning("bot_not_told")
