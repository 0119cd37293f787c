"""A search's outcome in a table, in a sentence and in one line of JSON."""

from typing import Any

from msgspec.structs import asdict
from rich.table import Table

from ...models.manifest import Interval
from ...models.manifest import runs_in as engine_says
from ...terminal.tables import grid
from ...training.ladder import says
from .outcome import Outcome, Point

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # of points, in their order
MODEL = "it"
BATCHES = (1, 32, 256, 4096)


def table(outcome: Outcome) -> Table:
    """The teacher and every finalist: the file's size, and speeds as ratios to the teacher in torch fp32."""
    shown = grid()
    speeds = (f"x{batch:,}" for batch in BATCHES)
    for name in ("", "engine", "file", "smaller", *speeds, "AUC (95 %)", "loss at most", "verdict"):
        shown.add_column(name, no_wrap=True)
    for number, (name, point) in enumerate([("teacher", outcome.teacher), *zip(LETTERS, outcome.points, strict=False)]):
        ratios = [times(point.speed[batch].ratio) if batch in point.speed else "1" for batch in BATCHES]
        bound, says = ("", "") if point.verdict is None else (percent(point.verdict.upper_95), point.verdict.outcome)
        if point.verdict is not None and point.verdict.of_few:
            bound, says = "", f"{says}: {point.verdict.users} readers"
        size = kib(point.sizes.file_bytes), f"{times(point.size_ratio)}x"
        style = "bold" if number - 1 == outcome.best and outcome.met else ""
        shown.add_row(name, runs_in(point), *size, *ratios, around(point.quality["auc"]), bound, says, style=style)
    return shown


def sentence(outcome: Outcome) -> str:
    """Who is best, or that nobody is and who is closest; of a best that no worker can load, both."""
    budget = percent(outcome.request.max_loss)
    if outcome.best is None and outcome.closest is None:
        return f"nothing meets the budget of {budget}: all recipes were refused"
    found = list[str]()
    if not outcome.met:
        what = "nothing" if outcome.best is None else "nothing that a worker can serve"
        found.append(f"{what} was shown to meet the budget of {budget}")
        if outcome.closest is not None and outcome.closest != outcome.best:
            found.append(_closest(outcome.points[outcome.closest]))
    if outcome.best is not None:
        found.append(_best(outcome.points[outcome.best], budget, is_met=outcome.met))
    return "; ".join(found) + _undecided(outcome) + (f"; {says(outcome.ladder, MODEL)}" if outcome.ladder else "")


def _best(point: Point, budget: str, *, is_met: bool) -> str:
    assert point.verdict is not None
    many = point.verdict.together
    together = f" (of all {many} models judged on these impressions together)" if many > 1 else ""
    found = (
        f"{'best' if is_met else 'to compare with'}: {point.recipe} in {runs_in(point)}:"
        f" {times(point.size_ratio)} times smaller, {times(point.speed[256].ratio)} times as fast at 256 rows;"
        f" its loss of AUC is below {budget} with 95 % confidence{together}"
    )
    if not point.servable:
        found += "; it has the teacher's shape, which no worker serves"
    other = point.verdict_ndcg_10
    if other is not None and other.outcome == "fail":
        found += f"; its loss of nDCG@10, which decides nothing here, is above: {percent(other.loss)}"
    return found


def _closest(point: Point) -> str:
    assert point.verdict is not None
    most = f", at most {percent(point.verdict.upper_95)} with 95 % confidence" * (not point.verdict.of_few)
    loss = percent(point.verdict.loss)
    return f"the closest is {point.recipe} in {runs_in(point)}: loss {loss}{most} ({point.verdict.says()})"


def runs_in(point: Point) -> str:
    """The engine, and where it multiplies in fp32 what is kept in int8, that too."""
    return engine_says(point.engine, point.recipe)


def left_out(outcome: Outcome) -> str:
    """Which trials a search had no time for, and how to go on, in words; empty if there are none."""
    count = len(outcome.left_out)
    trials = f"{count} {'trial' if count == 1 else 'trials'}"
    return f"time left out {trials}; a larger --budget with --resume goes on" if count else ""


