"""Clippings and its peers over the same articles, side by side in one run.

    make bench-peers CORPUS=folder QUESTIONS=questions.jsonl ROUNDS=5

All get the same model (the files of all-MiniLM-L6-v2 that Clippings finds), the same cores and the
same passages: of three sentences, sharing one, cut by Clippings; the time of cutting is added to
what a peer takes. Clippings reads and cuts by itself, and encodes each article once, in stretches
of what the model reads. All end with an index on disk. Each engine runs in a process of its own,
and in each round all take their turn, in an order drawn with a seed. Models are loaded, and a few
questions asked, before the clock starts; then one question at a time.

A hit: among the first k results (k 1 or 3) one overlaps a gold quote's place in the same file.
Clippings returns quotes of a sentence or two, the peers whole passages: see the median length.
When Clippings says that the articles do not answer, what it shows as nearest is looked at. Drawn
are questions that have an answer and do not lean on an earlier one.

Medians over the rounds, and in brackets the least and the most. «Clippings / it» is the index rate
of Clippings through that of the engine; the other two are the median question of Clippings, ranker
off and on, through that of the engine. Ratios are taken within each round.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bot.gold_files import read_golds
from retrieval import DEFAULT_MODEL, GoldQuestion
from retrieval.modelfiles import find_model
from tests.benchmarks.peers.archive import Run, read_run, write_archive
from tests.benchmarks.peers.cutting import cut_folder, read_articles
from tests.benchmarks.peers.drawing import draw
from tests.benchmarks.peers.engines import NAMES, OWN, engine_of
from tests.benchmarks.peers.hits import gold_places
from tests.benchmarks.peers.table import Rounds, Row, cost_table, hit_table, rows, speed_table

ROOT = Path(__file__).parents[3]
CORPUS = ROOT / "corpus"
QUESTIONS = ROOT / "tests" / "gold" / "questions.jsonl"
PINS = Path(__file__).with_name("requirements.txt")
PEERS = ROOT / ".venv-peers" / "bin" / "python"

_NOTES = __doc__.partition("ROUNDS=5\n\n")[2].strip()
_QUIET = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TQDM_DISABLE": "1",
    "CUDA_VISIBLE_DEVICES": "",
}


def main() -> None:
    given = _arguments()
    print(_machine(given.cores))
    versions: dict[str, Sequence[tuple[str, str]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "model.txt").write_text(str(find_model(DEFAULT_MODEL)[0]), encoding="utf-8")
        for number, pair in enumerate(zip(given.corpus, given.questions, strict=True)):
            title, found, rounds = compare(*pair, given, work)
            versions.update({name: run.versions for name, run in rounds[0].items()})
            tables = (speed_table(found), cost_table(found), hit_table(found))
            print("\n\n".join((f"\n## {title}", *tables)), flush=True)
            if given.plot:
                stem = f"{given.plot.stem}-{number + 1}" if number else given.plot.stem
                given.plot.with_stem(stem).write_text(draw(found, title), encoding="utf-8")
    print(f"\n## How to read it\n\n{_NOTES}\n\n## Settings\n")
    for name, packages in versions.items():
        told = ", ".join(f"{package} {version}" for package, version in packages)
        print(f"* {name}: {engine_of(name).settings}. {told}.")


def compare(
    corpus: Path, questions: Path, given: argparse.Namespace, work: Path
) -> tuple[str, tuple[Row, ...], Rounds]:
    """Run all rounds over one folder; give a title, the figures and the runs."""
    folder = _first_files(corpus, given.files, work) if given.files else corpus.resolve()
    asked = drawn(read_golds(questions.read_bytes()), given.limit, given.seed)
    texts = {article.path: article.text for article in read_articles(folder)}
    gold = [gold_places(question, texts) for question in asked]
    (work / "questions.json").write_text(
        json.dumps([question.question.text for question in asked]), encoding="utf-8"
    )
    archive = cut_folder(folder)
    write_archive(archive, work / "archive.json")
    rounds, cutting_s, order = [], [], list(given.engines)
    shuffle = random.Random(given.seed).shuffle
    for number in range(given.rounds):
        shuffle(order)
        print(f"round {number + 1} of {given.rounds}: {', '.join(order)}", file=sys.stderr)
        cutting_s.append(cut_folder(folder).cutting_s)
        done = {name: run_engine(name, work, given.cores) for name in order}
        rounds.append({name: done[name] for name in given.engines})
    title = (
        f"{_short(corpus)}: {len(texts):,} articles, {archive.characters:,} characters, "
        f"{len(archive.texts):,} passages; {_short(questions)}: "
        f"{len(asked)} questions, {sum(map(bool, gold))} with their answer here; "
        f"{given.rounds} rounds, seed {given.seed}"
    )
    return title, rows(rounds, archive=archive, cutting_s=cutting_s, gold=gold), rounds


def drawn(questions: Sequence[GoldQuestion], limit: int, seed: int) -> list[GoldQuestion]:
    """Draw questions that have an answer and lean on no earlier one; in the order of the file."""
    fit = [each for each in questions if each.answerable and not each.question.context]
    if len(fit) <= limit:
        return fit
    chosen = sorted(random.Random(seed).sample(range(len(fit)), limit))
    return [fit[number] for number in chosen]


def run_engine(name: str, work: Path, cores: int) -> Run:
    """Run an engine once, in the environment that has it."""
    python = sys.executable if name in OWN else str(PEERS)
    subprocess.run(
        [python, "-m", "tests.benchmarks.peers.running", name, work, str(cores)],
        cwd=ROOT,
        env={**os.environ, **_QUIET, "OMP_NUM_THREADS": str(cores)},
        stdout=sys.stderr,
        check=True,
    )
    return read_run(work / "run.json")


def _first_files(corpus: Path, count: int, work: Path) -> Path:
    """Copy the first articles of a folder, in the order of their names."""
    folder = Path(tempfile.mkdtemp(dir=work))
    files = sorted(path for path in corpus.rglob("*") if path.is_file())
    for path in files[:count]:
        (folder / path.relative_to(corpus)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / path.relative_to(corpus))
    return folder


def _short(path: Path) -> str:
    return "/".join(path.resolve().parts[-2:])


def _machine(cores: int) -> str:
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text("utf-8").splitlines() if cpu.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else platform.processor()}, {cores} cores, {platform.platform()}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--corpus", type=Path, nargs="+", default=[CORPUS])
    parser.add_argument("--questions", type=Path, nargs="+", default=[QUESTIONS])
    parser.add_argument("--files", type=int, default=0, help="only the first so many; 0 for all")
    parser.add_argument("--limit", type=int, default=200, help="questions drawn from each file")
    parser.add_argument("--engines", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path, help="an SVG file")
    given = parser.parse_args()
    if len(given.corpus) != len(given.questions):
        parser.error("name as many files of questions as folders")
    if not PEERS.exists() and not set(given.engines) <= set(OWN):
        parser.error(f"there is no {PEERS}; `make bench-peers` installs the peers")
    return given


if __name__ == "__main__":
    main()
