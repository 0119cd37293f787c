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


class Compared(NamedTuple):
    """One metric of the teacher and of the compressed model, and the difference between the two."""

    teacher: Interval
    compressed: Interval
    difference: Interval

    def rounded(self) -> dict[str, list[float]]:
        """[value, low, high] of teacher, compressed model and difference, to four digits, for the JSON line."""
        named = self._asdict().items()
        return {name: [round(number, 4) for number in (at.value, at.low, at.high)] for name, at in named}


class Judged(NamedTuple):
    """What comparing a compressed model with its teacher on later impressions has given: sizes, quality, verdicts."""

    teacher_size: Size
    size: Size
    quality: dict[str, Compared]  # by metric
    verdicts: dict[str, Verdict]  # by metric, where one is asked for


def nothing_else(_: Quality) -> list[Quality]:
    """No other models, for verdicts on impressions by which nobody else was judged."""
    return []


def judged(
    teacher: nn.Module,
    made: Compressed,
    later: Rows,
    budget: float,
    seed: int,
    beside: Callable[[Quality], list[Quality]] = nothing_else,
) -> Judged:
    """Compare on rows; DataError if no impression of them has both a clicked and an unclicked article.

    `beside` is told what was seen, and says what was seen of others: the verdict then shares its 5 % with them.
    """
    before, after = (
        quality(logits, later.clicked, later.impression) for logits in (logits_of(teacher, later), made.logits(later))
    )
    users = users_of(before, later.impression, later.user)
    columns = summary(before, seed, users), summary(after, seed, users), difference(after, before, seed, users)
    return Judged(
        teacher_size=size_of(teacher),
        size=made.size(),
        quality={name: Compared(*(column[name] for column in columns)) for name in METRICS},
        verdicts=verdicts(before, [after, *beside(after)], users, budget, seed)[0],
    )