def refused(outcome: Outcome) -> list[str]:
    """Engines that were not measured, and why: "ort_int8 for A, B: ..."; models with the same reason in one line."""
    found = dict[tuple[str, str], list[str]]()
    for letter, point in zip(LETTERS, outcome.points, strict=False):
        for engine, reason in point.engines_refused.items():
            found.setdefault((engine, reason), []).append(letter)
    return [f"{engine} for {', '.join(letters)}: {reason}" for (engine, reason), letters in found.items()]


def undecided(outcome: Outcome) -> Point | None:
    """The smallest and fastest model on which these impressions cannot decide, and more could.

    One whose loss lies within the budget goes before any other: more impressions are likelier to show that it passes.
    """
    able = [
        point
        for number, point in enumerate(outcome.points)
        if point.verdict and point.verdict.outcome == "not decidable"
        if number != (None if outcome.met else outcome.closest)
    ]
    gain = 1.0 if outcome.best is None else _gain(outcome.points[outcome.best])
    better = [point for point in able if _gain(point) > gain]
    return max(better, key=lambda point: (_is_within(point), _gain(point)), default=None)


def _is_within(point: Point) -> bool:
    return point.verdict is not None and point.verdict.loss <= point.verdict.budget


def _gain(point: Point) -> float:
    return point.size_ratio * point.speed[256].ratio


def _undecided(outcome: Outcome) -> str:
    point = undecided(outcome)
    if point is None or point.verdict is None:
        return ""
    return (
        f"; {point.recipe} in {runs_in(point)} is {times(point.size_ratio)} times smaller and"
        f" {times(point.speed[256].ratio)} times as fast, at a loss of {percent(point.verdict.loss)}:"
        f" {point.verdict.says()}"
    )


def last_line(outcome: Outcome) -> dict[str, Any]:
    """What a script reads; `best` is the closest where nothing met the budget, and its verdict says so.

    Where only a model met it that no worker can load, that is `best`, not `servable`, and `met` is false.
    """
    number = outcome.best if outcome.best is not None else outcome.closest
    return {
        "candidates": len({trial.recipe for trial in outcome.trials if trial.fidelity.epochs}),
        "best": None if number is None else _short(outcome.points[number]),
        "met": outcome.met,
        "undecided": None if (promising := undecided(outcome)) is None else _short(promising),
        "teacher": {"auc": round(outcome.teacher.quality["auc"].value, 5)},
        "left_out": len(outcome.left_out),
        "threshold": outcome.threshold and asdict(outcome.threshold),
        "test_impressions": outcome.impressions["test"],
    }


def _short(point: Point) -> dict[str, Any]:
    return {
        "recipe": point.recipe,
        "engine": point.engine,
        "servable": point.servable,
        "size_ratio": round(point.size_ratio, 2),
        "speed_ratio_1": round(point.speed[1].ratio, 2),
        "speed_ratio_256": round(point.speed[256].ratio, 2),
        "auc": round(point.quality["auc"].value, 5),
        "auc_loss": None if point.verdict is None else round(point.verdict.loss, 6),
        "auc_loss_upper_95": None if point.verdict is None else round(point.verdict.upper_95, 6),
        "verdict": None if point.verdict is None else point.verdict.outcome,
        "readers": None if point.verdict is None else point.verdict.users,
        "impressions_needed": None if point.verdict is None else point.verdict.impressions_needed,
    }


def kib(count: int) -> str:
    """Bytes in KiB or MiB, for people."""
    return f"{count / 1024:,.1f} KiB" if count < 1024**2 else f"{count / 1024**2:,.2f} MiB"


def times(ratio: float) -> str:
    """A ratio with three digits at most, for people."""
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"


def percent(share: float) -> str:
    """A share as a percentage with two decimals."""
    return f"{100 * share:.2f} %"


def around(at: Interval) -> str:
    """A value with its interval, to four digits."""
    return f"{at.value:.4f} ({at.low:.4f} to {at.high:.4f})"
