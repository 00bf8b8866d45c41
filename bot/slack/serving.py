"""`clippings slack`: open the desks, connect, answer until a signal or until Slack says no.

Exit codes: 0 after SIGTERM or Ctrl-C, 75 where the connection is lost for good (a supervisor starts
the bot again), 78 where Slack refuses the tokens (starting again would not help).
"""

import contextlib
import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

from pydantic import SecretStr
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.config import ConfigError, Settings, variable_of
from bot.desk import Desk
from bot.health import HealthServer
from bot.metrics import Metrics
from bot.progress import progress_on_stderr
from bot.screen import say
from bot.slack.answering import Desks
from bot.slack.app import SlackBot, create_app
from bot.slack.client import web_client
from bot.slack.installations import Installations, read_key
from bot.slack.logs import log_on_stderr
from bot.slack.oauth import Installer
from bot.slack.policy import Collection, read_collections
from bot.slack.posting import VERDICTS, Verdict
from bot.slack.receiver import Receiver
from bot.slack.web import Web
from bot.slack.workspaces import OneWorkspace, Workspaces, identify
from bot.store import Store, open_store
from bot.wiring import open_desk

ENDED, TRY_AGAIN, REFUSED = 0, 75, 78  # the latter two as sysexits.h: EX_TEMPFAIL, EX_CONFIG

logger = logging.getLogger(__name__)


class _Ending:
    """Why the process is to end, said once, from any thread."""

    def __init__(self) -> None:
        self.code: str | None = None
        self._happened = threading.Event()

    def happen(self, code: str) -> None:
        if not self._happened.is_set():
            self.code = code
            self._happened.set()

    def wait(self) -> str:
        while not self._happened.wait(1.0):  # in steps, so that signals are heard
            pass
        return self.code or ""


def serve(settings: Settings) -> int:
    """Run the bot and give the exit code.

    Raises:
        ConfigError: a setting that is needed is missing.
        ClippingsError: the index, the model or the database can not be used.
    """
    _check(settings)
    os.umask(0o077)
    log_on_stderr()
    ending = _Ending()
    try:
        one = None if settings.takes_installations else identify(settings)
    except SlackApiError as error:
        return _code(str(error.response.get("error")))
    except OSError as error:
        return _code(type(error).__name__)
    with contextlib.ExitStack() as stack:
        desks = stack.enter_context(_open_desks(settings))
        store = open_store(settings.database, clock=time.time)
        stack.callback(store.close)
        metrics, installer = Metrics(), None
        workspaces: Workspaces | None = one
        if workspaces is None:
            workspaces, installer = _workspaces(settings, store)
        bot = create_app(
            settings,
            desks,
            workspaces=workspaces,
            store=store,
            metrics=metrics,
            on_stop=ending.happen,
        )
        try:
            transport = (
                _receiver(settings, one, bot, metrics, ending.happen)
                if one and settings.http_port is None
                else _web(settings, bot, installer)
            )
            _serve_health(settings, stack, bot, transport, metrics)
        except OSError as error:
            raise ConfigError(
                f"can not listen: {error.strerror}. Choose another port: "
                f"{variable_of('http_port')}, {variable_of('health_port')}"
            ) from None
        with _signals(ending.happen):
            bot.start()
            transport.connect()
            say("Clippings is listening; Ctrl-C ends")
            reason = ending.wait()
            transport.close()
            bot.drain()
    return _code(reason)


def _check(settings: Settings) -> None:
    needed: tuple[str, ...] = ("bot_token", "app_token")
    if settings.http_port is not None:
        needed = ("bot_token", "signing_secret")
    if settings.takes_installations:
        needed = ("signing_secret", "client_secret", "token_key")
    missing = [variable_of(name) for name in needed if getattr(settings, name) is None]
    if missing:
        raise ConfigError(
            f"not set: {', '.join(missing)}. README.md says in five steps where to get them; put "
            "them into .env"
        )
    if settings.takes_installations and settings.token_key:
        read_key(settings.token_key)


def _workspaces(settings: Settings, store: Store) -> tuple[Installations, Installer]:
    """Give who installed the bot, and the pages that install it."""

    def client(token: SecretStr | None) -> WebClient:
        return web_client(settings, token=token)

    installations = Installations(
        store,
        client_id=settings.client_id or "",
        key=settings.token_key or SecretStr(""),
        client=client,
        clock=time.time,
    )
    return installations, Installer(settings, installations, store, client=client)


@contextlib.contextmanager
def _open_desks(settings: Settings) -> Iterator[Desks]:
    collections = read_collections(settings)
    with contextlib.ExitStack() as stack:
        desks = {one.name: stack.enter_context(_open_desk(settings, one)) for one in collections}
        for desk in desks.values():
            desk.warm()
        # What is loaded by now stays. To look through it for garbage stops all threads for 160 ms,
        # and with many questions in flight that was an eighth of all time.
        gc.collect()
        gc.freeze()
        yield Desks(collections, desks)


def _open_desk(settings: Settings, one: Collection) -> Desk:
    own = settings
    if settings.collections:
        own = settings.model_copy(update={"corpus": one.corpus, "index": one.index})
    with progress_on_stderr() as on_progress:
        return open_desk(own, on_progress=on_progress, say=say)


def _receiver(
    settings: Settings,
    us: OneWorkspace,
    bot: SlackBot,
    metrics: Metrics,
    on_stop: Callable[[str], None],
) -> Receiver:
    return Receiver(
        settings,
        us,
        bot.app,
        figures=metrics,
        on_accepted=bot.delivery.hear,
        on_stop=on_stop,
    )


def _web(settings: Settings, bot: SlackBot, installer: Installer | None) -> Web:
    secret = settings.signing_secret.get_secret_value() if settings.signing_secret else ""
    pages = installer.pages if installer else {}
    bot.reception.start()
    return Web(
        bot.app, secret=secret, host=settings.http_host, port=settings.http_port or 0, pages=pages
    )


def _serve_health(
    settings: Settings,
    stack: contextlib.ExitStack,
    bot: SlackBot,
    transport: Receiver | Web,
    metrics: Metrics,
) -> None:
    if settings.health_port is None:
        return
    health = HealthServer(
        port=settings.health_port,
        is_alive=lambda: bot.delivery.is_running,
        is_ready=lambda: bot.delivery.is_running and transport.is_healthy,
        figures=metrics.render,
    )
    stack.callback(health.close)
    logger.info("health port=%d", health.port)


@contextlib.contextmanager
def _signals(happen: Callable[[str], None]) -> Iterator[None]:
    """End well on SIGTERM and Ctrl-C; a second one ends at once."""
    kept = {}

    def hear(number: int, _frame: object) -> None:
        happen("signal")
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        kept[number] = signal.signal(number, hear)
    try:
        yield
    finally:
        for number, before in kept.items():
            signal.signal(number, before)


def _code(reason: str) -> int:
    if reason == "signal":
        return ENDED
    if VERDICTS.get(reason) is Verdict.STOP:
        return _refused(reason)
    say(f"Slack is out of reach: {reason}. Ending, so that a supervisor starts the bot again")
    return TRY_AGAIN


def _refused(code: str) -> int:
    say(
        f"Slack refuses the tokens: {code}. Check SLACK_BOT_TOKEN and SLACK_APP_TOKEN, and that "
        "the app is installed with the scopes of bot/manifest.json"
    )
    return REFUSED
