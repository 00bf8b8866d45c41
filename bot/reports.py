"""What `index`, `status` and `verify` say, as lines. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.terminal import FAINT, STRONG, Line, line
from bot.visible import safe_name, visible
from retrieval import Facts, Hosted, Report, Skipped, Upload, Way

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How the corpus differs from the generation: paths, ascending."""

    changed: tuple[str, ...]
    new: tuple[str, ...]
    gone: tuple[str, ...]


def drift(indexed: Mapping[str, str], found: Mapping[str, str]) -> Drift:
    """Compare the digests of articles, by path."""
    both = indexed.keys() & found.keys()
    return Drift(
        changed=tuple(sorted(path for path in both if indexed[path] != found[path])),
        new=tuple(sorted(found.keys() - indexed.keys())),
        gone=tuple(sorted(indexed.keys() - found.keys())),
    )


def report_lines(report: Report) -> Iterator[Line]:
    """Say what an indexing did, and name every file that was skipped."""
    yield line(
        f"{_count(report.articles, 'article')}, {_count(report.sentences, 'sentence')}, "
        f"{_count(report.passages, 'passage')} in generation {report.generation}",
        STRONG,
    )
    yield line(
        f"{_count(report.unchanged, 'article')} unchanged, "
        f"{_count(report.reused, 'vector')} re-used"
        + ("" if report.published else "; the index was up to date")
    )
    if report.ignored:
        yield line(f"{_count(report.ignored, 'hidden or temporary file')} left out", FAINT)
    yield from skipped_lines(report.skipped)


def upload_lines(upload: Upload, server: str) -> Iterator[Line]:
    """Say what an upload did."""
    written = f"{_count(upload.written, 'row')} uploaded" if upload.written else "up to date"
    kept = f", {_count(upload.present, 'row')} were there" if upload.written else ""
    yield line(f"{server}: {written}{kept}")
    if upload.dropped:
        yield line(f"{_count(len(upload.dropped), 'old collection')} dropped there", FAINT)


def engine_lines(server: str | None, hosted: Hosted | None) -> Iterator[Line]:
    """Say what searches, and what it holds."""
    if server is None or hosted is None:
        yield from _fields({"engine": "the index itself"})
        return
    counts = f"{_rows(hosted.sentences)} sentences, {_rows(hosted.passages)} passages"
    state = "whole, searched" if hosted.is_whole else "not whole; upload it: clippings index"
    yield from _fields(
        {
            "engine": f"{server} ({visible(hosted.version)})",
            "collections": ", ".join(hosted.collections),
            "uploaded": f"{counts}: {state}",
        }
    )


def skipped_lines(skipped: Sequence[Skipped]) -> Iterator[Line]:
    if not skipped:
        return
    yield line(f"{_count(len(skipped), 'file')} skipped:", STRONG)
    for file in skipped:
        said = f"{safe_name(file.path)} {visible(file.reason)}; {visible(file.remedy)}"
        yield line(said, margin="  ")


def status_lines(
    *,
    generation: str,
    facts: Facts,
    age_s: float,
    size: int,
    index: str,
    way: Way,
    segments: int,
    recall: float | None,
) -> Iterator[Line]:
    dates = (
        f"{facts.earliest} to {facts.latest}" if facts.earliest else "no article states its date"
    )
    counts = (
        f"{_count(facts.articles, 'article')}, {_count(facts.sentences, 'sentence')}, "
        f"{_count(facts.passages, 'passage')}"
    )
    yield from _fields(
        {
            "index": f"{safe_name(index)} ({human_size(size)})",
            "generation": generation,
            "built": human_age(age_s),
            "model": facts.model,
            "encoding": f"{way.name}, {way.reason}",
            "holds": counts,
            "search": _search(segments, recall),
            "published": dates,
            "articles": safe_name(facts.corpus),
        }
    )


def drift_lines(found: Drift) -> Iterator[Line]:
    kinds = {"changed": found.changed, "new": found.new, "gone": found.gone}
    differing = {kind: paths for kind, paths in kinds.items() if paths}
    if not differing:
        yield from _fields({"changes": "none since"})
        return
    for kind, paths in differing.items():
        names = ", ".join(map(safe_name, paths[:_NAMES_SHOWN]))
        more = f" and {len(paths) - _NAMES_SHOWN} more" if len(paths) > _NAMES_SHOWN else ""
        yield from _fields({kind: f"{_count(len(paths), 'file')}: {names}{more}"})
    yield line("Run `clippings index` to bring the index up to date.")


def verdict(quote_id: str, path: str, problems: Sequence[str]) -> Line:
    """One line for a quote: PASS, or FAIL and what is wrong."""
    name = f"{visible(quote_id)}  {safe_name(path)}"
    if not problems:
        return Line(pieces=(("PASS", "green"), (f"  {name}", "")))
    return Line(pieces=(("FAIL", "bold red"), (f"  {name}: {'; '.join(problems)}", "")))


def tally(*, passed: int, failed: int) -> Line:
    return line(f"{_count(passed + failed, 'quote')}: {passed} PASS, {failed} FAIL", STRONG)


def human_age(seconds: float) -> str:
    """Say how long ago something was, in its largest unit."""
    for size, unit in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds >= size:
            return f"{_count(int(seconds // size), unit)} ago"
    return "less than a minute ago"


def human_size(size: int) -> str:
    """Say a number of bytes in decimal units, as disks are sold."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"


def _rows(count: int | None) -> str:
    return "no" if count is None else f"{count:,}"


def _search(segments: int, recall: float | None) -> str:
    """Say how vectors are searched; `recall` is None where nothing is missed."""
    way = (
        "exact" if recall is None else f"by sketches first, recall {recall:.3f} of the ten nearest"
    )
    return f"{way}, in {_count(segments, 'segment')}"


def _fields(fields: Mapping[str, str]) -> Iterator[Line]:
    for name, value in fields.items():
        yield line(value, margin=f"{name:<12}")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
