"""Logs as the world hands them on: each row is read or counted with a reason, and what is certain is read."""

import gzip
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cramjam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets.stored_logs import rejected
from hypothesis import given
from hypothesis import strategies as st

from streamrec.datasets.ebnerd import load_ebnerd
from streamrec.datasets.globo import load_globo
from streamrec.datasets.mind import load_mind
from streamrec.datasets.records import Log
from streamrec.datasets.tally import Tally, check, form_of
from streamrec.errors import DataError

NEWS = "".join(f"N{n}\tsports\tgolf\tTitle {n}\tAbout {n}\thttps://x.example/{n}\t[]\t[]\n" for n in range(1, 6))
ROW = "{n}\tU{n}\t{time}\tN1 N2\tN3-1 N4-0\n"
GOOD = ROW.format(n=1, time="11/9/2019 2:03:21 PM")


def mind(folder: Path, behaviors: str | bytes = GOOD, news: str | bytes = NEWS, suffix: str = "") -> Log:
    """The log of these two files."""
    for name, text in (("behaviors.tsv", behaviors), ("news.tsv", news)):
        (folder / f"{name}{suffix}").write_bytes(text.encode() if isinstance(text, str) else text)
    return load_mind(folder)


def counts(log: Log, what: str) -> tuple[int, int]:
    """Rows of a file, and of them those not read."""
    part = log.summary.tally.parts[what]
    return part.rows, part.rejected


@pytest.mark.parametrize(
    "time",
    [
        "11/9/2019 14:03:21",
        "11/9/2019 2:03:21 PM",
        "11/9/2019 2:03:21\u202fPM",
        "11/09/2019 02:03:21 pm",
        "2019-11-09 14:03:21",
        "2019-11-09T14:03:21Z",
    ],
)
def test_a_time_is_read_in_each_form_that_leaves_no_doubt(tmp_path: Path, time: str) -> None:
    """Half of a MIND log had 24-hour times, and half of it was lost without a word."""
    log = mind(tmp_path, GOOD + ROW.format(n=2, time=time))
    assert counts(log, "behaviors") == (2, 0)
    shown = [step.at_ms for step in log if step.kind == "impression"]
    assert shown[0] == shown[1] == 1_573_308_201_000


@pytest.mark.parametrize(
    "form",
    [
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.replace(b"\n", b"\r"),
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.decode().encode("utf-16"),
        lambda text: b"\n" + text + b"\n\n",
        gzip.compress,
        lambda text: bytes(cramjam.zstd.compress(text)),
        lambda text: text.rstrip(b"\n"),
    ],
)
def test_a_file_is_read_whatever_it_is_wrapped_in(tmp_path: Path, form: Callable[[bytes], bytes]) -> None:
    """Byte order marks, other line ends, blank lines, packed without a name that says so: the same rows."""
    text = GOOD + ROW.format(n=2, time="11/9/2019 2:03:21 PM")
    (tmp_path / "plain").mkdir()
    plain, log = mind(tmp_path / "plain", text), mind(tmp_path, form(text.encode()), form(NEWS.encode()))
    assert list(log) == list(plain)
    assert rejected(log) == {}


def test_packed_files_are_found_by_name(tmp_path: Path) -> None:
    """.zst as well as .gz."""
    log = mind(tmp_path, bytes(cramjam.zstd.compress(GOOD.encode())), gzip.compress(NEWS.encode()), suffix=".zst")
    assert log.summary.impressions == 1


def test_a_header_line_is_no_row_and_may_order_the_columns(tmp_path: Path) -> None:
    """The columns' names, in any case and order."""
    header = "Time\tUser ID\tImpression ID\tImpressions\tHistory\n"
    log = mind(
        tmp_path, f"{header}11/9/2019 14:03:21\tU1\t1\tN3-1 N4-0\tN1 N2\n", "news_id\tcategory\ttitle\nN3\tx\tT\n"
    )
    assert (counts(log, "behaviors"), counts(log, "news")) == ((1, 0), (1, 0))
    assert log.summary.impressions == 1


def test_a_field_may_be_longer_than_the_csv_module_allows(tmp_path: Path) -> None:
    """131,072 characters; a heavy reader's history has more."""
    long = " ".join(["N1"] * 60_000)
    assert counts(mind(tmp_path, GOOD + GOOD.replace("N1 N2", long)), "behaviors") == (2, 0)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("N9\tsports\tgolf\tTitle\twith a tab\tAbout\thttps://x.example/9\t[]\t[]", "more fields"),
        ("N9\tsports\tgolf\tTitle", "fewer fields"),
        ("N9\tsports\tgolf\t \tAbout\thttps://x.example/9\t[]\t[]", "no id or title"),
    ],
)
def test_a_row_that_is_torn_is_counted_with_its_line(tmp_path: Path, row: str, reason: str) -> None:
    """Which field is torn or doubled nobody can know."""
    tally = mind(tmp_path, news=NEWS + row + "\n").summary.tally
    assert (tally.of("news").rows, tally.of("news").read) == (6, 5)
    assert reason in tally.of("news").why()
    assert tally.of("news").why().endswith("first in line 6)")


