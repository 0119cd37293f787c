"""The ladder in a table, as `train`, `compress run` and `compress search` show it, and for scripts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..training.ladder import Ranking

METRICS = ("auc", "mrr", "ndcg_5", "ndcg_10")


def show_ladder(rungs: "Sequence[Ranking]", model: str = "") -> None:
    """Each ranking of the test window, how far the model is ahead of it and, of a named one, whether it beats them."""
    from ..terminal.printable import printable
    from ..terminal.tables import grid, show
    from ..training.ladder import TREES_RUNG, says

    shown = grid("ranking", "AUC", "MRR", "nDCG@5", "nDCG@10", "AUC of this model - it, paired")
    for rung in rungs:
        values = [f"{at.value:.4f} ({at.low:.4f} to {at.high:.4f})" for at in map(rung.quality.__getitem__, METRICS)]
        ahead = rung.ahead["auc"]
        shown.add_row(rung.name, *values, f"{ahead.value:+.4f} ({ahead.low:+.4f} to {ahead.high:+.4f})")
    show(shown)
    print("what learns was stopped by its held-out loss: the student may take four times the epochs of the wide ranker")
    if model:
        print(printable(says(rungs, model), None))
    if TREES_RUNG not in {rung.name for rung in rungs}:
        print(f"{TREES_RUNG} is left out: pip install 'streamrec[train]'")


def rungs_for_scripts(rungs: "Sequence[Ranking]") -> dict[str, dict[str, list[float]]]:
    """[value, low, high] of each metric by rung, and `ahead`: the model's AUC minus the rung's, paired."""
    named = {rung.name: rung.quality | {"ahead": rung.ahead["auc"]} for rung in rungs}
    return {
        name: {metric: [round(v, 4) for v in (at.value, at.low, at.high)] for metric, at in row.items()}
        for name, row in named.items()
    }
