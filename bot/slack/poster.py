"""The outbox: takes up one call after the other, makes it, and notes what came of it."""

import json
import logging
from collections.abc import Callable
from typing import Final, assert_never

from slack_sdk import WebClient

from bot.metrics import Metrics
from bot.slack.blocks import quotes_in
from bot.slack.elements import Message
from bot.slack.posting import (
    Absent,
    Failed,
    NotInstalled,
    Outcome,
    Posted,
    Verdict,
    change,
    find,
    post,
    remove,
    tell,
)
from bot.store import MOST_TRIES, SETTLE_S, Job, Store

GIVE_UP_S: Final = 3_600.0  # how long Slack may keep an answer waiting (429, no network)
_LONGEST_WAIT_S = 60.0
_SHORTEST_WAIT_S = 1.0
_SKEW_S = 600.0  # between our clock and Slack's

logger = logging.getLogger(__name__)


class Poster:
    """Makes one call at a time; several threads may use it.

    Args:
        on_written: Called where another call may be due at once.
        on_unshown: Told of what will not be shown, and of the code, before it is given up.
        bar: Told the team and Slack's error code where no call of a team can succeed any more;
            gives whether there are other teams.
        on_stop: Called with the error code where there are none.
    """

    def __init__(
        self,
        *,
        store: Store,
        client_for: Callable[[str], WebClient],
        metrics: Metrics,
        clock: Callable[[], float],
        pace_s: float,
        on_written: Callable[[], None],
        on_unshown: Callable[[Job, str], None],
        bar: Callable[[str, str], bool],
        on_stop: Callable[[str], None],
    ) -> None:
        self._store = store
        self._client_for = client_for
        self._metrics = metrics
        self._clock = clock
        self._pace_s = pace_s
        self._on_written = on_written
        self._on_unshown = on_unshown
        self._bar = bar
        self._on_stop = on_stop

    def post_one(self) -> bool:
        """Make one call to Slack; False where none is due."""
        job = self._store.claim_job(pace_s=self._pace_s)
        if job is None:
            return False
        if job.tries > MOST_TRIES:
            self._end(job, "gave_up")
            return True
        try:
            client = self._client_for(job.team)
        except NotInstalled:
            self._end(job, "no_installation")
            return True
        messages = read_messages(job.payload) if job.wanted == "shown" else ()
        if job.look_first:
            self._settle_look(job, messages, self._look(client, job))
        else:
            self._settle_call(job, messages, self._call(client, job, messages))
        return True

    def _call(self, client: WebClient, job: Job, messages: tuple[Message, ...]) -> Outcome:
        if job.wanted == "removed":
            kind = "delete"
            outcome = remove(client, channel=job.channel, ts=job.ts or "")
        else:
            message = _variant(messages, job)
            kind, outcome = self._show(client, job, message)
        self._saw(kind, job, outcome)
        return outcome

    def _show(self, client: WebClient, job: Job, message: Message) -> tuple[str, Outcome]:
        if job.private:
            told = tell(
                client,
                message,
                channel=job.channel,
                user=job.user,
                thread_ts=job.thread_ts,
                response_url=job.response_url,
            )
            return "tell", told
        if job.ts is not None:
            return "change", change(client, message, channel=job.channel, ts=job.ts)
        posted = post(
            client, message, channel=job.channel, thread_ts=job.thread_ts, key=job.answer_id
        )
        return "post", posted

    def _look(self, client: WebClient, job: Job) -> Outcome | Absent:
        oldest = job.question_ts or f"{job.at - _SKEW_S:.6f}"
        found = find(
            client,
            channel=job.channel,
            thread_ts=job.thread_ts,
            oldest=oldest,
            key=job.answer_id,
        )
        self._saw("find", job, found)
        return found

    def _settle_call(self, job: Job, messages: tuple[Message, ...], outcome: Outcome) -> None:
        match outcome:
            case Posted() if job.wanted == "removed":
                self._store.removed(job)
            case Posted():
                self._shown(job, messages, outcome)
            case Failed():
                self._settle_failure(job, messages, outcome)
            case _:
                assert_never(outcome)

    def _settle_look(
        self, job: Job, messages: tuple[Message, ...], found: Outcome | Absent
    ) -> None:
        match found:
            case Posted():
                self._shown(job, messages, found)
            case Absent():
                self._store.absent(job)
                self._on_written()
            case Failed(verdict=Verdict.LATER | Verdict.STOP | Verdict.PERMANENT):
                self._settle_failure(job, messages, found)
            case Failed():
                self._wait(job, self._store.look_later, _backoff(job, job.looks), found.code)
            case _:
                assert_never(found)

    def _shown(self, job: Job, messages: tuple[Message, ...], posted: Posted) -> None:
        """Note that it is posted; where Slack stored other quotes, the next variant replaces it."""
        ts = posted.ts or job.ts
        if self._is_otherwise(job, messages, posted) and ts and job.variant + 1 < len(messages):
            self._store.posted_otherwise(job, ts=ts)
        elif self._store.posted(job, ts=ts):
            self._metrics.saw_end("posted")
            self._metrics.took("delivery", self._clock() - job.asked_at)
        self._on_written()  # an edit or a deletion may be due

    def _is_otherwise(self, job: Job, messages: tuple[Message, ...], posted: Posted) -> bool:
        """Compare what Slack says that it stored with what was sent, quote by quote."""
        if posted.blocks is None or not messages or not job.is_current:
            return False
        if quotes_in(posted.blocks) == _variant(messages, job).quotes:
            return False
        self._metrics.saw_mismatch()
        logger.error("stored_otherwise answer=%s variant=%d", job.answer_id, job.variant)
        return True

    def _settle_failure(self, job: Job, messages: tuple[Message, ...], failed: Failed) -> None:
        match failed.verdict:
            case Verdict.LATER:
                self._wait(job, self._store.park, failed.after_s, failed.code)
            case Verdict.UNKNOWN:
                self._store.look_later(job, self._clock() + _backoff(job, job.tries))
            case Verdict.SMALLER if job.variant + 1 < len(messages):
                self._store.shrink(job)
                self._on_written()
            case Verdict.GONE if job.wanted == "shown" and job.ts is not None:
                self._store.gone(job)
                self._on_written()
            case Verdict.STOP if self._bar(job.team, failed.code):
                self._end(job, failed.code)
            case Verdict.STOP:
                self._store.later(job, at=0.0)
                self._on_stop(failed.code)
            case Verdict.PERMANENT | Verdict.SMALLER | Verdict.GONE:
                self._end(job, failed.code)
            case _:
                assert_never(failed.verdict)

    def _wait(
        self, job: Job, note: Callable[[Job, float], bool], seconds: float, code: str
    ) -> None:
        """Note that it is for later, unless it has waited too long already."""
        if self._clock() - job.at > GIVE_UP_S:
            self._end(job, code)
            return
        note(job, self._clock() + max(_SHORTEST_WAIT_S, seconds))

    def _end(self, job: Job, code: str) -> None:
        self._on_unshown(job, code)
        if self._store.lost(job, outcome=code):
            self._metrics.saw_end(code)
            logger.error("given_up answer=%s channel=%s code=%s", job.answer_id, job.channel, code)

    def _saw(self, kind: str, job: Job, outcome: Outcome | Absent) -> None:
        code = outcome.code if isinstance(outcome, Failed) else "ok"
        self._metrics.saw_call(kind, code)
        level = logging.WARNING if isinstance(outcome, Failed) else logging.INFO
        logger.log(level, "called kind=%s answer=%s code=%s", kind, job.answer_id, code)


def write_messages(messages: tuple[Message, ...]) -> str:
    """Write messages as they lie in the outbox."""
    return json.dumps(
        [{"text": one.text, "blocks": one.blocks, "quotes": one.quotes} for one in messages]
    )


def read_messages(payload: str) -> tuple[Message, ...]:
    return tuple(
        Message(text=one["text"], blocks=tuple(one["blocks"]), quotes=tuple(one["quotes"]))
        for one in json.loads(payload)
    )


def _variant(messages: tuple[Message, ...], job: Job) -> Message:
    return messages[min(job.variant, len(messages) - 1)]


def _backoff(job: Job, times: int) -> float:
    """Give 3, 9, 27, 60 s, a little more or less, so that many answers do not come at once."""
    spread = int(job.answer_id[:2], 16) / 255
    return max(SETTLE_S, min(_LONGEST_WAIT_S, 3.0**times) * (0.75 + spread / 2))
