"""The bot's own database: what came in, what goes out, and what the buttons need.

Every arrow is one transaction. A question and its answer share an `answer_id`.

    question            edited ─────────────────────────────┐
                          ┌──────────┐   claim   ┌──────────┴┐  finish   ┌────────┐  settled
    put ──► (room?) ────► │ waiting  │ ────────► │ answering │ ────────► │answered│ ────────► closed
               │ no       └──────────┘ ◄──────── └───────────┘           └────────┘
               ▼                       lease over, released, put back        │ writes the answer:
            refused «busy» ──► closed, once the asker is told               ▼
    answer                ┌──────────┐   claim   ┌───────────┐  posted   ┌────────┐
                          │  ready   │ ────────► │  sending  │ ────────► │  sent  │ ◄─┐
                          └──────────┘           └───────────┘           └────────┘   │ found
                            ▲   ▲  429, not sent,    │ │ lost call, crash     │       │
                            │   └── smaller variant ─┘ ▼                      │ edited, deleted,
                            │ absent             ┌───────────┐               │ stored otherwise:
                            └──────────────────  │  unclear  │ ── look ──────┘ back to ready
                                                 └───────────┘
    permanent error, too many tries: dead. What a `ready` answer needs follows from what is known:
    no ts → post it; a ts → change that message, or delete it where `wanted` is «removed».

A claim is a random token: who comes back after its lease has run out, or after the question was
edited, holds an old token, and what it brings is dropped. Slack is called between two transactions,
never inside of one; `sending` is on the disk before the call begins.
"""

import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Self

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.exc import SQLAlchemyError

from bot.incoming import Accepted, Incoming
from bot.store import inbox, ledger, outbox, settling
from bot.store.inbox import Bounds, Claimed, Refused
from bot.store.intake import Intake
from bot.store.ledger import STATE_LIVES_S, Shown
from bot.store.opening import (
    SQLITE,
    Opened,
    StoreError,
    join_database,
    open_database,
    take_turn,
    told,
)
from bot.store.outbox import MOST_TRIES, SETTLE_S, Job, Letter
from bot.store.turn import Turn, Urgency

__all__ = [
    "MOST_TRIES",
    "SETTLE_S",
    "STATE_LIVES_S",
    "Bounds",
    "Claimed",
    "Job",
    "Letter",
    "Refused",
    "Shown",
    "Store",
    "StoreError",
    "join_store",
    "open_store",
]


def open_store(url: str, *, clock: Callable[[], float]) -> "Store":
    """Open the database, and make its tables where there are none.

    Args:
        url: `sqlite:////path/to/bot.db` or `postgresql://user:password@host/name`.
        clock: Seconds since the epoch, on all bots the same to some seconds.

    Raises:
        StoreError: it can not be reached, another bot holds it (SQLite), or another version of
            Clippings wrote it.
    """
    store = Store(open_database(url), clock=clock)
    store.take_over()
    return store


def join_store(url: str, *, clock: Callable[[], float]) -> "Store":
    """Open the database beside the process of the same bot that opened it with `open_store`.

    Raises:
        StoreError: it can not be reached.
    """
    return Store(join_database(url), clock=clock)


