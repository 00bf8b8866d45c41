"""An evaluation → one HTML file that needs nothing else. Pure.

All that is not ours (questions, quotes, names of files) is escaped, and the page forbids itself
scripts and anything from outside.
"""

import base64
import html
from collections.abc import Iterable, Iterator, Sequence

from bot.evaluation_report import (
    figure_interval,
    figure_value,
    first_quote,
    outcome,
    share_text,
    wanted,
)
from bot.plots import hits_plot, reliability_plot, risk_plot
from bot.visible import visible
from retrieval import Comparison, Evaluation, Judged

_STYLE = """
body { font: 16px/1.45 system-ui, sans-serif; color: #1b1f24; background: #fff;
       max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; }
table { border-collapse: collapse; width: auto; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0;
         border-bottom: 1px solid #d9dde2; overflow-wrap: anywhere; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
figure { display: inline-block; margin: 0 1rem 1rem 0; max-width: 22rem; vertical-align: top; }
figure img { width: 100%; } figcaption, .note { color: #555d66; font-size: .9rem; }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_MEANINGS = {
    "misquotes": "quotes that are not what their file says at the named place",
    "useful": "right first quotes and right refusals, of all questions",
    "right@1": "answerable questions that were answered with a right first quote",
    "right@3": "the same, among the first three",
    "ranked@1": "a right quote is first, whatever was decided about abstaining",
    "ranked@3": "the same, among the first three",
    "groups@3": "where several facts are wanted: the share of them among the first three findings",
    "sources": "the share of all files that say it which the finding names",
    "kept": "answerable questions that were answered",
    "refused": "unanswerable questions that were not",
    "traps": "questions with a trap whose first quote fell into it; lower is better",
    "AUROC": "how well confidence tells answerable questions from others; 0.5 is chance",
    "AUROC own paragraph": "the same for questions that only their own paragraph does not answer",
    "ECE": "how far confidence is from the share that is right; lower is better",
    "risk–coverage area": "mean share wrong over all coverages; lower is better",
    "quote length (median)": "characters",
    "p50 ms": "half of the questions took no longer",
    "p95 ms": "19 of 20 questions took no longer",
}


def page(
    evaluation: Evaluation,
    *,
    name: str,
    generation: str,
    hits: Sequence[float],
    comparison: Comparison | None,
) -> str:
    """Write the page.

    Args:
        name: Of the questions, for the title.
        hits: The share of answerable questions with a right quote among the first k, k = 1 ...
    """
    parts = (
        f"<h1>How well {_text(name)} is answered</h1>",
        f'<p class="note">Index generation {_text(generation)}. Intervals are 95 % bootstrap.</p>',
        *_figures(evaluation),
        *_plots(evaluation, hits),
        *_kinds(evaluation),
        *(_comparison(comparison) if comparison else ()),
        *_misses(evaluation),
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Evaluation of {_text(name)}</title>\n<style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _figures(evaluation: Evaluation) -> Iterator[str]:
    yield "<h2>Figures</h2>"
    yield from _table(
        ("figure", "*value", "*95 % interval", "what it is"),
        (
            (each.name, figure_value(each), figure_interval(each), _MEANINGS.get(each.name, ""))
            for each in evaluation.figures
        ),
    )


def _plots(evaluation: Evaluation, hits: Sequence[float]) -> Iterator[str]:
    yield "<h2>Plots</h2>"
    if evaluation.bins:
        yield _plot(
            reliability_plot(evaluation.bins),
            "Reliability: on the dashed line, replies of confidence 0.7 are right 7 times of 10. "
            "The bars show how many replies have each confidence.",
        )
        yield _plot(
            risk_plot(evaluation.risks),
            "Risk and coverage: the share of wrong first quotes if only the most confident "
            "replies were shown. An honest confidence keeps the left side low.",
        )
    if hits:
        yield _plot(
            hits_plot(hits),
            "Hits: the share of answerable questions with a right quote among the first k, "
            "whatever was decided about abstaining.",
        )


def _kinds(evaluation: Evaluation) -> Iterator[str]:
    yield "<h2>Types of question</h2>"
    shares = [name for name, _ in evaluation.kinds[0].shares] if evaluation.kinds else []
    yield from _table(
        ("type", "*questions", *(f"*{name}" for name in shares)),
        (
            (kind.name, str(kind.questions), *(share_text(value) for _, value in kind.shares))
            for kind in evaluation.kinds
        ),
    )


def _comparison(comparison: Comparison) -> Iterator[str]:
    yield "<h2>What changed</h2>"
    yield from _table(
        ("figure", "*before", "*now"),
        (
            (new.name, figure_value(old), figure_value(new))
            for old, new in zip(comparison.before.figures, comparison.now.figures, strict=True)
        ),
    )
    for name, pairs in (("won", comparison.won), ("lost", comparison.lost)):
        yield f"<h3>{len(pairs)} {name}</h3>"
        yield from _table(
            ("id", "type", "question", "before", "now"),
            ((*_asked(now), _reply(before), _reply(now)) for before, now in pairs),
        )


def _misses(evaluation: Evaluation) -> Iterator[str]:
    yield f"<h2>Misses ({len(evaluation.misses)})</h2>"
    yield from _table(
        ("id", "type", "question", "outcome", "said first", "wanted"),
        (
            (*_asked(each), outcome(each), first_quote(each), wanted(each))
            for each in evaluation.misses
        ),
    )


def _asked(judged: Judged) -> tuple[str, str, str]:
    return str(judged.gold.id), judged.gold.kind, judged.gold.question.text


def _reply(judged: Judged) -> str:
    return f"{outcome(judged)}: {first_quote(judged)}"


def _plot(svg: str, caption: str) -> str:
    data = base64.b64encode(svg.encode()).decode()
    said = _text(caption)
    return (
        f'<figure><img alt="{said}" src="data:image/svg+xml;base64,{data}">'
        f"<figcaption>{said}</figcaption></figure>"
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Write a table; a column whose head begins with «*» holds numbers."""
    kinds = [' class="n"' if head.startswith("*") else "" for head in heads]
    cells = zip(kinds, heads, strict=True)
    yield "<table><thead><tr>"
    yield "".join(f"<th{kind}>{_text(head.removeprefix('*'))}</th>" for kind, head in cells)
    yield "</tr></thead><tbody>"
    for row in rows:
        cells = zip(kinds, row, strict=True)
        yield "<tr>" + "".join(f"<td{kind}>{_text(cell)}</td>" for kind, cell in cells) + "</tr>"
    yield "</tbody></table>"


def _text(text: str) -> str:
    return html.escape(visible(text))
