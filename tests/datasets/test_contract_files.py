"""A folder in our own contract: JSON lines, CSV and Parquet are one log, and what a worker would refuse is counted."""

import csv
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from datasets.stored_logs import rejected
from making import T0

from streamrec.__main__ import cli
from streamrec.contracts.article import ArticleEvent
from streamrec.contracts.audience import Audience, Ramp
from streamrec.contracts.event import UserEvent
from streamrec.datasets.contract_files import load_files
from streamrec.datasets.records import Impression
from streamrec.datasets.tally import check
from streamrec.errors import DataError
from streamrec.training.negatives import with_negatives

ARTICLES: list[dict[str, Any]] = [
    {"article_id": f"{n}", "title": f'Chip "{n}", a\nrecord', "published_at_ms": T0 + n, "category": "x"}
    for n in range(3)
]
EVENTS: list[dict[str, Any]] = [
    {"user_id": "7", "action": "impression", "at_ms": T0 + 10, "article_id": "0"},
    {"user_id": "7", "action": "impression", "at_ms": T0 + 11, "article_id": "1"},
    {"user_id": "7", "action": "click", "at_ms": T0 + 20, "article_id": "1", "tz": "Europe/Copenhagen"},
    {"user_id": "7", "action": "dwell", "at_ms": T0 + 90, "article_id": "1", "dwell_s": 20.5},
    {"user_id": "8", "action": "unsubscribe", "at_ms": T0 + 95},
]
Rows = list[dict[str, Any]]


