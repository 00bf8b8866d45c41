"""Opening a database: SQLite in a file of our own, or PostgreSQL for several bots.

SQLite: WAL, readable by its owner alone, one bot at a time (a lock on a file beside it, which ends
with the process, however it ends). What must survive a loss of power is on the disk before its
commit returns (`synchronous=FULL`): what is acknowledged, and that a call is about to begin. The
other steps ask to be `lazy`: a loss of power may undo the last of them, in order, and then they
are taken again. The end of the process undoes nothing.
PostgreSQL: as many bots as there are; they share the work by leases.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Insert,
    Table,
    create_engine,
    event,
    func,
    insert,
    make_url,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from bot.store.schema import VERSION, meta, metadata
from retrieval import ClippingsError

SQLITE, POSTGRESQL = "sqlite", "postgresql"
_PATIENCE_S = 5.0  # for another process at the file: a backup, sqlite3 at a terminal
_CONNECTIONS = 24
_TURN = 0x636C6970  # advisory lock of PostgreSQL's: one put at a time, so that the bounds hold


class StoreError(ClippingsError):
    """The database can not be used; the operator makes room, or mends DATABASE_URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An opened database.

    Attributes:
        durable: What it commits is on the disk when the commit returns.
        lazy: What it commits may be undone by a loss of power.
        reader: Waits for nobody who writes, and writes nothing.
        lock: The descriptor that holds the lock of an SQLite file.
        gate: That of a file beside it, by which the bot's processes write in turn.
    """

    durable: Engine
    lazy: Engine
    reader: Engine
    lock: int | None = None
    gate: int | None = None

    def close(self) -> None:
        self.durable.dispose()
        self.lazy.dispose()
        for descriptor in (self.lock, self.gate):
            if descriptor is not None:
                os.close(descriptor)

    @contextmanager
    def written_alone(self) -> Iterator[None]:
        """Let no other process write; one thread of this one at a time may come here.

        SQLite by itself has who finds it taken look again after 1 to 100 ms. With a bot and its
        reception that was a quarter of all time.
        """
        if self.gate is None:
            yield
            return
        fcntl.flock(self.gate, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self.gate, fcntl.LOCK_UN)


def open_database(url: str) -> Opened:
    """Open the database and make its tables.

    Raises:
        StoreError: it can not be used; the message does not hold the URL, and so no password.
    """
    parsed = _parsed(url)
    return _open_sqlite(parsed) if _is_file(parsed) else _open_postgresql(parsed)


def join_database(url: str) -> Opened:
    """Open the database that another process of the same bot has opened, and goes on to hold.

    Raises:
        StoreError: as `open_database`.
    """
    parsed = _parsed(url)
    return _sqlite(parsed, lock=None) if _is_file(parsed) else _open_postgresql(parsed)


def take_turn(db: Connection) -> None:
    """Wait until no other bot puts or makes tables; until the end of the transaction."""
    if db.dialect.name == POSTGRESQL:
        db.execute(select(func.pg_advisory_xact_lock(_TURN)))


@cache
def insert_once(table: Table, dialect: str) -> Insert:
    """Give a statement that writes a row, and none (`rowcount` 0) where its keys are there."""
    once = (
        postgresql.insert(table).on_conflict_do_nothing()
        if dialect == POSTGRESQL
        else sqlite.insert(table).on_conflict_do_nothing()
    )
    return once.inline().execution_options(preserve_rowcount=True)


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError:
        raise StoreError(
            "DATABASE_URL is no URL. Write it like sqlite:////var/lib/clippings/bot.db or"
            " postgresql://user:password@host/name"
        ) from None


def _is_file(url: URL) -> bool:
    name = url.get_backend_name()
    if name not in (SQLITE, POSTGRESQL):
        raise StoreError(f"DATABASE_URL names {name}; use sqlite:///FILE or postgresql://...")
    return name == SQLITE


def _open_sqlite(url: URL) -> Opened:
    if not url.database or url.database == ":memory:":
        raise StoreError("DATABASE_URL names no file. Write it like sqlite:////path/to/bot.db")
    path = Path(url.database)
    lock = _lock(path)
    try:
        # SQLite gives its -wal and -shm files the mode of the database.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
        opened = _sqlite(url, lock=lock)
        _make_tables(opened.durable)
    except OSError as error:
        os.close(lock)
        raise StoreError(f"{path} can not be opened: {error.strerror}") from error
    except StoreError:
        os.close(lock)
        raise
    return opened


def _sqlite(url: URL, *, lock: int | None) -> Opened:
    durable, lazy = (_sqlite_engine(url, synchronous=each) for each in ("FULL", "NORMAL"))
    reader = lazy.execution_options(reads=True)
    gate = _beside(Path(str(url.database)), ".turn")
    return Opened(durable=durable, lazy=lazy, reader=reader, lock=lock, gate=gate)


def _sqlite_engine(url: URL, *, synchronous: str) -> Engine:
    """Make connections of one kind: to switch one would be a statement more in each transaction."""

    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.execute(f"PRAGMA synchronous={synchronous}")
        for pragma in ("journal_mode=WAL", "trusted_schema=OFF", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=_CONNECTIONS,
        connect_args={"timeout": _PATIENCE_S},
    )
    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _beside(path: Path, ending: str) -> int:
    name = path.with_name(path.name + ending)
    try:
        return os.open(name, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"{name} can not be written: {error.strerror}") from error


def _lock(path: Path) -> int:
    lock = _beside(path, ".lock")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise StoreError(
            f"another bot uses {path}. End it first; several bots need DATABASE_URL=postgresql://..."
        ) from None
    return lock


def _begin_sqlite(db: Connection) -> None:
    """Begin as a writer at once: one that begins by reading can be refused at its first write."""
    reads = db.get_execution_options().get("reads")
    db.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _open_postgresql(url: URL) -> Opened:
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        hide_parameters=True,
        pool_size=_CONNECTIONS,
        pool_pre_ping=True,
    )
    _make_tables(engine)
    return Opened(durable=engine, lazy=engine, reader=engine)


def _make_tables(engine: Engine) -> None:
    try:
        with engine.begin() as db:
            take_turn(db)
            metadata.create_all(db)
            version = db.scalar(select(meta.c.version))
            if version is None:
                db.execute(insert(meta).values(version=VERSION))
                version = VERSION
    except SQLAlchemyError as error:
        engine.dispose()
        raise StoreError(f"the database can not be opened: {told(error)}") from error
    if version != VERSION:
        engine.dispose()
        raise StoreError(
            f"the database has version {version} and this Clippings knows {VERSION}. Use the"
            " Clippings that wrote it, or name another database"
        )


def told(error: SQLAlchemyError) -> str:
    """Give what the database says, without the statement, its values and where it is."""
    return type(getattr(error, "orig", None) or error).__name__
