"""Milvus on this machine, for tests: two servers that `make` puts under .venv-milvus.

wire    milvus-lite 3.2.2: the gRPC interface in Python; aliases, several clients, durable writes
core    milvus-lite 2.5.1: the C++ search core of Milvus; no aliases

CLIPPINGS_TEST_MILVUS=http://HOST:19530 names a real one, which then takes the place of both; it is
neither killed nor started.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retrieval import ClippingsError, MilvusServer, read_url
from retrieval.milvus import Milvus

PROGRAMS = Path(__file__).parent.parent / ".venv-milvus"
REAL = os.environ.get("CLIPPINGS_TEST_MILVUS")


class MilvusProcess:
    """A server of our own, started at once; it keeps its data in a folder when it is killed."""

    def __init__(self, kind: str, folder: Path) -> None:
        self._kind, self._folder = kind, folder
        self._port = _free_port()
        self._process: subprocess.Popen | None = None
        self.url = f"milvus://127.0.0.1:{self._port}"
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    @property
    def server(self) -> MilvusServer:
        return read_url(self.url)

    def start(self) -> None:
        programs = PROGRAMS / self._kind
        if self._kind == "wire":
            command = [sys.executable, "-m", "milvus_lite", "server", "--host", "127.0.0.1"]
            command += ["--data-dir", self._folder, "--port", str(self._port)]
            extra = {"PYTHONPATH": str(programs)}
        else:
            libraries = programs / "milvus_lite" / "lib"
            command = [libraries / "milvus", self._folder / "core.db"]
            command += [f"127.0.0.1:{self._port}", "ERROR"]
            extra = {"LD_LIBRARY_PATH": str(libraries)}
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **extra},
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _wait_for(self.server)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let it hear nothing for a while, as behind a network that is cut."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process:
            self._process.kill()
            self._process.wait(timeout=20)
            self._process = None


def missing(kind: str) -> str | None:
    """Say why a server can not be started; None where it can."""
    try:
        import pymilvus  # noqa: F401
    except ImportError:
        return "pymilvus is not installed: pip install -e '.[dev]'"
    if REAL or (PROGRAMS / kind / "milvus_lite").is_dir():
        return None
    return f"no milvus-lite in {PROGRAMS / kind}: make milvus-servers"


def real_url() -> str | None:
    """Give the address of the real one as our settings have it."""
    return REAL and "milvus://" + REAL.partition("://")[2]


def _wait_for(server: MilvusServer) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            with Milvus(server) as milvus:
                milvus.names()
        except ClippingsError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
