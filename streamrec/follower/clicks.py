"""How many of K pushes will be opened: a sum of K independent yes-or-no outcomes, each with its own probability.

The sum is Poisson-binomial. Up to EXACT pushes its distribution is computed term by term; above, the normal
distribution of the same mean and variance stands for it, whose error falls with the square root of the variance. The
interval says what the model's probabilities imply, and nothing of how well the model is calibrated.
"""

from statistics import NormalDist

import msgspec
import numpy as np
import numpy.typing as npt

from ..arrays import FloatArray

EXACT = 1000
LEVEL = 0.95


class Clicks(msgspec.Struct, frozen=True):
    """Expected clicks, and the interval that holds their number with at least `level`."""

    expected: float
    low: int
    high: int
    level: float = LEVEL


def expected_clicks(relevance: FloatArray, level: float = LEVEL) -> Clicks:
    """Of pushes with these calibrated probabilities, (K,), independent of each other."""
    p = relevance.astype(np.float64)
    mean, tail = float(p.sum()), (1 - level) / 2
    if len(p) <= EXACT:
        below = np.cumsum(distribution(p))  # P(at most k)
        low, high = int(np.searchsorted(below, tail)), int(np.searchsorted(below, 1 - tail))
    else:
        reach = NormalDist().inv_cdf(1 - tail) * float(np.sqrt((p * (1 - p)).sum())) + 0.5  # for whole numbers
        low, high = int(np.floor(mean - reach)), int(np.ceil(mean + reach))
    return Clicks(round(mean, 1), max(low, 0), min(high, len(p)), level)


def distribution(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """P(k of them are clicked), (K + 1,): one push more turns each count into itself or the next."""
    found = np.zeros(len(p) + 1)
    found[0] = 1.0
    for count, each in enumerate(p.tolist(), 1):
        found[1 : count + 1] = found[1 : count + 1] * (1 - each) + found[:count] * each
        found[0] *= 1 - each
    return found
