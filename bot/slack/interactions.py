"""Buttons, modals and the Home: acknowledged first, then worked on beside the questions.

A trigger lives three seconds, so a modal is opened at once, empty, and filled when there is what to
fill it with.
"""

import logging
import uuid
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from slack_bolt import Ack
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.incoming import Incoming
from bot.slack import payloads
from bot.slack.answering import Answerer, Desks, Kept, place_to_keep
from bot.slack.background import Background
from bot.slack.blocks import copy_message, more_message, shared_answer_message
from bot.slack.controls import BAD, read_value
from bot.slack.delivery import Answered, Delivery
from bot.slack.elements import Block, Message
from bot.slack.home import Known, PolicyView, home_view
from bot.slack.modals import (
    answer_modal,
    article_modal,
    loading_modal,
    question_modal,
    reason_modal,
    searching_modal,
)
from bot.slack.notices import gone_message, late_message, refusal_message, thanks_message
from bot.slack.payloads import Body, Click, Opening, Stop, Submission
from bot.slack.policy import People, Rule, changed_rules, exceptions_to
from bot.slack.posting import Later, post, tell
from bot.store import Store
from retrieval import Quote

_LATE = {"expired_trigger_id", "exchanged_trigger_id", "trigger_expired", "trigger_exchanged"}

logger = logging.getLogger(__name__)


