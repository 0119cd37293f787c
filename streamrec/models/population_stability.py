"""Population stability index: how far a distribution of scores has moved.

    PSI = sum over bins of (actual_b - expected_b) * ln(actual_b / expected_b)        shares of all rows in bin b

It is the symmetrised Kullback-Leibler divergence of two histograms (Jeffreys), 0 for equal ones. By the custom of
credit scoring below 0.1 is no shift, 0.1 to 0.25 a moderate one; 0.2 is this program's default limit. Half a
row is added to every bin, so that an empty one is no infinity. Of equal distributions the expected value is about
(B - 1) * (1 / n + 1 / m) for n and m rows: 0.01 at 2,000 each, far below the bound.

Bins are fixed, and finer where scores of news are: most are below 0.1, and the threshold lies between 0.1 and 0.3.
"""

import numpy as np

from ..arrays import FloatArray, IntArray

EDGES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.45, 0.65)  # of P(click); B = len(EDGES) + 1
BINS = len(EDGES) + 1


def histogram(p: FloatArray) -> IntArray:
    """(N,) probabilities -> (B,) rows a bin; an edge belongs to the bin above it."""
    return np.bincount(np.searchsorted(EDGES, p, side="right"), minlength=BINS)


def psi(expected: IntArray, actual: IntArray) -> float:
    """The population stability index of two histograms (B,): 0 if they are alike, the larger the further apart."""
    before = (expected + 0.5) / (expected.sum() + 0.5 * len(expected))
    after = (actual + 0.5) / (actual.sum() + 0.5 * len(actual))
    return float(((after - before) * np.log(after / before)).sum())
