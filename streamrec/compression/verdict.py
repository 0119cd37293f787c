"""May a compressed ranker stand in for the teacher? A paired bootstrap over users answers, or says that it cannot.

    loss = 1 - mean(candidate) / mean(teacher)        of one metric, over the same impressions; negative is a gain
    s    = its standard deviation over bootstrap samples of whole users
    U    = loss + c * s        c = 95 % quantile over samples of max over candidates of (sample's loss - loss) / s
    L    = loss - a * s        a = the same of (loss - sample's loss) / s

    U <= budget               pass              the loss is below the budget with 95 % confidence, one-sided
    L >  budget               fail              it is above, with the same confidence
    else, or under 100 users  not decidable     more impressions are needed

Of one candidate L and U are the 5 % and 95 % quantiles of the loss over samples. Of several judged on the same users
all the bounds hold together, so the one that is chosen among them, by whatever rule, passes wrongly in 5 % of the
cases at most (max-t: Westfall and Young, 1993; Romano and Wolf, Econometrica 73, 2005). The samples are common to all,
so candidates that rise and fall together cost each other less than under Bonferroni's 5 % / count: c is 2.5 for nine
that have nothing in common, and 1.64, that of one alone, for nine that are the same.

s shrinks as s * sqrt(M / n) with the impressions. A candidate whose true loss is the one measured here passes (fails)
with a probability of 80 % where the bound's distance plus z * s, z = .84, fits between loss and budget:

    n = M * ((U - loss + z * s) / (budget - loss)) ** 2        above the budget: (loss - L + z * s) / (loss - budget)

impressions of users like these: that is `impressions_needed`. Pairing makes it small: s is that of the difference, ten
times below that of either AUC for a quantized copy.

Of few users a bootstrap is too narrow. With impressions as unequally spread as among readers, a bound meant to miss in
5 % of the cases misses in 8 % with 20 users, 6 % with 50 and 5.5 % with 100 (made-up losses, 3,000 samples each).
"""

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from ..arrays import DoubleArray, IntArray
from ..errors import DataError
from ..training.evaluate import MIN_USERS, Quality, resampled

POWER = 0.8416  # 80 % quantile of the normal distribution
LEAST_ERROR = 1e-9  # what varies less is rounding
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
    impressions_needed: int | None  # for a decision, with a chance of 80 %; None where there is one
    together: int = 1  # candidates whose bounds hold together with 95 % confidence
    users: int = 0  # who made the impressions; 0: not recorded

    @property
    def of_few(self) -> bool:
        """Whether there are too few readers for any bound: what was measured is all that can be said."""
        return 0 < self.users < MIN_USERS

    def says(self) -> str:
        """In one cell of a table: outcome, and what would be needed where there is none."""
        if self.impressions_needed is None:
            return self.outcome
        few = f"{self.users} readers, and under {MIN_USERS} nothing is decided; " if self.of_few else ""
        needed = f"needs about {_rounded(self.impressions_needed):,} impressions for a decision with a chance of 80 %"
        return f"{self.outcome}: {few}{needed}"


def judge(teacher: DoubleArray, candidate: DoubleArray, users: ArrayLike, budget: float, seed: int) -> Verdict:
    """Compare a metric of M impressions, (M,) each, by users (M,).

    DataError for columns that do not pair or for a teacher without any quality to lose.
    """
    return judge_together(teacher, [candidate], users, budget, seed)[0]


def judge_together(
    teacher: DoubleArray, candidates: Sequence[DoubleArray], users: ArrayLike, budget: float, seed: int
) -> list[Verdict]:
    """The same of several, (M,) each, with bounds that hold for all of them together."""
    unit = np.unique(np.asarray(users), return_inverse=True)[1]
    for candidate in candidates:
        _check(teacher, candidate, unit)
    totals = [np.bincount(unit, weights=values) for values in (teacher, *candidates)]  # (U,) each
    samples = np.array([_losses([float(drawn @ of) for of in totals]) for drawn in resampled(len(totals[0]), seed)])
    losses, errors = _losses([float(total.sum()) for total in totals]), np.nanstd(samples, axis=0)  # (K,)
    moved = np.divide(samples - losses, errors, out=np.zeros_like(samples), where=errors > LEAST_ERROR)
    above, below = (float(np.nanquantile((sign * moved).max(axis=1), 0.95)) for sign in (1, -1))
    return [
        _verdict(float(loss), float(error), (below, above), budget, len(teacher), len(totals[0]), len(candidates))
        for loss, error in zip(losses, errors, strict=True)
    ]


def verdicts(
    teacher: Quality, candidates: Sequence[Quality], users: ArrayLike, budget: float, seed: int
) -> list[dict[str, Verdict]]:
    """The verdicts on AUC and on nDCG@10, over the same impressions; of each metric they hold together."""
    if not all(np.array_equal(teacher.impressions, candidate.impressions) for candidate in candidates):
        raise DataError("a verdict on rankings of different impressions; expected the same ones in all")
    auc, ndcg_10 = (
        judge_together(getattr(teacher, name), [getattr(c, name) for c in candidates], users, budget, seed)
        for name in ("auc", "ndcg_10")
    )
    return [{"auc": a, "ndcg_10": n} for a, n in zip(auc, ndcg_10, strict=True)]


def _check(teacher: DoubleArray, candidate: DoubleArray, unit: IntArray) -> None:
    if not len(teacher) == len(candidate) == len(unit) or not len(unit):
        raise DataError(
            f"a verdict pairs impressions; got {len(teacher)} of the teacher, {len(candidate)} of the candidate and"
            f" {len(unit)} users"
        )
    if not teacher.mean() > 0:
        raise DataError("the teacher's mean quality is 0; expected above: a relative loss against it has no meaning")


def _losses(sums: Sequence[float]) -> DoubleArray:
    """(K,) relative losses from the teacher's sum and those of K candidates."""
    teacher, *candidates = sums
    return 1 - np.array(candidates) / teacher if teacher > 0 else np.full(len(candidates), np.nan)


def _verdict(
    loss: float,
    error: float,
    reach: tuple[float, float],  # below and above, in errors
    budget: float,
    impressions: int,
    users: int,
    together: int,
) -> Verdict:
    lower, upper = loss - reach[0] * error, loss + reach[1] * error
    outcome: Outcome = "not decidable"
    if users >= MIN_USERS:
        outcome = "pass" if upper <= budget else "fail" if lower > budget else outcome
    needed = None
    if outcome == "not decidable":
        distance = (reach[1] if loss <= budget else reach[0]) + POWER
        needed = _needed(impressions, users, distance * error, abs(budget - loss))
    return Verdict(outcome, budget, loss, lower, upper, error, impressions, needed, together, users)


def _needed(impressions: int, users: int, reach: float, room: float) -> int:
    """The formula of the module docstring, and at least what MIN_USERS users like these would show."""
    least = impressions * MIN_USERS / users
    if room <= 0 or reach / room > 1e6:
        return MAX_NEEDED
    return int(min(MAX_NEEDED, np.ceil(max(least + 1, impressions * (reach / room) ** 2))))


def _rounded(count: int) -> int:
    """A count to two digits, for the formula it comes from knows no more."""
    return int(float(f"{count:.2g}"))
