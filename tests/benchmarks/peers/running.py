"""One engine, one round, in a process of its own: index, ask, tell.

    python -m tests.benchmarks.peers.running NAME WORK CORES

WORK holds archive.json and questions.json and the model's folder in model.txt; run.json is written
there. The model is loaded and has encoded a word before the clock starts, and a few questions are
asked before those that count.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.peers.archive import (
    Archive,
    Engine,
    Found,
    Run,
    Search,
    read_archive,
    write_run,
)
from tests.benchmarks.peers.engines import engine_of

WARMING = 5  # questions that are not counted
_STATUS = Path("/proc/self/status")


def run(name: str, engine: Engine, archive: Archive, questions: Sequence[str], model: Path) -> Run:
    build = engine.load(model)
    with tempfile.TemporaryDirectory() as folder:
        began, began_cpu = time.perf_counter(), time.process_time()
        search = build(archive, Path(folder))
        index_s, index_cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
        for question in questions[:WARMING]:
            search(question)
        began_cpu = time.process_time()
        asked = [_timed(search, question) for question in questions]
        questions_cpu_s = time.process_time() - began_cpu
        return Run(
            engine=name,
            index_s=index_s,
            index_cpu_s=index_cpu_s,
            question_s=tuple(seconds for seconds, _ in asked),
            questions_cpu_s=questions_cpu_s,
            found=tuple(tuple(found.places) for _, found in asked),
            declined=sum(found.is_declined for _, found in asked),
            peak_bytes=_memory("VmHWM"),
            resident_bytes=_memory("VmRSS"),
            versions=tuple((package, version(package)) for package in engine.packages),
        )


def _timed(search: Search, question: str) -> tuple[float, Found]:
    began = time.perf_counter()
    found = search(question)
    return time.perf_counter() - began, found


def _memory(name: str) -> int:
    """Read from Linux what this process holds; elsewhere there is only the most it held.

    The latter (`ru_maxrss`) counts what the parent held at the fork, too.
    """
    if not _STATUS.exists():
        scale = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale
    fields = dict(line.split(":", 1) for line in _STATUS.read_text("ascii").splitlines())
    return int(fields[name].split()[0]) * 1024


def main() -> None:
    name, work, cores = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if hasattr(os, "sched_setaffinity"):  # Linux
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    done = run(
        name,
        engine_of(name),
        read_archive(work / "archive.json"),
        json.loads((work / "questions.json").read_text("utf-8")),
        Path((work / "model.txt").read_text("utf-8")),
    )
    write_run(done, work / "run.json")


if __name__ == "__main__":
    main()
