"""Slack's time: it may run faster than ours, so that «after 5 minutes» can be tested in seconds."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable

Action = Callable[[], None]


class Clock:
    """Runs actions at their times, in one thread. All times are Slack's seconds.

    Args:
        speed: Slack's seconds per real second.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._due: list[tuple[float, int, Action]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._running = True
        self._thread = threading.Thread(target=self._run, name="slack-clock", daemon=True)
        self._thread.start()

    def now(self) -> float:
        return time.monotonic() * self.speed

    def wait(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds) / self.speed)

    def after(self, seconds: float, action: Action) -> None:
        """Run an action later. It must be quick: all others wait for it."""
        with self._changed:
            heapq.heappush(self._due, (self.now() + seconds, next(self._order), action))
            self._changed.notify()

    def stop(self) -> None:
        with self._changed:
            self._running = False
            self._changed.notify()
        self._thread.join(5)

    def _run(self) -> None:
        while (action := self._next()) is not None:
            action()

    def _next(self) -> Action | None:
        with self._changed:
            while self._running:
                now = self.now()
                if self._due and self._due[0][0] <= now:
                    return heapq.heappop(self._due)[2]
                delay = (self._due[0][0] - now) / self.speed if self._due else None
                self._changed.wait(delay)
        return None
