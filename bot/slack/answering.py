"""From a question to what is posted: policy, then the Desk, then blocks."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bot.batch import refusal as no_words
from bot.desk import Desk, outcome_of
from bot.incoming import Incoming, Place
from bot.slack.blocks import (
    Message,
    answer_message,
    answer_messages,
    answer_quotes,
    private_answer_message,
)
from bot.slack.delivery import Answered, Asked
from bot.slack.notices import (
    Prompt,
    Refusal,
    hint_message,
    refusal_message,
    suggested_prompts,
    too_long_message,
)
from bot.slack.payloads import MOST_ASKED
from bot.slack.policy import Collection, People, Rule, collection_of, refusal_of
from bot.store import Store
from retrieval import Article, Help, Question, QuestionError, Quote, Reply, Span

MOST_FOUND = 10  # findings of a reply; those that are not shown wait behind «More quotes»
_MOST_KEPT = 512  # private replies at hand for «Share» and for the buttons of modals
_STATUS_S = 1.0  # how long an answer waits for its «searching»: a late one would stay for minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A reply that only one person saw.

    Attributes:
        thread_ts: The thread that it belongs to if it is shared, or None.
    """

    asked: str
    reply: Reply
    thread_ts: str | None


class Desks:
    """The Desk of each collection, found by the channel that asks."""

    def __init__(self, collections: Sequence[Collection], desks: Mapping[str, Desk]) -> None:
        self._collections = tuple(collections)
        self._desks = dict(desks)

    def __iter__(self) -> Iterator[tuple[Collection, Desk]]:
        return iter((one, self._desks[one.name]) for one in self._collections)

    def find(self, channel: str) -> tuple[Collection, Desk] | None:
        """Give the one collection that a channel may see; "" is a modal."""
        one = collection_of(self._collections, channel)
        return None if one is None else (one, self._desks[one.name])

    def quotes(self, channel: str, places: Sequence[Place]) -> tuple[Quote, ...] | None:
        """Give the quotes of places, letter by letter, or None if a file is not as it was.

        They are read from what the channel may see, and from nothing else.
        """
        found = self.find(channel)
        quotes = [_quote(found[1].find(place.path), place) for place in places] if found else []
        return tuple(quote for quote in quotes if quote) if found and all(quotes) else None


