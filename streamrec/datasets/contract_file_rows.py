"""Files in our own contract as raw records: `articles` and `events` as JSON lines, CSV (both also packed) or Parquet.

    raw_records(path, topic, part) -> RawRecord, ...      offset = line or row, timestamp 0, value JSON

Columns are named as the fields of the record; others are tolerated, as in a topic. What is empty in a column is absent.
In CSV, whose values are all text, numbers and lists stand as JSON has them, between commas, semicolons or tabs: what
separates the columns' names; a time may be ISO 8601. A quote that is not closed is an error: it would take the rows
after it into its field. In Parquet a time may be a timestamp, and an id a whole number. What names no zone is in UTC.
"""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, get_type_hints

import orjson

from ..contracts.field_types import iso_ms
from ..contracts.records import RawRecord
from ..contracts.schema import RECORDS
from ..errors import DataError
from .files import arrow, existing
from .lines import PACKED, text_lines
from .tally import Part

FileTopic = Literal["articles", "events"]
NAMES = (*(f".{kind}{packed}" for kind in ("jsonl", "csv") for packed in PACKED), ".parquet")
MANY = 2**31 - 1  # characters of a field
SEPARATORS = ",;\t"  # of CSV


def file_of(folder: Path, topic: FileTopic) -> Path:
    """The file of a folder that holds the records of a topic."""
    return existing(folder, *(topic + name for name in NAMES))


def raw_records(path: Path, topic: FileTopic, part: Part) -> Iterator[RawRecord]:
    """Records in the file's order. Rows that are none (not text, ragged) are counted; all others the decoder counts."""
    suffixes = [suffix for suffix in path.suffixes if suffix not in PACKED]
    kind = suffixes[-1] if suffixes else ""
    if kind == ".parquet":
        part.unit = "row"
        return _of_parquet(path, _texts(topic))
    return _of_csv(path, topic, part) if kind == ".csv" else _of_lines(path, part)


def _of_lines(path: Path, part: Part) -> Iterator[RawRecord]:
    for number, line in text_lines(path):
        if line is None:
            part.rows += 1
            part.reject("not UTF-8 text", number)
        elif line.strip():
            yield RawRecord(number, 0, None, line.strip().encode())


def _of_csv(path: Path, topic: FileTopic, part: Part) -> Iterator[RawRecord]:
    csv.field_size_limit(MANY)
    texts = _texts(topic)
    header = next((line or "" for _, line in text_lines(path)), "")
    lines = (f"{line}\n" if line is not None else "\ufffd\n" for _, line in text_lines(path))
    reader = csv.reader(lines, delimiter=max(SEPARATORS, key=header.count), strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        if f"{topic.removesuffix('s')}_id" not in names and "user_id" not in names:
            raise DataError(f"{path}: expected a first line that names the columns, got {len(names)} others")
        for row in reader:
            if not row:
                continue
            if len(row) != len(names):
                part.rows += 1
                part.reject("not as many fields as the file has columns", reader.line_num)
                continue
            said = {
                name: text if name in texts else _said(text, name)
                for name, text in zip(names, row, strict=True)
                if text != ""
            }
            yield RawRecord(reader.line_num, 0, None, orjson.dumps(said))
    except csv.Error as error:
        raise DataError(
            f"{path}: expected CSV, got: {error}, in the record that ends in line {reader.line_num}"
        ) from None


def _texts(topic: FileTopic) -> frozenset[str]:
    return frozenset(name for name, kind in get_type_hints(RECORDS[topic]).items() if kind is str)


def _said(text: str, name: str) -> Any:
    """A number, a list or an object, where that is what stands there, or a time in ISO 8601."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            return iso_ms(text, UTC) if name.endswith("_ms") else text
        except ValueError:
            return text


def _of_parquet(path: Path, texts: frozenset[str]) -> Iterator[RawRecord]:
    try:
        row = 0
        for batch in arrow("parquet").ParquetFile(path).iter_batches():
            for said in batch.to_pylist():
                row += 1
                there = {
                    name: _text(value) if name in texts else value for name, value in said.items() if value is not None
                }
                value = orjson.dumps(there, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME)
                yield RawRecord(row, 0, None, value)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: expected a readable table, got: {str(error).splitlines()[0]}") from None


def _text(value: Any) -> Any:
    return str(int(value)) if isinstance(value, int | float) and value == value // 1 else value


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return round((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp() * 1000)
    if isinstance(value, date):
        return _plain(datetime(value.year, value.month, value.day, tzinfo=UTC))
    return str(value)
