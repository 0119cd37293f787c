"""Platt scaling says what was seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from streamrec.models.calibration import Calibration, fit_calibration


def test_slope_and_offset_are_found_again() -> None:
    """Logits distorted on purpose are set right within sampling error."""
    rng = np.random.default_rng(5)
    truth = rng.normal(-1, 1.5, 40_000)
    clicked = rng.random(truth.size) < 1 / (1 + np.exp(-truth))
    found = fit_calibration((truth * 3 + 2).astype(np.float32), clicked)
    assert found.a == pytest.approx(1 / 3, abs=0.02)
    assert found.b == pytest.approx(-2 / 3, abs=0.05)


def test_mean_probability_is_the_click_rate() -> None:
    """On the rows it was fitted to, the maximum-likelihood offset makes the two equal."""
    rng = np.random.default_rng(6)
    logits = rng.normal(size=5000).astype(np.float32)
    clicked = rng.random(5000) < 0.1
    assert fit_calibration(logits, clicked).probability(logits).mean() == pytest.approx(clicked.mean(), abs=1e-3)


def test_perfect_separation_stays_finite() -> None:
    """Platt's smoothed targets keep the slope from growing without end."""
    logits = np.r_[np.full(50, -5), np.full(50, 5)].astype(np.float32)
    found = fit_calibration(logits, logits > 0)
    assert found.is_usable()
    assert found.probability(logits[-1:])[0] == pytest.approx(51 / 52, abs=1e-4)


def test_a_reversed_model_is_unusable() -> None:
    """A negative slope means the order was learned upside down."""
    logits = np.linspace(-3, 3, 100).astype(np.float32)
    assert not fit_calibration(logits, logits < 0).is_usable()


@given(logits=arrays(np.float32, st.integers(0, 70), elements=st.floats(-(2**99), 2**99, width=32)))
def test_probabilities_are_probabilities_in_any_batch(logits: np.ndarray) -> None:
    """In [0, 1] for any finite logit, and the same alone as in a batch."""
    calibration = Calibration(1.3, -0.4)
    together = calibration.probability(logits)
    assert ((together >= 0) & (together <= 1)).all()
    assert together.dtype == np.float32
    for i in range(len(logits)):
        assert calibration.probability(logits[i : i + 1])[0] == together[i]
