"""The reception: stores what is asked before Slack hears that it was heard, and tells «busy».

How the listeners call this: read the event with `payloads` into an `Incoming`, call
`reception.accept(incoming)` before Slack gets its ack, then acknowledge, whatever it returned. An
exception from `accept` means that nothing was stored: do not acknowledge, Slack delivers again.

    taken      stored; it will be answered
    duplicate  seen before (same event id, or its twin); nothing to do
    busy       too many questions wait; the asker is told so by us (`refusing`), and it is never
               answered later
    applied    an edit or a deletion of a question that we know
    ignored    an edit or a deletion of a message that is none of our questions; its text is not
               stored

It needs no articles: in Socket Mode it runs in a process of its own (`receiver`).
"""

import logging
import threading
import time
from collections.abc import Callable

from bot.incoming import Accepted, Incoming
from bot.metrics import Figures
from bot.slack.refusing import Refuser
from bot.slack.steps import attempt, join
from bot.store import Bounds, Store

_REST_S = 0.2  # between one handful of refusals and the next: answers have the processor first

logger = logging.getLogger(__name__)


class Reception:
    """Takes in what is asked, from any thread, and has who found no room told so, on its own.

    Args:
        on_accepted: Called with what became of each event once it is stored.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        *,
        store: Store,
        refuser: Refuser,
        figures: Figures,
        on_accepted: Callable[[Accepted], None],
        clock: Callable[[], float],
        bounds: Bounds = Bounds(),  # noqa: B008 - frozen
    ) -> None:
        self._store = store
        self._refuser = refuser
        self._figures = figures
        self._on_accepted = on_accepted
        self._clock = clock
        self._bounds = bounds
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._refuse, name="clippings-refuser", daemon=True)

    @property
    def is_running(self) -> bool:
        """Whether people are told; taking in needs no thread."""
        return self._thread.is_alive() and not self._closed.is_set()

    def start(self) -> None:
        self._thread.start()

    def accept(self, incoming: Incoming) -> Accepted:
        """Commit what came in; when this returns it may be acknowledged.

        Raises:
            StoreError: it could not be stored; do not acknowledge.
        """
        began = self._clock()
        accepted = self._store.put(incoming, bounds=self._bounds)
        self._figures.took("put", self._clock() - began)
        self._figures.saw_event(incoming.surface, accepted)
        self._on_accepted(accepted)
        logger.info("accepted event=%s result=%s", incoming.event_id, accepted)
        return accepted

    def refuse_some(self) -> bool:
        """Tell some of those who found no room; False where nobody is to be told."""
        return self._refuser.tell_some()

    def close(self, *, seconds: float = 2.0) -> None:
        """Tell nobody any more; who was not told yet is told after the next start."""
        self._closed.set()
        join([self._thread], time.monotonic() + seconds)

    def _refuse(self) -> None:
        while not self._closed.wait(_REST_S):
            attempt(self.refuse_some)
