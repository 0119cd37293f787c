"""Input files opened, with errors that name the file, what was expected and what came.

pyarrow is the extra `replay`; it is imported only when a parquet or CSV file is read.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import DataError


def existing(folder: Path, *names: str) -> Path:
    """The first of these files that is there."""
    for name in names:
        if (folder / name).is_file():
            return folder / name
    came = "no such folder"
    if folder.is_dir():
        came = ", ".join(sorted(path.name for path in folder.iterdir())[:6]) or "an empty folder"
    raise DataError(f"{folder}: expected a file {' or '.join(names)}, got {came}")


def tsv_rows(path: Path) -> Iterator[list[str]]:
    """Rows of a tab-separated UTF-8 file, gzipped or not. Quotes are ordinary characters, as in MIND."""
    try:
        with path.open("rb") as raw:
            packed = raw.peek(2)[:2] == b"\x1f\x8b"
            binary = gzip.GzipFile(fileobj=raw) if packed else raw
            with io.TextIOWrapper(binary, encoding="utf-8", newline="\n") as text:
                yield from csv.reader(text, delimiter="\t", quoting=csv.QUOTE_NONE)
    except (OSError, EOFError, UnicodeDecodeError, zlib.error, csv.Error) as error:
        raise DataError(f"{path}: expected tab-separated UTF-8 text, got: {error}") from None


def arrow(module: str) -> ModuleType:
    """A module of pyarrow, or the cure when it is not installed."""
    import importlib  # noqa: PLC0415 - pyarrow is an extra

    try:
        return importlib.import_module(f"pyarrow.{module}")
    except ImportError:
        raise DataError("expected pyarrow to read this log, got none; pip install 'streamrec[replay]'") from None


def table(path: Path, columns: Sequence[str], pattern: str = "*.csv") -> Any:
    """A pyarrow table of these columns from a parquet file, a CSV file, or a folder of CSV files read in name order."""
    dataset = arrow("dataset")
    files = sorted(path.glob(pattern)) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise DataError(f"{path}: expected a parquet or CSV file or a folder with {pattern}, got no such file")
    try:
        found = dataset.dataset([str(file) for file in files], format=files[0].suffix.removeprefix("."))
        absent = [name for name in columns if name not in found.schema.names]
        if absent:
            raise DataError(f"{path}: expected column {', '.join(absent)}, got {', '.join(found.schema.names)}")
        return found.to_table(columns=list(columns))
    except (OSError, ValueError) as error:  # pyarrow's own errors derive from these
        raise DataError(f"{path}: expected a readable table, got: {str(error).splitlines()[0]}") from None


def whole_numbers(path: Path, column: Any) -> npt.NDArray[np.int64]:
    """A pyarrow column of ids or times as int64; absent values are -1, which no id or time is."""
    try:
        return np.asarray(column.cast("int64").fill_null(-1).to_numpy(), np.int64)
    except (ValueError, NotImplementedError) as error:
        raise DataError(f"{path}: expected whole numbers, got {column.type}: {error}") from None


def timestamps_ms(path: Path, column: Any) -> npt.NDArray[np.int64]:
    """A pyarrow column of timestamps as ms since 1970; absent values are -1."""
    try:
        return whole_numbers(path, column.cast("timestamp[ms]", safe=False))
    except (ValueError, NotImplementedError) as error:
        raise DataError(f"{path}: expected timestamps, got {column.type}: {error}") from None
