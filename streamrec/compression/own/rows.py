"""Rows of one's own: a table with a label, a group of rows that were shown together, and named columns of numbers.

    read(paths, names) -> the columns' names and Rows

Parquet or CSV. Rows of a group are ranked together, and stay together: all are of the time of its first row. Without a
column of times, the order of the file is that of time. A reader is the unit that verdicts count by; without one, each
group is its own.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...arrays import FloatArray, IntArray
from ...datasets.files import arrow, file_header, table
from ...datasets.tally import Tally, check
from ...errors import DataError
from ...training.rows import Rows

WORDS = {"true": 1.0, "false": 0.0}


class Names(NamedTuple):
    """Columns that are no features."""

    label: str = "clicked"
    group: str = "impression"
    reader: str | None = None
    time: str | None = None

    def given(self) -> list[str]:
        """Those that there are."""
        return [name for name in self if name is not None]


def read(paths: Sequence[Path], names: Names, features: Sequence[str] | None) -> tuple[list[str], Rows]:
    """Names of the features, all other columns unless they are given, and the rows in order of time. DataError."""
    chosen = list(features or [name for name in _header(paths[0]) if name not in names])
    if not chosen or set(chosen) & set(names):
        raise DataError(
            f"{paths[0]}: expected columns beside {', '.join(names.given())}; features are {chosen or 'none'}"
        )
    tally = Tally()
    tables = [table(path, [*chosen, *names.given()], tally.of("rows")) for path in paths]
    check(tally)
    found = arrow("").concat_tables(tables, promote_options="permissive").combine_chunks()
    if not len(found):
        raise DataError(f"{paths[0]}: there are no rows; expected rows with clicked and unclicked ones")
    group = _codes(found[names.group])
    at = group if names.time is None else _first(_codes(found[names.time], is_time=True), group)
    order = np.lexsort((group, at))
    group, at = group[order], at[order]
    x = np.stack([_numbers(found, name) for name in chosen], axis=1)[order]
    rows = Rows.of_features(np.ascontiguousarray(x), _labels(found, names.label)[order], group)
    reader = rows.user if names.reader is None else _codes(found[names.reader])[order]
    return chosen, rows._replace(at_ms=at, user=reader)


def _header(path: Path) -> list[str]:
    if path.suffix == ".parquet":
        names: list[str] = arrow("parquet").read_schema(path).names
        return names
    return file_header(path)


def _codes(column: Any, *, is_time: bool = False) -> IntArray:
    """(N,) numbers from 0: of different values in order of their first appearance, of times in their own order."""
    if is_time:
        return np.unique(_sortable(column), return_inverse=True)[1].astype(np.int64)
    return np.asarray(column.combine_chunks().dictionary_encode(null_encoding="encode").indices, np.int64)


def _sortable(column: Any) -> Any:
    """Times as they are, but text that is a number as one: 10 is later than 9."""
    try:
        return np.asarray(arrow("compute").cast(column, "float64"))
    except ValueError:
        return np.asarray(column.to_pylist(), str)


def _first(at: IntArray, group: IntArray) -> IntArray:
    """(N,) the earliest time of each row's group."""
    earliest = np.full(int(group.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(earliest, group, at)
    return earliest[group]


def _numbers(found: Any, name: str) -> FloatArray:
    try:
        values = arrow("compute").cast(found[name], "float32").to_numpy(zero_copy_only=False)
    except ValueError as error:  # pyarrow's own errors derive from it
        raise DataError(f"column {name} is not of numbers: {str(error).splitlines()[0]}") from None
    if not np.isfinite(values).all():
        row = int((~np.isfinite(values)).argmax()) + 1
        raise DataError(f"column {name} holds nothing, NaN or infinity in row {row}; expected a number in each row")
    return np.asarray(values, np.float32)


def _labels(found: Any, name: str) -> FloatArray:
    try:
        values = _numbers(found, name)
    except DataError:  # or in words
        values = np.array([WORDS.get(str(value).lower(), -1.0) for value in found[name].to_pylist()], np.float32)
    if not np.isin(values, (0, 1)).all():
        raise DataError(f"column {name} holds something else than 0 and 1; expected 1 for a click and 0 for none")
    return values
