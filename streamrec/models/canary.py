"""A canary judged on live traffic: the stable model scores the canary's rows, too, and the two answers are compared.

Same users, same articles, same moment: what differs is the model alone, so few rows decide, where two groups of users
would first have to be proven alike. It costs the stable model's time on the canary's share of the traffic.

    parity       rows on which int8 and fp32 of the canary fall on other sides of the threshold, and the largest
                 difference between the two (shadow.py): where hardly a row is over the threshold, an engine that says
                 0 for all still agrees on nearly all rows
    latency      median over calls of canary time / stable time, calls of at least CALL_ROWS rows, order alternating
    send rate    pairs at or over the threshold, canary / stable, either way. Also asked: is the difference real? Of
                 the pairs only one model would send, z = (c - s) / sqrt(c + s) must exceed Z (McNemar's test; Z is
                 high because it is asked again and again)
    score shift  population_stability.py, stable as expected, canary as actual

A canary whose scores are not finite fails on parity at once; else parity waits for MIN_SHADOWED shadowed rows, latency
for a quarter of TIMED_CALLS calls, and the other two for `canary_min_rows` rows.
"""

from collections import deque
from collections.abc import Callable
from statistics import median
from typing import Literal, NamedTuple, get_args

import numpy as np

from ..arrays import FloatArray
from ..clock import monotonic_s
from ..contracts.push import ModelStamp
from ..engine.predictor import Predictor
from ..settings import Settings
from .population_stability import BINS, histogram, psi
from .shadow import Agreement, Shadowed

RollbackReason = Literal["load", "parity", "latency", "send_rate", "score_shift"]
ROLLBACK_REASONS: tuple[RollbackReason, ...] = get_args(RollbackReason)

CALL_ROWS = 8  # below, the fixed cost of a call is all there is to measure
TIMED_CALLS = 201  # the last ones; the median of at least a quarter of them counts
MIN_SHADOWED = 256
MAX_DELTA = 0.1  # of P(click); twice what admission ever accepts on its 256 rows, for live ones reach further
Z = 4.0


class Verdict(NamedTuple):
    """Why a canary must be rolled back: a reason for the metric, and a sentence for people."""

    reason: RollbackReason
    sentence: str


class Comparison:
    """What a canary and the stable model have answered for the same rows so far, and what follows from it."""

    def __init__(self, limits: Settings, agreement: Agreement | None = None) -> None:
        self.rows = 0
        self._limits, self._agreement = limits, agreement
        self._bins = np.zeros((2, BINS), np.int64)  # stable, canary
        self._likely = np.zeros(2, np.int64)
        self._only = np.zeros(2, np.int64)  # over the threshold for this one and not for the other
        self._pace: deque[float] = deque(maxlen=TIMED_CALLS)
        self._finite = True

    def note(self, stable: FloatArray, canary: FloatArray, stable_s: float, canary_s: float) -> None:
        """Two answers for the same (N,) rows and how long each took."""
        self.rows += len(canary)
        self._finite &= bool(np.isfinite(canary).all())
        over = np.stack((stable, canary)) >= self._limits.min_score  # (2, N)
        self._likely += over.sum(axis=1)
        self._only += (over & ~over[::-1]).sum(axis=1)
        self._bins += (histogram(stable), histogram(canary))
        if len(canary) >= CALL_ROWS and stable_s > 0:
            self._pace.append(canary_s / stable_s)

    @property
    def psi(self) -> float:
        """Shift of the scores; NaN before `canary_min_rows`."""
        return psi(*self._bins) if self.rows >= self._limits.canary_min_rows else float("nan")

    @property
    def send_ratio(self) -> float:
        """Pairs over the threshold, canary / stable; NaN before `canary_min_rows`."""
        stable, canary = self._likely.tolist()
        return (canary + 0.5) / (stable + 0.5) if self.rows >= self._limits.canary_min_rows else float("nan")

    @property
    def latency_ratio(self) -> float:
        """Median time of a call, canary / stable; NaN before enough calls."""
        return median(self._pace) if len(self._pace) > TIMED_CALLS // 4 else float("nan")

    def verdict(self) -> Verdict | None:
        """None while nothing speaks against it; comparisons with NaN are false, so what is not known is no reason."""
        limits, sends = self._limits, self.send_ratio
        if parity := self._parity():
            return Verdict("parity", parity)
        if self.latency_ratio > limits.canary_max_latency_ratio:
            told = f"it takes {self.latency_ratio:.2f} times as long as stable"
            return Verdict("latency", f"{told}, limit {limits.canary_max_latency_ratio:g}")
        if max(sends, 1 / sends) > limits.canary_max_send_ratio and self._differs():
            told = f"it would send {sends:.2f} times as much as stable on the same {self.rows} pairs"
            return Verdict("send_rate", f"{told}, limit {limits.canary_max_send_ratio:g} either way")
        if self.psi > limits.canary_max_psi:
            return Verdict("score_shift", f"PSI of its scores is {self.psi:.3f}, limit {limits.canary_max_psi:g}")
        return None

    def _parity(self) -> str:
        """What is wrong with the canary's scores by themselves, in words; empty if nothing is known."""
        agreement, least = self._agreement, self._limits.canary_min_agreement
        if not self._finite:
            return "its scores are not finite"
        if not agreement or agreement.rows < MIN_SHADOWED:
            return ""
        if agreement.share < least:
            return f"its engine and fp32 agree on {agreement.share:.1%} of the rows, limit {least:.1%}"
        if agreement.max_delta > MAX_DELTA:
            return f"its engine and fp32 are {agreement.max_delta:.3f} apart in P(click), limit {MAX_DELTA:g}"
        return ""

    def _differs(self) -> bool:
        stable, canary = self._only.tolist()
        return bool(abs(canary - stable) > Z * (canary + stable) ** 0.5)


class Compared:
    """Satisfies `Predictor`: the canary's answers; the stable model's are noted beside them."""

    def __init__(
        self, canary: Predictor, stable: Predictor, limits: Settings, timer: Callable[[], float] = monotonic_s
    ) -> None:
        self.stamp: ModelStamp = canary.stamp
        self._shadowed = canary if isinstance(canary, Shadowed) else None
        self.comparison = Comparison(limits, self._shadowed.agreement if self._shadowed else None)
        self._canary = self._shadowed.served if self._shadowed else canary  # watching it is not its time
        self._stable, self._timer, self._calls = stable, timer, 0

    def probability(self, features: FloatArray) -> FloatArray:
        """The canary's P(click) of each row, (N,); the stable model's are computed beside it for the comparison."""
        self._calls += 1
        if self._calls % 2:  # whoever comes second finds the rows in the cache
            canary, canary_s = self._timed(self._canary, features)
            stable, stable_s = self._timed(self._stable, features)
        else:
            stable, stable_s = self._timed(self._stable, features)
            canary, canary_s = self._timed(self._canary, features)
        self.comparison.note(stable, canary, stable_s, canary_s)
        if self._shadowed is not None:
            self._shadowed.watch(features, canary)
        return canary

    def _timed(self, scores: Predictor, features: FloatArray) -> tuple[FloatArray, float]:
        started_s = self._timer()
        return scores.probability(features), self._timer() - started_s
