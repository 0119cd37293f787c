"""Four windows of time, each later than the one before: nothing is judged on what it learned from.

    train        fits every model
    held_out     the last tenth of the impressions before validation: stops training, fits bounds
    validation   the only one the search looks at
    test         looked at after that, for the finalists' verdicts

Cuts are in time, between impressions. DataError where a window lacks clicks, non-clicks or impressions.
"""

import hashlib
from typing import NamedTuple

import numpy as np

from ...errors import DataError
from ...training.fit import HELD_OUT, halves, last_impressions
from ...training.rows import Rows
from ..source import check_unseen

TEST_SHARE, VALIDATION_SHARE = 0.25, 0.2
LEAST_IMPRESSIONS = 20  # of a window, with a clicked and an unclicked article


class Splits(NamedTuple):
    """The rows of a log in its four windows, in order of time."""

    train: Rows
    held_out: Rows
    validation: Rows
    test: Rows


def split_by_time(rows: Rows, test_from_ms: int | None = None, validation_from_ms: int | None = None) -> Splits:
    """Cut at these times (default: before the last quarter of the impressions, and the last fifth of the rest)."""
    _check_finite(rows)
    test_ms = _cut(rows, TEST_SHARE) if test_from_ms is None else test_from_ms
    earlier, test = _split(rows, test_ms)
    _check(earlier, "what is earlier than the test window")
    validation_ms = _cut(earlier, VALIDATION_SHARE) if validation_from_ms is None else validation_from_ms
    earlier, validation = _split(earlier, validation_ms)
    _check(earlier, "the training window")
    cut = Splits(*halves(earlier), validation, test)
    for name, part in zip(Splits._fields, cut, strict=True):
        _check(part, f"the {name.replace('_', '-')} window")
    return cut


def split_after_teacher(rows: Rows, trained_until_ms: int, test_from_ms: int | None = None) -> Splits:
    """Windows for a teacher that has learned from what is earlier than a time, but for the last tenth of it.

    Validation is what lies between that time and the test window, or, where nothing does, the tenth on which the
    teacher's training was stopped. A log wholly later is cut like any other: the teacher has seen nothing of it.
    DataError if the test window would begin before the teacher had stopped learning.
    """
    check_unseen(trained_until_ms, test_from_ms)
    if not len(rows.x) or rows.at_ms.min() >= trained_until_ms:
        return split_by_time(rows, test_from_ms)
    test_ms = trained_until_ms if test_from_ms is None else test_from_ms
    earlier = _split(rows, trained_until_ms)[0]
    _check(earlier, "what the teacher has learned from")
    stopped_by = last_impressions(earlier.impression, HELD_OUT)
    from_ms = trained_until_ms if test_ms > trained_until_ms else int(earlier.at_ms[stopped_by].min())
    return split_by_time(rows, test_ms, from_ms)


def before_validation(rows: Rows, cut: Splits) -> Rows:
    """The rows that are earlier than the validation window: train and held-out in one."""
    return _split(rows, int(cut.validation.at_ms.min()))[0]


def data_hash(rows: Rows) -> str:
    """12 hex digits of what is learned from and judged by."""
    digest = hashlib.sha256()
    for column in rows:
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()[:12]


def usable_impressions(rows: Rows) -> int:
    """How many impressions have both a clicked and an unclicked article."""
    number, size = np.unique(rows.impression, return_counts=True)
    clicks = np.bincount(np.searchsorted(number, rows.impression), weights=rows.clicked, minlength=len(number))
    return int(((clicks > 0) & (clicks < size)).sum())


def _cut(rows: Rows, share: float) -> int:
    """The time before which all but the last `share` of the impressions lie."""
    first = np.unique(rows.impression, return_index=True)[1]
    return int(np.quantile(rows.at_ms[first], 1 - share)) if len(first) else 0


def _split(rows: Rows, at_ms: int) -> tuple[Rows, Rows]:
    return rows.take(rows.at_ms < at_ms), rows.take(rows.at_ms >= at_ms)


def _check(rows: Rows, name: str) -> None:
    usable = usable_impressions(rows) if len(rows.x) else 0
    if usable < LEAST_IMPRESSIONS:
        raise DataError(
            f"{name} has {usable} impressions with a clicked and an unclicked article; expected at least"
            f" {LEAST_IMPRESSIONS}: give a longer log, or another --test-from"
        )


def _check_finite(rows: Rows) -> None:
    if not np.isfinite(rows.x).all():
        raise DataError("the log's features hold NaN or infinity; expected finite numbers")
