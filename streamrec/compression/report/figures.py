"""The other pictures of the page: losses beside the budget, speed by batch size, slices, calibration, explanation.

Each takes the outcome and gives a Picture whose alternative text says in words what it shows.
"""

import numpy as np
from matplotlib.ticker import FuncFormatter

from ..search.outcome import Outcome, Point
from ..search.summary import BATCHES, LETTERS, percent, times
from .svg import COLOURS, FAINT, INK, SERIES, SHAPES, Picture, sheet, svg

LEAST_SHOWN, MOST_SHOWN = -20, 105  # %; a model at chance has nothing to lose, and could fill the page with it
SHOWN = 4  # models beside the teacher where more would be a tangle


def losses(outcome: Outcome) -> Picture:
    """Relative loss of AUC of each model with its bounds, and the line it must stay below."""
    budget, names = outcome.request.max_loss, LETTERS[: len(outcome.points)]
    with sheet(1.1 + 0.3 * len(names)) as figure:
        axes = figure.axes[0]
        bounds_in_view = (p.verdict.upper_95 for p in outcome.points if p.verdict and _in_view(p, budget))
        most = 100 * max([4 * budget, *bounds_in_view])
        for row, point in enumerate(outcome.points):
            assert point.verdict is not None
            v, colour = point.verdict, COLOURS[point.verdict.outcome]
            if not _in_view(point, budget):
                axes.annotate(
                    f"{percent(v.loss)} \u2192", (most, row), ha="right", va="center", color=colour, fontsize=8
                )
                continue
            bounds = 100 * v.lower_95, 100 * v.upper_95
            axes.plot(bounds, [row, row], color=colour, linewidth=2.5, solid_capstyle="butt")
            axes.plot(100 * v.loss, row, SHAPES[v.outcome], color=colour, markersize=6.5)
        axes.set_xlim(right=most * 1.04)
        axes.axvline(100 * budget, color="#b3261e", linewidth=1.2, linestyle=(0, (4, 3)))
        axes.annotate(
            f"budget {percent(budget)}",
            (100 * budget, -0.8),
            xytext=(4, 0),
            textcoords="offset points",
            color="#b3261e",
            fontsize=8,
            va="center",
        )
        axes.axvline(0, color=FAINT, linewidth=1.2, zorder=0)
        axes.set_yticks(range(len(names)), list(names), fontweight="bold")
        axes.set_ylim(len(names) - 0.5, -1.2)
        axes.set_xlabel("relative loss of AUC against the teacher, % (left of 0 is a gain)")
        axes.grid(visible=False, axis="y")
    words = [
        f"{n}: {percent(p.verdict.loss)}, at most {percent(p.verdict.upper_95)}"
        for n, p in zip(names, outcome.points, strict=True)
        if p.verdict
    ]
    return Picture(
        "Loss against the teacher, in pairs",
        svg(figure),
        f"Loss of AUC of each model against a budget of {percent(budget)}. " + "; ".join(words),
        "Each line runs between one-sided 95 % bounds that hold for all together. Left of the budget passes, wholly"
        " right of it fails, across it cannot be decided on so few impressions.",
    )


def speeds(outcome: Outcome) -> Picture:
    """How many times as fast as the teacher the first models are, by batch size, with the range over rounds."""
    shown = list(zip(LETTERS, outcome.points, strict=False))[: SHOWN + 1]
    with sheet(3.1) as figure:
        axes = figure.axes[0]
        for (name, point), colour in zip(shown, SERIES[1:], strict=False):
            ratios = [point.speed[batch].ratio for batch in BATCHES]
            axes.plot(range(4), ratios, "o-", color=colour, markersize=4, label=f"{name} {point.engine}")
            axes.fill_between(
                range(4),
                [point.speed[b].low for b in BATCHES],
                [point.speed[b].high for b in BATCHES],
                color=colour,
                alpha=0.12,
                linewidth=0,
            )
        axes.axhline(1, color=INK, linewidth=1)
        axes.plot([], [], color=INK, linewidth=1, label="teacher, torch_fp32")
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
        axes.set_xticks(range(4), [f"{b:,}" for b in BATCHES])
        axes.set_xlabel("rows in one call")
        axes.set_ylabel("times as fast")
        axes.legend(loc="best", ncols=2)
    words = ["; ".join(f"{n} {times(p.speed[b].ratio)} at {b}" for b in BATCHES) for n, p in shown]
    return Picture(
        "Speed by batch size",
        svg(figure),
        "Times as fast as the teacher. " + ". ".join(words),
        "Medians of interleaved rounds in one process, one thread; shades are the rounds' extremes. The teacher scores"
        " whole rows, each with another user's 30 last reads, as an article meets its readers.",
    )


