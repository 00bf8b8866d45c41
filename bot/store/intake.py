"""What comes in at the same time is committed together: one turn, one sync of the disk."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from sqlalchemy import Connection

from bot.incoming import Accepted, Incoming
from bot.store import inbox
from bot.store.inbox import Bounds
from bot.store.opening import StoreError

_GATHER_S = 0.05  # between one commit and the next; Slack waits 3 s for its acknowledgement


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    incoming: Incoming
    bounds: Bounds
    accepted: Future[Accepted] = field(default_factory=Future)


class Intake:
    """Puts events into the inbox. Who comes first waits for the turn, for all who come meanwhile.

    After a commit the next waits a moment, so that in a rush many share one; an event that comes
    alone does not wait.

    Args:
        writing: A transaction that is on the disk when it ends; raises StoreError.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        writing: Callable[[], AbstractContextManager[Connection]],
        *,
        clock: Callable[[], float],
    ) -> None:
        self._writing = writing
        self._clock = clock
        self._guard = threading.Lock()
        self._waiting: list[_Event] = []
        self._committed_at = -_GATHER_S

    def put(self, incoming: Incoming, *, bounds: Bounds) -> Accepted:
        """Commit one event; when this returns it is on the disk.

        Raises:
            StoreError: it is not stored. One that the database refuses takes no other with it.
        """
        event = _Event(incoming=incoming, bounds=bounds)
        with self._guard:
            self._waiting.append(event)
            is_first = len(self._waiting) == 1
        company = self._commit() if is_first else 0
        try:
            return event.accepted.result()
        except StoreError:
            if company == 1:
                raise
        with self._writing() as db:
            return self._put(db, event)

    def _commit(self) -> int:
        """Commit all who wait by the time that it is our turn; gives how many."""
        events: list[_Event] = []
        time.sleep(max(0.0, self._committed_at + _GATHER_S - time.monotonic()))
        try:
            with self._writing() as db:
                events = self._take()
                accepted = [self._put(db, event) for event in events]
        except BaseException as error:
            events = events or self._take()
            for event in events:
                event.accepted.set_exception(error)
            if not isinstance(error, StoreError):
                raise
        else:
            for event, result in zip(events, accepted, strict=True):
                event.accepted.set_result(result)
        return len(events)

    def _put(self, db: Connection, event: _Event) -> Accepted:
        return inbox.put(db, event.incoming, bounds=event.bounds, now=self._clock())

    def _take(self) -> list[_Event]:
        with self._guard:
            events, self._waiting = self._waiting, []
            self._committed_at = time.monotonic()
        return events
