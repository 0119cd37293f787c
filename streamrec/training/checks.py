"""Rows nothing can be learned from are refused before any training starts; DataError says what they lack."""

import numpy as np
from numpy.typing import NDArray

from ..arrays import BoolArray, FloatArray
from ..engine.scores import COLUMNS
from ..errors import DataError


def check_rows(x: FloatArray, clicked: BoolArray, impression: NDArray[np.generic]) -> None:
    """Shapes agree, there is something, all numbers are finite."""
    if x.ndim != 2 or x.shape[1] != COLUMNS or not len(x) == len(clicked) == len(impression):
        raise DataError(
            f"training rows have shape {x.shape} with {len(clicked)} clicks and {len(impression)} impression ids;"
            f" expected (N, {COLUMNS}), N and N"
        )
    if not len(x):
        raise DataError("there are no training rows; expected impressions with clicked and unclicked articles")
    if not np.isfinite(x).all():
        column = int((~np.isfinite(x)).any(axis=0).argmax())
        raise DataError(f"training rows hold NaN or infinity in feature column {column}; expected finite numbers")


def check_classes(clicked: BoolArray, part: str) -> None:
    """Both clicked and unclicked articles are in this part of the rows."""
    if not clicked.any() or clicked.all():
        held = "no rows" if not len(clicked) else "only clicks" if clicked.all() else "no click"
        raise DataError(f"{part} hold {held}; expected both clicked and unclicked articles: give more impressions")
