"""Fit the weights of ranking and calibration anew, for those who change what is weighed.

    python -m bot.fitting --set QUESTIONS CORPUS ... --indexes FOLDER --output retrieval

A set is a file of questions with gold quotes and the folder of articles that they are about; the
indexes of the folders are kept in FOLDER. What is printed is cross-validated: each question is
scored by weights that were fitted without it.
"""

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from bot.config import Settings
from bot.gold_files import read_golds
from bot.progress import progress_on_stderr
from bot.wiring import build_index
from retrieval import (
    OWN,
    Example,
    Fit,
    GoldQuestion,
    Remembering,
    Score,
    best_threshold,
    cross_validate,
    example_of,
    fit,
    load_encoder,
    load_reranker,
    open_library,
)

SEED = 0  # which questions of a large set are taken


def main(arguments: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(arguments)
    if args.output is not None:
        args.output.mkdir(parents=True, exist_ok=True)  # now: fitting takes minutes
    examples = [
        example
        for questions, corpus in args.sets
        for example in _examples(questions, corpus, indexes=args.indexes, most=args.most)
    ]
    reranker = Remembering(load_reranker(OWN))
    scores = cross_validate(examples, reranker)
    sys.stdout.writelines(f"{row}\n" for row in _table(scores))
    if args.output is not None:
        sizes = Counter(example.group for example in examples)
        sets = ", ".join(f"{group} {size}" for group, size in sizes.items())
        _write(fit(examples, reranker), scores, sets=sets, folder=args.output)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot.fitting", description=__doc__)
    parser.add_argument(
        "--set",
        dest="sets",
        action="append",
        nargs=2,
        type=Path,
        required=True,
        metavar=("QUESTIONS", "CORPUS"),
        help="a file of questions and its articles; give it once for each set",
    )
    parser.add_argument("--indexes", type=Path, required=True, help="where indexes are kept")
    parser.add_argument("--most", type=int, default=500, help="questions taken of a set (500)")
    parser.add_argument("--output", type=Path, help="where to write the two files; none: nowhere")
    return parser


def _examples(questions: Path, corpus: Path, *, indexes: Path, most: int) -> Iterator[Example]:
    """Look at the questions of a set; its name is that of the folder that the questions are in."""
    group = questions.resolve().parent.name
    settings = Settings().model_copy(update={"corpus": corpus, "index": indexes / group})
    encoder = load_encoder(settings.model)
    with progress_on_stderr() as on_progress:
        build_index(settings, on_progress=on_progress)
        library = open_library(settings.index, fingerprint=encoder.fingerprint)
        golds = _taken(read_golds(questions.read_bytes()), most)
        for done, gold in enumerate(golds, start=1):
            example = example_of(gold, library, encoder, group=group)
            on_progress(group, done, len(golds))
            if example is not None:
                yield example


def _taken(golds: Sequence[GoldQuestion], most: int) -> Sequence[GoldQuestion]:
    chosen = random.Random(SEED).sample(range(len(golds)), min(most, len(golds)))  # noqa: S311 - a sample
    return [golds[i] for i in sorted(chosen)]


def _table(scores: Mapping[str, Sequence[Score]]) -> Iterator[str]:
    """Lay the figures out as rows of text."""
    best = best_threshold(scores)
    yield f"{'':24}{'n':>6}{'@1':>7}{'@3':>7}{'AUROC':>7}{'ECE':>7}{f'useful at {best}':>16}"
    for way, found in scores.items():
        for score in found:
            figures = (score.right_at_1, score.right_at_3, score.auroc, score.error)
            shown = "".join(f"{figure:7.3f}" for figure in figures)
            name = f"{score.group}, {way}"
            yield f"{name:24}{score.questions:6}{shown}{score.useful[best]:16.3f}"


def _write(fitted: Fit, scores: Mapping[str, Sequence[Score]], *, sets: str, folder: Path) -> None:
    """Write `ranking.json` and `calibration.json`, with the figures that they were measured at."""
    measured = " | ".join(" ".join(row.split()) for row in _table(scores))
    made_with = f"python -m bot.fitting on {sets} questions; cross-validated: {measured}"
    everything = asdict(fitted)
    files = {
        "ranking.json": ("weights", "reranked"),
        "calibration.json": ("plain", "ranked"),
    }
    for name, parts in files.items():
        content = {"made_with": made_with, **{part: everything[part] for part in parts}}
        if name == "calibration.json":
            content["threshold"] = best_threshold(scores)
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
