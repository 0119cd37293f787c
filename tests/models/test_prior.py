"""The built-in prior keeps the contract of a ranker."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamrec.engine.features.features import FEATURES
from streamrec.engine.predictor import COLUMNS, Predictor
from streamrec.models.prior import Prior

WEIGHTS = {function.__name__: float(np.random.default_rng(at).normal()) for at, function in enumerate(FEATURES)}


def test_it_is_the_logistic_of_its_weights() -> None:
    """Hand-computed for one feature."""
    prior: Predictor = Prior({FEATURES[0].__name__: 2}, bias=-1.0)
    x = np.zeros((2, COLUMNS), np.float32)
    x[1, 64] = 1
    np.testing.assert_allclose(prior.probability(x), [1 / (1 + np.e), np.e / (1 + np.e)], rtol=1e-6)
    assert (prior.stamp.name, prior.stamp.engine) == ("prior", "fp32")


@given(size=st.integers(1, 300), seed=st.integers(0, 99))
def test_a_row_scores_the_same_in_any_company(size: int, seed: int) -> None:
    """Bit for bit, as for the engines."""
    x = np.random.default_rng(seed).normal(size=(size, COLUMNS)).astype(np.float32)
    prior = Prior(WEIGHTS, 0.1)
    together = prior.probability(x)
    np.testing.assert_array_equal(np.concatenate([prior.probability(row[None]) for row in x]), together)


def test_other_weights_have_another_version() -> None:
    """The stamp in a push tells two priors apart."""
    assert Prior(WEIGHTS, 0.0).stamp.version != Prior(WEIGHTS, 0.1).stamp.version == Prior(WEIGHTS, 0.1).stamp.version
