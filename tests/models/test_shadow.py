"""The live shadow."""

import numpy as np
import pytest

from streamrec.arrays import FloatArray
from streamrec.contracts.push import ModelStamp
from streamrec.engine.predictor import COLUMNS
from streamrec.models.shadow import ROWS, Shadowed


class Linear:
    """P is the first column, plus something; counts the rows it scored."""

    stamp = ModelStamp("linear", "0", "int8")

    def __init__(self, plus: float = 0.0) -> None:
        self.plus, self.rows = np.float32(plus), 0

    def probability(self, features: FloatArray) -> FloatArray:
        """(N, COLUMNS) -> (N,)."""
        self.rows += len(features)
        return features[:, 0] + self.plus


def rows(p: list[float]) -> FloatArray:
    """Rows with these probabilities."""
    x = np.zeros((len(p), COLUMNS), np.float32)
    x[:, 0] = p
    return x


def test_what_is_served_is_the_engines_answer() -> None:
    """A shadow that says something else changes nothing but the figures."""
    watched = Shadowed(Linear(), Linear(plus=0.5), share=1.0, min_score=0.2)
    np.testing.assert_array_equal(watched.probability(rows([0.1, 0.3])), np.array([0.1, 0.3], np.float32))
    assert (watched.agreement.share, watched.agreement.rows) == (0.5, 2)
    assert watched.agreement.max_delta == pytest.approx(0.5)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.3, 1.0])
def test_the_sample_is_counted_not_drawn(share: float) -> None:
    """1,000 calls shadow their share exactly, the same ones each time."""
    sampled = []
    for _ in range(2):
        reference = Linear()
        watched = Shadowed(Linear(), reference, share, min_score=0.2)
        seen = [(watched.probability(rows([0.1])), reference.rows)[1] for _ in range(1000)]
        sampled.append(seen)
    assert sampled[0] == sampled[1]
    assert sampled[0][-1] == pytest.approx(1000 * share, abs=1)


def test_a_call_with_everybody_in_it_is_shadowed_in_part() -> None:
    """An article that meets a million users does not wait for fp32; no rows are no call."""
    reference = Linear()
    watched = Shadowed(Linear(), reference, share=1.0, min_score=0.2)
    watched.probability(np.zeros((3 * ROWS, COLUMNS), np.float32))
    watched.probability(np.zeros((0, COLUMNS), np.float32))
    assert reference.rows == ROWS


def test_what_is_not_finite_is_far_away() -> None:
    """NaN agrees with nothing above the threshold and shows as the largest difference."""
    watched = Shadowed(Linear(plus=float("nan")), Linear(), share=1.0, min_score=0.2)
    watched.probability(rows([0.3, 0.4]))
    assert (watched.agreement.share, watched.agreement.max_delta) == (0.0, 1.0)


def test_nothing_seen_is_not_agreement() -> None:
    """Before the first call the figures are NaN, so that no alert compares them."""
    agreement = Shadowed(Linear(), Linear(), 0.01, 0.2).agreement
    assert np.isnan(agreement.share)
    assert np.isnan(agreement.max_delta)
