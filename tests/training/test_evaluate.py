"""The metrics equal hand-computed values, and their intervals hold what they promise."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrec.errors import DataError
from streamrec.training.evaluate import Quality, difference, interval, quality, summary


def one(scores: list[float], clicked: list[int]) -> dict[str, float]:
    """Quality of one impression."""
    measured = quality(scores, clicked, [0] * len(scores))
    return {name: float(getattr(measured, name)[0]) for name in ("auc", "mrr", "ndcg_5", "ndcg_10")}


def test_hand_computed_values() -> None:
    """Clicks at places 2 and 7 of eight: each metric on paper."""
    got = one([8, 7, 6, 5, 4, 3, 2, 1], [0, 1, 0, 0, 0, 0, 1, 0])
    ideal = 1 + 1 / math.log2(3)
    assert got["auc"] == pytest.approx((5 + 1) / 12)  # unclicked behind the first click, then behind the second
    assert got["mrr"] == pytest.approx((1 / 2 + 1 / 7) / 2)
    assert got["ndcg_5"] == pytest.approx((1 / math.log2(3)) / ideal)
    assert got["ndcg_10"] == pytest.approx((1 / math.log2(3) + 1 / math.log2(8)) / ideal)


def test_more_clicks_than_places() -> None:
    """Six clicks fill five places at best, so a ranking that starts with six clicks has nDCG@5 of 1."""
    assert one([8, 7, 6, 5, 4, 3, 2], [1, 1, 1, 1, 1, 1, 0])["ndcg_5"] == pytest.approx(1)


def test_the_best_and_the_worst_order() -> None:
    """1 for the click in front; the formula's floor for the click at the end."""
    assert set(one([3, 2, 1], [1, 0, 0]).values()) == {1.0}
    worst = one([1, 2, 3], [1, 0, 0])
    assert worst == {"auc": 0, "mrr": pytest.approx(1 / 3), "ndcg_5": pytest.approx(0.5), "ndcg_10": pytest.approx(0.5)}


def test_equal_scores_share_their_places() -> None:
    """A model that says the same of all gets the mean over all orders, not the luck of the file's."""
    got = one([1, 1, 1], [1, 0, 0])
    assert got["auc"] == 0.5
    assert got["mrr"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    assert got["ndcg_5"] == pytest.approx((1 + 1 / math.log2(3) + 1 / 2) / 3)


rows = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.booleans()), min_size=2, max_size=60)


@given(rows=rows, seed=st.integers(0, 9))
def test_neither_row_order_nor_scale_matters(rows: list[tuple[int, int, bool]], seed: int) -> None:
    """Shuffled rows and any increasing function of the scores give the same quality, or the same refusal."""
    group, score, clicked = (np.array(column) for column in zip(*rows, strict=True))
    order = np.random.default_rng(seed).permutation(len(rows))
    try:
        left = quality(score, clicked, group)
    except DataError:
        with pytest.raises(DataError):
            quality(score[order], clicked[order], group[order])
        return
    right = quality(np.exp(score[order]), clicked[order], group[order])
    for a, b in zip(left, right, strict=True):
        np.testing.assert_allclose(a.astype(float), b.astype(float), rtol=1e-12, atol=1e-12)


@given(rows=rows)
def test_auc_is_the_share_of_pairs(rows: list[tuple[int, int, bool]]) -> None:
    """Against the definition, pair by pair."""
    group, score, clicked = (np.array(column) for column in zip(*rows, strict=True))
    expected = []
    for g in np.unique(group):
        s, c = score[group == g], clicked[group == g]
        if c.any() and not c.all():
            gap = s[c][:, None] - s[~c][None]
            expected.append(((gap > 0) + 0.5 * (gap == 0)).mean())
    if expected:
        np.testing.assert_allclose(quality(score, clicked, group).auc, expected, atol=1e-12)


def test_impressions_without_both_classes_are_left_out() -> None:
    """They have no order to get right; the ids of the others say which were counted."""
    measured = quality([1, 2, 1, 2, 1, 2], [1, 0, 1, 1, 0, 0], ["a", "a", "b", "b", "c", "c"])
    assert measured.impressions.tolist() == ["a"]


def test_nothing_to_judge_is_an_error() -> None:
    """An average over no impression would be NaN in a report."""
    with pytest.raises(DataError, match="no impression has both"):
        quality([1.0, 2.0], [1, 1], [0, 0])


def test_scores_that_are_no_numbers_are_an_error() -> None:
    """NaN has no place in an order."""
    with pytest.raises(DataError, match="NaN"):
        quality([1.0, math.nan], [1, 0], [0, 0])


def test_the_interval_covers_at_its_level() -> None:
    """Of 200 samples from a known mean about 95 % of the intervals hold it (binomial bounds: 88 to 99 %)."""
    rng = np.random.default_rng(11)
    held = 0
    for seed in range(200):
        found = interval(rng.normal(3, 1, 80), seed)
        held += found.low <= 3 <= found.high
    assert 176 <= held <= 198


def test_dependent_impressions_widen_the_interval() -> None:
    """Ten impressions of one user that agree are worth one; resampling users says so."""
    rng = np.random.default_rng(12)
    values, users = np.repeat(rng.normal(size=100), 10), np.repeat(np.arange(100), 10)
    naive, honest = interval(values, 1), interval(values, 1, users)
    assert naive.value == honest.value
    assert 2 < (honest.high - honest.low) / (naive.high - naive.low) < 4.5  # sqrt(10) in theory


def test_pairing_sees_small_differences() -> None:
    """A constant gain is certain in pairs even where the impressions vary a lot."""
    rng = np.random.default_rng(13)
    auc = rng.random(300)
    base = Quality(np.arange(300), auc, auc, auc, auc)
    better = Quality(np.arange(300), auc + 0.01, auc, auc, auc)
    found = difference(better, base, seed=1)
    assert found["auc"].low == pytest.approx(0.01)
    assert found["mrr"].value == 0
    assert summary(base, 1)["auc"].high - summary(base, 1)["auc"].low > 0.03


def test_pairs_must_be_pairs() -> None:
    """Two rankings of different impressions are not compared."""
    left = quality([1, 2], [1, 0], [0, 0])
    right = quality([1, 2], [1, 0], [9, 9])
    with pytest.raises(DataError, match="different impressions"):
        difference(left, right, seed=1)
