"""Notes in the threads of answers whose articles have changed since they were quoted."""

import logging
import threading
from collections.abc import Iterator, Mapping

from bot.desk import Desk
from bot.incoming import Incoming
from bot.slack.answering import Desks
from bot.slack.delivery import Answered, Delivery
from bot.slack.notices import changed_note
from bot.store import Shown, Store

LOOK_S = 5.0
_GONE = "gone"  # in place of a digest

logger = logging.getLogger(__name__)


class Changes:
    """Follows new generations, and tells threads what changed below them."""

    def __init__(self, *, desks: Desks, store: Store, delivery: Delivery) -> None:
        self._desks = desks
        self._store = store
        self._delivery = delivery
        self._seen: dict[str, tuple[str, Mapping[str, str]]] = {}
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
                now = desk.digests
                self._tell(desk, before, now)
                self._seen[collection.name] = (desk.generation, now)

    def _follow(self) -> None:
        while not self._stopped.is_set():
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - the boundary of this thread
                logger.error("changes_failed error=%s", type(error).__name__)  # noqa: TRY400 - a traceback may quote articles
            self._stopped.wait(LOOK_S)

    def _tell(self, desk: Desk, before: Mapping[str, str], now: Mapping[str, str]) -> None:
        changed: dict[str, tuple[Shown, list[str]]] = {}
        for path, digest in _different(before, now):
            for shown in self._store.quoting(path, not_sha256=digest):
                found = self._desks.find(shown.channel)
                if found and found[1] is desk:  # another collection may have a file of that name
                    changed.setdefault(shown.answer_id, (shown, []))[1].append(path)
        for shown, paths in changed.values():
            self._note(shown, paths, desk.generation)
            for path in paths:
                self._store.note_change(shown.answer_id, now.get(path, _GONE))

    def _note(self, shown: Shown, paths: list[str], generation: str) -> None:
        note = Answered(messages=(changed_note(paths),), private=False, outcome="note")
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


def _different(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Give the path of each article that is new, other or gone, with its digest now.

    At the first look every article is new: it may have changed while the bot was not running.
    """
    for path, digest in now.items():
        if before.get(path) != digest:
            yield path, digest
    yield from ((path, _GONE) for path in before if path not in now)
