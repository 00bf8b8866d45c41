"""The tables. `VERSION` grows with every change of them; other versions are refused at opening.

Texts from people and file names are kept as JSON strings: a NUL or a lone surrogate is valid in
what Slack sends and in a file name, and no database takes it.
"""

import json

from sqlalchemy import (
    Boolean,
    Column,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

VERSION = 3

metadata = MetaData()


class Verbatim(TypeDecorator[str]):
    """Any string of Python's, code point for code point."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        del dialect
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        del dialect
        return None if value is None else str(json.loads(value))


meta = Table("meta", metadata, Column("version", Integer, primary_key=True))

# Every event that changed something, and everything that is said only once.
events = Table(
    "events",
    metadata,
    Column("event_id", String, primary_key=True),
    Column("at", Float, nullable=False, index=True),
)

# What a browser that installs the bot must bring back from Slack, once.
states = Table(
    "states",
    metadata,
    Column("state", String, primary_key=True),
    Column("at", Float, nullable=False),
)

# The inbox. `kind` is the surface, but a mention and its twin, the plain message, are one kind.
questions = Table(
    "questions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("answer_id", String, nullable=False, unique=True),
    Column("event_id", String, nullable=False, unique=True),
    Column("team", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("ts", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("surface", String, nullable=False),
    Column("thread_ts", String),
    Column("root", String),
    Column("user", String, nullable=False),
    Column("text", Verbatim, nullable=False),
    Column("response_url", Text),
    Column("edited", String, nullable=False, default=""),
    Column("revision", Integer, nullable=False, default=0),
    Column("state", String, nullable=False),
    Column("outcome", String, nullable=False, default=""),
    Column("claim", String),
    Column("lease_until", Float, nullable=False, default=0.0),
    Column("tries", Integer, nullable=False, default=0),
    Column("not_before", Float, nullable=False, default=0.0),
    Column("at", Float, nullable=False),
    UniqueConstraint("team", "channel", "ts", "kind"),
    Index("questions_by_state", "state"),
    Index("questions_by_thread", "team", "channel", "root"),
    Index("questions_by_user", "team", "user"),
)

# The outbox, and what the buttons of an answer need as long as they stand there. `told` is the key
# under which a message that answers no question is written only once.
answers = Table(
    "answers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("answer_id", String, nullable=False, unique=True),
    Column("told", String),
    Column("team", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("thread_ts", String),
    Column("question_ts", String),
    Column("user", String, nullable=False),
    Column("lane", String, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("response_url", Text),
    Column("payload", Text, nullable=False),
    Column("variant", Integer, nullable=False, default=0),
    Column("wanted", String, nullable=False, default="shown"),
    Column("state", String, nullable=False),
    Column("outcome", String, nullable=False, default=""),
    Column("revision", Integer, nullable=False, default=0),
    Column("sent_revision", Integer, nullable=False, default=0),
    Column("ts", String),
    Column("tries", Integer, nullable=False, default=0),
    Column("looks", Integer, nullable=False, default=0),
    Column("claim", String),
    Column("lease_until", Float, nullable=False, default=0.0),
    Column("not_before", Float, nullable=False, default=0.0),
    Column("generation", String, nullable=False, default=""),
    Column("noted", String, nullable=False, default=""),
    Column("at", Float, nullable=False),
    Column("asked_at", Float, nullable=False),
    Index("answers_by_state", "state", "not_before"),
    Index("answers_by_question", "team", "channel", "question_ts"),
    Index("answers_by_thread", "team", "channel", "thread_ts"),
)

# A lane is what is paced: a channel, or a person in a channel for what only they see.
lanes = Table(
    "lanes",
    metadata,
    Column("lane", String, primary_key=True),
    Column("free_at", Float, nullable=False),
)

places = Table(
    "places",
    metadata,
    Column("answer_id", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("path", Verbatim, nullable=False, index=True),
    Column("sha256", String, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
)

feedback = Table(
    "feedback",
    metadata,
    Column("answer_id", String, primary_key=True),
    Column("user", String, primary_key=True),
    Column("verdict", String, nullable=False),
    Column("reason", Verbatim, nullable=False),
    Column("at", Float, nullable=False),
)

channels = Table(
    "channels",
    metadata,
    Column("team", String, primary_key=True),
    Column("channel", String, primary_key=True),
    Column("policy", String, nullable=False),
    Column("set_by", String, nullable=False),
    Column("at", Float, nullable=False),
)
