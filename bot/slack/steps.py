"""Threads that repeat a step, and wake one another."""

import logging
import threading
import time
import traceback
from collections.abc import Callable

_IDLE_S = 0.25  # other bots on the same database do not wake us

logger = logging.getLogger(__name__)


class Bell:
    """Wakes one who waits; who comes later hears what rang meanwhile."""

    def __init__(self) -> None:
        self._rung = threading.Condition()
        self._times = 0

    @property
    def times(self) -> int:
        return self._times

    def ring(self) -> None:
        with self._rung:
            self._times += 1
            self._rung.notify()

    def wait(self, *, since: int, seconds: float) -> None:
        with self._rung:
            if self._times == since:
                self._rung.wait(seconds)


def repeat(step: Callable[[], bool], *, bell: Bell, until: threading.Event) -> None:
    while not until.is_set():
        since = bell.times
        if not attempt(step):
            bell.wait(since=since, seconds=_IDLE_S)


def attempt(step: Callable[[], object]) -> bool:
    """Do a step; a fault of the database, or of ours, must not end the thread."""
    try:
        return bool(step())
    except Exception as error:  # noqa: BLE001 - the boundary of a thread
        frame = traceback.extract_tb(error.__traceback__)[-1]
        kind, place = type(error).__name__, f"{frame.name}:{frame.lineno}"
        logger.error("step_failed error=%s at=%s", kind, place)  # noqa: TRY400 - its text may be private
        return False


def join(threads: list[threading.Thread], end: float) -> None:
    for thread in threads:
        if thread.is_alive():
            thread.join(max(0.0, end - time.monotonic()))
