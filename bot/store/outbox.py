"""Answers on their way out: add, claim, settle. Each function is part of one transaction."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BindParameter,
    Connection,
    Float,
    RowMapping,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from bot.incoming import Incoming, Place
from bot.store.opening import insert_once
from bot.store.schema import answers, lanes, places

LEASE_S: Final = 120.0  # a call ends after 10 s without a byte
# How long after a lost call its message may still appear: what is looked for sooner is not found.
SETTLE_S: Final = 2.0
MOST_TRIES: Final = 5

UNDER_WAY: Final = ("sending", "unclear")

# Put together once, as in the inbox.
_NOW: BindParameter[float] = bindparam("now", type_=Float)
_IS_DUE = and_(
    or_(
        and_(answers.c.state.in_(("ready", "unclear")), answers.c.not_before <= _NOW),
        and_(answers.c.state == "sending", answers.c.lease_until < _NOW),
    ),
    lanes.c.free_at <= _NOW,
)
_IN_LANE = answers.join(lanes, lanes.c.lane == answers.c.lane)
_ANY_DUE = select(answers.c.id).select_from(_IN_LANE).where(_IS_DUE).limit(1)
_DUE = (
    select(answers)
    .select_from(_IN_LANE)
    .where(_IS_DUE)
    .order_by(answers.c.id)
    .limit(1)
    .with_for_update(skip_locked=True, of=answers)
)
_NEW, _NEW_PLACE = insert(answers), insert(places)
_CHANGE = update(answers).where(answers.c.id == bindparam("key"))
_TAKE_LANE = (
    update(lanes)
    .where(lanes.c.lane == bindparam("key"), lanes.c.free_at <= _NOW)
    .values(free_at=bindparam("until", type_=Float))
)
_ROW = select(answers).where(answers.c.answer_id == bindparam("answer_id")).with_for_update()

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What goes to Slack; `payload` is the messages, as delivery wrote them."""

    payload: str
    private: bool = True
    places: tuple[Place, ...] = ()
    generation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A call to Slack that a poster has taken up.

    Attributes:
        answer_id: Also the key in the message's metadata.
        question_ts: The message that asked, or None (commands, notes of our own).
        ts: Of the message that shows the answer already, or None.
        wanted: "shown" or "removed".
        look_first: Whether a call may have succeeded that we know nothing of.
        tries: How many times it was tried to post or change it, this time too.
        looks: How many times in a row it was looked for, this time too.
        is_current: Whether what was sent last is what is to be shown now.
        at: When it was written.
        asked_at: When the question came in.
    """

    id: int
    claim: str
    answer_id: str
    team: str
    channel: str
    thread_ts: str | None
    question_ts: str | None
    user: str
    private: bool
    response_url: str | None
    payload: str
    variant: int
    ts: str | None
    wanted: str
    look_first: bool
    tries: int
    looks: int
    is_current: bool
    at: float
    asked_at: float


def add_letter(
    db: Connection,
    answer_id: str,
    incoming: Incoming,
    letter: Letter,
    *,
    asked_at: float,
    now: float,
    told: str | None = None,
) -> None:
    """Put an answer into the outbox, or a new one in the place of the one that is there.

    Args:
        told: The key under which it is written only once, if it answers no question.
    """
    row = find_row(db, answer_id)
    if row is None:
        db.execute(_NEW, {"told": told, **_new(answer_id, incoming, letter, asked_at, now)})
        _write_places(db, answer_id, letter.places)
        _open_lane(db, _lane(incoming, private=letter.private))
        return
    db.execute(delete(places).where(places.c.answer_id == answer_id))
    _write_places(db, answer_id, letter.places)
    values: dict[str, Value] = {
        "payload": letter.payload,
        "generation": letter.generation,
        "variant": 0,
        "wanted": "shown",
        "revision": row["revision"] + 1,
        "tries": 0,
        "outcome": "",
        "at": now,
        "asked_at": asked_at,
    }
    if row["state"] not in UNDER_WAY:
        values |= {"state": "ready", "not_before": 0.0}
        if row["private"] or row["ts"] is None:  # nothing stands there that it would have to change
            lane = _lane(incoming, private=letter.private)
            _open_lane(db, lane)
            values |= {"private": letter.private, "lane": lane, "ts": None}
    change(db, row, values)


def remove_answer(db: Connection, team: str, channel: str, question_ts: str, *, now: float) -> bool:
    """Take back what answers a message: it is deleted once it is known where it is."""
    row = (
        db.execute(
            select(answers)
            .where(
                answers.c.team == team,
                answers.c.channel == channel,
                answers.c.question_ts == question_ts,
                answers.c.private.is_(False),
                answers.c.wanted == "shown",
            )
            .with_for_update()
        )
        .mappings()
        .first()
    )
    if row is None:
        return False
    nothing_there = row["ts"] is None and row["state"] in ("ready", "dead")
    state = "dead" if nothing_there else row["state"] if row["state"] in UNDER_WAY else "ready"
    values: dict[str, Value] = {
        "wanted": "removed",
        "revision": row["revision"] + 1,
        "payload": "",
        "tries": 0,
        "state": state,
        "at": now,
    }
    change(db, row, values)
    db.execute(delete(places).where(places.c.answer_id == row["answer_id"]))
    return True


def cancel(db: Connection, answer_id: str) -> bool:
    """Take back an answer that nobody has begun to send; False where it is too late."""
    waits = and_(
        answers.c.answer_id == answer_id, answers.c.state == "ready", answers.c.ts.is_(None)
    )
    values: dict[str, Value] = {"state": "dead", "outcome": "stopped", "payload": ""}
    return bool(db.execute(update(answers).where(waits).values(values)).rowcount)


def is_any_due(db: Connection, *, now: float) -> bool:
    return db.execute(_ANY_DUE, {"now": now}).first() is not None


def claim(db: Connection, *, now: float, pace_s: float) -> Job | None:
    """Take up the oldest call that is due in a free lane, and keep the lane for `pace_s`."""
    row = db.execute(_DUE, {"now": now}).mappings().first()
    if row is None:
        return None
    # Another bot may have taken the same lane since: the one that changes the row has it.
    lane = {"key": row["lane"], "now": now, "until": now + pace_s}
    if not db.execute(_TAKE_LANE, lane).rowcount:
        return None
    unclear = row["state"] in ("unclear", "sending")
    look_first = unclear and row["ts"] is None and not row["private"]
    values: dict[str, Value] = {
        "state": "sending",
        "claim": secrets.token_hex(8),
        "lease_until": now + LEASE_S,
        "tries": row["tries"] if look_first else row["tries"] + 1,
        "looks": row["looks"] + 1 if look_first else 0,
        "sent_revision": row["sent_revision"] if look_first else row["revision"],
    }
    change(db, row, values)
    return _job({**row, **values}, look_first=look_first)


def release_all(db: Connection, *, now: float) -> None:
    """Mark as unclear what a process that is gone was sending."""
    db.execute(
        update(answers)
        .where(answers.c.state == "sending")
        .values(state="unclear", claim=None, not_before=now + SETTLE_S)
    )


def is_any_sendable(db: Connection, *, by: float) -> bool:
    """Say whether a call is under way, or due before a time."""
    due = and_(
        answers.c.state.in_(("ready", "unclear")), answers.c.not_before < by, lanes.c.free_at < by
    )
    sendable = select(answers.c.id).join(lanes, lanes.c.lane == answers.c.lane)
    wanted = or_(answers.c.state == "sending", due)
    return db.execute(sendable.where(wanted).limit(1)).first() is not None


def count_waiting(db: Connection) -> int:
    unsent = answers.c.state.in_(("ready", "sending", "unclear"))
    return db.scalar(select(func.count()).select_from(answers).where(unsent)) or 0


def _new(
    answer_id: str, incoming: Incoming, letter: Letter, asked_at: float, now: float
) -> dict[str, Value]:
    return {
        "answer_id": answer_id,
        "team": incoming.team,
        "channel": incoming.channel,
        "thread_ts": incoming.root or incoming.thread_ts,
        "question_ts": incoming.ts if incoming.ts and incoming.root else None,
        "user": incoming.user,
        "lane": _lane(incoming, private=letter.private),
        "private": letter.private,
        "response_url": incoming.response_url,
        "payload": letter.payload,
        "state": "ready",
        "generation": letter.generation,
        "at": now,
        "asked_at": asked_at,
    }


def _lane(incoming: Incoming, *, private: bool) -> str:
    lane = f"{incoming.team}/{incoming.channel}"
    return f"{lane}/{incoming.user}" if private else lane


def _open_lane(db: Connection, lane: str) -> None:
    db.execute(insert_once(lanes, db.dialect.name), {"lane": lane, "free_at": 0.0})


def _write_places(db: Connection, answer_id: str, given: Sequence[Place]) -> None:
    if given:
        rows = [
            {
                "answer_id": answer_id,
                "number": number,
                "path": place.path,
                "sha256": place.sha256,
                "start": place.start,
                "end": place.end,
            }
            for number, place in enumerate(given)
        ]
        db.execute(_NEW_PLACE, rows)


def change(db: Connection, row: RowMapping, values: dict[str, Value]) -> None:
    """Give a row of the answers other values."""
    db.execute(_CHANGE, {"key": row["id"], **values})


def find_row(db: Connection, answer_id: str) -> RowMapping | None:
    return db.execute(_ROW, {"answer_id": answer_id}).mappings().first()


def _job(row: dict[str, Value], *, look_first: bool) -> Job:
    derived: dict[str, Value] = {
        "look_first": look_first,
        "is_current": row["revision"] == row["sent_revision"],
    }
    names = Job.__dataclass_fields__.keys() - derived.keys()
    return Job(**derived, **{name: row[name] for name in names})  # type: ignore[arg-type]
