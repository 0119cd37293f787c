"""A canary, judged on live rows."""

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from streamrec.arrays import FloatArray
from streamrec.contracts.push import ModelStamp
from streamrec.engine.predictor import COLUMNS
from streamrec.models.canary import Compared, Comparison
from streamrec.models.shadow import Agreement, Shadowed
from streamrec.settings import load

LIMITS = load({}, canary_min_rows=2000)


class Curve:
    """P is a function of the first column."""

    stamp = ModelStamp("curve", "0", "int8")

    def __init__(self, p: Callable[[FloatArray], FloatArray]) -> None:
        self._p = p

    def probability(self, features: FloatArray) -> FloatArray:
        """(N, COLUMNS) -> (N,)."""
        return np.asarray(self._p(features[:, 0]), np.float32)


SAME = Curve(lambda x: x)


def ticking(seconds_a_call: Iterator[float]) -> Callable[[], float]:
    """A clock on which the calls take these times, one after the other."""
    now = itertools.chain.from_iterable((0.0, s) for s in seconds_a_call)
    return lambda: next(now)


def judged(canary: Curve | Shadowed, calls: int = 150, rows: int = 40, pace: float = 1.0) -> Compared:
    """After so many calls with scores like those of news; the canary takes `pace` times as long."""
    rng = np.random.default_rng(5)
    # the canary is timed first in odd calls
    timer = ticking(itertools.cycle([pace, 1.0, 1.0, pace]))
    compared = Compared(canary, SAME, LIMITS, timer)
    for _ in range(calls):
        x = np.zeros((rows, COLUMNS), np.float32)
        x[:, 0] = rng.beta(1, 8, rows)
        np.testing.assert_array_equal(compared.probability(x), canary.probability(x))
    return compared


def reason_of(compared: Compared) -> str | None:
    """Of its verdict."""
    verdict = compared.comparison.verdict()
    return verdict.reason if verdict else None


def test_a_canary_like_stable_stays() -> None:
    """Equal scores at an equal pace are no reason; slightly other ones neither."""
    assert reason_of(judged(SAME)) is None
    assert reason_of(judged(Curve(lambda x: x * np.float32(1.05)), pace=1.5)) is None


@pytest.mark.parametrize(
    ("canary", "pace", "reason"),
    [
        (Curve(lambda x: x), 2.5, "latency"),
        (Curve(lambda x: np.where(x < 0.2, x, x * np.float32(0.5))), 1.0, "send_rate"),  # sends less
        (Curve(lambda x: np.where(x < 0.12, x, x + np.float32(0.1))), 1.0, "send_rate"),  # sends more
        (Curve(lambda x: x * np.float32(0.2)), 1.0, "send_rate"),
        (Curve(lambda x: np.where(x < 0.15, x * np.float32(0.1), x)), 1.0, "score_shift"),  # the same pushes
        (Curve(lambda x: x * np.float32("nan")), 1.0, "parity"),
    ],
)
def test_what_rolls_it_back(canary: Curve, pace: float, reason: str) -> None:
    """Each limit by itself."""
    assert reason_of(judged(canary, pace=pace)) == reason


def test_an_engine_that_disagrees_with_its_own_fp32_rolls_it_back() -> None:
    """The canary's live shadow is judged, too: int8 may saturate on rows no probe holds."""
    saturating = Shadowed(Curve(lambda x: np.minimum(x, np.float32(0.19))), SAME, share=1.0, min_score=0.2)
    assert reason_of(judged(saturating)) == "parity"


def test_an_engine_that_says_nothing_is_found_where_hardly_a_row_is_likely() -> None:
    """It agrees on all rows under the threshold, which are nearly all; the largest difference gives it away."""
    agreement, p = Agreement(), np.random.default_rng(5).beta(1, 30, 5000).astype(np.float32)
    comparison = Comparison(LIMITS, agreement)
    agreement.note(p + np.float32(0.01), p, LIMITS.min_score)
    assert comparison.verdict() is None
    agreement.note(0 * p, p, LIMITS.min_score)
    assert agreement.share > LIMITS.canary_min_agreement
    assert comparison.verdict() is not None
    assert reason_of(Compared(Shadowed(Curve(lambda x: 0 * x), SAME, 1.0, 0.2), SAME, LIMITS)) is None  # not seen yet


def test_few_rows_are_no_reason() -> None:
    """Below min_rows nothing is judged but scores that are no numbers."""
    assert reason_of(judged(Curve(lambda x: x * np.float32(0.2)), calls=49)) is None
    assert reason_of(judged(Curve(lambda x: x * np.float32("nan")), calls=1)) == "parity"


def test_a_ratio_of_few_pushes_is_no_reason() -> None:
    """Two pushes in place of one is twice as much and proves nothing."""
    compared = Compared(SAME, SAME, LIMITS)
    likely = np.zeros(2000, np.float32)
    stable, canary = likely.copy(), likely.copy()
    stable[:1], canary[:4] = 0.9, 0.9
    compared.comparison.note(stable, canary, 1.0, 1.0)
    assert compared.comparison.send_ratio > LIMITS.canary_max_send_ratio
    assert compared.comparison.verdict() is None


def test_the_order_takes_turns() -> None:
    """Whoever comes second finds the rows in the cache: with equal models the ratio is 1 whoever that is."""
    second_is_faster = ticking(itertools.cycle([2.0, 1.0]))
    compared = Compared(SAME, SAME, LIMITS, second_is_faster)
    for _ in range(120):
        compared.probability(np.zeros((40, COLUMNS), np.float32))
    assert compared.comparison.latency_ratio == pytest.approx(1.25)  # the median of 2 and 0.5


def test_watching_a_canary_is_not_its_time() -> None:
    """Its fp32 runs beside it on a sample of the calls; that is our doing, and must not roll it back."""
    clock_s = [0.0]

    def taking(seconds: float) -> Curve:
        def scored(x: FloatArray) -> FloatArray:
            clock_s[0] += seconds
            return x

        return Curve(scored)

    canary = Shadowed(taking(1.0), taking(10.0), share=1.0, min_score=0.2)
    compared = Compared(canary, taking(1.0), LIMITS, lambda: clock_s[0])
    for _ in range(120):
        compared.probability(np.zeros((40, COLUMNS), np.float32))
    assert compared.comparison.latency_ratio == 1
    assert canary.agreement.rows == 120 * 40
