"""The page itself: one HTML file with everything in it, for a screen, a phone and paper. It loads nothing.

    write(folder, out)      `folder` is the --out of a search

DataError for a folder without a finished search; every table has headers, every picture its alternative in words.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TypeVar

import jinja2
import msgspec

from ...errors import DataError
from .. import whole_path
from ..search.outcome import Outcome
from ..search.summary import BATCHES, LETTERS, kib, percent, refused, runs_in, sentence, times
from ..whole_path import WholePath
from . import figures as pictures
from . import part_figures as parts
from .pareto_figure import picture as pareto
from .svg import Picture

Struct = TypeVar("Struct")

RESULT = "search.json"
METRICS = (("auc", "AUC"), ("mrr", "MRR"), ("ndcg_5", "nDCG@5"), ("ndcg_10", "nDCG@10"))
CSS = {"pass": "pass", "not decidable": "open", "fail": "fail"}
METHOD_WORDS = {
    "student": "a small new network in place of the teacher",
    "distil": "it learns from the clicks and, by the weight alpha, from the teacher's answers",
    "lowrank": "each matrix as a product of two thin ones that keep this share of its energy",
    "prune": "the least important weights to zero, this share of them",
    "neurons": "the least important hidden units removed, this share of them",
    "columns": "the least important features no longer read, this share of them",
    "variational": "noise is learned for each weight, and what drowns in it removed",
    "qat": "int8 weights while learning goes on",
    "int8": "weights in 8 bits",
    "fp16": "weights in 16 bits",
    "users": "stored user vectors in fewer bits",
}


def write(folder: Path, out: Path) -> Outcome:
    """Write the page of a finished search; what it is about."""
    outcome, path = read(folder), folder / whole_path.FILE
    whole = _decoded(path, WholePath, "measure it again with `streamrec bench path`") if path.exists() else None
    out.write_text(page(outcome, whole), encoding="utf-8")
    return outcome


def read(folder: Path) -> Outcome:
    """The outcome of a finished search in its folder; DataError for a folder that holds none."""
    path = folder / RESULT
    if not path.exists():
        state = "an unfinished search: go on with --resume" if (folder / "request.json").exists() else "no search"
        raise DataError(f"{folder} holds {state}; expected a finished one ({RESULT})")
    return _decoded(path, Outcome, "search again")


def _decoded(path: Path, kind: type[Struct], cure: str) -> Struct:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except msgspec.DecodeError as error:
        raise DataError(f"{path} is not what this version writes ({error}); {cure}") from error


def page(outcome: Outcome, whole: WholePath | None = None) -> str:
    """The report as one HTML text with style and figures in it; with what was measured of the whole path, if it was."""
    folder = resources.files(__package__)
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    best = outcome.points[outcome.best] if outcome.best is not None and outcome.met else None
    return environment.from_string(folder.joinpath("page.html.j2").read_text("utf-8")).render(
        o=outcome,
        style=folder.joinpath("page.css").read_text("utf-8"),
        css=CSS,
        best=best,
        whole=whole,
        bytes_rows=whole_path.bytes_rows,
        time_rows=whole_path.time_rows,
        shown=best or (None if outcome.closest is None else outcome.points[outcome.closest]),
        models=[("teacher", outcome.teacher), *zip(LETTERS, outcome.points, strict=False)],
        parts=[("all", outcome.impressions["test"]), *outcome.slice_impressions.items()],
        tried=len({trial.recipe for trial in outcome.trials if trial.fidelity.epochs}),
        pictures=_pictures(outcome),
        sentence=sentence(outcome),
        refused=refused(outcome),
        words=explained(point.recipe for point in outcome.points),
        batches=BATCHES,
        metrics=METRICS,
        **{function.__name__: function for function in (kib, times, percent, us, minute, runs_in)},
    )


def _pictures(outcome: Outcome) -> list[Picture]:
    if not outcome.points:
        return []
    drawn = (
        pareto(outcome),
        pictures.losses(outcome),
        pictures.speeds(outcome),
        parts.slices(outcome),
        pictures.importance(outcome),
        pictures.calibration(outcome),
        parts.sensitivity(outcome),
    )
    return [picture for picture in drawn if picture is not None]


def us(count: float) -> str:
    """Microseconds for people, in us or ms."""
    return f"{count:,.0f} us" if count < 1e4 else f"{count / 1e3:,.0f} ms"


def explained(recipes: Iterable[str]) -> dict[str, str]:
    """Every method that occurs, in the order of METHOD_WORDS."""
    used = set(re.findall(r"[a-z]\w*", " ".join(recipes)))
    return {name: words for name, words in METHOD_WORDS.items() if name in used}


def minute(at_ms: int) -> str:
    """A moment in UTC to the minute, like 01 Mar 2026 06:30."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%d %b %Y %H:%M")
