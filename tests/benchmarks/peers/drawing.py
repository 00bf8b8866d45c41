"""The figures of the table as a plot, in SVG: index rate, the median question, the hit rate."""

from __future__ import annotations

import io
from collections.abc import Sequence

from tests.benchmarks.peers.engines import OWN
from tests.benchmarks.peers.table import Row, Spread

BLUE, GREY = "#20639b", "#8a8f98"


def draw(found: Sequence[Row], title: str) -> str:
    """Draw a bar for each engine, from the least to the most of the rounds in black."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    names = [row.engine for row in found][::-1]
    colours = [BLUE if name in OWN else GREY for name in names]
    panels = (
        ("characters indexed a second", [row.characters for row in found]),
        ("median question, ms", [row.p50_ms for row in found]),
        ("answer among the first three, %", [_fixed(row.hit_3) for row in found]),
    )
    written = io.StringIO()
    with rc_context({"svg.hashsalt": title, "font.size": 9}):
        figure = Figure(figsize=(10, 1.2 + 0.4 * len(names)), layout="constrained")
        figure.suptitle(title.replace("; ", "\n"), fontsize=9)
        for axes, (label, spreads) in zip(
            figure.subplots(1, len(panels), sharey=True), panels, strict=True
        ):
            values = spreads[::-1]
            middles = [each.median for each in values]
            errors = [
                [each.median - each.least for each in values],
                [each.most - each.median for each in values],
            ]
            axes.barh(names, middles, color=colours, xerr=errors)
            axes.set_xlabel(label)
            axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return written.getvalue()


def _fixed(share: float | None) -> Spread:
    value = 100 * (share or 0.0)
    return Spread(median=value, least=value, most=value)
