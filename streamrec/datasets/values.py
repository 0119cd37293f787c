"""Columns of tables as numbers, whatever type a copy of the log has given them.

Ids come as integers of any width, as floats (a copy by way of pandas), or as text; times as timestamps, as ISO 8601
text, or as seconds, milli-, micro- or nanoseconds since 1970, which no time between 2001 and 2100 leaves open. A value
that is none is -1, which no id or time is; a column without one good value is a DataError.
"""

import math
import re
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import DoubleArray, IntArray
from ..contracts.field_types import PER_UNIT, iso_ms
from ..contracts.limits import EARLIEST_MS, LATEST_MS
from ..errors import DataError
from .files import arrow
from .tally import form_of


def whole_numbers(path: Path, column: Any) -> IntArray:
    """A pyarrow column of ids as int64, (N,)."""
    types, column = arrow("types"), _plain(column)
    if types.is_integer(column.type) or types.is_decimal(column.type):
        try:
            return np.asarray(column.cast("int64").fill_null(-1).to_numpy(), np.int64)
        except ValueError as error:
            raise DataError(f"{path}: expected whole numbers, got {column.type}: {error}") from None
    if not _is_text(column.type) and not types.is_floating(column.type):
        raise DataError(f"{path}: expected whole numbers, got {column.type}")
    values = column.to_pylist()
    return _some_good(path, "whole numbers", column, values, np.array([_number(value) for value in values], np.int64))


def timestamps_ms(path: Path, column: Any) -> IntArray:
    """A pyarrow column of times as ms since 1970, (N,)."""
    types, column = arrow("types"), _plain(column)
    if types.is_temporal(column.type):
        try:
            return whole_numbers(path, column.cast("timestamp[ms]", safe=False).cast("int64"))
        except (ValueError, NotImplementedError) as error:
            raise DataError(f"{path}: expected timestamps, got {column.type}: {error}") from None
    if not _is_text(column.type):
        return in_ms(whole_numbers(path, column))
    values = column.to_pylist()
    return in_ms(_some_good(path, "timestamps", column, values, np.array([_time(value) for value in values], np.int64)))


def seconds(path: Path, column: Any) -> DoubleArray:
    """A pyarrow column of durations, (N,); absent and NaN are 0."""
    try:
        return np.nan_to_num(np.asarray(_plain(column).cast("float64").fill_null(0).to_numpy(), np.float64))
    except (ValueError, NotImplementedError) as error:
        raise DataError(f"{path}: expected numbers, got {column.type}: {error}") from None


def lists(path: Path, column: Any) -> list[list[int] | None]:
    """A pyarrow column of lists of ids; as text `[1 2]` or `[1, 2]` too. A list with anything else in it holds a -1."""
    types = arrow("types")
    if _is_text(column.type):
        return [None if text is None else _listed(text) for text in column.to_pylist()]
    if not any((types.is_list(column.type), types.is_large_list(column.type))):
        raise DataError(f"{path}: expected lists of whole numbers, got {column.type}")
    rows: list[list[Any] | None] = column.to_pylist()
    if types.is_integer(column.type.value_type):
        return [row and [-1 if value is None else value for value in row] for row in rows]
    return [row and list(map(_number, row)) for row in rows]


def in_ms(numbers: IntArray) -> IntArray:
    """Times as they come, in ms; what is none in any unit stays as it is."""
    found = numbers.copy()
    for times, divided in PER_UNIT:
        scaled = numbers * (times / divided)
        mine = (scaled >= EARLIEST_MS) & (scaled <= LATEST_MS)
        found[mine] = numbers[mine] * times // divided
    return found


def _plain(column: Any) -> Any:
    return column.cast(column.type.value_type) if arrow("types").is_dictionary(column.type) else column


def _is_text(kind: Any) -> bool:
    return str(kind) in {"string", "large_string"}


def _some_good(path: Path, what: str, column: Any, values: Sequence[Any], found: IntArray) -> IntArray:
    there = [value for value in values if value not in (None, "")]
    if there and (found < 0).all():
        raise DataError(f"{path}: expected {what}, got {column.type} like {form_of(str(there[0]))}")
    return found


def _number(value: Any) -> int:
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\d{1,18})(\.0*)?\s*", value, re.ASCII)
        return int(match[1]) if match else -1
    whole = value is not None and math.isfinite(value) and value == int(value) and 0 <= value < 2**53
    return int(value) if whole else -1


def _listed(text: str) -> list[int]:
    inside = re.fullmatch(r"\s*\[(.*)\]\s*", text, re.DOTALL)
    return [_number(part.strip("'\"")) for part in re.split(r"[\s,]+", inside[1].strip()) if part] if inside else [-1]


def _time(value: str | None) -> int:
    if value is None or (number := _number(value)) >= 0:
        return -1 if value is None else number
    try:
        return iso_ms(value, UTC)
    except ValueError:
        return -1