def test_a_return_inside_a_title_is_a_blank(tmp_path: Path) -> None:
    """It ends a row only where both parts are whole rows."""
    log = mind(tmp_path, news=NEWS.replace("Title 3", "Title\r3"))
    assert counts(log, "news") == (5, 0)
    assert "Title 3" in [step.record.title for step in log if step.kind == "article"]  # type: ignore[union-attr]
    assert counts(mind(tmp_path, news=NEWS.replace("[]\nN3", "[]\rN3")), "news") == (5, 0)


def test_bytes_that_are_no_text_cost_their_line(tmp_path: Path) -> None:
    """Latin-1 in one line of many."""
    log = mind(tmp_path, news=NEWS.encode() + "N9\tx\ty\tBlåbær\t\t\t[]\t[]\n".encode("latin-1"))
    assert rejected(log) == {"news: not UTF-8 text": 1}


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    """Not a log without articles."""
    with pytest.raises(DataError, match=r"news\.tsv: expected rows, got an empty file"):
        mind(tmp_path, news="")


def test_readers_without_a_history_miss_nothing(tmp_path: Path) -> None:
    """New readers have none; that is no id written differently."""
    check(mind(tmp_path, GOOD.replace("N1 N2", "")).summary.tally)


def test_ids_written_in_two_ways_are_an_error_that_shows_both(tmp_path: Path) -> None:
    """Every row is read and nothing meets: a model would learn from empty profiles, AUC .5000."""
    log = mind(tmp_path, news=NEWS.replace("N", ""))
    assert rejected(log) == {}
    with pytest.raises(DataError, match=r"100\.0% name an article .* ids like N#, articles have ids like #"):
        check(log.summary.tally)
    check(log.summary.tally, 1.0)


@given(st.lists(st.sampled_from(["good", "time", "user", "labels", "torn", "more", "bytes", "blank"]), max_size=30))
def test_what_is_read_and_what_is_rejected_are_all_rows(kinds: list[str]) -> None:
    """Each broken row counts once, under one reason."""
    good = GOOD.strip("\n").encode()
    rows = {
        "good": good,
        "time": good.replace(b"11/9", b"99/9"),
        "user": good.replace(b"U1", b" "),
        "labels": good.replace(b"N3-1", b"N3"),
        "torn": good.rpartition(b"\t")[0],
        "more": good + b"\tx",
        "bytes": good.replace(b"U1", b"\xff"),
        "blank": b"",
    }
    with TemporaryDirectory() as folder:
        log = mind(Path(folder), b"\n".join([good, good, good, *(rows[kind] for kind in kinds)] * 2))
    part = log.summary.tally.of("behaviors")
    broken = 2 * sum(kind not in ("good", "blank") for kind in kinds)
    assert part.rows == part.read + part.rejected == 2 * (3 + sum(kind != "blank" for kind in kinds))
    assert (part.rejected, part.reasons.total()) == (broken, broken)
    assert log.summary.impressions == part.read


def test_more_than_one_in_a_hundred_is_an_error_unless_allowed() -> None:
    """The share is of a file: half of the impressions are not hidden by fifty thousand good articles."""
    tally = Tally()
    tally.of("news").rows, tally.of("behaviors").rows = 51_282, 1_878
    tally.of("behaviors").reject("no time", line=2, count=939)
    assert list(tally.said()) == ["behaviors: 939 of 1,878 rows not read: no time (939, first in line 2)"]
    with pytest.raises(DataError, match=r"50\.0% of the rows .* --allow-rejected 0\.51"):
        check(tally)
    check(tally, 0.51)
    tally.of("behaviors").reasons["no time"] = 18
    check(tally)


def test_an_id_shows_its_form_and_not_itself() -> None:
    """Digits are hidden, and nothing in it acts on a terminal."""
    assert form_of("N12-4") == "N##-#"
    assert form_of("\x1b[2J7") == "\\x1b[#J#"


CLICKS: dict[str, list[Any]] = {
    "user_id": [7, 8, 7],
    "click_article_id": [30, 20, 20],
    "click_timestamp": [1_506_826_805_000, 1_506_826_801_000, 1_506_826_803_000],
}


