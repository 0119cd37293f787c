"""A log in several parts is one log, however it was cut and whatever stands in two of them."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pyarrow as pa
import pyarrow.csv
import pytest
from click.testing import CliRunner
from datasets.test_ebnerd import START, behavior
from datasets.test_ebnerd import written as written_ebnerd
from datasets.test_mind import ORIGINAL_NEWS
from datasets.test_mind import written as written_mind
from hypothesis import given, settings
from hypothesis import strategies as st

from streamrec.__main__ import cli
from streamrec.contracts.event import UserEvent
from streamrec.datasets.contract_files import load_files, write_files
from streamrec.datasets.ebnerd import load_ebnerd
from streamrec.datasets.globo import load_globo
from streamrec.datasets.mind import load_mind
from streamrec.datasets.records import Log
from streamrec.datasets.simulated.log import SimulatedLog
from streamrec.errors import DataError

ROWS = 12
PLACES = st.lists(st.sampled_from(["first", "second", "both"]), min_size=ROWS, max_size=ROWS)
BEHAVIORS = [
    f"{n}\tU{n % 3}\t11/9/2019 12:{n:02d}:00 AM\tN{1 + n % 5}\tN{1 + n % 4}-{n % 2} N5-{1 - n % 2}\n"
    for n in range(ROWS)
]


def cut(rows: list[str], places: list[str]) -> list[str]:
    """Two texts: the rows that stand in the first or in both, and those of the second or of both."""
    return [
        "".join(row for row, at in zip(rows, places, strict=True) if at in {part, "both"})
        for part in ("first", "second")
    ]


def repeats(log: Log, what: str) -> int:
    """How many of a part counted once though they stand in two."""
    return log.summary.tally.parts[what].repeated


def steps(log: Log) -> Counter[bytes]:
    """In whatever order those of the same moment come."""
    return Counter(msgspec.json.encode((step.at_ms, step.kind, step.record)) for step in log)


@settings(max_examples=25, deadline=None)
@given(places=PLACES.filter(lambda places: {"first", "second"} <= set(places)), turned=st.booleans())
def test_mind_in_two_folders_is_mind(places: list[str], turned: bool) -> None:
    """The same steps, histories among them, as from one folder with all rows; what stands in both is counted."""
    with TemporaryDirectory() as home:
        folders = []
        for name, text in zip("abc", ["".join(BEHAVIORS), *cut(BEHAVIORS, places)], strict=True):
            (Path(home) / name).mkdir()
            folders.append(written_mind(Path(home) / name, text))
        whole, *parts = folders
        log = load_mind(*(reversed(parts) if turned else parts))
        assert list(log) == list(load_mind(whole))
        assert repeats(log, "behaviors") == places.count("both")
        assert repeats(log, "news") == ORIGINAL_NEWS.count("\n")
        assert any("count once" in said for said in log.summary.tally.said())
        assert not repeats(load_mind(whole), "behaviors")


@settings(max_examples=10, deadline=None)
@given(places=st.lists(st.sampled_from(["first", "second", "both"]), min_size=20, max_size=20))
def test_clicks_in_two_files_are_the_clicks(places: list[str]) -> None:
    """Of Globo; a click that stands twice in one file stays two."""
    head = "user_id,click_article_id,click_timestamp\n"
    rows = [f"{n % 4},{n % 3},{1_507_000_000_000 + 1000 * n}\n" for n in range(20)]
    with TemporaryDirectory() as home:
        paths = [Path(home) / f"{name}.csv" for name in "abc"]
        for path, text in zip(paths, ["".join(rows), *cut(rows, places)], strict=True):
            path.write_text(head + text + (rows[0] if path.name == "a.csv" else ""))
        log = load_globo(paths[1], paths[2]) if {"first", "second"} <= set(places) else load_globo(paths[0])
        twice = log.summary.events["click"] - 20
        assert twice == (0 if {"first", "second"} <= set(places) else 1)
        assert repeats(log, "clicks") == (0 if twice else places.count("both"))


def test_a_history_that_holds_an_earlier_part_is_read_once(tmp_path: Path) -> None:
    """A click of the first split that the second's history has a second later is one; another day's stays."""
    written_ebnerd(tmp_path, [behavior()])
    later = tmp_path / "validation"
    later.mkdir()
    pa.parquet.write_table(
        pa.Table.from_pylist(
            [behavior(), behavior(impression_time=START + timedelta(days=1), article_ids_clicked=[11])]
        ),
        later / "behaviors.parquet",
    )
    history = {
        "user_id": [5],
        "impression_time_fixed": [[START + timedelta(seconds=31), START + timedelta(hours=1)]],
        "article_id_fixed": [[12, 10]],
        "read_time_fixed": [[16.0, 0.0]],
    }
    pa.parquet.write_table(pa.table(history), later / "history.parquet")
    log = load_ebnerd(tmp_path / "train", later)
    clicks = Counter(
        step.record.article_id for step in log if isinstance(step.record, UserEvent) and step.record.action == "click"
    )
    assert clicks == {"10": 2, "11": 2, "12": 1}
    assert log.summary.impressions == 2
    assert (repeats(log, "behaviors"), repeats(log, "reads of history")) == (1, 1)
    assert [article.article_id for article in log.articles] == ["10", "11", "12"]


def halves(home: Path) -> tuple[Path, list[Path]]:
    """A simulated log as one folder and as two that share every fifth line."""
    whole = home / "whole"
    write_files(whole, SimulatedLog(1, 20, 12))
    for part in (0, 1):
        (home / f"part{part}").mkdir()
        for name in ("articles", "events"):
            lines = (whole / f"{name}.jsonl").read_bytes().splitlines(keepends=True)
            chosen = [line for n, line in enumerate(lines) if n % 5 == 0 or n % 2 == part]
            (home / f"part{part}" / f"{name}.jsonl").write_bytes(b"".join(chosen))
    return whole, [home / "part0", home / "part1"]


def test_folders_of_the_contract_are_one_log(tmp_path: Path) -> None:
    """And each event that is in both counts once."""
    whole, parts = halves(tmp_path)
    log = load_files(*parts)
    assert steps(log) == steps(load_files(whole))
    lines = (whole / "events.jsonl").read_bytes().count(b"\n")
    assert repeats(log, "events") == -(-lines // 5)


@pytest.mark.parametrize("command", [["train"], ["replay"], ["compress", "search", "--log"]])
def test_commands_take_the_parts(tmp_path: Path, command: list[str]) -> None:
    """What the second lacks is found out: so it is read."""
    _, (part, _) = halves(tmp_path)
    (tmp_path / "empty").mkdir()
    out = [] if command == ["replay"] else ["--out", str(tmp_path / "out")]
    with pytest.raises(DataError, match="empty: expected a file"):
        CliRunner().invoke(cli, [*command, "files", str(part), str(tmp_path / "empty"), *out], catch_exceptions=False)
