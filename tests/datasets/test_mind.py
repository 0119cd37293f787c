"""The MIND loader, on files written here and on the real sample."""

import gzip
from pathlib import Path

import pytest
from datasets.stored_logs import check_log, rejected, stored

from streamrec.contracts.article import ArticleEvent
from streamrec.contracts.event import UserEvent
from streamrec.datasets.mind import load_mind
from streamrec.datasets.records import Impression
from streamrec.errors import DataError

FIRST_MS = 1_573_257_660_000  # 2019-11-09 00:01
BEHAVIORS = "2\tU2\t11/9/2019 1:01:00 PM\tN1\tN3-0 N4-1 N2-1\n1\tU1\t11/9/2019 12:01:00 AM\tN1 N2\tN3-1 N4-0\n"
ORIGINAL_NEWS = "".join(
    f"N{n}\tsports\tgolf\tTitle {n}\tAbout {n}\thttps://x.example/{n}\t[]\t[]\n" for n in range(1, 6)
)


def written(folder: Path, behaviors: str = BEHAVIORS, news: str = ORIGINAL_NEWS) -> Path:
    """A log in the original layout."""
    (folder / "behaviors.tsv").write_text(behaviors, encoding="utf-8")
    (folder / "news.tsv").write_text(news, encoding="utf-8")
    return folder


def articles(folder: Path) -> dict[str, ArticleEvent]:
    """Articles of the log, by id."""
    return {step.record.article_id: step.record for step in load_mind(folder) if isinstance(step.record, ArticleEvent)}


def test_impressions_carry_their_labels_in_order_of_time(tmp_path: Path) -> None:
    """Rows of the file may come in any order; candidates and labels stay as they were."""
    log = load_mind(written(tmp_path))
    found = [(step.at_ms, step.record) for step in log if isinstance(step.record, Impression)]
    assert found == [
        (FIRST_MS, Impression("U1", ("N3", "N4"), (True, False))),
        (FIRST_MS + 13 * 3_600_000, Impression("U2", ("N3", "N4", "N2"), (False, True, True))),
    ]
    check_log(log)


def test_clicks_follow_their_impression_and_histories_lie_before_the_log(tmp_path: Path) -> None:
    """A history is read before the log begins, oldest first; the n-th click comes n seconds after its impression."""
    records = [step.record for step in load_mind(written(tmp_path))]
    clicks = [r for r in records if isinstance(r, UserEvent) and r.action == "click"]
    before = [(c.user_id, c.article_id) for c in clicks if c.at_ms < FIRST_MS]
    assert sorted(before) == [("U1", "N1"), ("U1", "N2"), ("U2", "N1")]
    assert before.index(("U1", "N1")) < before.index(("U1", "N2"))
    after_ms = FIRST_MS + 13 * 3_600_000
    assert [(c.article_id, c.at_ms) for c in clicks if c.at_ms >= FIRST_MS] == [
        ("N3", FIRST_MS + 1_000),
        ("N4", after_ms + 1_000),
        ("N2", after_ms + 2_000),
    ]


def test_articles_appear_just_before_they_are_shown_and_history_is_never_fresh(tmp_path: Path) -> None:
    """No article is published after its first impression; one from a history is expired when it comes."""
    log = load_mind(written(tmp_path))
    found = articles(tmp_path)
    assert set(found) == {"N1", "N2", "N3", "N4"}
    assert found["N3"].published_at_ms == FIRST_MS - 60_000
    assert found["N3"].expires_at_ms == 0
    assert found["N1"].published_at_ms == found["N1"].expires_at_ms == log.summary.start_ms
    assert found["N3"].deep_link == "https://x.example/3"


def test_gzipped_files_are_read_alike(tmp_path: Path) -> None:
    """A .gz file gives the same steps as the plain one."""
    plain = list(load_mind(written(tmp_path)))
    for name in ("behaviors.tsv", "news.tsv"):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes()))
        (tmp_path / name).unlink()
    assert list(load_mind(tmp_path)) == plain


@pytest.mark.parametrize(
    "row",
    [
        "3\tU3\tyesterday\tN1\tN3-1",
        "3\tU3\t11/9/2019 1:00:00 AM\tN1\tN3-x",
        "broken",
        "3\t\t11/9/2019 1:00:00 AM\tN1\tN3-1",
    ],
)
def test_a_garbled_row_is_counted_and_the_rest_is_read(tmp_path: Path, row: str) -> None:
    """One bad row costs that row only, and the summary says so."""
    log = load_mind(written(tmp_path, BEHAVIORS + row + "\n"))
    assert log.summary.impressions == 2
    assert sum(rejected(log).values()) == 1


def test_articles_missing_from_the_news_file_are_left_out_and_counted(tmp_path: Path) -> None:
    """A candidate or history item without text cannot be ranked; it leaves a count, not an error."""
    log = load_mind(written(tmp_path, BEHAVIORS + "3\tU3\t11/9/2019 2:00:00 AM\tN77 N1\tN3-1 N88-0\n"))
    assert rejected(log) == {}
    assert [(named.count, named.held) for named in log.summary.tally.named.values()] == [(7, 6), (5, 4)]
    check_log(log)


def test_a_folder_without_the_files_says_what_was_expected(tmp_path: Path) -> None:
    """The error names the folder, the file expected and what is there instead."""
    (tmp_path / "clicks.parquet").touch()
    with pytest.raises(DataError, match=r"expected a file news\.tsv or .*\.zst, got clicks\.parquet"):
        load_mind(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        load_mind(tmp_path / "elsewhere")


@pytest.mark.parametrize("behaviors", ["", "not\ta\tlog\n"])
def test_a_file_without_one_good_row_is_an_error(tmp_path: Path, behaviors: str) -> None:
    """When every row fails, the file is something else."""
    with pytest.raises(DataError, match=r"behaviors\.tsv: expected rows"):
        load_mind(written(tmp_path, behaviors))


def test_a_test_set_is_refused_for_having_no_labels(tmp_path: Path) -> None:
    """What MINDlarge_test holds: candidates that do not say whether they were clicked."""
    rows = "1\tU1\t11/15/2019 8:55:22 AM\tN1 N2\tN3 N4\n2\tU2\t11/15/2019 9:55:22 AM\t\tN4\n"
    with pytest.raises(DataError, match=r"no candidate says whether it was clicked .* take the training"):
        load_mind(written(tmp_path, rows))


def test_readers_without_a_history_are_read(tmp_path: Path) -> None:
    """As in MINDlarge: an empty field is a reader who has read nothing yet, and all of them may be new."""
    log = load_mind(written(tmp_path, "1\tU1\t11/9/2019 12:01:00 AM\t\tN3-1 N4-0\n"))
    assert (log.summary.impressions, log.summary.start_ms) == (1, FIRST_MS - 60_000)
    check_log(log)


def test_a_truncated_archive_is_an_error(tmp_path: Path) -> None:
    """Half a gzip file must not pass for a shorter log."""
    written(tmp_path)
    packed = gzip.compress(ORIGINAL_NEWS.encode())
    (tmp_path / "news.tsv").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(DataError, match=r"news\.tsv: expected text, plain or packed"):
        load_mind(tmp_path)


@pytest.mark.data
def test_the_real_sample_is_read_whole() -> None:
    """Every row of the sample is understood, and its order rules hold."""
    log = load_mind(stored("mind_sample"))
    assert (log.summary.impressions, log.summary.users, rejected(log)) == (5_630, 5_126, {})
    assert log.summary.events["impression"] == 208_726
    assert log.summary.end_ms - log.summary.start_ms < 7 * 86_400_000
    check_log(log)
