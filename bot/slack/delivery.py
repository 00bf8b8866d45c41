"""The durable way of a question: inbox → worker → outbox → Slack. `bot.store` draws its states.

What is to be answered, `reception` has stored before this hears of it.

What is promised: a question that was acknowledged is answered, once, however often the process dies
and whatever is lost on the way. The exception is what only one person sees (a command's answer):
Slack can not be asked whether it was shown, so after a lost response it is shown again.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from slack_sdk import WebClient

from bot.incoming import Accepted, Incoming, Place
from bot.metrics import Metrics
from bot.slack.elements import Message
from bot.slack.poster import GIVE_UP_S, Poster, write_messages
from bot.slack.posting import Later, NotInstalled
from bot.slack.steps import Bell, attempt, join, repeat
from bot.store import Claimed, Job, Letter, Store

MOST_ANSWERINGS: Final = 3  # of one question that always fails, or always ends the process
PACE_S: Final = 1.0  # between messages in one channel; Slack allows one a second
_SWEEP_S = 60.0
_DRAIN_S = 0.05
_SHORTEST_WAIT_S = 1.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question as a worker takes it up.

    Attributes:
        context: Earlier questions of its thread, oldest first, at most four.
        answer_id: What the buttons of its answer carry; stays the same when it is edited.
    """

    incoming: Incoming
    context: tuple[str, ...]
    answer_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What is to be posted.

    Attributes:
        messages: The message, and what to post instead where Slack refuses it or stores it
            otherwise: fewer or plainer quotes, best first. Not empty.
        private: Whether only the asker may see it (commands, shortcuts, refusals, hints).
        places: Every quote of the reply, those behind «More quotes» too, in order.
        generation: Which index the places are in; "" where there are none.
        outcome: For the metrics: "answer", "abstention", "help", "refusal", "hint", ...
    """

    messages: tuple[Message, ...]
    private: bool
    places: tuple[Place, ...] = ()
    generation: str = ""
    outcome: str = "answer"

    def __post_init__(self) -> None:
        if not self.messages:
            raise ValueError("there is no message to post")


Answering = Callable[[Asked], Answered | None]


def _never(_team: str, _code: str) -> bool:
    """There is one workspace: where its calls can not succeed, none can."""
    return False


class Delivery:
    """Answers what the store holds and posts it, on its own threads.

    Args:
        answer: From a question to what is posted, or None where nothing is to be said. Runs on a
            worker. It may raise Later: the question waits; or NotInstalled: it is dropped. Another
            exception is logged by its type, tried again, and at the third time the asker gets
            `trouble`.
        client_for: A WebClient for a team, made with `retry_handlers=[]` and `timeout=10`; raises
            NotInstalled where there is none.
        unshared: Told to who pressed «Share» where that can not be posted; given the error code.
        bar: Told the team and Slack's error code where no call of a team can succeed any more
            (`invalid_auth` and its kin); gives whether there are other teams, which go on.
        trouble: Told to the asker, privately, where answering fails; given the answer id, which is
            in the log.
        on_stop: Called once with the error code where there are none: the process is to end with
            exit code 78.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        *,
        store: Store,
        answer: Answering,
        client_for: Callable[[str], WebClient],
        trouble: Callable[[str], Message],
        unshared: Callable[[str], Message],
        metrics: Metrics,
        on_stop: Callable[[str], None],
        clock: Callable[[], float],
        bar: Callable[[str, str], bool] = _never,
        pace_s: float = PACE_S,
        workers: int = 2,
        posters: int = 8,
    ) -> None:
        self._store = store
        self._answer = answer
        self._trouble = trouble
        self._unshared = unshared
        self._metrics = metrics
        self._on_stop = on_stop
        self._clock = clock
        self._asked, self._written = Bell(), Bell()
        self._closing = threading.Event()  # no more questions
        self._closed = threading.Event()  # no more calls
        self._stopped_by: str | None = None
        self._lock = threading.Lock()
        self._poster = Poster(
            store=store,
            client_for=client_for,
            metrics=metrics,
            clock=clock,
            pace_s=pace_s,
            on_written=self._written.ring,
            on_unshown=self._tell_unshared,
            bar=bar,
            on_stop=self.stop,
        )
        self._workers = [self._thread(f"worker-{n}", self._work) for n in range(workers)]
        self._others = [
            *(self._thread(f"poster-{n}", self._post) for n in range(posters)),
            self._thread("sweeper", self._sweep),
        ]
        metrics.watch("open_questions", "Questions on their way", store.count_open)
        metrics.watch("unsent_messages", "Messages in the outbox", store.count_unsent)

    @property
    def is_running(self) -> bool:
        """Whether every thread runs and questions are taken: for /readyz."""
        return not self._closing.is_set() and all(thread.is_alive() for thread in self._threads())

    @property
    def stopped_by(self) -> str | None:
        """Slack's error code after which nothing more was called, or None."""
        return self._stopped_by

    def start(self) -> None:
        for thread in self._threads():
            thread.start()

    def hear(self, accepted: Accepted) -> None:
        """Hear what became of an event that is stored now."""
        if accepted in {"taken", "applied"}:
            self._asked.ring()
        if accepted == "applied":  # a deletion: there is an answer to take back
            self._written.ring()

    def send(self, write: Callable[[str], Answered], *, to: Incoming) -> str | None:
        """Post a message that answers no question as durably as one that does.

        For «Share», a note on a changed article and the like.

        Args:
            write: From the answer id, which the buttons carry, to what is posted.
            to: Where to (`channel`, `thread_ts`), for whom, and an event id that is used once. A
                surface of «command» posts to the channel where there is no `thread_ts`.

        Returns:
            The answer id, or None where the event id was used before; one that could not be posted
            may be used again.
        """
        answer_id = self._store.write(lambda key: _letter(write(key)), to)
        self._written.ring()
        return answer_id

    def drain(self, *, seconds: float = 10.0) -> None:
        """Take no more questions, finish what is begun in at most `seconds`; the rest is stored."""
        end = time.monotonic() + seconds
        self._closing.set()
        self._asked.ring()
        join(self._workers, end)
        while self._store.is_any_sendable(within_s=end - time.monotonic()):
            if self._closed.wait(_DRAIN_S) or time.monotonic() > end:
                break
        self._closed.set()
        self._written.ring()
        join(self._others, end)

    # One step each; the threads repeat them, and tests call them.

    def answer_one(self) -> bool:
        """Answer one question; False where none waits."""
        claimed = self._store.claim_question()
        if claimed is None:
            return False
        asked = Asked(
            incoming=claimed.incoming, context=claimed.context, answer_id=claimed.answer_id
        )
        began = self._clock()
        try:
            if claimed.tries > MOST_ANSWERINGS:  # its process ended each time
                raise RuntimeError("abandoned")  # noqa: TRY301 - the same end
            answered = self._answer(asked)
        except NotInstalled:
            answered = None
        except Later as later:
            answered = self._put_off(claimed, later.after_s)
            if answered is None:
                return True
        except Exception as error:  # noqa: BLE001 - the boundary: one question must not end the rest
            answered = self._failed(claimed, error)
            if answered is None:
                return True
        self._metrics.took("answer", self._clock() - began)
        self._finish(claimed, answered)
        return True

    def post_one(self) -> bool:
        """Make one call to Slack; False where none is due."""
        return self._poster.post_one()

    def _finish(self, claimed: Claimed, answered: Answered | None) -> None:
        outcome = "silence" if answered is None else answered.outcome
        if answered is None:
            kept = self._store.drop(claimed)
        else:
            kept = self._store.finish(claimed, _letter(answered))
            self._written.ring()
        if kept:
            self._metrics.saw_answer(outcome)
        logger.info("answered answer=%s outcome=%s kept=%s", claimed.answer_id, outcome, kept)

    def _put_off(self, claimed: Claimed, seconds: float) -> Answered | None:
        """Let a question wait as long as Slack asks, which is no try; for an hour at most."""
        now = self._clock()
        if now - claimed.at > GIVE_UP_S:
            return self._trouble_for(claimed)
        logger.warning("put_off answer=%s seconds=%.0f", claimed.answer_id, seconds)
        at = now + max(_SHORTEST_WAIT_S, seconds)
        self._store.put_back(claimed, not_before=at, tries=claimed.tries - 1)
        return None

    def _failed(self, claimed: Claimed, error: Exception) -> Answered | None:
        """Put a question back that could not be answered, or tell the asker."""
        logger.error(
            "answering_failed answer=%s tries=%d error=%s",
            claimed.answer_id,
            claimed.tries,
            type(error).__name__,
        )
        if claimed.tries < MOST_ANSWERINGS:
            at = self._clock() + 2.0 ** (claimed.tries - 1)
            self._store.put_back(claimed, not_before=at, tries=claimed.tries)
            return None
        return self._trouble_for(claimed)

    def _trouble_for(self, claimed: Claimed) -> Answered:
        message = self._trouble(claimed.answer_id)
        return Answered(messages=(message,), private=True, outcome="trouble")

    def _tell_unshared(self, job: Job, code: str) -> None:
        """Tell who shared an answer that it can not be posted; by the button's response_url."""
        if job.private or job.response_url is None:
            return
        said = Answered(messages=(self._unshared(code),), private=True, outcome="unshared")
        self.send(
            lambda _: said,
            to=Incoming(
                event_id=f"unshared:{job.answer_id}",
                team=job.team,
                channel=job.channel,
                ts="",
                thread_ts=None,
                user=job.user,
                surface="command",
                text="",
                response_url=job.response_url,
            ),
        )

    def stop(self, code: str) -> None:
        """End all calls, for Slack's error code; what is stored waits for a token that works."""
        with self._lock:
            if self._stopped_by is not None:
                return
            self._stopped_by = code
        logger.critical("stopped code=%s", code)
        self._closing.set()
        self._closed.set()
        self._on_stop(code)

    # The threads

    def _threads(self) -> list[threading.Thread]:
        return [*self._workers, *self._others]

    def _thread(self, name: str, work: Callable[[], None]) -> threading.Thread:
        return threading.Thread(target=work, name=f"clippings-{name}", daemon=True)

    def _work(self) -> None:
        repeat(self.answer_one, bell=self._asked, until=self._closing)

    def _post(self) -> None:
        repeat(self.post_one, bell=self._written, until=self._closed)

    def _sweep(self) -> None:
        while not self._closed.wait(_SWEEP_S):
            attempt(self._store.sweep)


def _letter(answered: Answered) -> Letter:
    return Letter(
        payload=write_messages(answered.messages),
        private=answered.private,
        places=answered.places,
        generation=answered.generation,
    )
