"""The EB-NeRD loader, on files written here and on the real demo set."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets.stored_logs import check_log, rejected, stored

from streamrec.contracts.article import ArticleEvent
from streamrec.contracts.event import UserEvent
from streamrec.datasets.ebnerd import load_ebnerd
from streamrec.datasets.records import Impression
from streamrec.errors import DataError

START = datetime(2023, 5, 18, 7, 0, 0)  # noqa: DTZ001 - the files carry no zone
START_MS = 1_684_393_200_000


def behavior(**changed: Any) -> dict[str, Any]:
    """One row of behaviors.parquet."""
    row = {
        "user_id": 5,
        "impression_time": START,
        "article_ids_inview": [11, 12],
        "article_ids_clicked": [12],
        "read_time": 30.0,
        "next_read_time": 16.0,
    }
    return row | changed


def written(folder: Path, behaviors: list[dict[str, Any]], side: dict[str, list[Any]] | None = None) -> Path:
    """A log with one history of two reads and a table of articles."""
    (folder / "train").mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(behaviors), folder / "train" / "behaviors.parquet")
    history = {
        "user_id": [5],
        "impression_time_fixed": [[START - timedelta(hours=2), START - timedelta(hours=1)]],
        "article_id_fixed": [[10, 11]],
        "read_time_fixed": [[60.0, 0.0]],
    }
    pq.write_table(pa.table(history), folder / "train" / "history.parquet")
    side = side or {"article_id": [10, 11, 99], "first_seen": [START - timedelta(days=1), START, START]}
    pq.write_table(pa.table(side), folder / "articles_side.parquet")
    return folder


def events_of(folder: Path) -> list[tuple[str, str, float, float]]:
    """(action, article, seconds after START, dwell) of everything but views."""
    events = [step.record for step in load_ebnerd(folder) if isinstance(step.record, UserEvent)]
    return [
        (e.action, e.article_id, (e.at_ms - START_MS) / 1000, e.dwell_s) for e in events if e.action != "impression"
    ]


def test_a_click_happens_when_the_page_is_left_and_dwell_when_the_article_is(tmp_path: Path) -> None:
    """Impression time + read_time is the click, + next_read_time the end of reading; histories have their own times."""
    assert events_of(written(tmp_path, [behavior()])) == [
        ("click", "10", -7_200.0, 0.0),
        ("dwell", "10", -7_140.0, 60.0),
        ("click", "11", -3_600.0, 0.0),
        ("click", "12", 30.0, 0.0),
        ("dwell", "12", 46.0, 16.0),
    ]
    check_log(load_ebnerd(tmp_path))


def test_impressions_keep_candidates_labels_and_zone(tmp_path: Path) -> None:
    """What was in view and what was clicked is handed on; events carry the readers' zone."""
    records = [step.record for step in load_ebnerd(written(tmp_path, [behavior()]))]
    assert [r for r in records if isinstance(r, Impression)] == [Impression("5", ("11", "12"), (False, True))]
    assert {r.tz for r in records if isinstance(r, UserEvent)} == {"Europe/Copenhagen"}


def test_no_article_is_published_after_it_was_first_shown(tmp_path: Path) -> None:
    """The recorded time counts unless the log shows the article earlier; one older than the log opens it."""
    steps = [step for step in load_ebnerd(written(tmp_path, [behavior()])) if isinstance(step.record, ArticleEvent)]
    published = {s.record.article_id: (s.record.published_at_ms - START_MS) // 1000 for s in steps}  # type: ignore[union-attr]
    assert published == {"10": -86_400, "11": -3_600, "12": 0}
    assert min(step.at_ms for step in steps) == START_MS - 7_200_000
    assert {s.record.title for s in steps} == {"article 10", "article 11", "article 12"}  # type: ignore[union-attr]


def test_the_original_article_table_brings_text(tmp_path: Path) -> None:
    """Where articles.parquet lies in the folder, its title, subtitle, category and publication time are used."""
    written(tmp_path, [behavior()])
    texts = {
        "article_id": [12],
        "published_time": [START - timedelta(minutes=5)],
        "title": ["Ny elbil"],
        "subtitle": ["Kort om den"],
        "category_str": ["biler"],
    }
    pq.write_table(pa.table(texts), tmp_path / "articles.parquet")
    found = {a.article_id: a for a in load_ebnerd(tmp_path).articles}
    assert (found["12"].title, found["12"].abstract, found["12"].category) == ("Ny elbil", "Kort om den", "biler")
    assert found["12"].published_at_ms == START_MS - 300_000


@pytest.mark.parametrize("beside", [True, False])
def test_a_split_may_be_named_itself(tmp_path: Path, *, beside: bool) -> None:
    """The validation split is read like the training one, its articles beside it or above."""
    whole = list(load_ebnerd(written(tmp_path, [behavior()])))
    split = (tmp_path / "train").rename(tmp_path / "validation")
    if beside:
        (tmp_path / "articles_side.parquet").rename(split / "articles_side.parquet")
    assert list(load_ebnerd(split)) == whole


def test_absent_reading_times_leave_no_dwell(tmp_path: Path) -> None:
    """Without read_time the click falls on the impression; without next_read_time there is no dwell."""
    rows = [behavior(), behavior(read_time=None, next_read_time=float("nan"), article_ids_clicked=[11])]
    assert ("click", "11", 0.0, 0.0) in events_of(written(tmp_path, rows))


@pytest.mark.parametrize("change", [{"user_id": None}, {"impression_time": None}, {"article_ids_inview": []}])
def test_a_row_without_user_time_or_articles_is_counted(tmp_path: Path, change: dict[str, Any]) -> None:
    """A bad row costs that row only."""
    log = load_ebnerd(written(tmp_path, [behavior(), behavior(**change)]))
    assert log.summary.impressions == 1
    assert rejected(log) == {"behaviors: no user, time or articles": 1}


def test_missing_files_and_columns_are_named(tmp_path: Path) -> None:
    """The error says which file and which column, and what was there."""
    with pytest.raises(DataError, match=r"expected a file articles\.parquet or articles_side\.parquet"):
        load_ebnerd(tmp_path)
    written(tmp_path, [behavior()], {"article_id": [1], "seen": [START]})
    with pytest.raises(DataError, match=r"articles_side\.parquet: expected column first_seen, got article_id, seen"):
        load_ebnerd(tmp_path)
    (tmp_path / "train" / "history.parquet").unlink()
    with pytest.raises(DataError, match=r"expected a file history\.parquet, got behaviors\.parquet"):
        load_ebnerd(tmp_path)


@pytest.mark.slow
@pytest.mark.data
def test_the_real_demo_set_is_read_whole() -> None:
    """Every row of the demo set is understood, and its order rules hold."""
    log = load_ebnerd(stored("ebnerd_demo"))
    assert (log.summary.impressions, log.summary.users, rejected(log)) == (24_724, 1_590, {})
    check_log(log)
