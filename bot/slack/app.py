"""`create_app` puts the bot together. Importing this module has no effects."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from slack_bolt import App, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.config import Settings
from bot.incoming import Incoming
from bot.metrics import Metrics
from bot.slack.answering import Answerer, Desks
from bot.slack.background import Background
from bot.slack.changes import Changes
from bot.slack.delivery import Delivery
from bot.slack.interactions import Interactions
from bot.slack.listeners import Questions, register
from bot.slack.notices import busy_message, failure_message, status_texts
from bot.slack.payloads import Person, read_person
from bot.slack.policy import People
from bot.slack.posting import VERDICTS, Verdict
from bot.store import Store
from bot.wiring import today

logger = logging.getLogger(__name__)

_TIMEOUT_S = 10
_UNKNOWN = {"user_not_found", "user_not_visible"}
_WORKERS = 4  # the Desk takes one question at a time; the others ask Slack who asks


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackBot:
    """The Bolt app and the threads behind it."""

    app: App
    client: WebClient
    delivery: Delivery
    background: Background
    changes: Changes

    def start(self) -> None:
        self.delivery.start()
        self.changes.start()

    def drain(self) -> None:
        """Finish what is begun, for a short while; the rest stays in the store."""
        self.changes.stop()
        self.background.close()
        self.delivery.drain()


def create_app(
    settings: Settings,
    desks: Desks,
    *,
    us: AuthorizeResult,
    store: Store,
    metrics: Metrics,
    on_stop: Callable[[str], None],
) -> SlackBot:
    """Build the bot; nothing runs before `start`.

    Args:
        us: Who we are to Slack; see `identify`.
        on_stop: Called with Slack's error code where no call can succeed any more.
    """
    client = web_client(settings)

    def client_for(_team: str) -> WebClient:
        return client

    def look_up(team: str, user: str) -> Person:
        return _look_up(client_for(team), team, user, on_stop=on_stop)

    people, background = People(look_up), Background()
    answerer = Answerer(
        desks=desks,
        people=people,
        store=store,
        default=settings.channels,
        shown=settings.limit,
        today=today,
        show_status=lambda incoming, articles: background.soon(
            "status", lambda: _show_status(client, incoming, articles)
        ),
    )
    delivery = Delivery(
        store=store,
        answer=answerer,
        client_for=client_for,
        busy=busy_message(),
        trouble=failure_message,
        metrics=metrics,
        on_stop=on_stop,
        clock=time.time,
        workers=_WORKERS,
    )
    interactions = Interactions(
        answerer=answerer,
        background=background,
        client_for=client_for,
        default=settings.channels,
        delivery=delivery,
        desks=desks,
        people=people,
        store=store,
        clock=time.time,
    )
    app = _bolt(settings, client, us)
    register(app, Questions(delivery, store), interactions)
    return SlackBot(
        app=app,
        client=client,
        delivery=delivery,
        background=background,
        changes=Changes(desks=desks, store=store, delivery=delivery),
    )


def identify(settings: Settings) -> AuthorizeResult:
    """Ask Slack who we are.

    Raises:
        SlackApiError: Slack refuses the token.
    """
    client = web_client(settings)
    who = client.auth_test()
    return AuthorizeResult(
        enterprise_id=who.get("enterprise_id"),
        team_id=who.get("team_id"),
        bot_user_id=who.get("user_id"),
        bot_id=who.get("bot_id"),
        bot_token=client.token,
    )


def web_client(settings: Settings) -> WebClient:
    """Make a client that tries once: what became of a call, delivery finds out."""
    token = settings.bot_token.get_secret_value() if settings.bot_token else None
    return WebClient(token=token, base_url=settings.api_url, timeout=_TIMEOUT_S, retry_handlers=[])


def _bolt(settings: Settings, client: WebClient, us: AuthorizeResult) -> App:
    """Make Bolt's part from what is given here alone.

    Bolt reads SLACK_CLIENT_ID and others from the environment and then forgets the bot's token;
    with an `authorize` of our own it does not. It answers Slack after a listener has returned, so
    what a listener stores is stored before Slack is told.
    """
    secret = settings.signing_secret.get_secret_value() if settings.signing_secret else ""

    def authorize() -> AuthorizeResult:
        return us

    app = App(
        name="clippings",
        client=client,
        signing_secret=secret,
        authorize=authorize,
        process_before_response=True,
        attaching_conversation_kwargs_enabled=False,
    )
    app.error(_log_error)
    return app


def _log_error(error: Exception) -> BoltResponse:
    """Log what a listener raised by its kind: a traceback may quote what people wrote."""
    logger.error("listener_failed error=%s", type(error).__name__)
    return BoltResponse(status=500)


def _look_up(client: WebClient, team: str, user: str, *, on_stop: Callable[[str], None]) -> Person:
    """Ask Slack who somebody is; whom it does not show to us is a stranger."""
    try:
        return read_person({"user": client.users_info(user=user).get("user")}, team=team)
    except SlackApiError as error:
        code = str(error.response.get("error"))
        if code in _UNKNOWN:
            return read_person({}, team=team)
        if VERDICTS.get(code) is Verdict.STOP:
            on_stop(code)
        raise


def _show_status(client: WebClient, incoming: Incoming, articles: int) -> None:
    """Say that a search goes on; Slack takes that away when the answer is there."""
    if incoming.root is not None:
        status, *more = status_texts(articles)
        client.assistant_threads_setStatus(
            channel_id=incoming.channel,
            thread_ts=incoming.root,
            status=status,
            loading_messages=[status, *more],
        )
