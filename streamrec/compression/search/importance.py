"""Which features carry a decision: what ranking loses if a group of them belongs to somebody else.

    importance(group) = (AUC - AUC with the group's columns taken from random other rows) / (AUC - 1/2)

Permutation importance by group (Breiman, 2001; Fisher et al., 2019), so features that say the same thing go together.
It asks the model from outside: a teacher and a pruned student are asked the same question. With the interest goes the
history it was made of, and with it the teacher's user vector. 1 = all that was above chance is gone.
"""

from collections.abc import Callable

import numpy as np

from ...arrays import FloatArray
from ...contracts.limits import VECTOR_DIMS
from ...engine.features.features import FEATURES, GROUPS
from ...training.evaluate import quality
from ...training.rows import Rows

SAMPLE_IMPRESSIONS = 600  # a teacher scores all of them once a group
CONTENT = "interest in the content"


def columns(group: str) -> list[int]:
    """Numbers of a group's feature columns; those of the vector go with interest in the content."""
    own = [VECTOR_DIMS + FEATURES.index(function) for function in GROUPS[group]]
    return [*range(VECTOR_DIMS), *own] if group == CONTENT else own


def importance(logits: Callable[[Rows], FloatArray], rows: Rows, seed: int) -> dict[str, float]:
    """By group, over the latest SAMPLE_IMPRESSIONS impressions of the rows."""
    number = np.unique(rows.impression)
    rows = rows.take(np.isin(rows.impression, number[-SAMPLE_IMPRESSIONS:]))
    whole = _auc(logits(rows), rows)
    above_chance = max(whole - 0.5, 1e-3)
    return {group: (whole - _auc(logits(_permuted(rows, group, seed)), rows)) / above_chance for group in GROUPS}


def _permuted(rows: Rows, group: str, seed: int) -> Rows:
    other = np.random.default_rng(seed).permutation(len(rows.x))
    x, chosen = rows.x.copy(), columns(group)
    x[:, chosen] = x[other[:, None], chosen]
    return rows._replace(x=x, history=rows.history[other] if group == CONTENT else rows.history)


def _auc(scores: FloatArray, rows: Rows) -> float:
    return float(quality(scores, rows.clicked, rows.impression).auc.mean())
