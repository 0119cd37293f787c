"""`streamrec bench history`: figures by commit, and whether one fell by more than the noise."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from streamrec.__main__ import cli
from streamrec.errors import DataError
from streamrec.tools.bench.history import compared, kept


def run(commit: str, low: float | None, high: float | None, **more: Any) -> dict[str, Any]:
    """The last line of a benchmark with one ratio."""
    bounds = {"median": 1.0, "low": low, "high": high}
    ratios = {"raw aiokafka": {"events_per_s": bounds}}
    return {"bench": "pipeline", "commit": commit, "machine": "two cores", "ratios": ratios, **more}


def history(path: Path, *lines: dict[str, Any]) -> Result:
    """Each added as the end of a benchmark's output; the last answer."""
    for line in lines:
        done = CliRunner().invoke(
            cli, ["bench", "history", str(path), "--add", "-"], input=f"a table\n{json.dumps(line)}\n"
        )
    return done


def test_what_overlaps_is_noise_and_what_lies_below_is_a_fall(tmp_path: Path) -> None:
    """Exit code 1 for a fall, with the name of the ratio and of the commit that was faster."""
    path = tmp_path / "figures.jsonl"
    fine = history(path, run("aaa", 0.45, 0.50), run("bbb", 0.40, 0.46))
    assert fine.exit_code == 0, fine.output
    assert json.loads(fine.stdout.splitlines()[-1])["falls"] == []

    fallen = history(path, run("ccc", 0.30, 0.39))
    assert fallen.exit_code == 1
    last = json.loads(fallen.stdout.splitlines()[-1])
    assert (last["bench"], last["of"], last["falls"]) == ("history", "ccc", ["events_per_s, raw aiokafka"])
    assert "aaa" in fallen.stdout
    assert "fell by more than the noise" in fallen.stdout
    assert [json.loads(line)["commit"] for line in path.read_text().splitlines()] == ["aaa", "bbb", "ccc"]


def test_a_slow_slide_is_seen_though_no_step_is() -> None:
    """The best of all earlier commits counts, not the last."""
    steps = [run(f"c{step}", 1.0 - 0.05 * step, 1.1 - 0.05 * step) for step in range(4)]
    assert not any(each.has_fallen for number in (2, 3) for each in compared(steps[:number]))
    (found,) = compared(steps)
    assert found.has_fallen
    assert found.commit == "c0"


@pytest.mark.parametrize("other", [{"machine": "four"}, {"conditions": {"events": 5}}, {"bench": "guarantees"}])
def test_only_the_same_bench_on_the_same_machine_is_compared(other: dict[str, Any]) -> None:
    """A smaller machine or another load is no fall of the program."""
    (found,) = compared([run("aaa", 2.0, 3.0, **other), run("bbb", 0.4, 0.5)])
    assert found.best is None
    assert not found.has_fallen


def test_another_run_of_the_same_commit_is_no_earlier_one() -> None:
    """Two runs of one commit differ by noise alone."""
    (found,) = compared([run("aaa", 2.0, 3.0), run("aaa", 0.4, 0.5)])
    assert not found.has_fallen


def test_ratios_without_an_interval_are_kept_but_not_compared(tmp_path: Path) -> None:
    """Of fewer than six rounds nobody knows the noise."""
    path = tmp_path / "figures.jsonl"
    done = history(path, run("aaa", 2.0, 3.0), run("bbb", None, None))
    assert done.exit_code == 0
    assert json.loads(done.stdout.splitlines()[-1])["compared"] == 0
    assert len(kept(path)) == 2


def test_what_is_no_figure_is_refused_and_not_kept(tmp_path: Path) -> None:
    """A benchmark that failed leaves no line, and the file stays as it was."""
    path = tmp_path / "figures.jsonl"
    with pytest.raises(DataError, match="holds no run"):
        kept(path)
    for output in ("", "a table", "[]", '{"events": 3}'):
        with pytest.raises(DataError, match="not the last line of a benchmark"):
            kept(path, output)
    assert not path.exists()
    path.write_text("{}\n")
    with pytest.raises(DataError, match="line 1"):
        kept(path)
