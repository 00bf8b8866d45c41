"""Building at size: an archive again, one more article, and memory and rate as archives grow.

    python -m tests.benchmarks.building again --articles FOLDER
    python -m tests.benchmarks.building one-more --articles FOLDER --passages 200000
    python -m tests.benchmarks.building watched --articles FOLDER --passages 200000
    python -m tests.benchmarks.building grow --articles FOLDER --passages 10000 1000000 --plot A.svg

Articles come from FOLDER (of real text). Where more passages are asked for than it has, articles
are made of its sentences, drawn with a seed, eight to an article.
Vectors are drawn, not encoded: the time of encoding is measured by `tests.benchmarks.encoding` and
is no part of these figures. `grow` asks each archive questions, too: the first words of sentences
that it has, without the ranker, whose time does not depend on the archive. Every figure is taken in
a process of its own.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bot.desk import Desk
from retrieval import Abstention, Answer, Help, Memory, Question, build, open_library
from retrieval.segmentation import passage_windows, sentence_spans
from tests.drawing import DrawnEncoder, recombined

SENTENCES = 8  # of an article that is made; some four passages
PER_FOLDER = 10_000
QUESTIONS, WORDS = 301, 9

Figures = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("what", choices=["again", "one-more", "watched", "grow", "build"])
    parser.add_argument("--articles", type=Path, required=True)
    parser.add_argument("--passages", type=int, nargs="+", default=[200_000])
    parser.add_argument("--place", type=Path, help="where archives and indexes are made")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--plot", type=Path, help="an SVG file, for `grow`")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.place) as place:
        folder = Path(place)
        if given.what == "again":
            again(given.articles, folder, given.rounds)
        elif given.what == "one-more":
            one_more(made_archive(given.articles, folder, given.passages[0]), folder, given.rounds)
        elif given.what == "watched":
            watched(made_archive(given.articles, folder, given.passages[0]), folder, given.rounds)
        elif given.what == "grow":
            grown = [grow(given.articles, folder, passages) for passages in given.passages]
            if given.plot:
                given.plot.write_text(draw_growth(grown), "utf-8")
        else:
            print(json.dumps(build_once(given.articles, folder / "index")))


def again(corpus: Path, place: Path, rounds: int) -> None:
    """Index an archive, then again, unchanged, each time in a fresh process."""
    print("first", in_process("build_once", corpus, place / "index"))
    for _ in range(rounds):
        began = time.perf_counter()
        found = in_process("build_once", corpus, place / "index")
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
        build_quietly(corpus, index, encoder, memory, waited=waited)
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


def watched(corpus: Path, place: Path, rounds: int) -> None:
    """Write articles, and replace them, and ask a Desk for each until it quotes them.

    Another process watches the folder, as beside a bot.
    """
    index, encoder = place / "index", DrawnEncoder()
    report = build_quietly(corpus, index, encoder, Memory())
    print(f"{report.passages} passages")
    with (
        Desk(index=index, encoder=encoder, open_reranker=no_reranker, clock=time.time) as desk,
        subprocess.Popen(
            [sys.executable, "-c", WATCH, str(corpus), str(index)],
            stdout=subprocess.PIPE,
            text=True,
        ) as watcher,
    ):
        try:
            passes = iter(watcher.stdout or ())
            next(passes)
            for number in range(rounds):
                for way in ("new", "replaced"):
                    seconds = seconds_to_be_found(corpus, desk, number, way)
                    print(f"{way}: found after {seconds:.2f} s; {next(passes)}", end="")
                    time.sleep(3)  # past the time within which a writing is young
        finally:
            watcher.kill()


def seconds_to_be_found(corpus: Path, desk: Desk, number: int, way: str) -> float:
    word = f"quux{number}{way}ville"
    (corpus / f"new-{number}.txt").write_text(f"{word} grew.\n", "utf-8")
    began = time.perf_counter()
    while not quotes(desk, word):
        time.sleep(0.05)
    return time.perf_counter() - began


def quotes(desk: Desk, word: str) -> bool:
    """Tell whether an article with a word is quoted when the Desk is asked for it."""
    reply = desk.ask(Question(text=f"How did {word} grow?"), limit=3)
    match reply:
        case Answer():
            found = [finding.lead for finding in reply.findings]
        case Abstention():
            found = list(reply.nearest)
        case Help():
            found = []
    return any(word in quote.text for quote in found)


def no_reranker() -> None:
    return None


WATCH = """
import sys, time
from pathlib import Path
from bot.watching import keep_indexed
from retrieval import Memory, is_settled
from tests.benchmarks.building import build_quietly
from tests.drawing import DrawnEncoder

