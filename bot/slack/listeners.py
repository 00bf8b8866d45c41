"""What Slack may tell us, one short function each.

What asks goes one way: read → `reception.accept` commits it → acknowledge. Bolt answers Slack after
the listener has returned (`process_before_response`), so an error before the commit is no
acknowledgement, and Slack sends the event again.
"""

import re
from collections.abc import Callable

from slack_bolt import Ack, App, BoltContext

from bot.incoming import Incoming
from bot.slack import payloads
from bot.slack.answering import is_overheard
from bot.slack.controls import COPY, FEEDBACK, MORE, OPEN, PAGE, POLICY, SHARE
from bot.slack.interactions import Interactions
from bot.slack.modals import QUESTION, REASON
from bot.slack.payloads import Body
from bot.slack.policy import SHARED
from bot.slack.reception import Reception
from bot.store import Store

# What the manifest declares; a test compares them. `message` stands for message.channels and so on.
EVENTS = (
    "agent_session_stopped",
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "message",
    "tokens_revoked",
)
COMMANDS = ("/ask",)
SHORTCUTS = ("find_source", "ask_articles")  # of a message, global

_TYPED = (None, "file_share", "thread_broadcast", "me_message")
_ANY = re.compile(".*")


def register(
    app: App,
    questions: "Questions",
    interactions: Interactions,
    *,
    on_removal: Callable[[str, float], None],
) -> None:
    """Register every listener; the last take what is for nobody, so that it is acknowledged too.

    Args:
        on_removal: Told the workspace that has taken the bot's token back, and when.
    """

    def remove(body: Body) -> None:
        at = payloads.removed_at(body)
        if at is not None:
            on_removal(payloads.team_of(body), at)

    register_questions(app, questions)
    app.event("app_uninstalled")(remove)
    app.event("tokens_revoked")(remove)
    app.event("agent_session_stopped")(interactions.on_stop)
    app.event("app_home_opened")(interactions.on_opening)
    app.shortcut(SHORTCUTS[1])(interactions.on_ask_articles)
    app.view(QUESTION)(interactions.on_question)
    app.view(REASON)(interactions.on_reason)
    app.action(OPEN)(interactions.on_open)
    app.action(re.compile(f"^{PAGE}"))(interactions.on_page)
    app.action(MORE)(interactions.on_more)
    app.action(COPY)(interactions.on_copy)
    app.action(SHARE)(interactions.on_share)
    app.action(FEEDBACK)(interactions.on_feedback)
    app.action(POLICY)(interactions.on_policy)
    for rest in (app.event, app.action, app.shortcut, app.command, app.options):
        rest(_ANY)(_let_be)
    app.view(_ANY)(_let_be)
    app.view_closed(_ANY)(_let_be)


def register_questions(app: App, questions: "Questions") -> None:
    """Register what asks something; Bolt tells by its status 404 that something is none of it."""
    # Bolt asks one listener after the other: what comes most stands first.
    app.event("app_mention")(questions.on_mention)
    app.event({"type": "message", "subtype": _TYPED})(questions.on_message)
    app.event({"type": "message", "subtype": "message_changed"})(questions.on_change)
    app.event({"type": "message", "subtype": "message_deleted"})(questions.on_deletion)
    app.command(COMMANDS[0])(questions.on_command)
    app.shortcut(SHORTCUTS[0])(questions.on_find_source)


class Questions:
    """What asks something."""

    def __init__(self, reception: Reception, store: Store) -> None:
        self._reception = reception
        self._store = store

    def on_mention(self, body: Body, context: BoltContext) -> None:
        self._take(body, payloads.read_mention(body, own=context.bot_user_id))

    def on_message(self, body: Body, context: BoltContext) -> None:
        asked = payloads.read_message(body, own=context.bot_user_id)
        if asked and (not is_overheard(asked) or self._follows(asked)):
            self._take(body, asked)

    def on_change(self, body: Body, context: BoltContext) -> None:
        """Hear of an edit; a question that has replies is deleted by being replaced."""
        own = context.bot_user_id
        gone = payloads.read_deletion(body, own=own)
        self._take(body, gone or payloads.read_edit(body, own=own))

    def on_deletion(self, body: Body, context: BoltContext) -> None:
        self._take(body, payloads.read_deletion(body, own=context.bot_user_id))

    def on_command(self, ack: Ack, body: Body) -> None:
        self._take(body, payloads.read_command(body))
        ack()

    def on_find_source(self, ack: Ack, body: Body) -> None:
        self._take(body, payloads.read_shortcut(body))
        ack()

    def _follows(self, asked: Incoming) -> bool:
        """Say whether it stands in a thread of ours; most of what is said in channels does not."""
        thread_ts = asked.thread_ts
        return thread_ts is not None and self._store.follows(asked.team, asked.channel, thread_ts)

    def _take(self, body: Body, asked: Incoming | None) -> None:
        if asked is None:
            return
        if payloads.is_shared(body):
            self._close_shared(asked.team, asked.channel)
        self._reception.accept(asked)

    def _close_shared(self, team: str, channel: str) -> None:
        """Remember that people of other companies read a channel; commands there do not say so."""
        if self._store.channel_policy(team, channel) != SHARED:
            self._store.set_channel_policy(team, channel, SHARED, by="slack")


def _let_be(ack: Ack) -> None:
    ack()