def jsonl(path: Path, rows: Rows) -> None:
    """One record a line."""
    path.with_suffix(".jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def packed(path: Path, rows: Rows) -> None:
    """The same, packed."""
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.with_suffix(".jsonl.gz").write_bytes(gzip.compress(text.encode()))


def comma(path: Path, rows: Rows) -> None:
    """With a column for each field that any row has."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.with_suffix(".csv").open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def semicolons(path: Path, rows: Rows) -> None:
    """As spreadsheets write it where a comma is the decimal sign."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.with_suffix(".csv").open("w", newline="", encoding="utf-16") as file:
        writer = csv.DictWriter(file, names, delimiter=";")
        writer.writeheader()
        writer.writerows(rows)


def tabs(path: Path, rows: Rows) -> None:
    """As databases export it."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.with_suffix(".csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, names, delimiter="\t")
        writer.writeheader()
        writer.writerows(rows)


def parquet(path: Path, rows: Rows) -> None:
    """Times as timestamps, ids as numbers."""
    table = pa.table({name: [row.get(name) for row in rows] for row in rows for name in row})
    for name in ("user_id", "article_id"):
        if name in table.column_names:  # in most databases they are numbers
            at = table.column_names.index(name)
            table = table.set_column(at, name, table[name].cast(pa.int64()))
    for name in ("at_ms", "published_at_ms"):
        if name in table.column_names:
            at = table.column_names.index(name)
            table = table.set_column(at, name, table[name].cast(pa.timestamp("ms")))
    pq.write_table(table, path.with_suffix(".parquet"))


@pytest.mark.parametrize("form", [packed, comma, semicolons, tabs, parquet])
def test_each_form_is_the_same_log(tmp_path: Path, form: Callable[[Path, Rows], None]) -> None:
    """Ids that look like numbers stay text, a newline in a title stays in it, what is empty is absent."""
    for folder, write in ((tmp_path / "a", jsonl), (tmp_path / "b", form)):
        folder.mkdir()
        write(folder / "articles", ARTICLES)
        write(folder / "events", EVENTS)
    log = load_files(tmp_path / "b")
    assert list(log) == list(load_files(tmp_path / "a"))
    assert rejected(log) == {}
    assert log.summary.steps == len(list(log)) == 8
    assert [step.record for step in log if step.kind == "event"][-1] == UserEvent("8", "unsubscribe", T0 + 95)


@pytest.mark.parametrize("zone", ["", "Z", "+00:00"])
def test_times_in_iso_8601_are_read_in_csv(tmp_path: Path, zone: str) -> None:
    """As databases export them; without a zone they are in UTC, as a Parquet file's are."""
    for folder, iso in ((tmp_path / "a", False), (tmp_path / "b", True)):
        folder.mkdir()
        for name, field, rows in (("articles", "published_at_ms", ARTICLES), ("events", "at_ms", EVENTS)):
            at = [datetime.fromtimestamp(row[field] / 1000, UTC).isoformat(" ").removesuffix("+00:00") for row in rows]
            mine = [row | {field: said + zone} if iso else row for row, said in zip(rows, at, strict=True)]
            comma(folder / name, mine)
    log = load_files(tmp_path / "b")
    assert list(log) == list(load_files(tmp_path / "a"))
    assert rejected(log) == {}


def test_an_audience_is_read_from_every_kind_of_file(tmp_path: Path) -> None:
    """An object: as JSON in CSV, as a struct in Parquet."""
    audience = {"everybody": True, "languages": ["da"], "ramp": {"share": 0.1, "after_min": 5.0}}
    kinds = [(jsonl, audience), (comma, json.dumps(audience)), (parquet, audience)]
    for number, (write, said) in enumerate(kinds):
        folder = tmp_path / str(number)
        folder.mkdir()
        write(folder / "articles", [row | {"audience": said} for row in ARTICLES])
        write(folder / "events", EVENTS)
        log = load_files(folder)
        assert rejected(log) == {}
        found = {step.record.audience for step in log if isinstance(step.record, ArticleEvent)}
        assert found == {Audience(True, languages=("da",), ramp=Ramp(0.1, 5.0))}


def test_impressions_without_a_click_are_negatives(tmp_path: Path) -> None:
    """What was shown together and clicked later is one impression with its labels; nothing is sampled."""
    jsonl(tmp_path / "articles", ARTICLES)
    jsonl(tmp_path / "events", EVENTS)
    log = with_negatives(load_files(tmp_path), 1)
    shown = [step.record for step in log if step.kind == "impression"]
    assert shown == [Impression("7", ("0", "1"), (False, True))]
    assert log.summary.steps == len(list(log))


def test_a_log_of_clicks_alone_names_no_impressions(tmp_path: Path) -> None:
    """What is nowhere named cannot be missing: it is no error that impressions meet no article where there are none."""
    jsonl(tmp_path / "articles", ARTICLES)
    jsonl(tmp_path / "events", [event for event in EVENTS if event["action"] == "click"])
    check(load_files(tmp_path).summary.tally)


def test_a_quote_that_is_not_closed_takes_no_rows_silently(tmp_path: Path) -> None:
    """The rows after it would be part of its field, and count as one, or as none."""
    comma(tmp_path / "events", EVENTS)
    for torn in ('1,"Chip one,1700000000001\n2,"Chip two",1700000000002\n', '1,"Chip one,1700000000001\n'):
        (tmp_path / "articles.csv").write_text(f"article_id,title,published_at_ms\n{torn}")
        with pytest.raises(DataError, match=r"articles\.csv: expected CSV, got: .* that ends in line [23]"):
            load_files(tmp_path)


def test_what_a_worker_would_refuse_is_counted_with_its_line(tmp_path: Path) -> None:
    """By the reason of a dead letter, without content."""
    jsonl(tmp_path / "articles", ARTICLES)
    jsonl(tmp_path / "events", EVENTS)
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write('{bad\n{"user_id": "secret", "at_ms": 1}\n')
    tally = load_files(tmp_path).summary.tally
    part = tally.of("events")
    assert (part.rows, part.rejected, min(part.first.values())) == (7, 2, 6)
    assert "secret" not in "".join(tally.said())
    with pytest.raises(DataError, match=r"events: 28\.6% of the rows"):
        check(tally)


def test_a_folder_without_a_file_says_what_was_expected(tmp_path: Path) -> None:
    """The names that would do."""
    jsonl(tmp_path / "articles", ARTICLES)
    with pytest.raises(DataError, match=r"expected a file events\.jsonl or .*events\.parquet, got articles\.jsonl"):
        load_files(tmp_path)


def test_the_schema_says_how_a_folder_looks() -> None:
    """`streamrec schema log`."""
    said = json.loads(CliRunner().invoke(cli, ["schema", "log"]).output)
    assert set(said["properties"]) == {"articles", "events"}


def test_a_folder_is_replayed(tmp_path: Path) -> None:
    """Like any other log."""
    jsonl(tmp_path / "articles", ARTICLES)
    jsonl(tmp_path / "events", EVENTS)
    done = CliRunner().invoke(cli, ["replay", "files", str(tmp_path), "--no-broker"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1])["events"] == 5
