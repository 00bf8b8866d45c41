"""The runs of all engines → figures → Markdown. Pure.

Medians over the rounds, with the least and the most in brackets. A ratio is taken within each
round, where both engines ran in turn on the same machine, and is then a median, too.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks.peers.archive import Archive, Place, Run
from tests.benchmarks.peers.engines import CLIPPINGS, OWN, WITHOUT_RANKER
from tests.benchmarks.peers.hits import hit_rate, median_length

MIB = 1024 * 1024

Gold = Sequence[Sequence[Place]]
Rounds = Sequence[Mapping[str, Run]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A figure over the rounds."""

    median: float
    least: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What an engine came to on one folder.

    Attributes:
        characters, passages: Indexed per second, cutting included.
        p50_ms, p95_ms: Of the questions of a round.
        index_cpu: Characters indexed for a second of the processor, all threads together.
        question_cpu_ms: Of the processor, on average.
        peak_mib, resident_mib: Of the process, most and last.
        hit_1, hit_3: None where no question has its answer in the folder.
        length: Median number of characters of the first result.
        declined: Share of the questions that the engine said it has no answer to.
        index_ratio: How many times as fast Clippings indexes, without the ranker.
        off_ratio, on_ratio: The median question of Clippings as a share of the engine's.
    """

    engine: str
    characters: Spread
    passages: Spread
    p50_ms: Spread
    p95_ms: Spread
    index_cpu: Spread
    question_cpu_ms: Spread
    peak_mib: Spread
    resident_mib: Spread
    hit_1: float | None
    hit_3: float | None
    length: float
    declined: float
    index_ratio: Spread | None
    off_ratio: Spread | None
    on_ratio: Spread | None


def rows(
    rounds: Rounds, *, archive: Archive, cutting_s: Sequence[float], gold: Gold
) -> tuple[Row, ...]:
    """Sum up the rounds, in the order of the engines of the first.

    Args:
        rounds: Each has a run of each engine.
        cutting_s: Of each round; added to what a peer took to index the passages.
        gold: Of each question, the places that answer it.
    """
    return tuple(
        _row(name, rounds, archive=archive, cutting_s=cutting_s, gold=gold) for name in rounds[0]
    )


def quantile(values: Sequence[float], share: float) -> float:
    """Give the smallest of the values that at least this share of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(1, math.ceil(share * len(ordered))) - 1]


def speed_table(found: Sequence[Row]) -> str:
    heads = (
        *("engine", "characters/s", "passages/s", "Clippings / it"),
        *("p50 ms", "p95 ms", "Clippings off / it", "on / it"),
    )
    return _markdown(
        heads,
        [
            (
                row.engine,
                _told(row.characters, ",.0f"),
                _told(row.passages, ",.1f"),
                _told(row.index_ratio, ".2f"),
                _told(row.p50_ms, ".1f"),
                _told(row.p95_ms, ".1f"),
                _told(row.off_ratio, ".2f"),
                _told(row.on_ratio, ".2f"),
            )
            for row in found
        ],
    )


def cost_table(found: Sequence[Row]) -> str:
    heads = (
        *("engine", "characters per processor second", "processor ms per question"),
        *("peak MiB", "resident MiB"),
    )
    return _markdown(
        heads,
        [
            (
                row.engine,
                _told(row.index_cpu, ",.0f"),
                _told(row.question_cpu_ms, ".1f"),
                _told(row.peak_mib, ",.0f"),
                _told(row.resident_mib, ",.0f"),
            )
            for row in found
        ],
    )


def hit_table(found: Sequence[Row]) -> str:
    heads = ("engine", "hit@1", "hit@3", "median length of the first", "says «no answer»")
    return _markdown(
        heads,
        [
            (
                row.engine,
                _share(row.hit_1),
                _share(row.hit_3),
                f"{row.length:.0f}",
                _share(row.declined) if row.engine in OWN else "can not",
            )
            for row in found
        ],
    )


def _row(
    name: str, rounds: Rounds, *, archive: Archive, cutting_s: Sequence[float], gold: Gold
) -> Row:
    runs = [each[name] for each in rounds]
    taken = _seconds(name, rounds, cutting_s)
    middles = _middles(name, rounds)
    return Row(
        engine=name,
        characters=_spread([archive.characters / second for second in taken]),
        passages=_spread([len(archive.texts) / second for second in taken]),
        p50_ms=_spread([1000 * middle for middle in middles]),
        p95_ms=_spread([1000 * quantile(run.question_s, 0.95) for run in runs]),
        index_cpu=_spread(
            [
                archive.characters / _with_cutting(run, run.index_cpu_s, cut)
                for run, cut in zip(runs, cutting_s, strict=True)
            ]
        ),
        question_cpu_ms=_spread(
            [1000 * run.questions_cpu_s / max(1, len(run.question_s)) for run in runs]
        ),
        peak_mib=_spread([run.peak_bytes / MIB for run in runs]),
        resident_mib=_spread([run.resident_bytes / MIB for run in runs]),
        hit_1=hit_rate(runs[0].found, gold, 1),
        hit_3=hit_rate(runs[0].found, gold, 3),
        length=median_length(runs[0].found),
        declined=runs[0].declined / max(1, len(runs[0].found)),
        index_ratio=_ratios(taken, _seconds(WITHOUT_RANKER, rounds, cutting_s)),
        off_ratio=_ratios(_middles(WITHOUT_RANKER, rounds), middles),
        on_ratio=_ratios(_middles(CLIPPINGS, rounds), middles),
    )


def _seconds(name: str, rounds: Rounds, cutting_s: Sequence[float]) -> list[float]:
    """Give what indexing took in each round; nothing if the engine was not among them."""
    return [
        _with_cutting(each[name], each[name].index_s, cut)
        for each, cut in zip(rounds, cutting_s, strict=True)
        if name in each
    ]


def _with_cutting(run: Run, seconds: float, cut: float) -> float:
    """Add the time of cutting to what a peer took; it runs on one core, so on either clock."""
    return seconds if run.engine in OWN else seconds + cut


def _middles(name: str, rounds: Rounds) -> list[float]:
    return [quantile(each[name].question_s, 0.5) for each in rounds if name in each]


def _ratios(upper: Sequence[float], lower: Sequence[float]) -> Spread | None:
    if not upper or not lower:
        return None
    return _spread([one / other for one, other in zip(upper, lower, strict=True)])


def _spread(values: Sequence[float]) -> Spread:
    return Spread(median=statistics.median(values), least=min(values), most=max(values))


def _told(spread: Spread | None, form: str) -> str:
    if spread is None:
        return "–"
    if spread.least == spread.most:
        return format(spread.median, form)
    least, most = format(spread.least, form), format(spread.most, form)
    return f"{spread.median:{form}} ({least}–{most})"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _markdown(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = ["---", *("---:" for _ in heads[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *lines))
