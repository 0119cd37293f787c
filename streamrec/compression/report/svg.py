"""How pictures look and how they become text: SVG with real text in it, the same bytes for the same facts.

A picture is drawn at the width of a phone, so that its letters stay readable there; on a desk two stand side by side.
Outcomes differ in shape as well as in colour.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure

from ..verdict import Outcome as Verdicted

WIDTH_IN = 5.0
INK, FAINT, TEACHER = "#1f2933", "#c9d1d9", "#1f2933"
COLOURS: dict[Verdicted | None, str] = {
    None: TEACHER,
    "pass": "#1a7f4b",
    "not decidable": "#a86400",
    "fail": "#b3261e",
}
SHAPES: dict[Verdicted | None, str] = {None: "s", "pass": "o", "not decidable": "D", "fail": "X"}
SERIES = ("#1f2933", "#2b6cb0", "#a86400", "#7b3fa0", "#1a7f4b", "#b3261e")  # teacher first

STYLE: dict[Any, Any] = {  # keys are a Literal of 300 in matplotlib's types
    "svg.fonttype": "none",
    "svg.hashsalt": "streamrec",
    "font.family": "sans-serif",
    "font.sans-serif": ["system-ui", "Segoe UI", "Roboto", "Helvetica", "Arial", "DejaVu Sans"],
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": "#8a949e",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6eaee",
    "xtick.color": "#4a5560",
    "ytick.color": "#4a5560",
    "legend.frameon": False,
    "legend.fontsize": 8,
}


class Picture(NamedTuple):
    """One figure of the report as SVG, with its title, its caption and its words."""

    title: str
    svg: str
    alt: str  # what it shows, for who cannot see it
    caption: str


@contextmanager
def sheet(height_in: float, rows: int = 1) -> Iterator[Figure]:
    """An empty figure in the page's style; no global state of pyplot, so any thread may draw."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
        figure.subplots(rows)
        yield figure


def svg(figure: Figure) -> str:
    """The figure as an SVG element: scales with its container, hidden from readers of screens (the alt text speaks)."""
    written = io.StringIO()
    with mpl.rc_context(STYLE):
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = written.getvalue()
    return text[text.index("<svg") :].replace("<svg", '<svg aria-hidden="true" focusable="false"', 1)


def png(figure: Figure) -> bytes:
    """The figure as a PNG on white, 160 dots an inch, with a font that every machine has."""
    written = io.BytesIO()
    with mpl.rc_context(STYLE | {"font.sans-serif": ["DejaVu Sans"]}):
        figure.savefig(written, format="png", dpi=160, facecolor="white", metadata={"Software": None})
    return written.getvalue()
