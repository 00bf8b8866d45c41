"""A Dask cluster on this machine, for tests: a scheduler and workers, each a process of its own.

They are forked from one process that has imported what they need: on a busy machine every other
start takes seconds.

    python -m tests.dask_cluster     lines of JSON on stdin: what to start; process ids on stdout
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
PATIENCE_S = 120.0  # what takes longer on a busy machine is a defect


class Kennel:
    """The process that schedulers and workers are forked from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.dask_cluster"],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def start(self, what: str, *arguments: str | int) -> int:
        """Start a process and give its id."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([what, *arguments]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate(timeout=PATIENCE_S)


class DaskCluster:
    """A scheduler, started at once, and workers.

    Attributes:
        address: Of the scheduler.
        client: For the tests; those who build have their own.
    """

    def __init__(self, kennel: Kennel, *, workers: int, allowed_failures: int) -> None:
        from distributed import Client

        self._kennel = kennel
        self._pids: dict[str, int] = {}  # of workers, by their addresses
        file = kennel.folder / f"scheduler-{time.monotonic_ns()}"
        self._scheduler = kennel.start("scheduler", str(file), allowed_failures)
        wait_until(file.exists)
        self.address = file.read_text("utf-8")
        self.client = Client(self.address, timeout=PATIENCE_S, set_as_default=False)
        self.start_workers(workers)

    def start_workers(self, count: int) -> None:
        for _ in range(count):
            self._kennel.start("worker", self.address, str(self._kennel.folder))
        wait_until(lambda: len(self.client.nthreads()) == len(self._pids) + count)
        self._pids = self.client.run(os.getpid)

    def kill_one_at_work(self) -> str:
        """End a worker as a crash would, in the middle of a task; give the key of that."""
        while True:
            for address, pid in self._pids.items():
                os.kill(pid, signal.SIGSTOP)
                keys = self.client.processing([address])[address]
                if keys:
                    os.kill(pid, signal.SIGKILL)
                    del self._pids[address]
                    return str(keys[0])
                os.kill(pid, signal.SIGCONT)

    def kill_scheduler(self) -> None:
        os.kill(self._scheduler, signal.SIGKILL)

    def is_idle(self) -> bool:
        """Tell whether no task is waiting, running or kept."""
        return not any(self.client.processing().values()) and not any(
            self.client.has_what().values()
        )

    def close(self) -> None:
        self.client.close()
        self.kill_scheduler()
        for pid in self._pids.values():
            os.kill(pid, signal.SIGKILL)


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def _end_with(parent: int) -> None:
    """End this process when its parent has ended, however that came."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


async def _schedule(file: str, allowed_failures: int) -> None:
    import dask
    from distributed import Scheduler

    dask.config.set({"distributed.scheduler.allowed-failures": allowed_failures})
    async with Scheduler(host="127.0.0.1", port=0, dashboard=False) as scheduler:
        place = Path(file)
        place.with_suffix(".tmp").write_text(scheduler.address, "utf-8")
        place.with_suffix(".tmp").rename(place)
        await scheduler.finished()


async def _work(address: str, folder: str) -> None:
    from distributed import Worker

    async with Worker(address, host="127.0.0.1", nthreads=1, local_directory=folder) as worker:
        await worker.finished()


def _serve() -> None:
    """Fork what each line of stdin asks for."""
    import distributed  # noqa: F401 - for those that are forked
    import faiss  # noqa: F401
    import nupunkt  # noqa: F401
    import tokenizers  # noqa: F401
    import torch  # noqa: F401

    import retrieval  # noqa: F401

    # Nobody waits for those that end, so that no other process gets their numbers meanwhile.
    parent = os.getpid()
    for line in iter(sys.stdin.readline, ""):
        what, *arguments = json.loads(line)
        child = os.fork()
        if not child:
            threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
            asyncio.run({"scheduler": _schedule, "worker": _work}[what](*arguments))
            os._exit(0)
        print(child, flush=True)


if __name__ == "__main__":
    _serve()
