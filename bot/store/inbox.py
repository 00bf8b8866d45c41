"""Questions on their way in: put, claim, put back. Each function is part of one transaction."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Float,
    Integer,
    RowMapping,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    update,
)

from bot.incoming import Accepted, Incoming
from bot.store.opening import insert_once, take_turn
from bot.store.outbox import cancel, remove_answer
from bot.store.schema import events, questions

LEASE_S = 60.0  # a question takes some 50 ms; who needs a minute is dead
BUSY_FOR_S = 60.0  # as long «busy» is worth saying
REFUSAL_LEASE_S = 20.0  # after a call that was lost, it is told again
OPEN = ("waiting", "answering", "answered")
KEPT_IN_THREAD = 4

# Statements of every question are put together once: that takes longer than to execute them.
_NOW: BindParameter[float] = bindparam("now", type_=Float)
_IS_DUE = or_(
    and_(questions.c.state == "waiting", questions.c.not_before <= _NOW),
    and_(questions.c.state == "answering", questions.c.lease_until < _NOW),
)
_DUE = (
    select(questions)
    .where(_IS_DUE)
    .order_by(questions.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_ANY_DUE = select(questions.c.id).where(_IS_DUE).limit(1)
_SEEN = select(events.c.event_id).where(events.c.event_id == bindparam("event_id"))
_FIND = (
    select(questions)
    .where(
        questions.c.team == bindparam("team"),
        questions.c.channel == bindparam("channel"),
        questions.c.ts == bindparam("ts"),
        questions.c.kind == bindparam("kind"),
    )
    .with_for_update()
)
_OF_TEAM = questions.c.team == bindparam("team")
_CROWD = select(
    func.count(),
    func.count(case((and_(_OF_TEAM, questions.c.channel == bindparam("channel")), 1))),
    func.count(case((and_(_OF_TEAM, questions.c.user == bindparam("user")), 1))),
).where(questions.c.state.in_(OPEN))
_UNTOLD = and_(questions.c.state == "refused", questions.c.at > _NOW - BUSY_FOR_S)
_REFUSED = (
    select(questions)
    .where(_UNTOLD, questions.c.not_before <= _NOW)
    .order_by(questions.c.id)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)


_CHANGE = update(questions).where(questions.c.id == bindparam("key"))
_CLOSE = (
    update(questions)
    .where(
        questions.c.id == bindparam("key"),
        questions.c.state == "answering",
        questions.c.claim == bindparam("token"),
    )
    .values(state="answered", claim=None, response_url=None)
)
_OF_THREAD = and_(
    _OF_TEAM, questions.c.channel == bindparam("channel"), questions.c.root == bindparam("root")
)
_OLDEST_KEPT = (
    select(questions.c.ts)
    .where(_OF_THREAD, questions.c.text != "")
    .order_by(questions.c.ts.desc())
    .offset(KEPT_IN_THREAD - 1)
    .limit(1)
)
_EARLIER = (
    select(questions.c.text)
    .where(_OF_THREAD, questions.c.ts < bindparam("before"), questions.c.text != "")
    .order_by(questions.c.ts.desc())
    .limit(KEPT_IN_THREAD)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How many questions may be on their way: not yet posted, refused or given up."""

    in_all: int = 64
    per_channel: int = 10
    per_user: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A question that a worker has taken up.

    Attributes:
        tries: How many times it was taken up, this one too.
        at: When it came in, in seconds since the epoch.
    """

    id: int
    claim: str
    answer_id: str
    incoming: Incoming
    context: tuple[str, ...]
    tries: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A question for which there was no room, and whose asker is to be told."""

    id: int
    incoming: Incoming


def put(db: Connection, incoming: Incoming, *, bounds: Bounds, now: float) -> Accepted:
    """Commit what came in, once."""
    take_turn(db)
    if incoming.surface not in ("edit", "delete"):
        return _ask(db, incoming, bounds, now)
    if db.execute(_SEEN, {"event_id": incoming.event_id}).first() is not None:
        return "duplicate"
    change = _edit if incoming.surface == "edit" else _delete
    return change(db, incoming, now)


def claim(db: Connection, *, now: float) -> Claimed | None:
    """Take up the oldest question that waits, or whose worker is gone."""
    row = db.execute(_DUE, {"now": now}).mappings().first()
    if row is None:
        return None
    token = secrets.token_hex(8)
    taken = {"claim": token, "lease_until": now + LEASE_S, "tries": row["tries"] + 1}
    db.execute(_CHANGE, {"key": row["id"], "state": "answering", **taken})
    return Claimed(
        id=row["id"],
        claim=token,
        answer_id=row["answer_id"],
        incoming=_incoming(row),
        context=() if row["root"] is None else _earlier(db, row),
        tries=row["tries"] + 1,
        at=row["at"],
    )


