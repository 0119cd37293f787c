"""Ratios compare what ran beside each other."""

from collections.abc import Callable

import pytest

from streamrec.clock import simulated
from streamrec.compression.search.latency import measure


def test_ratios_are_of_the_same_round() -> None:
    """A machine that halves its speed midway slows everybody and changes no ratio."""
    now, slow = [0], [1]

    def run(cost: int) -> Callable[[int], None]:
        def work(rows: int) -> None:
            now[0] += cost * slow[0] * rows * 1000

        return work

    with simulated(lambda: now[0]):
        found = measure(run(100), {"quick": run(20)}, {1: 6, 32: 6}, lambda: slow.__setitem__(0, slow[0] * 2))
    for batch in (1, 32):
        quick = found["quick"][batch]
        assert quick.ratio == pytest.approx(5)
        assert [quick.low, quick.high] == pytest.approx([5, 5])
        assert quick.least_us == pytest.approx(20 * batch)
        assert found[""][batch].ratio == 1


def test_real_work_is_timed_by_its_size() -> None:
    """Each batch size gets its own figure, measured on real calls of that size."""
    seen = set[int]()
    found = measure(seen.add, {"same": seen.add}, {1: 2, 256: 2})
    assert seen == {1, 256}
    assert found["same"][256].least_us > 0
