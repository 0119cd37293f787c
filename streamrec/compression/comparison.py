"""A compressed model beside its teacher on impressions neither has learned from: sizes, quality, verdicts.

Intervals are 95 % bootstraps over users; differences are paired by impression.
"""

from collections.abc import Callable
from typing import NamedTuple

from torch import nn

from ..models.manifest import Interval
from ..training.evaluate import METRICS, Quality, difference, quality, summary, users_of
from ..training.model import logits_of
from ..training.rows import Rows
from .result import Compressed
from .size import Size, size_of
from .verdict import Verdict, verdicts


class MetricComparison(NamedTuple):
    """One metric of the teacher and of the compressed model, and the difference between the two."""

    teacher: Interval
    compressed: Interval
    difference: Interval

    def rounded(self) -> dict[str, list[float]]:
        """[value, low, high] of teacher, compressed model and difference, to four digits, for the JSON line."""
        named = self._asdict().items()
        return {name: [round(number, 4) for number in (at.value, at.low, at.high)] for name, at in named}


class Comparison(NamedTuple):
    """What comparing a compressed model with its teacher on later impressions has given: sizes, quality, verdicts."""

    teacher_size: Size
    size: Size
    quality: dict[str, MetricComparison]  # by metric
    verdicts: dict[str, Verdict]  # by metric, where one is asked for


def compare(
    teacher: nn.Module,
    made: Compressed,
    later: Rows,
    budget: float,
    seed: int,
    others: Callable[[Quality], list[Quality]] = lambda _: [],
) -> Comparison:
    """Compare on rows; DataError if no impression of them has both a clicked and an unclicked article.

    `others` is given what was measured, and gives what was of other models: the verdict shares its 5 % with them.
    """
    before, after = (
        quality(logits, later.clicked, later.impression) for logits in (logits_of(teacher, later), made.logits(later))
    )
    users = users_of(before, later.impression, later.user)
    columns = summary(before, seed, users), summary(after, seed, users), difference(after, before, seed, users)
    return Comparison(
        teacher_size=size_of(teacher),
        size=made.size(),
        quality={name: MetricComparison(*(column[name] for column in columns)) for name in METRICS},
        verdicts=verdicts(before, [after, *others(after)], users, budget, seed)[0],
    )
