"""The Globo.com loader, on files written here and on the real log."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from datasets.stored_logs import check_log, rejected, stored
from hypothesis import given
from hypothesis import strategies as st

from streamrec.contracts.event import UserEvent
from streamrec.datasets.columns import ColumnLog, Events
from streamrec.datasets.globo import load_globo
from streamrec.datasets.tally import Tally
from streamrec.errors import DataError

T0 = 1_506_826_800_000


def clicks_table(rows: list[tuple[int | None, int, int]]) -> pa.Table:
    """(user, article, ms after T0) as the log's columns."""
    users, articles, after_ms = zip(*rows, strict=True)
    return pa.table(
        {
            "user_id": pa.array(users, pa.int64()),
            "click_article_id": pa.array(articles, pa.int64()),
            "click_timestamp": pa.array([T0 + ms for ms in after_ms], pa.int64()),
            "click_country": pa.array([1] * len(rows), pa.int64()),
        }
    )


ROWS: list[tuple[int | None, int, int]] = [(7, 30, 5_000), (8, 20, 1_000), (7, 20, 3_000)]


def clicks_of(log: ColumnLog) -> list[tuple[str, str, int]]:
    """(user, article, ms after T0) of the clicks, as played."""
    return [(e.user_id, e.article_id, e.at_ms - T0) for _, e in log if isinstance(e, UserEvent)]


def test_clicks_are_sorted_and_articles_come_before_their_first(tmp_path: Path) -> None:
    """The file's order does not matter; an article is published one minute before its first click."""
    path = tmp_path / "clicks.parquet"
    pq.write_table(clicks_table(ROWS), path)
    log = load_globo(path)
    assert clicks_of(log) == [("8", "20", 1_000), ("7", "20", 3_000), ("7", "30", 5_000)]
    assert {a.article_id: a.published_at_ms - T0 for a in log.articles} == {"20": -59_000, "30": -55_000}
    check_log(log)


def test_a_limit_keeps_the_earliest_clicks(tmp_path: Path) -> None:
    """The first clicks in order of time, not of the file, and only their articles."""
    path = tmp_path / "clicks.parquet"
    pq.write_table(clicks_table(ROWS), path)
    log = load_globo(path, limit=2)
    assert [click[2] for click in clicks_of(log)] == [1_000, 3_000]
    assert log.summary.articles == 1


def test_a_folder_of_csv_files_reads_like_one_parquet_file(tmp_path: Path) -> None:
    """The log's original form, one CSV file an hour, gives the same clicks."""
    for hour, rows in enumerate([ROWS[:1], ROWS[1:]]):
        pyarrow.csv.write_csv(clicks_table(rows), tmp_path / f"clicks_hour_00{hour}.csv")
    assert clicks_of(load_globo(tmp_path)) == [("8", "20", 1_000), ("7", "20", 3_000), ("7", "30", 5_000)]


def test_rows_without_a_user_or_a_possible_time_are_counted(tmp_path: Path) -> None:
    """A bad row costs that row only; when no row is left, the file is an error."""
    path = tmp_path / "clicks.parquet"
    pq.write_table(clicks_table([*ROWS, (None, 20, 0), (9, 20, -T0)]), path)
    assert rejected(load_globo(path)) == {"clicks: no usable time, user or article": 2}
    pq.write_table(clicks_table([(None, 20, 0)]), path)
    with pytest.raises(DataError, match="expected clicks or impressions, got none"):
        load_globo(path)


def test_a_file_of_another_shape_says_what_was_expected(tmp_path: Path) -> None:
    """Missing columns, text in place of numbers, other formats and absent files each name the file and the matter."""
    path = tmp_path / "clicks.parquet"
    with pytest.raises(DataError, match="got no such file"):
        load_globo(path)
    pq.write_table(clicks_table(ROWS).drop_columns(["user_id"]), path)
    with pytest.raises(DataError, match=r"clicks\.parquet: expected column user_id, got click_article_id"):
        load_globo(path)
    pq.write_table(clicks_table(ROWS).set_column(0, "user_id", pa.array(["a", "b", "c"])), path)
    with pytest.raises(DataError, match="expected whole numbers, got string"):
        load_globo(path)
    path.write_text("no table")
    with pytest.raises(DataError, match=r"clicks\.parquet: expected a readable table, got"):
        load_globo(path)


@given(st.lists(st.integers(T0, T0 + 50), min_size=1, max_size=40))
def test_playing_keeps_every_click_in_order_whatever_the_times(times: list[int]) -> None:
    """Ties keep the order of the columns, and nothing is lost across chunks."""
    at_ms = np.array(times, np.int64)
    numbers = np.arange(len(times))
    none = np.empty(0, np.int64)
    events = Events.of("click", at_ms, numbers, numbers)
    names = [str(number) for number in numbers]
    log = ColumnLog("tiny", names, names, (), none, (), none, events, Tally())
    played = [(e.at_ms, int(e.user_id)) for _, e in log if isinstance(e, UserEvent)]
    assert played == sorted(zip(times, range(len(times)), strict=True))


@pytest.mark.data
def test_the_real_log_is_read_whole() -> None:
    """Every click of the real log is understood, and its order rules hold for the first hundred thousand."""
    path = stored("globo/clicks.parquet")
    log = load_globo(path)
    summary = log.summary
    assert (summary.events, summary.users, summary.articles) == ({"click": 2_988_181}, 322_897, 46_033)
    assert rejected(log) == {}
    check_log(load_globo(path, limit=100_000))