class Store:
    """An opened database; may be used from several threads. Every method may raise StoreError."""

    def __init__(self, opened: Opened, *, clock: Callable[[], float]) -> None:
        self._opened = opened
        self._clock = clock
        # SQLite lets one write at a time and makes the others poll; they wait here instead.
        self._turn = Turn()
        self._intake = Intake(self._writing, clock=clock)
        self._claiming = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def engine(self) -> Engine:
        """For slack_sdk's store of installations, which brings a table of its own."""
        return self._opened.durable

    @property
    def reader(self) -> Engine:
        """The same, for reading alone: it waits for nobody who writes."""
        return self._opened.reader

    def take_over(self) -> None:
        """Release what a bot before us had taken up, where only one can be: its process is gone."""
        if self._opened.lock is not None:
            with self._writing() as db:
                inbox.release_all(db)
                outbox.release_all(db, now=self._clock())

    def add_table(self, table: Table) -> None:
        """Make a table where there is none."""
        with self._writing() as db:
            take_turn(db)
            table.create(db, checkfirst=True)

    def close(self) -> None:
        self._opened.close()

    # The inbox

    def put(self, incoming: Incoming, *, bounds: Bounds) -> Accepted:
        """Commit what came in; when this returns it may be acknowledged."""
        return self._intake.put(incoming, bounds=bounds)

    def claim_refused(self, *, most: int) -> tuple[Refused, ...]:
        """Take up questions for which there was no room in the last minute, the oldest first."""
        now = self._clock()
        with self._reading() as db:
            if not inbox.is_any_refused(db, now=now):
                return ()
        with self._advancing(Urgency.REFUSAL) as db:
            return inbox.claim_refused(db, most=most, now=now)

    def close_refused(self, refused: Sequence[Refused]) -> None:
        """Note that their askers were told, or can not be."""
        with self._advancing(Urgency.REFUSAL) as db:
            inbox.close_refused(db, [each.id for each in refused])

    def put_off_refused(self, refused: Sequence[Refused], *, until: float) -> None:
        with self._advancing(Urgency.REFUSAL) as db:
            inbox.put_off_refused(db, [each.id for each in refused], until=until)

    def count_untold(self) -> int:
        with self._reading() as db:
            return inbox.count_untold(db, now=self._clock())

    def claim_question(self) -> Claimed | None:
        now = self._clock()
        with self._reading() as db:
            if not inbox.is_any_due(db, now=now):
                return None
        with self._advancing() as db:
            return inbox.claim(db, now=now)

    def finish(self, claimed: Claimed, letter: Letter) -> bool:
        """Close a question, write its answer; False where it was edited, deleted or taken over."""
        with self._advancing() as db:
            if not inbox.close(db, claimed):
                return False
            outbox.add_letter(
                db,
                claimed.answer_id,
                claimed.incoming,
                letter,
                asked_at=claimed.at,
                now=self._clock(),
            )
            return True

    def drop(self, claimed: Claimed) -> bool:
        """Close a question to which nothing is said; False as in `finish`."""
        with self._advancing() as db:
            return inbox.drop(db, claimed, now=self._clock())

    def put_back(self, claimed: Claimed, *, not_before: float, tries: int) -> None:
        """Let a question wait; `tries` is how many times it counts as taken up."""
        with self._advancing() as db:
            inbox.put_back(db, claimed, not_before=not_before, tries=tries)

    def stop(self, team: str, channel: str, root: str) -> int:
        """Close the questions of a thread that are not answered yet; gives how many."""
        with self._writing() as db:
            return inbox.stop(db, team, channel, root)

    def count_open(self) -> int:
        with self._reading() as db:
            return inbox.count_open(db)

    # The outbox

    def write(self, letter: Callable[[str], Letter], to: Incoming) -> str | None:
        """Write a letter that answers no question, once per event id; gives its answer id.

        An event id whose letter is lost may be used again.
        """
        now = self._clock()
        answer_id = secrets.token_hex(8)
        place = replace(to, thread_ts=to.root or to.thread_ts, ts="")
        with self._writing() as db:
            if not ledger.tell_once(db, to.event_id, now=now):
                return None
            outbox.add_letter(
                db,
                answer_id,
                place,
                letter(answer_id),
                asked_at=now,
                now=now,
                told=to.event_id,
            )
        return answer_id

    def claim_job(self, *, pace_s: float) -> Job | None:
        """Take up a call that is due in a lane where none was made for `pace_s`."""
        with self._claiming:  # of many who look, all but one would have waited for nothing
            now = self._clock()
            with self._reading() as db:
                if not outbox.is_any_due(db, now=now):
                    return None
            with self._writing(Urgency.ANSWER) as db:
                return outbox.claim(db, now=now, pace_s=pace_s)

    def posted(self, job: Job, *, ts: str | None) -> bool:
        """Note that Slack shows it. This and the next give False where the job is not ours now."""
        with self._advancing() as db:
            return settling.posted(db, job, ts=ts)

    def posted_otherwise(self, job: Job, *, ts: str) -> bool:
        with self._advancing() as db:
            return settling.posted_otherwise(db, job, ts=ts)

    def absent(self, job: Job) -> bool:
        with self._advancing() as db:
            return settling.absent(db, job)

    def removed(self, job: Job) -> bool:
        with self._advancing() as db:
            return settling.removed(db, job)

    def gone(self, job: Job) -> bool:
        with self._advancing() as db:
            return settling.gone(db, job)

    def later(self, job: Job, at: float) -> bool:
        with self._advancing() as db:
            return settling.later(db, job, at=at)

    def look_later(self, job: Job, at: float) -> bool:
        with self._advancing() as db:
            return settling.look_later(db, job, at=at)

    def park(self, job: Job, until: float) -> bool:
        with self._advancing() as db:
            return settling.park(db, job, until=until)

    def shrink(self, job: Job) -> bool:
        with self._advancing() as db:
            return settling.shrink(db, job)

    def lost(self, job: Job, *, outcome: str) -> bool:
        with self._advancing() as db:
            return settling.lost(db, job, outcome=outcome)

    def is_any_sendable(self, *, within_s: float) -> bool:
        """Say whether a call is under way, or due within some seconds."""
        with self._reading() as db:
            return outbox.is_any_sendable(db, by=self._clock() + within_s)

    def count_unsent(self) -> int:
        with self._reading() as db:
            return outbox.count_waiting(db)

    def sweep(self) -> None:
        """Delete what is kept no longer: keys after 25 hours, answers after 90 days."""
        with self._advancing() as db:
            ledger.sweep(db, now=self._clock())

    # What the surfaces look up and note down

    def shown(self, answer_id: str) -> Shown | None:
        """Give what an answer quotes; None if it is unknown, deleted or older than 90 days."""
        with self._reading() as db:
            return ledger.shown(db, answer_id)

    def quoting(self, path: str, *, not_sha256: str) -> tuple[Shown, ...]:
        """Give the posted answers that quote a file in other bytes than these, not noted yet."""
        with self._reading() as db:
            return ledger.quoting(db, path, not_sha256=not_sha256)

    def note_change(self, answer_id: str, sha256: str) -> None:
        """Remember that the thread of an answer was told of these bytes."""
        with self._writing() as db:
            ledger.note_change(db, answer_id, sha256)

    def thread_questions(self, team: str, channel: str, thread_ts: str) -> tuple[str, ...]:
        """Give the last questions of a thread, oldest first: at most 4, of the last 25 hours."""
        with self._reading() as db:
            return tuple(inbox.thread_texts(db, team, channel, thread_ts))

    def follows(self, team: str, channel: str, thread_ts: str) -> bool:
        """Say whether we answered in a thread, or are about to."""
        with self._reading() as db:
            return ledger.follows(db, team, channel, thread_ts)

    def questions_of(self, team: str, user: str) -> tuple[str, ...]:
        """Give somebody's last five questions, newest first, as far as they are kept."""
        with self._reading() as db:
            return ledger.questions_of(db, team, user)

    def add_feedback(self, answer_id: str, *, user: str, verdict: str, reason: str = "") -> None:
        """Keep an opinion of an answer, one per user; reasons are blanked after 30 days."""
        with self._writing() as db:
            now = self._clock()
            ledger.add_feedback(db, answer_id, user=user, verdict=verdict, reason=reason, now=now)

    def channel_policy(self, team: str, channel: str) -> str | None:
        """Give what an admin set for a channel, or None."""
        with self._reading() as db:
            return ledger.channel_policy(db, team, channel)

    def channel_policies(self, team: str) -> tuple[tuple[str, str], ...]:
        """Give (channel, policy) for each channel that has one, by channel."""
        with self._reading() as db:
            return ledger.channel_policies(db, team)

    def set_channel_policy(self, team: str, channel: str, policy: str, *, by: str) -> None:
        with self._writing() as db:
            ledger.set_channel_policy(db, team, channel, policy, by=by, now=self._clock())

    def tell_once(self, key: str) -> bool:
        """Say True the first time for a key within 25 hours: for what is told somebody once."""
        with self._writing() as db:
            return ledger.tell_once(db, key, now=self._clock())

    # Who installs the bot

    def issue_state(self, state: str) -> bool:
        """Keep a state of OAuth for ten minutes; False where too many are open."""
        with self._writing() as db:
            return ledger.issue_state(db, state, now=self._clock())

    def take_state(self, state: str) -> bool:
        """Say whether a state was issued and is young; True once."""
        with self._writing() as db:
            return ledger.take_state(db, state, now=self._clock())

    @contextmanager
    def _writing(self, urgency: Urgency = Urgency.EVENT) -> Iterator[Connection]:
        """A transaction that is on the disk when it ends."""
        with self._transaction(self._opened.durable, urgency) as db:
            yield db

    @contextmanager
    def _advancing(self, urgency: Urgency = Urgency.ANSWER) -> Iterator[Connection]:
        """A transaction that a loss of power may undo, because it would be made again."""
        with self._transaction(self._opened.lazy, urgency) as db:
            yield db

    @contextmanager
    def _transaction(self, engine: Engine, urgency: Urgency) -> Iterator[Connection]:
        turn = self._turn.taken(urgency) if engine.dialect.name == SQLITE else nullcontext()
        try:
            with turn, self._opened.written_alone(), engine.begin() as db:
                yield db
        except SQLAlchemyError as error:
            raise StoreError(f"the database does not take it: {told(error)}") from error

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._opened.reader.connect() as db:
                yield db
        except SQLAlchemyError as error:
            raise StoreError(f"the database can not be read: {told(error)}") from error
