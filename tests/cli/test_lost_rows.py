"""What a log's rows came to, as the commands that play logs say it."""

from pathlib import Path

from click.testing import CliRunner, Result

from streamrec.__main__ import cli
from streamrec.errors import DataError

NEWS = "".join(f"N{n}\tsports\tgolf\tTitle {n}\tAbout {n}\t\t[]\t[]\n" for n in range(1, 6))


def replay(folder: Path, times: list[str], *options: str, news: str = NEWS) -> Result:
    """Replay a MIND log with a row at each of these times."""
    rows = [f"{n}\tU{n}\t{time}\tN1 N2\tN3-1 N4-0\n" for n, time in enumerate(times)]
    (folder / "behaviors.tsv").write_text("".join(rows))
    (folder / "news.tsv").write_text(news)
    return CliRunner().invoke(cli, ["replay", "mind", str(folder), "--no-broker", *options])


def test_a_log_of_which_half_is_lost_stops_the_command(tmp_path: Path) -> None:
    """It ended with exit code 0 and not a word; now it names reason, count and cure, and goes on when told to."""
    times = ["11/9/2019 14:03:21", "11/9/2019 2:03:21 PM", "yesterday", "yesterday"]
    lost = "behaviors: 2 of 4 rows not read: no time like 11/9/2019 2:03:21 PM (2, first in line 3)"
    stopped = replay(tmp_path, times)
    assert isinstance(stopped.exception, DataError)
    assert lost in stopped.stderr
    assert "50.0% of the rows" in str(stopped.exception)
    allowed = replay(tmp_path, times, "--allow-rejected", "51%")
    assert (allowed.exit_code, lost in allowed.stderr) == (0, True)
    assert replay(tmp_path, times, "--allow-rejected", "most").exit_code == 2


def test_a_log_that_is_read_whole_says_nothing(tmp_path: Path) -> None:
    """Eviction means that nothing was lost."""
    done = replay(tmp_path, ["11/9/2019 14:03:21"])
    assert (done.exit_code, "rows" in done.stderr) == (0, False)


def test_a_log_in_which_nothing_meets_stops_the_command(tmp_path: Path) -> None:
    """Ids with a letter in one file and without it in the other."""
    stopped = replay(tmp_path, ["11/9/2019 14:03:21"], news=NEWS.replace("N", ""))
    assert isinstance(stopped.exception, DataError)
    assert "ids like N#, articles have ids like #" in str(stopped.exception)
