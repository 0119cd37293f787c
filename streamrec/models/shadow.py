"""Live shadow: on a sample of the calls, fp32 of the same artifact scores the same rows, and the two are compared.

The admission check sees the rows recorded at training; readers drift away from those. The sample is taken by counting
calls, never at random, so the same input shadows the same calls: call n is in it where floor(n * share) rises. What is
served is the engine's answer alone, shadowed or not.
"""

from collections import deque
from typing import NamedTuple

import numpy as np

from ..arrays import FloatArray
from ..contracts.push import ModelStamp
from ..engine.predictor import Predictor

ROWS = 1024  # of a call at most: what an article with all its readers costs stays small
WINDOW = 256  # shadowed calls


class Seen(NamedTuple):
    """How far two precisions agree on the rows of one shadowed call."""

    rows: int
    same: int  # rows on the same side of the threshold
    max_delta: float  # of P(click)


class Agreement:
    """The last WINDOW shadowed calls, and how many rows there were in all."""

    def __init__(self) -> None:
        self.rows = 0
        self._seen: deque[Seen] = deque(maxlen=WINDOW)

    def note(self, served: FloatArray, reference: FloatArray, min_score: float) -> None:
        """Two answers for the same rows; what is not finite counts as far away."""
        delta = float(np.abs(served - reference).max())
        same = int(((served >= min_score) == (reference >= min_score)).sum())
        self._seen.append(Seen(len(served), same, delta if np.isfinite(delta) else 1.0))
        self.rows += len(served)

    @property
    def share(self) -> float:
        """Share of the window's rows on the same side of the threshold; NaN before the first one."""
        rows = sum(seen.rows for seen in self._seen)
        return sum(seen.same for seen in self._seen) / rows if rows else float("nan")

    @property
    def max_delta(self) -> float:
        """Largest difference in the window; NaN before the first row."""
        return max((seen.max_delta for seen in self._seen), default=float("nan"))


class Shadowed:
    """Serves with one model while fp32 scores a sample of its calls, too. Satisfies `Predictor`."""

    def __init__(self, served: Predictor, reference: Predictor, share: float, min_score: float) -> None:
        self.stamp: ModelStamp = served.stamp
        self.agreement = Agreement()
        self.served, self._reference, self._share, self._min_score = served, reference, share, min_score
        self._calls = 0

    def probability(self, features: FloatArray) -> FloatArray:
        """The served model's P(click) of each row, (N,)."""
        p = self.served.probability(features)
        self.watch(features, p)
        return p

    def watch(self, features: FloatArray, p: FloatArray) -> None:
        """Let fp32 score the rows of a call, too, if it is one of the sample, and compare with the answer `p`."""
        before, self._calls = int(self._calls * self._share), self._calls + 1
        if len(p) and int(self._calls * self._share) > before:
            self.agreement.note(p[:ROWS], self._reference.probability(features[:ROWS]), self._min_score)