@pytest.mark.parametrize(
    "types",
    [
        ("int32", "uint64", "int64"),
        ("float64", "float64", "float64"),
        ("string", "large_string", "string"),
        ("int64", "int64", "timestamp"),
        ("int64", "dictionary", "seconds"),
        ("int64", "int64", "iso"),
    ],
)
def test_columns_of_other_types_are_the_same_log(tmp_path: Path, types: tuple[str, str, str]) -> None:
    """A copy by way of pandas, Spark or CSV has other types, and the same clicks."""
    made: dict[str, Callable[[list[int]], Any]] = {
        "timestamp": lambda values: pa.array(values, pa.timestamp("ms")),
        "dictionary": lambda values: pa.array([str(v) for v in values]).dictionary_encode(),
        "seconds": lambda values: pa.array([v // 1000 for v in values]),
        "iso": lambda values: pa.array(pa.array(values, pa.timestamp("ms")).cast("string").to_pylist()),
        "string": lambda values: pa.array([str(v) for v in values]),
        "large_string": lambda values: pa.array([f"{v}.0" for v in values], pa.large_string()),
    }
    columns = {
        name: made[kind](values) if kind in made else pa.array(values, kind)
        for (name, values), kind in zip(CLICKS.items(), types, strict=True)
    }
    pq.write_table(pa.table(columns), tmp_path / "clicks.parquet")
    pq.write_table(pa.table(CLICKS), tmp_path / "plain.parquet")
    log = load_globo(tmp_path / "clicks.parquet")
    assert list(log) == list(load_globo(tmp_path / "plain.parquet"))
    assert rejected(log) == {}


def test_a_broken_value_costs_its_row_and_not_the_file(tmp_path: Path) -> None:
    """Of text columns those that are numbers are read; where none is, the error shows how they are written."""
    path = tmp_path / "clicks.parquet"
    pq.write_table(pa.table({**CLICKS, "user_id": ["7", "N8", None]}), path)
    assert rejected(load_globo(path)) == {"clicks: no usable time, user or article": 2}
    pq.write_table(pa.table({**CLICKS, "user_id": ["N7", "N8", "N9"]}), path)
    with pytest.raises(DataError, match="expected whole numbers, got string like N#"):
        load_globo(path)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda text: b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n")])
def test_ragged_rows_of_a_csv_file_cost_themselves(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """They ended the command before."""
    text = (
        "click_timestamp,user_id,click_article_id\n1506826805000,7,30\n1506826805000,7\n1506826805000,7,30,1\nx,7,30\n"
    )
    (tmp_path / "clicks.csv").write_bytes(pack(text.encode()))
    log = load_globo(tmp_path / "clicks.csv")
    assert counts(log, "clicks") == (4, 3)
    assert log.summary.events == {"click": 1}


def ebnerd(folder: Path, **changed: Any) -> Log:
    """A split of two impressions and one history, with columns changed."""
    folder.mkdir(exist_ok=True)
    behaviors = {
        "user_id": [5, 6],
        "impression_time": ["2023-05-18 07:00:00", "2023-05-18 08:00:00"],
        "article_ids_inview": [[11, 12], [11]],
        "article_ids_clicked": [[12], [11]],
        "read_time": [30.0, 1.0],
        "next_read_time": [16.0, None],
    }
    history = {
        "user_id": [5],
        "impression_time_fixed": [["2023-05-17 07:00:00"]],
        "article_id_fixed": [[11]],
        "read_time_fixed": [[60.0]],
    }
    side = {"article_id": [11, 12], "first_seen": ["2023-05-16 00:00:00"] * 2}
    for name, table in (("behaviors", behaviors), ("history", history), ("articles_side", side)):
        pq.write_table(
            pa.table({key: changed.get(key, column) for key, column in table.items()}), folder / f"{name}.parquet"
        )
    return load_ebnerd(folder)


@pytest.mark.parametrize(
    "changed",
    [
        {"article_ids_inview": [["11", "12"], ["11"]]},
        {"article_ids_inview": ["[11 12]", "[11]"], "article_ids_clicked": ["[12]", "['11']"]},
        {"read_time": ["30.0", "1"], "impression_time": [1_684_393_200, 1_684_396_800]},
    ],
)
def test_impressions_of_other_types_are_the_same_log(tmp_path: Path, changed: dict[str, Any]) -> None:
    """Lists as text, ids as text, times as numbers."""
    assert list(ebnerd(tmp_path / "other", **changed)) == list(ebnerd(tmp_path / "plain"))


def test_lists_of_unequal_length_cost_their_reader(tmp_path: Path) -> None:
    """Which read belongs to which time nobody knows."""
    log = ebnerd(tmp_path, read_time_fixed=[[60.0, 1.0]])
    assert rejected(log) == {"history: lists of unequal length": 1}
    bad = ebnerd(tmp_path, article_ids_inview=["[11 x]", "[11]"])
    assert rejected(bad) == {"behaviors: no user, time or articles": 1}


def test_a_table_of_other_articles_is_an_error(tmp_path: Path) -> None:
    """Without their facts all articles would be named by their ids."""
    with pytest.raises(DataError, match=r"reads: 100\.0% name an article the log does not hold"):
        check(ebnerd(tmp_path, article_id=[90011, 90012]).summary.tally)
