"""Importance finds what a model decides by, and nothing in what it does not read."""

import numpy as np
import pytest
from compression.search.worlds import readers

from streamrec.arrays import FloatArray
from streamrec.compression.search.score_statistics import CONTENT, group_columns, importance
from streamrec.engine.features.features import GROUPS
from streamrec.engine.predictor import COLUMNS
from streamrec.training.rows import Rows

ROWS = readers(600)


def test_every_feature_is_in_exactly_one_group() -> None:
    """What the page tells of is everything."""
    assert sorted(column for group in GROUPS for column in group_columns(group)) == list(range(COLUMNS))


def test_only_what_is_read_matters() -> None:
    """A model of the products alone loses all it knows with them, and nothing with any other group."""

    def by_content(rows: Rows) -> FloatArray:
        return np.asarray(rows.x[:, :8].sum(axis=1), np.float32)

    found = importance(by_content, ROWS, seed=1)
    assert found[CONTENT] == pytest.approx(1, abs=0.15)
    assert all(value == 0 for group, value in found.items() if group != CONTENT)


def test_histories_go_with_the_interest() -> None:
    """A teacher reads who the user is from there."""

    def by_history(rows: Rows) -> FloatArray:
        return rows.history.astype(np.float32)

    rows = ROWS._replace(history=np.where(ROWS.clicked, 1, 0).astype(np.int64))
    assert importance(by_history, rows, seed=1)[CONTENT] > 0.9
