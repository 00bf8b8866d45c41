"""Who may write next, where only one can: who is due first."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum


class Urgency(IntEnum):
    """What a transaction is for. A question that was begun goes before one that comes in."""

    ANSWER = 0
    EVENT = 1
    REFUSAL = 2


# Seconds that others may go before it. Few threads take events in, and each has to be acknowledged
# within three seconds, those that wait behind it too.
PATIENCE = {Urgency.ANSWER: 0.0, Urgency.EVENT: 0.3, Urgency.REFUSAL: 1.0}


class Turn:
    """A lock that goes to who is due first: who came first, and had the patience for it.

    A plain lock goes to whoever happens to be awake. With many events at the door that is an
    event, and questions that are almost answered wait for seconds. With a plain order of urgency
    no event would be acknowledged in time while there is always an answer to write.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._is_taken = False
        self._waiting: list[tuple[float, int, threading.Lock]] = []
        self._numbers = itertools.count()

    @property
    def waiting(self) -> int:
        """How many wait."""
        with self._guard:
            return len(self._waiting)

    @contextmanager
    def taken(self, urgency: Urgency) -> Iterator[None]:
        self._take(urgency)
        try:
            yield
        finally:
            self._pass_on()

    def _take(self, urgency: Urgency) -> None:
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return
            called = threading.Lock()
            called.acquire()
            due = self._clock() + PATIENCE[urgency]
            heapq.heappush(self._waiting, (due, next(self._numbers), called))
        called.acquire()  # until it is passed on to us

    def _pass_on(self) -> None:
        with self._guard:
            if self._waiting:
                heapq.heappop(self._waiting)[2].release()
            else:
                self._is_taken = False