corpus, index, memory, encoder = Path(sys.argv[1]), Path(sys.argv[2]), Memory(), DrawnEncoder()

def index_once(changed):
    began = time.process_time()
    build_quietly(corpus, index, encoder, memory, changed=changed)
    print(f"the pass took {time.process_time() - began:.2f} s of the processor", flush=True)

keep_indexed(corpus, index, index_once=index_once, say=print,
    is_settled=lambda path: is_settled(corpus, path, limit_bytes=10_000_000, clock=time.time))
"""


def grow(corpus: Path, place: Path, passages: int) -> Figures:
    """Build an archive of some size, ask it, and give memory, rate and times."""
    archive, index = made_archive(corpus, place, passages), place / "index"
    shutil.rmtree(index, ignore_errors=True)
    found = in_process("build_once", archive, index) | in_process("ask_often", archive, index)
    print(f"{passages:,} passages", json.dumps(found), flush=True)
    shutil.rmtree(archive)
    return found


def in_process(what: str, corpus: Path, index: Path) -> Figures:
    """Call one of the functions of this module that take an archive and an index."""
    code = (
        "import json, sys; from pathlib import Path; from tests.benchmarks.building import *;"
        f"print(json.dumps({what}(Path(sys.argv[1]), Path(sys.argv[2]))))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, str(corpus), str(index)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    found: Figures = json.loads(said)
    return found


def ask_often(corpus: Path, index: Path) -> Figures:
    """Ask for sentences of the archive by their first words, in ms of a question."""
    del corpus
    encoder = DrawnEncoder()
    began = time.perf_counter()
    with Desk(index=index, encoder=encoder, open_reranker=no_reranker, clock=time.time) as desk:
        opened = time.perf_counter() - began
        chance = random.Random(1)
        articles = [desk.articles[chance.randrange(len(desk.articles))] for _ in range(QUESTIONS)]
        texts = [_asked(article.text, chance) for article in articles]
        desk.ask(Question(text=texts[0]), limit=3)
        times = []
        for text in texts[1:]:
            began = time.perf_counter()
            desk.ask(Question(text=text), limit=3)
            times.append(1000 * (time.perf_counter() - began))
    return {
        "opening_seconds": round(opened, 2),
        "question_p50_ms": round(statistics.median(times), 1),
        "question_p95_ms": round(statistics.quantiles(times, n=20)[-1], 1),
        "asking_anonymous_mb": anonymous_kb() // 1024,
    }


def draw_growth(grown: Sequence[Figures]) -> str:
    """Draw what a passage costs to build and what a question takes, by size, as SVG."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    sizes = [each["passages"] for each in grown]
    building = [1000 * each["processor_seconds"] / each["passages"] for each in grown]
    written = io.StringIO()
    with rc_context({"svg.hashsalt": "growth", "font.size": 9}):
        figure = Figure(figsize=(8, 3), layout="constrained")
        left, right = figure.subplots(1, 2)
        left.plot(sizes, building, "o-")
        left.set_ylabel("building a passage, ms of the processor\n(without encoding)")
        for name, label in (("question_p50_ms", "median"), ("question_p95_ms", "95 %")):
            right.plot(sizes, [each[name] for each in grown], "o-", label=label)
        right.set_ylabel("a question, ms (without ranker)")
        right.legend(frameon=False)
        for axes in (left, right):
            axes.set_xscale("log")
            axes.set_xlabel("passages")
            axes.set_ylim(bottom=0)
            axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return written.getvalue()


def build_once(corpus: Path, index: Path) -> Figures:
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


def build_quietly(corpus, index, encoder, memory, *, waited=None, changed=None):
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
        changed=changed,
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


def _asked(text: str, chance: random.Random) -> str:
    """Give the first words of a sentence below the headline, where there is one."""
    spans = [span for span, _ in sentence_spans(text)]
    span = chance.choice(spans[1:] or spans)
    return " ".join(text[span.start : span.end].split()[:WORDS]) + "?"


def _passages_in(text: str) -> int:
    spans = [span for span, _ in sentence_spans(text)]
    return len(passage_windows(spans))


if __name__ == "__main__":
    main()
