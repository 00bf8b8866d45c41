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
from bot.incoming import Accepted, Incoming
from bot.metrics import Figures, Metrics
from bot.slack.answering import Answerer, Desks
from bot.slack.background import Background
from bot.slack.changes import Changes
from bot.slack.client import web_client
from bot.slack.delivery import Delivery
from bot.slack.interactions import Interactions
from bot.slack.listeners import Questions, register
from bot.slack.notices import busy_message, failure_message, status_texts, unshared_message
from bot.slack.payloads import Person, read_person
from bot.slack.policy import People
from bot.slack.posting import Failed, Later, NotInstalled, Verdict, read_user
from bot.slack.reception import Reception
from bot.slack.refusing import Refuser
from bot.slack.workspaces import Workspaces
from bot.store import Store
from bot.wiring import today

logger = logging.getLogger(__name__)

_UNKNOWN = {"user_not_found", "user_not_visible"}
_NOT_NOW = {Verdict.LATER, Verdict.UNKNOWN, Verdict.STOP}
_WORKERS = 4  # the Desk takes one question at a time; the others ask Slack who asks


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackBot:
    """The Bolt app and the threads behind it."""

    app: App
    reception: Reception
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
        self.reception.close()
        self.delivery.drain()


def create_app(
    settings: Settings,
    desks: Desks,
    *,
    workspaces: Workspaces,
    store: Store,
    metrics: Metrics,
    on_stop: Callable[[str], None],
) -> SlackBot:
    """Build the bot; nothing runs before `start`.

    Args:
        workspaces: Who we are to Slack, and with which token.
        on_stop: Called with Slack's error code where no call can succeed any more.
    """
    client_for = workspaces.client_for

    def look_up(team: str, user: str) -> Person:
        return _look_up(workspaces, team, user, on_stop=on_stop)

    people, background = People(look_up), Background()
    answerer = Answerer(
        desks=desks,
        people=people,
        store=store,
        default=settings.channels,
        shown=settings.limit,
        today=today,
        show_status=lambda incoming, articles: background.soon(
            "status", lambda: _show_status(client_for(incoming.team), incoming, articles)
        ),
    )
    delivery = Delivery(
        store=store,
        answer=answerer,
        client_for=client_for,
        trouble=failure_message,
        unshared=unshared_message,
        metrics=metrics,
        bar=workspaces.bar,
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
    metrics.watch("untold_refusals", "Questions still to be told «busy»", store.count_untold)
    reception = make_reception(
        workspaces,
        store=store,
        figures=metrics,
        on_accepted=delivery.hear,
        on_stop=delivery.stop,
    )
    app = make_bolt(settings, workspaces)
    register(app, Questions(reception, store), interactions, on_removal=workspaces.remove)
    return SlackBot(
        app=app,
        reception=reception,
        delivery=delivery,
        background=background,
        changes=Changes(desks=desks, store=store, delivery=delivery),
    )


def make_reception(
    workspaces: Workspaces,
    *,
    store: Store,
    figures: Figures,
    on_accepted: Callable[[Accepted], None],
    on_stop: Callable[[str], None],
) -> Reception:
    """Build what takes questions in; see `Reception` and `Refuser` for the arguments."""
    refuser = Refuser(
        store=store,
        client_for=workspaces.client_for,
        busy=busy_message,
        figures=figures,
        clock=time.time,
        bar=workspaces.bar,
        on_stop=on_stop,
    )
    return Reception(
        store=store, refuser=refuser, figures=figures, on_accepted=on_accepted, clock=time.time
    )


def make_bolt(settings: Settings, workspaces: Workspaces) -> App:
    """Make Bolt's part from what is given here alone.

    Bolt reads SLACK_CLIENT_ID and others from the environment and then forgets the bot's token;
    with an `authorize` of our own it does not. It answers Slack after a listener has returned, so
    what a listener stores is stored before Slack is told.
    """
    secret = settings.signing_secret.get_secret_value() if settings.signing_secret else ""

    def authorize(team_id: str | None) -> AuthorizeResult | None:
        return workspaces.authorize(team_id or "")

    app = App(
        name="clippings",
        client=web_client(settings, token=None),
        signing_secret=secret,
        authorize=authorize,  # type: ignore[arg-type]  # None: Bolt drops the event
        process_before_response=True,
        attaching_conversation_kwargs_enabled=False,
        attaching_function_token_enabled=False,
    )
    app.error(_log_error)
    return app


def _log_error(error: Exception) -> BoltResponse:
    """Log what a listener raised by its kind: a traceback may quote what people wrote."""
    logger.error("listener_failed error=%s", type(error).__name__)
    return BoltResponse(status=500)


def _look_up(
    workspaces: Workspaces, team: str, user: str, *, on_stop: Callable[[str], None]
) -> Person:
    """Ask Slack who somebody is; whom it does not show to us is a stranger.

    Raises:
        Later: Slack does not say now.
        NotInstalled: it will not say in this workspace.
    """
    found = read_user(workspaces.client_for(team), user)
    if not isinstance(found, Failed):
        return read_person({"user": found.get("user")}, team=team)
    if found.code in _UNKNOWN:
        return read_person({}, team=team)
    if found.verdict is Verdict.STOP:
        if workspaces.bar(team, found.code):
            raise NotInstalled(team)
        on_stop(found.code)
    if found.verdict in _NOT_NOW:
        raise Later(found.after_s)
    raise SlackApiError("users.info", {"error": found.code})  # type: ignore[no-untyped-call]


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
