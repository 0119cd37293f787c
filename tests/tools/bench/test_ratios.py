"""Intervals of ratios: they hold the median as often as they say, also of rounds that end when they are narrow."""

import math
import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrec.tools.bench.ratios import Ratio, are_narrow, ratio

rates = st.floats(1.0, 1e6)


def noisy(seed: int, share: float) -> Iterator[float]:
    """Ratios around 1 that differ by this share."""
    generator = random.Random(seed)
    while True:
        yield math.exp(generator.gauss(0, share))


@given(st.lists(st.tuples(rates, rates), min_size=6, max_size=40))
def test_the_median_lies_within_and_turning_the_ratio_turns_the_interval(rounds: list[tuple[float, float]]) -> None:
    """Whoever is compared to whom: the same rounds say the same."""
    ours, theirs = zip(*rounds, strict=True)
    found, turned = ratio(ours, theirs), ratio(theirs, ours)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.median <= found.high
    assert turned.low == pytest.approx(1 / found.high, rel=1e-3)  # four digits are kept
    assert turned.half_width == pytest.approx(found.half_width, rel=1e-2, abs=1e-3)


@given(st.lists(rates, min_size=12, max_size=40), st.floats(0.5, 2.0))
def test_a_busy_hour_slows_both_and_changes_nothing(rounds: list[float], slower: float) -> None:
    """Half as fast a machine halves both rates of a round."""
    assert ratio([rate * slower for rate in rounds], rounds).half_width == pytest.approx(0, abs=1e-3)


def test_one_odd_round_of_nine_moves_no_bound() -> None:
    """As it would one that follows from a standard deviation."""
    even = [1.0, 1.01, 1.02, 1.03, 1.04, 1.05, 1.06, 1.07]
    quiet, busy = ratio([*even, 1.08], [1.0] * 9), ratio([*even, 9.0], [1.0] * 9)
    assert quiet == busy == Ratio(1.04, 1.01, 1.07)


def test_fewer_than_six_rounds_have_no_interval() -> None:
    """Of five the widest, from the smallest to the largest, holds the median in 94 % of cases."""
    assert ratio([2.0] * 5, [1.0] * 5) == Ratio(2.0)
    assert not are_narrow([ratio([2.0] * 5, [1.0] * 5)], within=10.0)
    assert are_narrow([ratio([2.0] * 6, [1.0] * 6)], within=0.0)


def test_a_round_without_cpu_time_has_no_interval() -> None:
    """The kernel counts in ticks of 10 ms: a tiny run may use none."""
    assert ratio([1.0] * 6, [1.0, 0.0, 1.0, 1.0, 1.0, 1.0]).low is None


@pytest.mark.parametrize("share", [0.05, 0.1, 0.15, 0.3])
def test_intervals_of_rounds_that_ended_hold_the_median(share: float) -> None:
    """To end when an interval is narrow costs two points of its 95 %, not more."""
    held = 0
    for seed in range(1000):
        rounds: list[float] = []
        for each in noisy(seed, share):
            rounds.append(each)
            found = ratio(rounds, [1.0] * len(rounds))
            if are_narrow([found], within=0.1) or len(rounds) == 20:
                break
        held += (found.low or math.inf) <= 1.0 <= (found.high or 0.0)
    assert held >= 920
