"""Figures of benchmarks by commit, in a file of JSON lines that the user names: the last line of each run, as it was.

Runs are compared whose bench, conditions and machine are the same. Of a run count the ratios that have an interval
(ratios.py), in all of which more is better. One has fallen if its interval lies wholly below that of another commit.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import DataError
from .ratios import Ratio

Run = dict[str, Any]
SAME = ("bench", "conditions", "machine")  # for runs to be comparable


class Compared(NamedTuple):
    """A ratio of the newest run, beside the run of another commit whose lower bound is highest, if there is any."""

    name: str
    now: Ratio
    best: Ratio | None
    commit: str

    @property
    def has_fallen(self) -> bool:
        """By more than the noise."""
        best = self.best.low if self.best else None
        return best is not None and self.now.high is not None and self.now.high < best


def kept(path: Path, output: str | None = None) -> list[Run]:
    """All runs, oldest first, after the last line of a benchmark's output is added. DataError if there is none."""
    lines = path.read_text().splitlines() if path.exists() else []
    runs = [_run(line, f"{path}, line {number}") for number, line in enumerate(lines, 1)]
    if output is not None:
        last = (output.splitlines() or [""])[-1]
        runs.append(_run(last, "the last line of what is added"))
        with path.open("a") as file:
            file.write(last + "\n")
    if not runs:
        raise DataError(
            f"{path} holds no run; add the output of a benchmark: streamrec bench history {path} --add FILE"
        )
    return runs


def compared(runs: Sequence[Run]) -> list[Compared]:
    """Every ratio of the newest run that has an interval."""
    newest = runs[-1]
    others = [run for run in runs if run["commit"] != newest["commit"] and _conditions(run) == _conditions(newest)]
    found = []
    for name, now in _ratios(newest):
        earlier = [(each, str(run["commit"])) for run in others for other, each in _ratios(run) if other == name]
        best, commit = max(earlier, key=lambda each: each[0].low or 0.0, default=(None, ""))
        found.append(Compared(name, now, best, commit))
    return found


def _run(line: str, where: str) -> Run:
    try:
        run = json.loads(line)
    except ValueError:
        run = None
    if not isinstance(run, dict) or not {"bench", "commit", "machine"} <= run.keys():
        raise DataError(f"{where} is not the last line of a benchmark; expected JSON with bench, commit and machine")
    return run


def _conditions(run: Run) -> list[Any]:
    return [run.get(name) for name in SAME]


def _ratios(run: Run) -> Iterator[tuple[str, Ratio]]:
    for baseline, figures in run.get("ratios", {}).items():
        for figure, bounds in figures.items():
            found = Ratio(**bounds)
            if found.low is not None:
                yield f"{figure}, {baseline}", found
