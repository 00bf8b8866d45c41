"""Who may write next, where only one can: the most urgent, and of these who came first."""

import heapq
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum


class Urgency(IntEnum):
    """What a transaction is for. A question that was begun goes before one that comes in."""

    ANSWER = 0
    EVENT = 1
    REFUSAL = 2


class Turn:
    """A lock that goes to the most urgent of those who wait for it.

    A plain lock goes to whoever happens to be awake. With many events at the door that is an
    event, and questions that are almost answered wait for seconds.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._is_taken = False
        self._waiting: list[tuple[Urgency, int, threading.Lock]] = []
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
            heapq.heappush(self._waiting, (urgency, next(self._numbers), called))
        called.acquire()  # until it is passed on to us

    def _pass_on(self) -> None:
        with self._guard:
            if self._waiting:
                heapq.heappop(self._waiting)[2].release()
            else:
                self._is_taken = False
