"""Agreement and calibration are what their definitions say."""

import numpy as np
import pytest
from compression.search.worlds import readers

from streamrec.compression.search.score_statistics import BINS, agreement, by_slice, calibration_curve, metrics
from streamrec.models.calibration import fit_calibration

ROWS = readers(500)


def test_a_copy_agrees_wholly() -> None:
    """No difference, the same top."""
    scores = np.random.default_rng(1).normal(size=1000).astype(np.float32)
    same = agreement("int8", scores, scores)
    assert (same.max_difference, same.overlap) == (0, 1)


def test_agreement_is_of_the_top_percent() -> None:
    """Ten of a thousand: two of them replaced are four fifths in common."""
    fp32 = np.arange(1000, dtype=np.float32)
    int8 = fp32.copy()
    int8[[998, 999]] = -1
    found = agreement("int8", int8, fp32)
    assert found.overlap == pytest.approx(0.8)
    assert found.max_difference == 1000


def test_a_curve_of_true_probabilities_is_the_diagonal() -> None:
    """Rows in tenths, none left out."""
    rng = np.random.default_rng(2)
    logits = rng.normal(size=len(ROWS.x)).astype(np.float32)
    rows = ROWS._replace(clicked=rng.random(len(logits)) < 1 / (1 + np.exp(-logits)))
    curve = calibration_curve(logits, rows, fit_calibration(logits, rows.clicked))
    assert len(curve) == BINS
    assert sum(bin_.rows for bin_ in curve) == len(logits)
    assert all(bin_.clicked == pytest.approx(bin_.predicted, abs=0.1) for bin_ in curve)
    assert [bin_.predicted for bin_ in curve] == sorted(bin_.predicted for bin_ in curve)


def test_a_slice_is_judged_on_its_rows_alone() -> None:
    """What a model does elsewhere does not show."""
    scores = np.where(ROWS.impression < 200, ROWS.clicked, 0).astype(np.float32)
    found = by_slice(scores, ROWS, {"early": ROWS.impression < 200, "late": ROWS.impression >= 200}, seed=1)
    assert found["early"]["auc"].value == 1
    assert found["late"]["auc"].value == 0.5
    assert 0.5 < metrics(scores, ROWS, seed=1)["auc"].value < 1
