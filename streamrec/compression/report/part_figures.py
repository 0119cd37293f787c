"""Pictures of parts: slices of the test window, and the teacher's layers compressed one at a time."""

import numpy as np

from ..search.outcome import Outcome
from ..search.summary import percent
from .figures import series
from .svg import SERIES, Picture, sheet, svg

METHOD = {"prune": "half pruned", "lowrank": "low rank", "int8": "int8"}


def slices(outcome: Outcome) -> Picture:
    """AUC with intervals on each slice, models side by side."""
    names, shown = ["all", *outcome.slice_impressions], series(outcome)
    step = 0.7 / len(shown)
    with sheet(0.9 + 0.42 * len(names)) as figure:
        axes = figure.axes[0]
        for number, ((name, point), colour) in enumerate(zip(shown, SERIES, strict=False)):
            found = [point.quality["auc"], *(point.slices[part]["auc"] for part in outcome.slice_impressions)]
            at = np.arange(len(names)) - 0.35 + step * (number + 0.5)
            axes.hlines(at, [f.low for f in found], [f.high for f in found], color=colour, alpha=0.4, linewidth=2)
            axes.plot([f.value for f in found], at, "o", color=colour, markersize=4, label=name)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_xlabel("AUC (95 % intervals over users)")
        axes.grid(visible=False, axis="y")
        axes.legend(loc="best")
    words = [
        "; ".join(f"{n} {p.slices[part]['auc'].value:.3f}" for n, p in shown) for part in outcome.slice_impressions
    ]
    spoken = ". ".join(f"{part}: {w}" for part, w in zip(outcome.slice_impressions, words, strict=True))
    return Picture(
        "Where it holds and where it does not",
        svg(figure),
        f"AUC by slice. {spoken}",
        "A model that is as good on the whole may still be worse for new articles, new users or one language. All"
        " figures with intervals stand in the tables below.",
    )


def sensitivity(outcome: Outcome) -> Picture | None:
    """Loss of each layer compressed alone, as a map; None if time left no room for probing."""
    methods = list(dict.fromkeys(probe.method for probe in outcome.probes))
    layers = list(dict.fromkeys(probe.layer for probe in outcome.probes))
    if not layers:
        return None
    loss = {(probe.layer, probe.method): probe.loss for probe in outcome.probes if not probe.refused}
    grid = np.array([[100 * loss.get((layer, method), np.nan) for method in methods] for layer in layers])
    top = max(float(np.nanmax(np.abs(grid))), 0.01)
    with sheet(0.9 + 0.27 * len(layers)) as figure:
        axes = figure.axes[0]
        edges = np.arange(len(methods) + 1) - 0.5, np.arange(len(layers) + 1) - 0.5
        axes.pcolormesh(*edges, grid, cmap="RdBu_r", vmin=-top * 1.6, vmax=top * 1.6, edgecolor="white", linewidth=1)
        axes.invert_yaxis()
        axes.set_xticks(range(len(methods)), [METHOD.get(method, method) for method in methods])
        axes.xaxis.tick_top()
        axes.set_yticks(range(len(layers)), layers)
        axes.grid(visible=False)
        axes.tick_params(length=0)
        for row, column in np.ndindex(grid.shape):
            text = "" if np.isnan(grid[row, column]) else f"{grid[row, column]:+.2f} %"
            axes.text(column, row, text, ha="center", va="center", fontsize=8)
    worst = max(outcome.probes, key=lambda probe: probe.loss)
    return Picture(
        "Each layer of the teacher alone",
        svg(figure),
        f"Loss of AUC with one layer compressed and nothing learned again. The most sensitive: {worst.layer} under"
        f" {METHOD.get(worst.method, worst.method)}, {percent(worst.loss)}",
        "Relative loss of AUC on the validation window when one layer is compressed and nothing is learned again. This"
        " is measured first and decides what is tried first.",
    )