class Answerer:
    """Makes of a question what is posted.

    Args:
        show_status: Tells the asker that a search goes on; runs beside it.
        shown: How many findings a message shows at most.
    """

    def __init__(
        self,
        *,
        desks: Desks,
        people: People,
        store: Store,
        default: Rule,
        shown: int,
        today: Callable[[], date],
        show_status: Callable[[Incoming, int], "Future[None]"],
    ) -> None:
        self._desks = desks
        self._people = people
        self._store = store
        self._default: Rule = default
        self._shown = shown
        self._today = today
        self._show_status = show_status
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._prompts: dict[Path, tuple[str, tuple[Prompt, ...]]] = {}
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> Answered | None:
        """Answer a question of the inbox; None where nothing is to be said."""
        incoming = asked.incoming
        found = self._desks.find(incoming.channel)
        why = self.refusal(team=incoming.team, channel=incoming.channel, user=incoming.user) or (
            None if found else "channel"
        )
        if why or found is None:
            return self._refused(incoming, why or "channel")
        if not incoming.text:
            return _notice(incoming, self._hint(found[1]), outcome="hint")
        if len(incoming.text) > MOST_ASKED:
            return _notice(incoming, too_long_message(MOST_ASKED), outcome="hint")
        status = self._show_status(incoming, len(found[1].articles))
        reply = self._ask(found[1], incoming.text, asked.context)
        wait([status], timeout=_STATUS_S)
        if isinstance(reply, Help) and is_overheard(incoming):
            return None  # «thanks!» in a thread is for whom it thanks
        return self._answered(reply, asked, prompts=self.prompts(found[1]))

    def answer_in_modal(self, text: str, *, team: str, user: str, answer_id: str) -> Message:
        """Answer a question that a modal asked; its answer is kept at hand, not in the store."""
        found, why = self._desks.find(""), self.refusal(team=team, channel="", user=user)
        if why or found is None:
            return refusal_message(why or "channel")
        reply = self._ask(found[1], text, ())
        self._keep(answer_id, Kept(asked=text, reply=reply, thread_ts=None))
        return answer_message(
            reply, answer_id=answer_id, shown=self._shown, prompts=self.prompts(found[1])
        )

    def refusal(self, *, team: str, channel: str, user: str) -> Refusal | None:
        """Say why somebody may not use us in a channel; "" is a modal."""
        return refusal_of(
            self._people.find(team, user),
            channel=channel,
            rule=self._store.channel_policy(team, channel),
            default=self._default,
        )

    def kept(self, answer_id: str) -> Kept | None:
        with self._lock:
            return self._kept.get(answer_id)

    def quotes(self, answer_id: str) -> tuple[Quote, ...] | None:
        """Give every quote of an answer in the order of showing; None if they are not to be had."""
        kept = self.kept(answer_id)
        if kept:
            return answer_quotes(kept.reply)
        shown = self._store.shown(answer_id)
        return self._desks.quotes(shown.channel, shown.places) if shown else None

    def prompts(self, desk: Desk) -> tuple[Prompt, ...]:
        """Give questions to offer, made of names in the articles; found once per generation."""
        with self._lock:
            generation, prompts = self._prompts.get(desk.corpus, ("", ()))
        if generation != desk.generation:
            generation, prompts = desk.generation, suggested_prompts(desk.articles)
            with self._lock:
                self._prompts[desk.corpus] = (generation, prompts)
        return prompts

    def _refused(self, incoming: Incoming, why: Refusal) -> Answered | None:
        """Say why it is not answered, once a day; what was not said to us gets no refusal."""
        if is_overheard(incoming):
            return None
        where = incoming.channel if why == "channel" else ""
        if not self._store.tell_once(f"refusal:{why}:{incoming.team}:{incoming.user}:{where}"):
            return None
        private = not is_direct(incoming)
        return Answered(messages=(refusal_message(why),), private=private, outcome="refusal")

    def _hint(self, desk: Desk) -> Message:
        return hint_message(self.prompts(desk))

    def _ask(self, desk: Desk, text: str, context: tuple[str, ...]) -> Reply:
        question = Question(text=text, context=context, today=self._today())
        try:
            return desk.ask(question, limit=max(MOST_FOUND, self._shown))
        except QuestionError:
            return no_words(question, desk.generation)

    def _answered(self, reply: Reply, asked: Asked, *, prompts: tuple[Prompt, ...]) -> Answered:
        incoming, answer_id = asked.incoming, asked.answer_id
        private = is_private(incoming)
        if private:
            kept = Kept(asked=incoming.text, reply=reply, thread_ts=incoming.thread_ts)
            self._keep(answer_id, kept)
            messages = tuple(
                private_answer_message(
                    reply, answer_id=answer_id, asked=incoming.text, shown=shown, prompts=prompts
                )
                for shown in (self._shown, 1)
            )
        else:
            messages = answer_messages(
                reply, answer_id=answer_id, shown=self._shown, prompts=prompts
            )
        return Answered(
            messages=messages,
            private=private,
            places=tuple(map(place_to_keep, answer_quotes(reply))),
            generation=reply.generation,
            outcome=outcome_of(reply),
        )

    def _keep(self, answer_id: str, kept: Kept) -> None:
        with self._lock:
            self._kept[answer_id] = kept
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)


def is_direct(incoming: Incoming) -> bool:
    return incoming.channel.startswith("D")


def is_private(incoming: Incoming) -> bool:
    """Say whether only the asker is to see the answer."""
    return incoming.surface in {"command", "shortcut"}


def is_overheard(incoming: Incoming) -> bool:
    """Say whether it is a message of a thread that we follow and are not named in."""
    return incoming.surface == "message" and not is_direct(incoming)


def _notice(incoming: Incoming, message: Message, *, outcome: str) -> Answered:
    return Answered(messages=(message,), private=is_private(incoming), outcome=outcome)


def place_to_keep(quote: Quote) -> Place:
    article, span = quote.article, quote.span
    return Place(path=article.path, sha256=article.digest, start=span.start, end=span.end)


def _quote(article: Article | None, place: Place) -> Quote | None:
    if article is None or article.digest != place.sha256 or place.end > len(article.text):
        return None
    return Quote(article=article, span=Span(start=place.start, end=place.end))
