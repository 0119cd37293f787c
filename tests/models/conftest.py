"""One small trained model, shared by the tests of what serves it."""

from pathlib import Path

import numpy as np
import pytest
from making_rows import normal_rows
from models.saved import FEATURES_HASH, SPACE, publish_fitted

from streamrec.arrays import FloatArray
from streamrec.models.artifact import Artifact, load
from streamrec.training.fit import Fitted, fit
from streamrec.training.rows import Rows


@pytest.fixture(scope="session")
def rows() -> FloatArray:
    """Feature rows with the shapes real ones have: dense, heavy-tailed, rare and constant columns."""
    rng = np.random.default_rng(7)
    x = normal_rows(rng, 3000)
    x[:, 64:70] = np.exp(x[:, 64:70])
    x[:, 70:74] = rng.random((3000, 4)) < 0.02
    x[:, 74] = 1
    return x


@pytest.fixture(scope="session")
def fitted(rows: FloatArray) -> Fitted:
    """A network trained for two epochs on clicks that depend on the rows."""
    chance = 1 / (1 + np.exp(-(rows[:, :16].sum(axis=1) / 2 - 1)))
    clicked = np.random.default_rng(8).random(len(rows)) < chance
    return fit(Rows.of_features(rows, clicked, np.arange(len(rows)) // 10), seed=3, epochs=2)


@pytest.fixture
def folder(tmp_path: Path, fitted: Fitted, rows: FloatArray) -> Path:
    """A fresh artifact folder."""
    path = tmp_path / "model"
    publish_fitted(path, fitted, rows)
    return path


@pytest.fixture
def artifact(folder: Path) -> Artifact:
    """The same, loaded."""
    return load(folder, expected_space_id=SPACE, expected_fingerprint=FEATURES_HASH)
