"""The ranker from folder to probability."""

from pathlib import Path

import numpy as np
import pytest

from streamrec.arrays import FloatArray
from streamrec.engine.predictor import COLUMNS, Predictor
from streamrec.errors import ArtifactError
from streamrec.models.engines.contract import Precision
from streamrec.models.ranker import load_ranker
from streamrec.training.fit import Fitted

SPACE, FEATURES_HASH = "hashed64-test", "feedc0ffee00"


@pytest.mark.parametrize("engine", ["int8", "fp32"])
def test_probabilities_are_calibrated_and_stamped(
    folder: Path, fitted: Fitted, rows: FloatArray, engine: Precision
) -> None:
    """The engine asked for serves, its name is in the stamp, and P(click) is the calibrated logit."""
    ranker: Predictor = load_ranker(folder, engine, SPACE, FEATURES_HASH)
    p = ranker.probability(rows)
    expected = fitted.calibration.probability(ranker.admission.engine.logits(rows))  # type: ignore[attr-defined]
    np.testing.assert_array_equal(p, expected)
    assert (p.dtype, p.shape) == (np.dtype(np.float32), (len(rows),))
    assert (ranker.stamp.name, ranker.stamp.engine, len(ranker.stamp.version)) == ("small", engine, 12)


def test_views_score_like_copies(folder: Path, rows: FloatArray) -> None:
    """Strides of the caller's array do not matter."""
    ranker = load_ranker(folder, "int8", SPACE, FEATURES_HASH)
    np.testing.assert_array_equal(ranker.probability(rows[::3]), ranker.probability(rows)[::3])
    np.testing.assert_array_equal(ranker.probability(np.asfortranarray(rows)), ranker.probability(rows))


def test_a_nan_is_refused_with_its_column(folder: Path, rows: FloatArray) -> None:
    """One bad row must not be scored at random or spoil the others in silence."""
    bad = rows[:5].copy()
    bad[2, 71] = np.nan
    with pytest.raises(ValueError, match="feature column 71 holds NaN"):
        load_ranker(folder, "int8", SPACE, FEATURES_HASH).probability(bad)


@pytest.mark.parametrize("shape", [(4, COLUMNS - 1), (COLUMNS,), (0, 3)])
def test_rows_of_another_width_are_refused(folder: Path, shape: tuple[int, ...]) -> None:
    """A wrong matrix is the caller's mistake and says so."""
    with pytest.raises(ValueError, match=rf"expected \(N, {COLUMNS}\)"):
        load_ranker(folder, "fp32", SPACE, FEATURES_HASH).probability(np.zeros(shape, np.float32))


def test_no_rows_are_no_probabilities(folder: Path) -> None:
    """A chunk without candidates costs nothing and breaks nothing."""
    ranker = load_ranker(folder, "int8", SPACE, FEATURES_HASH)
    assert ranker.probability(np.empty((0, COLUMNS), np.float32)).shape == (0,)


def test_a_model_of_another_space_never_becomes_a_ranker(folder: Path) -> None:
    """A new vector space is a migration, not a reload."""
    with pytest.raises(ArtifactError, match="space_id"):
        load_ranker(folder, "auto", "another", FEATURES_HASH)
