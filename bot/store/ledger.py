"""What the surfaces look up and note down: answers shown, threads, feedback, policy."""

from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from bot.incoming import Place
from bot.store.schema import answers, channels, events, feedback, places, questions, states

HOUR, DAY = 3_600.0, 86_400.0
KEYS_KEPT_S = 25 * HOUR  # Slack may deliver an event again hours later
ANSWERS_KEPT_S = 90 * DAY  # as long do the buttons of an answer work
REASONS_KEPT_S = 30 * DAY
_LATEST = 5
STATE_LIVES_S = 600.0  # as long may somebody look at Slack's page of consent
_MOST_STATES = 1_000  # anybody can ask for one


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An answer that was given, for its buttons.

    Attributes:
        thread_ts: The thread it stands in, or None.
        ts: Of the message, or None where it was private or is not posted yet.
        user: Who asked.
        places: Every quote of the reply, in order.
    """

    answer_id: str
    team: str
    channel: str
    thread_ts: str | None
    ts: str | None
    user: str
    private: bool
    generation: str
    places: tuple[Place, ...]


def shown(db: Connection, answer_id: str) -> Shown | None:
    found = select(answers).where(answers.c.answer_id == answer_id, answers.c.wanted == "shown")
    row = db.execute(found).mappings().first()
    return None if row is None else _shown(db, row)


def quoting(db: Connection, path: str, *, not_sha256: str) -> tuple[Shown, ...]:
    elsewhere = exists().where(
        places.c.answer_id == answers.c.answer_id,
        places.c.path == path,
        places.c.sha256 != not_sha256,
    )
    rows = db.execute(
        select(answers)
        .where(_is_posted(), answers.c.noted != not_sha256, elsewhere)
        .order_by(answers.c.id)
    ).mappings()
    return tuple(_shown(db, row) for row in rows.all())


def note_change(db: Connection, answer_id: str, sha256: str) -> None:
    db.execute(update(answers).where(answers.c.answer_id == answer_id).values(noted=sha256))


def follows(db: Connection, team: str, channel: str, thread_ts: str) -> bool:
    there = (team, channel, thread_ts)
    answered = exists().where(
        answers.c.team == team,
        answers.c.channel == channel,
        answers.c.thread_ts == thread_ts,
        answers.c.private.is_(False),
        answers.c.wanted == "shown",
    )
    asked = exists().where(
        questions.c.team == team,
        questions.c.channel == channel,
        questions.c.root == thread_ts,
        questions.c.state.in_(("waiting", "answering")),
    )
    return all(there) and bool(db.scalar(select(or_(answered, asked))))


def questions_of(db: Connection, team: str, user: str) -> tuple[str, ...]:
    texts = db.scalars(
        select(questions.c.text)
        .where(questions.c.team == team, questions.c.user == user, questions.c.text != "")
        .order_by(questions.c.id.desc())
        .limit(_LATEST)
    )
    return tuple(texts)


def add_feedback(
    db: Connection, answer_id: str, *, user: str, verdict: str, reason: str, now: float
) -> None:
    db.execute(delete(feedback).where(feedback.c.answer_id == answer_id, feedback.c.user == user))
    row = {"answer_id": answer_id, "user": user, "verdict": verdict, "reason": reason, "at": now}
    db.execute(insert(feedback).values(row))


def channel_policy(db: Connection, team: str, channel: str) -> str | None:
    here = and_(channels.c.team == team, channels.c.channel == channel)
    return db.scalar(select(channels.c.policy).where(here))


def channel_policies(db: Connection, team: str) -> tuple[tuple[str, str], ...]:
    rows = db.execute(
        select(channels.c.channel, channels.c.policy)
        .where(channels.c.team == team)
        .order_by(channels.c.channel)
    )
    return tuple((channel, policy) for channel, policy in rows)


def set_channel_policy(
    db: Connection, team: str, channel: str, policy: str, *, by: str, now: float
) -> None:
    db.execute(delete(channels).where(channels.c.team == team, channels.c.channel == channel))
    row = {"team": team, "channel": channel, "policy": policy, "set_by": by, "at": now}
    db.execute(insert(channels).values(row))


def tell_once(db: Connection, key: str, *, now: float) -> bool:
    name = f"told:{key}"
    if db.execute(select(events.c.event_id).where(events.c.event_id == name)).first() is not None:
        return False
    db.execute(insert(events).values(event_id=name, at=now))
    return True


def forget(db: Connection, key: str) -> None:
    """Let something be told again."""
    db.execute(delete(events).where(events.c.event_id == f"told:{key}"))


def issue_state(db: Connection, state: str, *, now: float) -> bool:
    """Keep a state of OAuth; False where too many are open."""
    db.execute(delete(states).where(states.c.at <= now - STATE_LIVES_S))
    if (db.scalar(select(func.count()).select_from(states)) or 0) >= _MOST_STATES:
        return False
    db.execute(insert(states).values(state=state, at=now))
    return True


def take_state(db: Connection, state: str, *, now: float) -> bool:
    """Say whether a state was issued and is young; the first to ask deletes it."""
    is_open = and_(states.c.state == state, states.c.at > now - STATE_LIVES_S)
    return bool(db.execute(delete(states).where(is_open)).rowcount)


def sweep(db: Connection, *, now: float) -> None:
    """Delete what is kept no longer."""
    is_over = and_(questions.c.state.in_(("closed", "refused")), questions.c.at < now - KEYS_KEPT_S)
    db.execute(delete(questions).where(is_over))
    db.execute(delete(events).where(events.c.at < now - KEYS_KEPT_S))
    old = and_(answers.c.at < now - ANSWERS_KEPT_S, answers.c.state.in_(("sent", "dead")))
    db.execute(delete(answers).where(old))
    kept = select(answers.c.answer_id)
    db.execute(delete(places).where(places.c.answer_id.not_in(kept)))
    stale = and_(feedback.c.at < now - REASONS_KEPT_S, feedback.c.reason != "")
    db.execute(update(feedback).where(stale).values(reason=""))


def _is_posted() -> ColumnElement[bool]:
    return and_(
        answers.c.ts.is_not(None), answers.c.private.is_(False), answers.c.wanted == "shown"
    )


def _shown(db: Connection, row: RowMapping) -> Shown:
    found = db.execute(
        select(places).where(places.c.answer_id == row["answer_id"]).order_by(places.c.number)
    ).mappings()
    quoted = tuple(
        Place(path=place["path"], sha256=place["sha256"], start=place["start"], end=place["end"])
        for place in found
    )
    return Shown(
        answer_id=row["answer_id"],
        team=row["team"],
        channel=row["channel"],
        thread_ts=row["thread_ts"],
        ts=row["ts"],
        user=row["user"],
        private=row["private"],
        generation=row["generation"],
        places=quoted,
    )
