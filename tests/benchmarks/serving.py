"""Answers a second with one asker and with several at once, and what a call for several costs.

    python -m tests.benchmarks.serving --articles corpus --questions tests/gold/questions.jsonl

Each asker is a thread that asks the next question as soon as the last one is answered. The numbers
of askers take turns for `--rounds` rounds, in another order each; medians, with the least and the
greatest round. «ranker» and «no ranker» say what the Desk did: with others waiting it leaves the
ranker out (`desk.HURRIED`), so the fair comparison of several askers is with one without ranker.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.config import Settings
from bot.desk import Desk
from bot.gold_files import read_golds
from bot.wiring import open_desk
from retrieval import Encoder, Question, load_encoder

ASKERS = (1, 2, 4, 8)
TEXTS = (1, 2, 4, 8)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--articles", type=Path, default=Path("corpus"))
    parser.add_argument("--questions", type=Path, default=Path("tests/gold/questions.jsonl"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each round")
    given = parser.parse_args()
    questions = [gold.question for gold in read_golds(given.questions.read_bytes())]
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        rates: dict[str, list[float]] = {}
        ways = [
            (f"{askers} {'ranker' if reranker else 'no ranker'}", askers, desk)
            for reranker in (True, False)
            for desk in [_open(given.articles, index, reranker="clippings" if reranker else "none")]
            for askers in (ASKERS if not reranker else (1,))
        ]
        dice = random.Random(1)
        for _ in range(given.rounds):
            for name, askers, desk in dice.sample(ways, len(ways)):
                rate = _answers_a_second(desk, questions, askers=askers, seconds=given.seconds)
                rates.setdefault(name, []).append(rate)
        print("askers              answers/s")
        for name, _, _ in ways:
            print(f"{name:<18}  {_spread(rates[name])}")
    _show_calls(load_encoder(Settings().model), questions, rounds=20 * given.rounds)


def _open(articles: Path, index: Path, *, reranker: str) -> Desk:
    settings = Settings().model_copy(
        update={"corpus": articles, "index": index, "reranker": reranker}
    )
    desk = open_desk(settings, on_progress=lambda *_: None, say=print)
    desk.warm()
    return desk


def _answers_a_second(
    desk: Desk, questions: Sequence[Question], *, askers: int, seconds: float
) -> float:
    ends = time.perf_counter() + seconds
    counts = [0] * askers

    def ask(asker: int) -> None:
        while time.perf_counter() < ends:
            number = asker * 7 + counts[asker]
            desk.ask(questions[number % len(questions)], limit=3)
            counts[asker] += 1

    began = time.perf_counter()
    threads = [threading.Thread(target=ask, args=[asker]) for asker in range(askers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - began)


def _show_calls(encoder: Encoder, questions: Sequence[Question], *, rounds: int) -> None:
    encoder.warm()
    texts = [question.text for question in questions]
    times: dict[int, list[float]] = {}
    for number in range(rounds):
        for size in TEXTS:
            first = number * size % (len(texts) - size)
            took = _milliseconds(lambda: encoder.encode_questions(texts[first : first + size]))  # noqa: B023 - called at once
            times.setdefault(size, []).append(took / size)
    print("questions in a call    ms each")
    for size, each in times.items():
        print(f"{size:<21}  {statistics.median(each):.2f}")


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


if __name__ == "__main__":
    main()
