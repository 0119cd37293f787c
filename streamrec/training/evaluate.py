"""Ranking quality by impression: AUC, MRR, nDCG@5 and nDCG@10 as MIND defines them, with 95 % bootstrap intervals.

One impression is a set of shown articles, some clicked. With i the place of an article by descending score:

    AUC      share of (clicked, not clicked) pairs in the right order, a tie counting half
    MRR      mean over the clicked of 1 / i
    nDCG@k   sum over the clicked of [i <= k] / log2(i + 1), over the largest value it can have

Articles with equal scores share the mean worth of their places, so the order of rows in a file decides nothing (int8
scores do tie). Impressions without both a clicked and an unclicked article say nothing and are left out.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arrays import DoubleArray, IntArray
from ..errors import DataError
from ..models.manifest import Interval

DRAWS = 1000
MIN_USERS = 100  # below, a bootstrap over users is too narrow to decide anything (compression/verdict.py)


class Quality(NamedTuple):
    """One value per usable impression, (M,) each."""

    impressions: NDArray[np.generic]
    auc: DoubleArray
    mrr: DoubleArray
    ndcg_5: DoubleArray
    ndcg_10: DoubleArray


METRICS = ("auc", "mrr", "ndcg_5", "ndcg_10")


def quality(scores: ArrayLike, clicked: ArrayLike, groups: ArrayLike) -> Quality:
    """Quality of (N,) scores for (N,) clicks in (N,) impression ids; DataError if no impression is usable."""
    score, click = np.asarray(scores, np.float64), np.asarray(clicked, bool)
    if not np.isfinite(score).all():
        raise DataError("scores to evaluate hold NaN or infinity; expected finite numbers: check the model")
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    order = np.lexsort((-score, group))
    group, score, click = group[order], score[order], click[order]
    size = np.bincount(group, minlength=len(names))  # (G,)
    clicks = np.bincount(group, weights=click, minlength=len(names)).astype(np.float64)
    usable = (clicks > 0) & (clicks < size)
    if not usable.any():
        raise DataError("no impression has both a clicked and an unclicked article; expected at least one")
    place = np.arange(len(group)) - (np.cumsum(size) - size)[group]  # (N,) from 0
    ties = np.flatnonzero(np.r_[True, (np.diff(group) != 0) | (np.diff(score) != 0)])  # where a run of equals begins

    def of_clicked(worth: DoubleArray) -> DoubleArray:
        """Sum over the clicked rows of each impression of what their place is worth, (G,)."""
        lengths = np.diff(np.r_[ties, len(group)])
        shared = np.repeat(np.add.reduceat(worth, ties) / lengths, lengths)
        return np.bincount(group, weights=shared * click, minlength=len(names)).astype(np.float64)[usable]

    k, n = clicks[usable], size[usable]
    ahead = of_clicked(place.astype(np.float64)) - k * (k - 1) / 2  # unclicked articles placed before clicked ones
    return Quality(
        impressions=names[usable],
        auc=1 - ahead / (k * (n - k)),
        mrr=of_clicked(1 / (place + 1.0)) / k,
        ndcg_5=of_clicked(_discount(place, 5)) / _ideal(k, 5),
        ndcg_10=of_clicked(_discount(place, 10)) / _ideal(k, 10),
    )


def summary(measured: Quality, seed: int, units: ArrayLike | None = None) -> dict[str, Interval]:
    """Mean and interval of each metric; `units` (M,) are users if impressions of one user are not independent."""
    return {name: interval(getattr(measured, name), seed, units) for name in METRICS}


def difference(left: Quality, right: Quality, seed: int, units: ArrayLike | None = None) -> dict[str, Interval]:
    """Left minus right, paired by impression: far tighter than two intervals side by side."""
    if not np.array_equal(left.impressions, right.impressions):
        raise DataError("paired comparison of two rankings over different impressions; expected the same ones in both")
    return {name: interval(getattr(left, name) - getattr(right, name), seed, units) for name in METRICS}


def users_of(measured: Quality, impression: ArrayLike, user: ArrayLike) -> NDArray[np.generic]:
    """(M,) the user of each measured impression, from (N,) columns of rows: the units of `summary`."""
    names, first = np.unique(np.asarray(impression), return_index=True)
    return np.asarray(np.asarray(user)[first[np.searchsorted(names, measured.impressions)]])


def interval(values: DoubleArray, seed: int, units: ArrayLike | None = None) -> Interval:
    """Mean of (M,) values and its 95 % percentile bootstrap interval, whole units resampled."""
    unit = np.arange(len(values)) if units is None else np.unique(np.asarray(units), return_inverse=True)[1]
    totals, counts = np.bincount(unit, weights=values), np.bincount(unit)  # (U,)
    means = np.array([(drawn @ totals) / (drawn @ counts) for drawn in resampled(len(counts), seed)])
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(values.mean()), float(low), float(high))


def resampled(units: int, seed: int) -> Iterator[IntArray]:
    """DRAWS bootstrap samples of `units` units: how often each was drawn, (units,)."""
    rng = np.random.default_rng(seed)
    for _ in range(DRAWS):
        yield np.bincount(rng.integers(0, units, units), minlength=units)


def _discount(place: IntArray, cut: int) -> DoubleArray:
    return np.where(place < cut, 1 / np.log2(place + 2.0), 0.0)


def _ideal(clicks: DoubleArray, cut: int) -> DoubleArray:
    best = np.cumsum(_discount(np.arange(cut), cut))
    return np.asarray(best[np.minimum(clicks, cut).astype(int) - 1])
