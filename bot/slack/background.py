"""Work beside the questions: statuses, modals, the Home. Lost with the process; nobody's answer."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from slack_sdk.errors import SlackApiError

logger = logging.getLogger(__name__)

_THREADS = 8
_MOST_WAITING = 64  # beyond that a click is dropped, and the person presses again


class Background:
    """A bounded pool of threads that survives whatever its work raises."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="background")
        self._free = threading.Semaphore(_MOST_WAITING)

    def soon(self, name: str, work: Callable[[], None]) -> "Future[None]":
        """Do something soon; what it raises is logged by its kind. The future never raises."""
        if not self._free.acquire(blocking=False):
            logger.warning("background_full work=%s", name)
            done: Future[None] = Future()
            done.set_result(None)
            return done
        return self._pool.submit(self._run, name, work)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, name: str, work: Callable[[], None]) -> None:
        try:
            work()
        except SlackApiError as error:
            logger.warning("background_failed work=%s error=%s", name, _code(error))
        except Exception as error:  # noqa: BLE001 - the boundary of these threads
            logger.error("background_failed work=%s error=%s", name, type(error).__name__)  # noqa: TRY400 - a traceback may quote what people wrote
        finally:
            self._free.release()


def _code(error: SlackApiError) -> str:
    return str(error.response.get("error") if error.response else None)
