"""Evaluations → lines for the terminal. Pure."""

import math
from collections.abc import Iterator, Sequence

from bot.terminal import FAINT, STRONG, Line, line
from bot.visible import safe_name, visible
from retrieval import Comparison, Evaluation, Figure, Judged

_NAME, _CELL = 24, 10
_WHOLE = ("questions", "quotes", "misquotes", "with both labels", "quote length (median)")
_TEXT_SHOWN = 160  # characters of a quote: enough to know it by


def figure_value(figure: Figure) -> str:
    """Write a figure: a count whole, a time to a tenth, a share to a thousandth, «-» for none."""
    if math.isnan(figure.value):
        return "-"
    if figure.name in _WHOLE:
        return f"{figure.value:.0f}"
    return f"{figure.value:.1f}" if figure.name.endswith(" ms") else f"{figure.value:.3f}"


def figure_interval(figure: Figure) -> str:
    return f"{figure.interval[0]:.3f} – {figure.interval[1]:.3f}" if figure.interval else ""


def first_quote(judged: Judged) -> str:
    """Say what was shown first, on one line: where it stands, and how it begins."""
    for quote in judged.given.ranked[:1]:
        text = " ".join(quote.text.split())
        more = "…" if len(text) > _TEXT_SHOWN else ""
        said = "" if judged.given.answered else "(not as an answer) "
        return f"{said}{safe_name(quote.path)}: {visible(text[:_TEXT_SHOWN])}{more}"
    return "nothing"


def wanted(judged: Judged) -> str:
    """Say what would have been right, on one line."""
    if judged.gold.smalltalk:
        return "no search: it is smalltalk"
    if not judged.gold.answerable:
        return "«the articles do not say»"
    for place in judged.gold.gold:
        if not place.partial:
            text = " ".join((place.quote or " / ".join(place.answers)).split())
            more = "…" if len(text) > _TEXT_SHOWN else ""
            return f"{safe_name(place.path)}: {visible(text[:_TEXT_SHOWN])}{more}"
    return "a quote"


def outcome(judged: Judged) -> str:
    given = judged.given
    said = "help" if given.helped else "answered" if given.answered else "abstained"
    return f"{said}, confidence {given.confidence:.2f}"


def evaluation_lines(evaluation: Evaluation) -> Iterator[Line]:
    yield line(f"{'':<{_NAME}}{'':>{_CELL}}   95 % interval", FAINT)
    yield from figure_lines(evaluation.figures)
    yield Line()
    yield from _kind_lines(evaluation)


def figure_lines(figures: Sequence[Figure]) -> Iterator[Line]:
    for figure in figures:
        shown = f"{figure.name:<{_NAME}}{figure_value(figure):>{_CELL}}   {figure_interval(figure)}"
        yield line(shown.rstrip())


def comparison_lines(comparison: Comparison) -> Iterator[Line]:
    yield line(f"{'':<{_NAME}}{'before':>{_CELL}}{'now':>{_CELL}}{'change':>{_CELL}}", STRONG)
    for old, new in zip(comparison.before.figures, comparison.now.figures, strict=True):
        change = new.value - old.value
        shown = "" if math.isnan(change) or change == 0 else f"{change:+.3f}"
        values = f"{figure_value(old):>{_CELL}}{figure_value(new):>{_CELL}}"
        yield line(f"{new.name:<{_NAME}}{values}{shown:>{_CELL}}".rstrip())
    for name, pairs in (("won", comparison.won), ("lost", comparison.lost)):
        yield Line()
        yield line(f"{len(pairs)} {name}", STRONG)
        for before, now in pairs:
            yield line(_asked(now))
            yield line(f"before: {outcome(before)}: {first_quote(before)}", margin="    ")
            yield line(f"now:    {outcome(now)}: {first_quote(now)}", margin="    ")


def _kind_lines(evaluation: Evaluation) -> Iterator[Line]:
    names = [name for name, _ in evaluation.kinds[0].shares] if evaluation.kinds else []
    heads = "".join(f"{name:>{_CELL}}" for name in ("questions", *names))
    yield line(f"{'type':<{_NAME}}{heads}", STRONG)
    for kind in evaluation.kinds:
        cells = "".join(f"{share_text(value):>{_CELL}}" for _, value in kind.shares)
        yield line(f"{visible(kind.name):<{_NAME}}{kind.questions:>{_CELL}}{cells}")


def share_text(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"


def _asked(judged: Judged) -> str:
    text = " ".join(judged.gold.question.text.split())
    return f"{visible(str(judged.gold.id))} [{visible(judged.gold.kind)}] {visible(text)}"
