"""The population stability index."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrec.arrays import IntArray
from streamrec.models.population_stability import BINS, EDGES, histogram, psi
from streamrec.settings import load

counts = st.lists(st.integers(0, 10_000), min_size=BINS, max_size=BINS).map(lambda values: np.array(values, np.int64))

LIMIT = load({}).canary_max_psi


@given(counts, counts)
def test_it_is_symmetric_and_never_negative(one: IntArray, other: IntArray) -> None:
    """Both directions say the same, and only equal shares say 0."""
    assert psi(one, other) == pytest.approx(psi(other, one))
    assert psi(one, other) >= 0
    assert psi(one, one) == 0


def test_it_is_the_formula() -> None:
    """Two bins by hand: (.8 - .5) ln(.8 / .5) + (.2 - .5) ln(.2 / .5)."""
    expected, actual = np.array([500_000, 500_000]), np.array([800_000, 200_000])
    by_hand = 0.3 * np.log(1.6) - 0.3 * np.log(0.4)
    assert psi(expected, actual) == pytest.approx(by_hand, rel=1e-4)


def test_chance_alone_stays_far_below_the_bound() -> None:
    """Two samples of 2,000 scores of one distribution: no shift is seen in 200 tries; a real shift is."""
    rng = np.random.default_rng(4)
    chance = [psi(*(histogram(rng.beta(1, 8, 2000).astype(np.float32)) for _ in range(2))) for _ in range(200)]
    assert max(chance) < LIMIT / 4
    moved = histogram(rng.beta(2, 8, 2000).astype(np.float32))
    assert psi(histogram(rng.beta(1, 8, 2000).astype(np.float32)), moved) > LIMIT


def test_every_score_has_a_bin() -> None:
    """0, 1 and the edges, which belong to the bin above."""
    p = np.array([0.0, 1.0, *EDGES], np.float64).astype(np.float32)
    assert histogram(p).sum() == len(p)
    assert histogram(np.array([0.5, 0.5], np.float32)).tolist() == [0] * (BINS - 2) + [2, 0]
    assert histogram(np.empty(0, np.float32)).tolist() == [0] * BINS
