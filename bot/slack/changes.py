"""Notes in the threads of answers whose articles have changed since they were quoted."""

import logging
import threading
from collections.abc import Iterator

from bot.desk import Desk
from bot.incoming import Incoming
from bot.slack.answering import Desks
from bot.slack.delivery import Answered, Delivery
from bot.slack.notices import changed_note
from bot.store import Shown, Store
from retrieval import Article, Quote, Span

LOOK_S = 5.0
_GONE = "gone"  # in place of a digest

logger = logging.getLogger(__name__)


class Changes:
    """Follows new generations, and tells threads what changed below them."""

    def __init__(self, *, desks: Desks, store: Store, delivery: Delivery) -> None:
        self._desks = desks
        self._store = store
        self._delivery = delivery
        self._seen: dict[str, tuple[str, dict[str, Article]]] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="changes", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def look(self) -> None:
        """Open new generations, and send the notes that they call for."""
        for collection, desk in self._desks:
            desk.follow()
            generation, before = self._seen.get(collection.name, ("", {}))
            if generation != desk.generation:
                now = {article.path: article for article in desk.articles}
                self._tell(desk, before, now)
                self._seen[collection.name] = (desk.generation, now)

    def _follow(self) -> None:
        while not self._stopped.is_set():
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - the boundary of this thread
                logger.error("changes_failed error=%s", type(error).__name__)  # noqa: TRY400 - a traceback may quote articles
            self._stopped.wait(LOOK_S)

    def _tell(self, desk: Desk, before: dict[str, Article], now: dict[str, Article]) -> None:
        changed: dict[str, tuple[Shown, list[Article]]] = {}
        for article, digest in _different(before, now):
            for shown in self._store.quoting(article.path, not_sha256=digest):
                found = self._desks.find(shown.channel)
                if found and found[1] is desk:  # another collection may have a file of that name
                    changed.setdefault(shown.answer_id, (shown, []))[1].append(article)
        for shown, articles in changed.values():
            self._note(shown, articles, desk.generation)
            for article in articles:
                there = now.get(article.path)
                self._store.note_change(shown.answer_id, there.digest if there else _GONE)

    def _note(self, shown: Shown, articles: list[Article], generation: str) -> None:
        places = [Quote(article=article, span=Span(start=0, end=1)) for article in articles]
        note = Answered(messages=(changed_note(places),), private=False, outcome="note")
        self._delivery.send(
            lambda _: note,
            to=Incoming(
                event_id=f"changed:{shown.answer_id}:{generation}",
                team=shown.team,
                channel=shown.channel,
                ts=shown.ts or "",
                thread_ts=shown.thread_ts,
                user=shown.user,
                surface="mention",
                text="",
            ),
        )


def _different(
    before: dict[str, Article], now: dict[str, Article]
) -> Iterator[tuple[Article, str]]:
    """Give each article that is new, other or gone since we looked last, with its digest now.

    At the first look every article is new: it may have changed while the bot was not running.
    """
    for path, article in now.items():
        if path not in before or before[path].digest != article.digest:
            yield article, article.digest
    yield from ((article, _GONE) for path, article in before.items() if path not in now)