class Interactions:
    """What people do with the bot besides asking.

    Args:
        default: What holds for a channel that no admin decided on.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        *,
        answerer: Answerer,
        background: Background,
        client_for: Callable[[str], WebClient],
        default: Rule,
        delivery: Delivery,
        desks: Desks,
        people: People,
        store: Store,
        clock: Callable[[], float],
    ) -> None:
        self._answerer = answerer
        self._background = background
        self._client_for = client_for
        self._default: Rule = default
        self._delivery = delivery
        self._desks = desks
        self._people = people
        self._store = store
        self._clock = clock

    def on_opening(self, body: Body) -> None:
        opening = payloads.read_opening(body)
        if opening.tab == "home":
            self._background.soon("home", lambda: self._publish(opening.team, opening.user))
        elif opening.tab == "messages":
            self._background.soon("prompts", lambda: self._suggest(opening))

    def on_ask_articles(self, ack: Ack, body: Body) -> None:
        ack()
        click = payloads.read_click(body)
        self._soon("ask", click, lambda: _done(self._show(click, question_modal())))

    def on_stop(self, body: Body) -> None:
        """Drop what is not answered yet, before Slack is told that we know."""
        stop = payloads.read_stop(body)
        self._store.stop(stop.team, stop.channel, stop.thread_ts)
        self._background.soon("status", lambda: self._clear_status(stop))

    def on_question(self, ack: Ack, body: Body) -> None:
        ack(response_action="update", view=searching_modal())
        submission = payloads.read_submission(body)
        self._background.soon("answer_modal", lambda: self._answer(submission))

    def on_reason(self, ack: Ack, body: Body) -> None:
        ack(response_action="update", view=answer_modal(thanks_message()))
        said = payloads.read_submission(body)
        reason = ": ".join(filter(None, (said.fields.get("reason"), said.fields.get("comment"))))
        self._store.add_feedback(said.private, user=said.user, verdict=BAD, reason=reason)

    def on_open(self, ack: Ack, body: Body) -> None:
        ack()
        click = payloads.read_click(body)
        self._soon("open_article", click, lambda: self._open(click))

    def on_page(self, ack: Ack, body: Body) -> None:
        ack()
        click = payloads.read_click(body)
        self._background.soon("page", lambda: self._turn(click))

    def on_more(self, ack: Ack, body: Body) -> None:
        ack()
        click = payloads.read_click(body)
        self._soon("more", click, lambda: self._tell(click, self._more(click)))

    def on_copy(self, ack: Ack, body: Body) -> None:
        ack()
        click = payloads.read_click(body)
        self._soon("copy", click, lambda: self._tell(click, self._copy(click)))

    def on_share(self, ack: Ack, body: Body) -> None:
        ack()
        click = payloads.read_click(body)
        self._soon("share", click, lambda: self._share(click))

    def on_feedback(self, ack: Ack, body: Body) -> None:
        ack()
        click = payloads.read_click(body)
        self._soon("feedback", click, lambda: self._note_feedback(click))

    def on_policy(self, ack: Ack, body: Body) -> None:
        ack()
        click = payloads.read_click(body)
        self._background.soon("policy", lambda: self._change_policy(click))

    def _soon(self, name: str, click: Click, work: Callable[[], None]) -> None:
        """Do soon what somebody asked for; where that is too late, or Slack is, say so."""

        def try_it() -> None:
            try:
                work()
            except (SlackApiError, Later) as error:
                if isinstance(error, SlackApiError) and error.response.get("error") not in _LATE:
                    raise
                logger.info("too_late work=%s", name)
                self._tell_late(click)

        self._background.soon(name, try_it)

    def _tell_late(self, click: Click) -> None:
        """Ask somebody to press again: beside the button, or in a direct message."""
        if click.channel:
            self._whisper(click, late_message())
            return
        client, key = self._client_for(click.team), uuid.uuid4().hex
        post(client, late_message(), channel=click.user, thread_ts=None, key=key)

    def _clear_status(self, stop: Stop) -> None:
        self._client_for(stop.team).assistant_threads_setStatus(
            channel_id=stop.channel, thread_ts=stop.thread_ts, status=""
        )

    def _publish(self, team: str, user: str) -> None:
        """Show the Home as it is now for somebody."""
        found = self._desks.find("")
        if found is None:
            return
        collection, desk = found
        indexed = (collection.index / "CURRENT").stat().st_mtime
        view = home_view(
            known(desk.days, age=timedelta(seconds=max(0.0, self._clock() - indexed))),
            prompts=self._answerer.prompts(desk),
            questions=self._store.questions_of(team, user),
            policy=self._policy_for(team, user),
        )
        self._client_for(team).views_publish(user_id=user, view=view)

    def _policy_for(self, team: str, user: str) -> PolicyView | None:
        if not self._is_admin(team, user):
            return None
        rules = dict(self._store.channel_policies(team))
        channels = exceptions_to(rules, default=self._default)
        return PolicyView(default=self._default, channels=channels)

    def _change_policy(self, click: Click) -> None:
        if self._is_admin(click.team, click.user):
            rules = dict(self._store.channel_policies(click.team))
            changed = changed_rules(click.chosen, rules, default=self._default)
            for channel, rule in changed.items():
                self._store.set_channel_policy(click.team, channel, rule, by=click.user)
        self._publish(click.team, click.user)

    def _is_admin(self, team: str, user: str) -> bool:
        person = self._people.find(team, user)
        return person.is_admin and person.kind == "member"

    def _suggest(self, opening: Opening) -> None:
        found = self._desks.find(opening.channel)
        prompts = list(self._answerer.prompts(found[1])) if found else []
        if prompts:
            self._client_for(opening.team).assistant_threads_setSuggestedPrompts(
                channel_id=opening.channel,
                prompts=[
                    {"title": prompt["title"], "message": prompt["message"]} for prompt in prompts
                ],
            )

    def _answer(self, submission: Submission) -> None:
        message = self._answerer.answer_in_modal(
            submission.fields.get("question", ""),
            team=submission.team,
            user=submission.user,
            answer_id=uuid.uuid4().hex,
        )
        self._client_for(submission.team).views_update(
            view_id=submission.view_id, view=answer_modal(message)
        )

    def _open(self, click: Click) -> None:
        opened = self._show(click, loading_modal())
        answer_id, quote_id = read_value(click.value)
        view = self._article(click, answer_id, quote_id, page=None)
        self._client_for(click.team).views_update(view_id=opened, view=view)

    def _turn(self, click: Click) -> None:
        answer_id, quote_id, page = read_value(click.value)
        view = self._article(click, answer_id, quote_id, page=int(page))
        self._client_for(click.team).views_update(view_id=click.view_id, view=view)

    def _article(self, click: Click, answer_id: str, quote_id: str, *, page: int | None) -> Block:
        quote = self._quote(click, answer_id, quote_id)
        if isinstance(quote, Quote):
            return article_modal(quote, answer_id=answer_id, page=page)
        return answer_modal(quote)

    def _copy(self, click: Click) -> Message:
        answer_id, quote_id = read_value(click.value)
        quote = self._quote(click, answer_id, quote_id)
        return copy_message(quote) if isinstance(quote, Quote) else quote

    def _more(self, click: Click) -> Message:
        answer_id, offset = read_value(click.value)
        quotes = self._quotes(click, answer_id)
        if isinstance(quotes, Message):
            return quotes
        return more_message(quotes, answer_id=answer_id, offset=int(offset))

    def _share(self, click: Click) -> None:
        (answer_id,) = read_value(click.value)
        quotes = self._quotes(click, answer_id)
        if isinstance(quotes, Message):
            self._tell(click, quotes)
            return
        kept = self._answerer.kept(answer_id)
        who = self._people.find(click.team, click.user).name
        thread_ts = kept.thread_ts if kept else None
        self._delivery.send(
            lambda shared_id: _shared(quotes, kept, answer_id=shared_id, shared_by=who),
            to=Incoming(
                event_id=f"share:{answer_id}",
                team=click.team,
                channel=click.channel,
                ts=thread_ts or click.trigger,
                thread_ts=thread_ts,
                user=click.user,
                surface="mention" if thread_ts else "command",  # a command's goes to the channel
                text="",
                response_url=click.response_url,  # to say so if it can not be posted
            ),
        )

    def _note_feedback(self, click: Click) -> None:
        answer_id, verdict = read_value(click.value)
        self._store.add_feedback(answer_id, user=click.user, verdict=verdict)
        if verdict == BAD:
            self._show(click, reason_modal(answer_id))
        else:
            self._tell(click, thanks_message())

    def _quotes(self, click: Click, answer_id: str) -> tuple[Quote, ...] | Message:
        """Give the quotes of an answer, or the message that says why not."""
        why = self._answerer.refusal(team=click.team, channel=click.channel, user=click.user)
        if why:
            return refusal_message(why)
        return self._answerer.quotes(answer_id) or gone_message()

    def _quote(self, click: Click, answer_id: str, quote_id: str) -> Quote | Message:
        quotes = self._quotes(click, answer_id)
        if isinstance(quotes, Message):
            return quotes
        return next((quote for quote in quotes if quote.id == quote_id), None) or gone_message()

    def _show(self, click: Click, view: Block) -> str:
        """Open a view over Slack, or over the one that the button is on; give its id."""
        client = self._client_for(click.team)
        show = client.views_push if click.view_id else client.views_open
        return str(show(trigger_id=click.trigger, view=view)["view"]["id"])

    def _tell(self, click: Click, message: Message) -> None:
        """Tell somebody something that nobody else sees, next to the button."""
        if click.view_id:
            self._show(click, answer_modal(message))
        else:
            self._whisper(click, message)

    def _whisper(self, click: Click, message: Message) -> None:
        tell(
            self._client_for(click.team),
            message,
            channel=click.channel,
            user=click.user,
            thread_ts=click.thread_ts or None,
            response_url=None if click.thread_ts else click.response_url,
        )


def known(published: Sequence[date | None], *, age: timedelta) -> Known:
    """Sum up what the articles are, by the day of each."""
    days = [day for day in published if day]
    return Known(
        articles=len(published),
        undated=len(published) - len(days),
        earliest=min(days, default=None),
        latest=max(days, default=None),
        age=age,
    )


def _shared(
    quotes: Sequence[Quote], kept: Kept | None, *, answer_id: str, shared_by: str
) -> Answered:
    """Show all what one saw; after a restart the question is gone, and whether this answers it."""
    message = more_message(quotes, answer_id=answer_id, offset=0)
    if kept:
        message = shared_answer_message(
            kept.reply, answer_id=answer_id, asked=kept.asked, shared_by=shared_by
        )
    return Answered(
        messages=(message,),
        private=False,
        places=tuple(map(place_to_keep, quotes)),
        generation=kept.reply.generation if kept else "",
        outcome="share",
    )


def _done(_: object) -> None:
    """Forget what a call gave back."""