def calibration(outcome: Outcome) -> Picture:
    """Predicted against observed share of clicks."""
    with sheet(3.4) as figure:
        axes = figure.axes[0]
        for (name, point), colour in zip(series(outcome), SERIES, strict=False):
            x, y = [bin_.predicted for bin_ in point.calibration], [bin_.clicked for bin_ in point.calibration]
            axes.plot(x, y, "o-", color=colour, markersize=3.5, linewidth=1.2, label=name)
        top = max((max(b.predicted, b.clicked) for _, p in series(outcome) for b in p.calibration), default=1.0) * 1.05
        axes.plot([0, top], [0, top], color=FAINT, linewidth=1.2, zorder=0)
        axes.set_xlabel("predicted probability of a click")
        axes.set_ylabel("share clicked")
        axes.legend(loc="upper left")
    gaps = [f"{n} {percent(calibration_error(p))}" for n, p in series(outcome)]
    return Picture(
        "Calibration",
        svg(figure),
        "Predicted against observed share of clicks in tenths of the rows. Mean gap: " + ", ".join(gaps),
        "Tenths of the test rows by predicted probability; on the line is right. Slope and offset are those"
        f" of the artifact, fitted on the held-out window. Mean gap: {', '.join(gaps)}.",
    )


def importance(outcome: Outcome) -> Picture:
    """Which feature groups carry a decision, before and after compression."""
    shown = series(outcome)
    groups = sorted(outcome.teacher.importance, key=lambda g: outcome.teacher.importance[g])
    height = 0.8 / len(shown)
    with sheet(1.0 + 0.42 * len(groups)) as figure:
        axes = figure.axes[0]
        for number, ((name, point), colour) in enumerate(zip(shown, SERIES, strict=False)):
            at = np.arange(len(groups)) + 0.4 - height * (number + 0.5)
            axes.barh(at, [100 * point.importance.get(g, 0.0) for g in groups], height * 0.9, color=colour, label=name)
        axes.set_yticks(range(len(groups)), groups)
        axes.axvline(0, color="#8a949e", linewidth=1)
        axes.set_xlim(LEAST_SHOWN, MOST_SHOWN)
        axes.set_xlabel("share of the AUC above chance that is lost, %")
        axes.grid(visible=False, axis="y")
        axes.legend(loc="lower right")
    words = ["; ".join(f"{n} {100 * p.importance.get(g, 0.0):.0f} %" for n, p in shown) for g in reversed(groups)]
    return Picture(
        "What carries a decision",
        svg(figure),
        "Loss when a group of features is another row's. "
        + ". ".join(f"{g}: {w}" for g, w in zip(reversed(groups), words, strict=True)),
        "What ranking loses when a group of features comes from random other rows: the same question put to the teacher"
        " and to each compressed model. A model that decides by other things than its teacher shows here first.",
    )


def series(outcome: Outcome) -> list[tuple[str, Point]]:
    """The teacher and the first SHOWN models, each with the letter it has on the page."""
    return [("teacher", outcome.teacher), *list(zip(LETTERS, outcome.points, strict=False))[:SHOWN]]


def calibration_error(point: Point) -> float:
    """Mean distance of prediction and observation, rows counted."""
    rows = sum(bin_.rows for bin_ in point.calibration)
    return sum(bin_.rows * abs(bin_.predicted - bin_.clicked) for bin_ in point.calibration) / max(rows, 1)


def _in_view(point: Point, budget: float) -> bool:
    """Whether a loss can be drawn beside the budget: one far beyond it would make the others unreadable."""
    return point.verdict is not None and point.verdict.loss < 12 * budget
