"""Figures → plots, as SVG. The only module that knows matplotlib.

A `Figure` is made by hand, never through pyplot: no window, no state of the process. The settings
are matplotlib's own, whatever the user's matplotlibrc says: the same figures give the same bytes.
"""

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from retrieval import Bin

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 4.6, 4.0  # inches
BLUE, ORANGE, GREY = "#20639b", "#c05621", "#8a8f98"


def reliability_plot(bins: Sequence[Bin]) -> str:
    """Draw how often replies of each confidence are right; bars tell how many there are."""

    def draw(axes: "Axes") -> None:
        total = sum(each.count for each in bins)
        axes.bar(
            [(each.low + each.high) / 2 for each in bins],
            [each.count / total for each in bins],
            width=0.09,
            color=GREY,
            alpha=0.35,
            label="share of the replies",
        )
        axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="well calibrated")
        axes.plot(
            [each.confidence for each in bins],
            [each.right for each in bins],
            color=BLUE,
            marker="o",
            label="first quote right",
        )
        axes.set_xlim(0, 1)
        axes.set_xlabel("confidence")
        axes.set_ylabel("share")
        axes.legend(loc="upper left")

    return _svg(draw, title="Reliability")


def risk_plot(risks: Sequence[tuple[float, float]]) -> str:
    """Draw the share wrong among the most confident replies, against how many those are."""

    def draw(axes: "Axes") -> None:
        coverage = [point[0] for point in risks]
        risk = [point[1] for point in risks]
        axes.plot(coverage, risk, color=ORANGE)
        axes.fill_between(coverage, risk, color=ORANGE, alpha=0.15)
        axes.set_xlim(0, 1)
        axes.set_xlabel("coverage: share of the replies that is shown")
        axes.set_ylabel("risk: share of those that is wrong")

    return _svg(draw, title="Risk and coverage")


def hits_plot(hits: Sequence[float]) -> str:
    """Draw the share of answerable questions with a right quote among the first k."""

    def draw(axes: "Axes") -> None:
        ranks = range(1, len(hits) + 1)
        axes.plot(ranks, hits, color=BLUE, marker="o")
        for rank in (1, 3, len(hits)):
            axes.annotate(
                f"{hits[rank - 1]:.2f}",
                (rank, hits[rank - 1]),
                xytext=(0, -14),
                textcoords="offset points",
                ha="center",
            )
        axes.set_xticks(list(ranks))
        axes.set_xlabel("k: quotes looked at")
        axes.set_ylabel("answerable questions with a right one")

    return _svg(draw, title="Hits among the first k")


def _svg(draw: Callable[["Axes"], None], *, title: str) -> str:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    written = io.StringIO()
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update({"svg.hashsalt": title, "font.size": 10, "legend.fontsize": 9})
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        axes = figure.add_subplot()
        axes.set_title(title)
        axes.set_ylim(0, 1.03)  # a point at 1 is seen whole
        axes.grid(visible=True, alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        draw(axes)
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return written.getvalue()