def is_any_due(db: Connection, *, now: float) -> bool:
    return db.execute(_ANY_DUE, {"now": now}).first() is not None


def close(db: Connection, claimed: Claimed) -> bool:
    """Note that an answer is in the outbox; False where the question changed meanwhile."""
    if not db.execute(_CLOSE, {"key": claimed.id, "token": claimed.claim}).rowcount:
        return False
    _forget_texts(db, claimed.incoming)
    return True


def drop(db: Connection, claimed: Claimed, *, now: float) -> bool:
    """Close a question to which nothing is said; an answer to what it said before is taken back."""
    asked = claimed.incoming
    mine = update(questions).where(questions.c.id == claimed.id, _is_ours(claimed))
    closed = {"state": "closed", "outcome": "silence", "claim": None, "response_url": None}
    if not db.execute(mine.values(text="", **closed)).rowcount:
        return False
    remove_answer(db, asked.team, asked.channel, asked.ts, now=now)
    return True


def stop(db: Connection, team: str, channel: str, root: str) -> int:
    """Close the questions of a thread whose answers nobody has begun to send; give how many."""
    is_open = and_(_in_thread(team, channel, root), questions.c.state.in_(OPEN))
    rows = db.execute(select(questions).where(is_open).with_for_update()).mappings().all()
    stopped = [
        row["id"] for row in rows if row["state"] != "answered" or cancel(db, row["answer_id"])
    ]
    closed = {"state": "closed", "outcome": "stopped", "claim": None, "text": ""}
    db.execute(update(questions).where(questions.c.id.in_(stopped)).values(closed))
    return len(stopped)


def put_back(db: Connection, claimed: Claimed, *, not_before: float, tries: int) -> None:
    db.execute(
        update(questions)
        .where(questions.c.id == claimed.id, _is_ours(claimed))
        .values(state="waiting", claim=None, not_before=not_before, tries=tries)
    )


def release_all(db: Connection) -> None:
    """Put back what a process that is gone had taken up."""
    db.execute(
        update(questions)
        .where(questions.c.state == "answering")
        .values(state="waiting", claim=None, not_before=0.0)
    )
    db.execute(update(questions).where(questions.c.state == "refused").values(not_before=0.0))


def claim_refused(db: Connection, *, most: int, now: float) -> tuple[Refused, ...]:
    """Take up those who were refused first, and are not told; for REFUSAL_LEASE_S."""
    rows = db.execute(_REFUSED, {"now": now, "most": most}).mappings().all()
    put_off_refused(db, [row["id"] for row in rows], until=now + REFUSAL_LEASE_S)
    return tuple(Refused(id=row["id"], incoming=_incoming(row)) for row in rows)


def is_any_refused(db: Connection, *, now: float) -> bool:
    return db.execute(_REFUSED, {"now": now, "most": 1}).first() is not None


def close_refused(db: Connection, ids: Sequence[int]) -> None:
    """Note that these were told, or can not be."""
    mine = and_(questions.c.id.in_(ids), questions.c.state == "refused")
    db.execute(update(questions).where(mine).values(state="closed", response_url=None))


def put_off_refused(db: Connection, ids: Sequence[int], *, until: float) -> None:
    mine = and_(questions.c.id.in_(ids), questions.c.state == "refused")
    db.execute(update(questions).where(mine).values(not_before=until))


def count_untold(db: Connection, *, now: float) -> int:
    return db.scalar(select(func.count()).select_from(questions).where(_UNTOLD), {"now": now}) or 0


def count_open(db: Connection) -> int:
    return (
        db.scalar(select(func.count()).select_from(questions).where(questions.c.state.in_(OPEN)))
        or 0
    )


def thread_texts(db: Connection, team: str, channel: str, root: str) -> list[str]:
    """Give the texts of a thread that are kept, oldest first."""
    rows = db.scalars(
        select(questions.c.text)
        .where(_in_thread(team, channel, root), questions.c.text != "")
        .order_by(questions.c.ts.desc())
        .limit(KEPT_IN_THREAD)
    )
    return list(rows)[::-1]


def _remember(db: Connection, event_id: str, now: float) -> bool:
    """Note an event; False where it came before."""
    event = {"event_id": event_id, "at": now}
    return db.execute(insert_once(events, db.dialect.name), event).rowcount == 1


def _ask(db: Connection, incoming: Incoming, bounds: Bounds, now: float) -> Accepted:
    if not _remember(db, incoming.event_id, now):
        return "duplicate"
    has_room = _has_room(db, incoming, bounds)
    kept = incoming if has_room else replace(incoming, text="")
    state, outcome = ("waiting", "") if has_room else ("refused", "busy")
    if not _insert(db, kept, state=state, outcome=outcome, now=now):
        return "duplicate"
    return "taken" if has_room else "busy"


