r"""Rows of a tab-separated file by column name; each row that is none is counted with its reason.

A first line that names the columns is used as such, in whatever order; without one the columns are those of the format.
A file has as many columns as most of its first rows have fields, within what the format allows. A row of another
number of fields is rejected, since
nobody can know which field is torn or doubled; but empty ones too many are cut off. A `\\r` inside a line ends a row
where all its parts are whole rows; else it is a blank. Quotes are ordinary characters, as in MIND.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path

from .lines import text_lines
from .tally import Part

FIRST_ROWS = 200  # that say how many columns there are

Numbered = tuple[int, list[str] | None]


def tsv_rows(
    path: Path, columns: Sequence[str], aliases: Mapping[str, str], least: int, part: Part
) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and fields by column, for each row that has all of them; a file has `least` columns or more."""
    rows = _split(path)
    first = list(islice(rows, FIRST_ROWS))
    lengths = Counter(len(row) for _, row in first if row and least <= len(row) <= len(columns))
    width = lengths.most_common(1)[0][0] if lengths else len(columns)
    names = list(columns)
    for line, row in chain(first, rows):
        if row is not None and (header := _header(row, columns, aliases)):
            names, width = header, len(header)
            continue
        part.rows += 1
        if row is None:
            part.reject("not UTF-8 text", line)
            continue
        while len(row) > width and not row[-1].strip():
            row.pop()
        if len(row) > width:
            part.reject("more fields than the file has columns", line)
        elif len(row) < width:
            part.reject("fewer fields than the file has columns", line)
        else:
            yield line, dict(zip(names, row, strict=False))


def _split(path: Path) -> Iterator[Numbered]:
    """Fields of each line that is not blank."""
    fields = 0  # of the line before
    for number, line in text_lines(path):
        if line is None:
            yield number, None
            continue
        parts = [part.split("\t") for part in line.split("\r")]
        if len(parts) > 1 and not {len(part) for part in parts} <= {fields or len(parts[0])}:
            parts = [line.replace("\r", " ").split("\t")]
        for row in parts:
            if len(row) > 1 or row[0].strip():
                fields = len(row)
                yield number, row


def _header(row: Sequence[str], columns: Sequence[str], aliases: Mapping[str, str]) -> list[str]:
    """The columns' names if this row names them; those it has of its own as they are."""
    names = [field.strip().lower().replace(" ", "_") for field in row]
    known = [aliases.get(name, name) for name in names]
    return known if 2 * len(set(known) & set(columns)) > min(len(columns), len(known)) else []
