"""May a compressed ranker stand in for the teacher? A paired bootstrap over users answers, or says that it cannot.

    loss = 1 - mean(candidate) / mean(teacher)        of one metric, over the same impressions; negative is a gain
    L, U = 5 % and 95 % quantile of the loss over bootstrap samples of whole users

    U <= budget               pass              the loss is below the budget with 95 % confidence, one-sided
    L >  budget               fail              it is above, with the same confidence
    else, or under 20 users   not decidable     more impressions are needed

With s the standard deviation of the bootstrapped loss at M impressions, it shrinks as s * sqrt(M / n). A bound at
distance z * s * sqrt(M / n) from the loss, z = 1.645, reaches the budget at

    n = M * (z * s / (budget - loss)) ** 2

impressions of users like these: that is `impressions_needed`, if the loss measured here is the true one. Pairing makes
it small: s is that of the difference, ten times below that of either AUC for a quantized copy.
"""

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError
from ..training.evaluate import Floats, Quality, resampled

Z = 1.6449  # 95 % quantile of the normal distribution
MIN_USERS = 20  # below, resampling users says nothing of users not seen
MAX_NEEDED = 10**9  # a loss at the very budget would need infinitely many

Outcome = Literal["pass", "fail", "not decidable"]


class Verdict(msgspec.Struct, frozen=True):
    """The judgement of one metric; losses are relative, 0.005 = half a percent of the teacher's value."""

    outcome: Outcome
    budget: float
    loss: float
    lower_95: float
    upper_95: float
    standard_error: float
    impressions: int
    impressions_needed: int | None  # for a decision; None where there is one

    def says(self) -> str:
        """In one cell of a table: outcome, and what would be needed where there is none."""
        if self.impressions_needed is None:
            return self.outcome
        return f"{self.outcome}: needs about {_rounded(self.impressions_needed):,} impressions"


def judge(teacher: Floats, candidate: Floats, users: ArrayLike, budget: float, seed: int, looks: int = 1) -> Verdict:
    """Compare a metric of M impressions, (M,) each, by users (M,).

    `looks` > 1 divides the 5 % among so many candidates judged on the same impressions (Bonferroni). DataError for
    columns that do not pair or for a teacher without any quality to lose.
    """
    unit = np.unique(np.asarray(users), return_inverse=True)[1]
    if not len(teacher) == len(candidate) == len(unit) or not len(unit):
        raise DataError(
            f"a verdict pairs impressions; got {len(teacher)} of the teacher, {len(candidate)} of the candidate and"
            f" {len(unit)} users"
        )
    if not teacher.mean() > 0:
        raise DataError("the teacher's mean quality is 0; expected above: a relative loss against it has no meaning")
    theirs, ours = (np.bincount(unit, weights=values) for values in (teacher, candidate))  # (U,)
    losses = np.array([_loss(float(drawn @ theirs), float(drawn @ ours)) for drawn in resampled(len(theirs), seed)])
    lower, upper = (float(bound) for bound in np.nanquantile(losses, (0.05 / looks, 1 - 0.05 / looks)))
    loss, error = _loss(float(theirs.sum()), float(ours.sum())), float(np.nanstd(losses))
    outcome: Outcome = "not decidable"
    if len(theirs) >= MIN_USERS:
        outcome = "pass" if upper <= budget else "fail" if lower > budget else outcome
    needed = None
    if outcome == "not decidable":
        needed = _needed(len(teacher), len(theirs), error, abs(budget - loss))
    return Verdict(outcome, budget, loss, lower, upper, error, len(teacher), needed)


def verdicts(teacher: Quality, candidate: Quality, users: ArrayLike, budget: float, seed: int) -> dict[str, Verdict]:
    """The verdict on AUC and on nDCG@10, over the same impressions."""
    if not np.array_equal(teacher.impressions, candidate.impressions):
        raise DataError("a verdict on rankings of different impressions; expected the same ones in both")
    return {
        metric: judge(getattr(teacher, metric), getattr(candidate, metric), users, budget, seed)
        for metric in ("auc", "ndcg_10")
    }


def users_of(measured: Quality, impression: ArrayLike, user: ArrayLike) -> NDArray[np.generic]:
    """(M,) the user of each measured impression, from (N,) columns of rows."""
    names, first = np.unique(np.asarray(impression), return_index=True)
    return np.asarray(np.asarray(user)[first[np.searchsorted(names, measured.impressions)]])


def _loss(teacher: float, candidate: float) -> float:
    return 1 - candidate / teacher if teacher > 0 else float("nan")


def _needed(impressions: int, users: int, error: float, distance: float) -> int:
    """The formula of the module docstring, and at least what MIN_USERS users like these would show."""
    least = impressions * max(1.0, MIN_USERS / users)
    if distance <= 0 or error / distance > 1e6:
        return MAX_NEEDED
    return int(min(MAX_NEEDED, np.ceil(max(least + 1, impressions * (Z * error / distance) ** 2))))


def _rounded(count: int) -> int:
    """To two digits: the formula knows no more."""
    return int(float(f"{count:.2g}"))
