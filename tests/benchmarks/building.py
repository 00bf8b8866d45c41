"""Building at size: an archive again, one more article, and memory and rate as archives grow.

    python -m tests.benchmarks.building again --articles FOLDER
    python -m tests.benchmarks.building one-more --articles FOLDER --passages 200000
    python -m tests.benchmarks.building grow --articles FOLDER --passages 10000 100000 1000000

Articles come from FOLDER (of real text). Where more passages are asked for than it has, articles
are made of its sentences, drawn with a seed, eight to an article.
Vectors are drawn, not encoded: the time of encoding is measured by `tests.benchmarks.encoding` and
is no part of these figures. Every figure is taken in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from retrieval import Memory, build, open_library
from retrieval.segmentation import passage_windows, sentence_spans
from tests.drawing import DrawnEncoder, recombined

SENTENCES = 8  # of an article that is made; some four passages
PER_FOLDER = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("what", choices=["again", "one-more", "grow", "build"])
    parser.add_argument("--articles", type=Path, required=True)
    parser.add_argument("--passages", type=int, nargs="+", default=[200_000])
    parser.add_argument("--place", type=Path, help="where archives and indexes are made")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.place) as place:
        folder = Path(place)
        if given.what == "again":
            again(given.articles, folder, given.rounds)
        elif given.what == "one-more":
            one_more(made_archive(given.articles, folder, given.passages[0]), folder, given.rounds)
        elif given.what == "grow":
            for passages in given.passages:
                grow(given.articles, folder, passages)
        else:
            print(json.dumps(build_once(given.articles, folder / "index")))


def again(corpus: Path, place: Path, rounds: int) -> None:
    """Index an archive, then again, unchanged, each time in a fresh process."""
    print("first", in_process(corpus, place / "index"))
    for _ in range(rounds):
        began = time.perf_counter()
        found = in_process(corpus, place / "index", keep=True)
        print(f"again {time.perf_counter() - began:.2f} s with the start of Python", found)


def one_more(corpus: Path, place: Path, rounds: int) -> None:
    """Add articles one by one to an archive that this process has indexed."""
    index, memory, encoder = place / "index", Memory(), DrawnEncoder()
    began = time.perf_counter()
    report = build_quietly(corpus, index, encoder, memory)
    print(f"{report.passages} passages built in {time.perf_counter() - began:.1f} s")
    library = open_library(index, fingerprint=encoder.fingerprint)
    for number in range(rounds):
        (corpus / f"new-{number}.txt").write_text(f"Quuxville grew by {number} people.\n", "utf-8")
        waited = []
        began, began_busy = time.perf_counter(), time.process_time()
        build_quietly(corpus, index, encoder, memory, waited)
        published, busy = time.perf_counter(), time.process_time() - began_busy
        before, library = (
            library,
            open_library(index, fingerprint=encoder.fingerprint, before=library),
        )
        before.close()
        opened = time.perf_counter()
        found = library.sentence_words.best(["quuxvill", str(number)], k=1)
        assert library.sentences[found[0][0]].article.path == f"new-{number}.txt"
        print(
            f"pass {published - began - sum(waited):.2f} s, {busy:.2f} s of the processor; "
            f"waiting for the file to settle {sum(waited):.2f} s; opening in the bot "
            f"{opened - published:.2f} s; searching {time.perf_counter() - opened:.3f} s"
        )


def grow(corpus: Path, place: Path, passages: int) -> None:
    """Build an archive of some size and give memory and rate."""
    archive = made_archive(corpus, place, passages)
    print(f"{passages:,} passages", in_process(archive, place / "index"))
    shutil.rmtree(archive)


def in_process(corpus: Path, index: Path, *, keep: bool = False) -> str:
    if not keep:
        shutil.rmtree(index, ignore_errors=True)
    code = (
        "import json, sys; from pathlib import Path; from tests.benchmarks.building import *;"
        "print(json.dumps(build_once(Path(sys.argv[1]), Path(sys.argv[2]))))"
    )
    return subprocess.run(
        [sys.executable, "-c", code, str(corpus), str(index)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.strip()


def build_once(corpus: Path, index: Path) -> dict[str, object]:
    """Build, and say how long it took and what it took of memory, in MB."""
    highest = [0]
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.05):
            highest[0] = max(highest[0], anonymous_kb())

    watcher = threading.Thread(target=look)
    watcher.start()
    began, began_busy = time.perf_counter(), time.process_time()
    report = build_quietly(corpus, index, DrawnEncoder(), Memory())
    seconds, busy = time.perf_counter() - began, time.process_time() - began_busy
    done.set()
    watcher.join()
    return {
        "passages": report.passages,
        "articles": report.articles,
        "published": report.published,
        "seconds": round(seconds, 2),
        "processor_seconds": round(busy, 2),
        "passages_per_processor_second": round(report.passages / busy),
        "max_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "anonymous_mb": highest[0] // 1024,
        "index_mb": sum(file.stat().st_size for file in index.rglob("*")) // 1_000_000,
    }


def anonymous_kb() -> int:
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1])
    return 0


def build_quietly(corpus, index, encoder, memory, waited=None):
    def wait(seconds: float) -> None:
        time.sleep(seconds)
        if waited is not None:
            waited.append(seconds)

    return build(
        corpus,
        index,
        encoder,
        limit_bytes=10_000_000,
        clock=time.time,
        wait=wait,
        on_progress=lambda _stage, _done, _total: None,
        memory=memory,
    )


def made_archive(corpus: Path, place: Path, passages: int) -> Path:
    """Give a folder of about so many passages: real articles first, then recombined ones."""
    archive = place / f"archive-{passages}"
    count = 0
    for number, text in enumerate(_texts(corpus)):
        folder = archive / f"{number // PER_FOLDER:04}"
        folder.mkdir(parents=True, exist_ok=True)
        name = folder / f"{number:07}.txt"
        name.write_text(text, "utf-8")
        os.utime(name, (1, 1))
        count += _passages_in(text)
        if count >= passages:
            break
    return archive


def _texts(corpus: Path) -> Iterator[str]:
    sentences = []
    for path in sorted(corpus.rglob("*.txt")):
        text = path.read_bytes().decode("utf-8")
        sentences += [text[span.start : span.end] for span, _ in sentence_spans(text)]
        yield text
    yield from recombined(sentences, SENTENCES, seed=1)


def _passages_in(text: str) -> int:
    spans = [span for span, _ in sentence_spans(text)]
    return len(passage_windows(spans))


if __name__ == "__main__":
    main()