def _edit(db: Connection, incoming: Incoming, now: float) -> Accepted:
    """Ask anew what was asked; whoever is at work on the old text has lost the claim."""
    row = _find(db, incoming, "question")
    edited = incoming.edited or ""
    if row is None or row["outcome"] in ("busy", "deleted") or "" < edited < row["edited"]:
        return "ignored"
    _remember(db, incoming.event_id, now)
    db.execute(
        update(questions)
        .where(questions.c.id == row["id"])
        .values(
            state="waiting",
            outcome="",
            text=incoming.text,
            edited=edited or row["edited"],
            claim=None,
            tries=0,
            not_before=0.0,
            at=now,
        )
    )
    return "applied"


def _delete(db: Connection, incoming: Incoming, now: float) -> Accepted:
    """Cancel a question, and take its answer back; one that never came is kept from coming."""
    row = _find(db, incoming, "question")
    taken_back = remove_answer(db, incoming.team, incoming.channel, incoming.ts, now=now)
    _remember(db, incoming.event_id, now)
    if row is None:
        gone = replace(incoming, text="", response_url=None)
        _insert(db, gone, state="closed", outcome="deleted", now=now)
        return "applied" if taken_back else "ignored"
    db.execute(
        update(questions)
        .where(questions.c.id == row["id"])
        .values(state="closed", outcome="deleted", text="", response_url=None, claim=None)
    )
    return "applied"


def _find(db: Connection, incoming: Incoming, kind: str) -> RowMapping | None:
    place = {
        "team": incoming.team,
        "channel": incoming.channel,
        "ts": incoming.ts,
        "kind": kind,
    }
    return db.execute(_FIND, place).mappings().first()


def _insert(db: Connection, incoming: Incoming, *, state: str, outcome: str, now: float) -> bool:
    """Write a question; False where it is there: an event and its twin ask the same."""
    row = {
        "answer_id": secrets.token_hex(8),
        "event_id": incoming.event_id,
        "team": incoming.team,
        "channel": incoming.channel,
        "ts": incoming.ts,
        "kind": _kind(incoming),
        "surface": incoming.surface,
        "thread_ts": incoming.thread_ts,
        "root": incoming.root,
        "user": incoming.user,
        "text": incoming.text,
        "response_url": incoming.response_url,
        "state": state,
        "outcome": outcome,
        "at": now,
    }
    return db.execute(insert_once(questions, db.dialect.name), row).rowcount == 1


def _has_room(db: Connection, incoming: Incoming, bounds: Bounds) -> bool:
    crowd = {"team": incoming.team, "channel": incoming.channel, "user": incoming.user}
    in_all, in_channel, of_user = db.execute(_CROWD, crowd).one()
    return bool(
        in_all < bounds.in_all and in_channel < bounds.per_channel and of_user < bounds.per_user
    )


def _is_ours(claimed: Claimed) -> ColumnElement[bool]:
    return and_(questions.c.state == "answering", questions.c.claim == claimed.claim)


def _in_thread(team: str, channel: str, root: str) -> ColumnElement[bool]:
    return and_(questions.c.team == team, questions.c.channel == channel, questions.c.root == root)


def _earlier(db: Connection, row: RowMapping) -> tuple[str, ...]:
    """Give what was asked before in the same thread; Slack's ts sort like the times they are."""
    place = {name: row[name] for name in ("team", "channel", "root")}
    return tuple(db.scalars(_EARLIER, {**place, "before": row["ts"]}))[::-1]


def _forget_texts(db: Connection, incoming: Incoming) -> None:
    """Blank what is answered; a thread keeps its last questions, for those that follow."""
    if incoming.root is None:
        mine = questions.c.event_id == incoming.event_id
        db.execute(update(questions).where(mine).values(text=""))
        return
    place = {"team": incoming.team, "channel": incoming.channel, "root": incoming.root}
    oldest = db.scalar(_OLDEST_KEPT, place)
    if oldest is not None:
        thread = _in_thread(incoming.team, incoming.channel, incoming.root)
        old = and_(thread, questions.c.ts < oldest, questions.c.state.in_(("answered", "closed")))
        db.execute(update(questions).where(old).values(text=""))


def _kind(incoming: Incoming) -> str:
    return incoming.surface if incoming.root is None else "question"


def _incoming(row: RowMapping) -> Incoming:
    return Incoming(
        event_id=row["event_id"],
        team=row["team"],
        channel=row["channel"],
        ts=row["ts"],
        thread_ts=row["thread_ts"],
        user=row["user"],
        surface=row["surface"],
        text=row["text"],
        response_url=row["response_url"],
    )
