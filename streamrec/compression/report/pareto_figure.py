"""The picture of the trade: size against AUC with intervals, speed against AUC, and what beats all else marked."""

from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from ..search.outcome import Outcome, Point
from ..search.summary import LETTERS, kib, times
from .svg import COLOURS, FAINT, SHAPES, Picture, sheet, svg


def draw(outcome: Outcome) -> Figure:
    """Size against AUC above speed against AUC: two panels that share the AUC axis."""
    with sheet(5.4, rows=2) as figure:
        by_size, by_speed = figure.axes
        _panel(by_size, outcome, lambda p: p.sizes.file_bytes / 1024, "size of the file, KiB (smaller is left)")
        _panel(
            by_speed,
            outcome,
            lambda p: p.speed[256].ratio if p.speed else 1.0,
            "times as fast as the teacher, 256 rows (faster is right)",
        )
        by_size.legend(handles=_legend(outcome), loc="lower right")
    return figure


def picture(outcome: Outcome) -> Picture:
    """The trade of size and speed against AUC, drawn, with its figures in words for who cannot see it."""
    words = [f"teacher {kib(outcome.teacher.sizes.file_bytes)}, AUC {outcome.teacher.quality['auc'].value:.3f}"]
    words += [
        f"{letter}: {kib(p.sizes.file_bytes)}, {times(p.speed[256].ratio)} times as fast,"
        f" AUC {p.quality['auc'].value:.3f}"
        for letter, p in zip(LETTERS, outcome.points, strict=False)
    ]
    return Picture(
        "What size and speed cost",
        svg(draw(outcome)),
        "Size and speed of each model against its AUC on the test window. " + "; ".join(words),
        "Letters as in the table. Bars are 95 % intervals of the AUC itself; models are compared in pairs over the same"
        " impressions, which is far sharper than these bars (next picture). Filled: nothing else is smaller, faster and"
        " better at once.",
    )


def _panel(axes: Axes, outcome: Outcome, across: Callable[[Point], float], label: str) -> None:
    axes.set_xscale("log")
    axes.set_xlabel(label)
    axes.set_ylabel("AUC")
    models = [("teacher", outcome.teacher), *zip(LETTERS, outcome.points, strict=False)]
    for number, (name, point) in enumerate(models):
        auc, x = point.quality["auc"], across(point)
        outcome_of = point.verdict.outcome if point.verdict else None
        colour = COLOURS[outcome_of]
        axes.plot([x, x], [auc.low, auc.high], color=colour, alpha=0.35, linewidth=2, solid_capstyle="round")
        filled = colour if point.on_front or outcome_of is None else "white"
        axes.plot(x, auc.value, SHAPES[outcome_of], color=colour, markerfacecolor=filled, markersize=7)
        axes.annotate(
            name,
            (x, auc.value),
            xytext=(6, 4 if number % 2 else -10),  # neighbours are often of one size
            textcoords="offset points",
            fontsize=8.5,
            fontweight="bold",
            color=colour,
        )
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.axhline(outcome.teacher.quality["auc"].value, color=FAINT, linewidth=1, zorder=0)
    axes.margins(x=0.12)


def _legend(outcome: Outcome) -> list[Line2D]:
    shown = {None, *(point.verdict.outcome for point in outcome.points if point.verdict)}
    return [
        Line2D([], [], linestyle="", marker=SHAPES[of], color=COLOURS[of], label=of or "teacher")
        for of in SHAPES
        if of in shown
    ]
