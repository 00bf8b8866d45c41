"""What came of a call: each function ends a job, in one transaction.

Each gives False where the job is not ours any more, and then changes nothing.
"""

from sqlalchemy import Connection, RowMapping, and_, bindparam, select, update

from bot.store import ledger
from bot.store.outbox import Job, Value, change, find_row
from bot.store.schema import lanes, questions

_LOCK = (
    select(questions.c.id).where(questions.c.answer_id == bindparam("answer_id")).with_for_update()
)
_CLOSE = (
    update(questions)
    .where(questions.c.answer_id == bindparam("key"), questions.c.state == "answered")
    .values(state="closed")
)


def posted(db: Connection, job: Job, *, ts: str | None) -> bool:
    """Note that Slack shows the message; what was edited or deleted since is due at once."""
    row = _ours(db, job)
    if row is None:
        return False
    if row["revision"] != row["sent_revision"]:
        return _settle(db, row, {"state": "ready", "ts": ts, "tries": 0})
    _close_question(db, job, "posted")
    done: dict[str, Value] = {"state": "sent", "outcome": "posted", "ts": ts, "tries": 0}
    return _settle(db, row, {**done, "payload": "", "response_url": None})


def posted_otherwise(db: Connection, job: Job, *, ts: str) -> bool:
    """Note that the message is there, but not as it was sent: the next variant replaces it."""
    row = _ours(db, job)
    if row is None:
        return False
    return _settle(db, row, {"state": "ready", "ts": ts, "tries": 0, "variant": _next(row)})


def absent(db: Connection, job: Job) -> bool:
    """Note that nothing was posted: it is due now."""
    row = _ours(db, job)
    return row is not None and _settle(db, row, {"state": "ready", "looks": 0, "not_before": 0.0})


def removed(db: Connection, job: Job) -> bool:
    row = _ours(db, job)
    return row is not None and _settle(db, row, {"state": "ready", "ts": None})


def gone(db: Connection, job: Job) -> bool:
    """Note that the message to change is not there any more or can not be: it is posted anew."""
    row = _ours(db, job)
    return row is not None and _settle(db, row, {"state": "ready", "ts": None})


def later(db: Connection, job: Job, *, at: float) -> bool:
    """Note that nothing happened at Slack's: to be tried again, and this was no try."""
    row = _ours(db, job)
    tries = job.tries if job.look_first else job.tries - 1
    state = "unclear" if job.look_first else "ready"
    values: dict[str, Value] = {"state": state, "tries": tries, "not_before": at}
    return row is not None and _settle(db, row, values)


def look_later(db: Connection, job: Job, *, at: float) -> bool:
    """Note that the call may or may not have succeeded."""
    row = _ours(db, job)
    return row is not None and _settle(db, row, {"state": "unclear", "not_before": at})


def park(db: Connection, job: Job, *, until: float) -> bool:
    """Close a lane as long as Slack says; the other lanes go on."""
    row = _ours(db, job)
    if row is None:
        return False
    lane = and_(lanes.c.lane == row["lane"], lanes.c.free_at < until)
    later(db, job, at=0.0)
    db.execute(update(lanes).where(lane).values(free_at=until))
    return True


def shrink(db: Connection, job: Job) -> bool:
    """Note that Slack finds the message too large: the next variant is due at once."""
    row = _ours(db, job)
    return row is not None and _settle(db, row, {"state": "ready", "variant": _next(row)})


def lost(db: Connection, job: Job, *, outcome: str) -> bool:
    """End it: no further call would help. What was written since has not been tried yet.

    What is written only once may be written again.
    """
    row = _ours(db, job)
    if row is None:
        return False
    if row["revision"] != row["sent_revision"]:
        _settle(db, row, {"state": "ready", "tries": 0})
        return False
    if row["told"]:
        ledger.forget(db, row["told"])
    _close_question(db, job, outcome)
    done: dict[str, Value] = {"state": "dead", "outcome": outcome}
    return _settle(db, row, {**done, "payload": "", "response_url": None})


def _ours(db: Connection, job: Job) -> RowMapping | None:
    """Give the row if it is still ours. The question is locked first, as everywhere."""
    db.execute(_LOCK, {"answer_id": job.answer_id})
    row = find_row(db, job.answer_id)
    if row is None or row["state"] != "sending" or row["claim"] != job.claim:
        return None
    return row


def _settle(db: Connection, row: RowMapping, values: dict[str, Value]) -> bool:
    """Write how it stands; a message that is not wanted and not there needs no further call."""
    after = {**row, **values}
    if (after["wanted"], after["state"], after["ts"]) == ("removed", "ready", None):
        values = {**values, "state": "dead", "outcome": "removed"}
    change(db, row, {**values, "claim": None})
    return True


def _close_question(db: Connection, job: Job, outcome: str) -> None:
    """Close the question, unless it was edited and waits to be answered anew."""
    db.execute(_CLOSE, {"key": job.answer_id, "outcome": outcome})


def _next(row: RowMapping) -> int:
    """Give the next variant of what was sent; of what was written since, the first."""
    return int(row["variant"] + 1) if row["revision"] == row["sent_revision"] else 0
