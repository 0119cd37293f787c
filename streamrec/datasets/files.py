"""Input files opened, with errors that name the file, what was expected and what came.

pyarrow is the extra `replay`; it is imported only when a parquet or CSV file is read.
"""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import DataError
from .lines import UNPACKABLE, unpacked
from .tally import Part


def existing(folder: Path, *names: str) -> Path:
    """The first of these files that is there; DataError where none is, or where it is empty."""
    for name in names:
        if (folder / name).is_file():
            if not (folder / name).stat().st_size:
                raise DataError(f"{folder / name}: expected rows, got an empty file")
            return folder / name
    came = "no such folder"
    if folder.is_dir():
        came = ", ".join(sorted(path.name for path in folder.iterdir())[:6]) or "an empty folder"
    raise DataError(f"{folder}: expected a file {' or '.join(names)}, got {came}")


def arrow(module: str) -> ModuleType:
    """A module of pyarrow, or the cure when it is not installed."""
    import importlib  # noqa: PLC0415 - pyarrow is an extra

    try:
        return importlib.import_module(f"pyarrow.{module}" if module else "pyarrow")
    except ImportError:
        raise DataError("expected pyarrow to read this log, got none; pip install 'streamrec[replay]'") from None


def table(path: Path, columns: Sequence[str], part: Part, pattern: str = "*.csv*") -> Any:
    """A pyarrow table of these columns from a parquet file, a CSV file, or a folder of CSV files read in name order.

    Columns of CSV files are text. All rows are counted in `part`; of a CSV file those of another number of fields are
    rejected.
    """
    files = sorted(path.glob(pattern)) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise DataError(f"{path}: expected a parquet or CSV file or a folder with {pattern}, got no such file")
    part.unit = "row"
    found = arrow("").concat_tables([_one(file, columns, part) for file in files])
    part.rows += len(found)
    return found


def _one(path: Path, columns: Sequence[str], part: Part) -> Any:
    try:
        if path.suffix == ".parquet":
            found = arrow("parquet").ParquetFile(path)
            _check_columns(path, columns, found.schema_arrow.names)
            return found.read(columns=list(columns))
        return _csv(path, columns, part)
    except (*UNPACKABLE, ValueError) as error:  # pyarrow's own errors derive from these
        raise DataError(f"{path}: expected a readable table, got: {str(error).splitlines()[0]}") from None


def _csv(path: Path, columns: Sequence[str], part: Part) -> Any:
    csv, text = arrow("csv"), arrow("").string()

    def ragged(row: Any) -> str:
        part.rows += 1
        part.reject("not as many fields as the file has columns")
        return "skip"

    converted = csv.ConvertOptions(
        column_types=dict.fromkeys(columns, text),
        include_columns=columns,
        include_missing_columns=True,
        check_utf8=False,
    )
    with unpacked(path) as file:
        _check_columns(path, columns, file_header(path))
        return csv.read_csv(file, parse_options=csv.ParseOptions(invalid_row_handler=ragged), convert_options=converted)


def file_header(path: Path) -> list[str]:
    """Names of the columns in a CSV file's first line, packed or not."""
    with unpacked(path) as file:
        first = file.readline(65_536).split(b"\r")[0]
    return [name.strip().strip('"') for name in first.decode("utf-8-sig", "replace").split(",")]


def _check_columns(path: Path, columns: Sequence[str], came: Sequence[str]) -> None:
    absent = [name for name in columns if name not in came]
    if absent:
        raise DataError(f"{path}: expected column {', '.join(absent)}, got {', '.join(came)}")
