"""Ratios of interleaved rounds, and between which bounds they lie.

A round gives one ratio, of two contestants a minute apart, so a machine that is slow for an hour slows both. The
interval is of the median of these ratios, from order statistics: how many of n independent ratios lie below it is
Binomial(n, 1/2), whatever their distribution. One round in a busy minute moves neither bound far. Six rounds are the
fewest for 95 %.

Rounds are added until intervals are narrow, which favours those that are narrow by chance: of intervals that end so,
about 93 % instead of 95 hold the median (tests/tools/bench/test_ratios.py).
"""

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import NamedTuple

CONFIDENCE = 0.95


class Ratio(NamedTuple):
    """The median of a ratio over rounds and its interval of 95 %; no interval of fewer than six rounds."""

    median: float
    low: float | None = None
    high: float | None = None

    @property
    def half_width(self) -> float:
        """By what share the bounds are away from their middle; infinite without an interval."""
        return math.sqrt(self.high / self.low) - 1 if self.low and self.high else math.inf

    def shown(self) -> str:
        """As a table shows it."""
        bounds = f"{self.low:.2f} to {self.high:.2f}" if self.low is not None else "six rounds or more give an interval"
        return f"{self.median:.2f} ({bounds})"


def ratio(ours: Iterable[float], theirs: Iterable[float]) -> Ratio:
    """Ours to theirs, round by round; both above zero, or there is no interval."""
    by_round = sorted(a / b if a > 0 and b > 0 else math.nan for a, b in zip(ours, theirs, strict=True))
    outside = _outside(len(by_round))
    if not outside or any(map(math.isnan, by_round)):
        return Ratio(_rounded(statistics.median(by_round)))
    bounds = statistics.median(by_round), by_round[outside - 1], by_round[-outside]
    return Ratio(*map(_rounded, bounds))


def are_narrow(ratios: Sequence[Ratio], within: float) -> bool:
    """Whether each is known to this share of itself."""
    return all(each.half_width <= within for each in ratios)


def _outside(rounds: int) -> int:
    """The rank of the bounds from either end: the largest whose interval still holds the median in 95 % of cases."""
    rank, below = 0, 0
    while rank < rounds:
        below += math.comb(rounds, rank)  # of 2 ** rounds equally likely: at most `rank` ratios below the median
        if 2 * below > (1 - CONFIDENCE) * 2**rounds:
            break
        rank += 1
    return rank


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
