"""What `streamrec chaos` prints of a run that failed."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streamrec.cli import chaos
from streamrec.cli.chaos import SHOWN
from streamrec.errors import DataError
from streamrec.tools.chaos import cluster_run
from streamrec.tools.chaos.cluster_run import Outcome
from streamrec.tools.chaos.verdict import Verdict


@pytest.mark.parametrize(("count", "lines"), [(0, 0), (SHOWN, SHOWN), (SHOWN + 1, SHOWN + 1), (300, SHOWN + 1)])
def test_a_failing_run_fits_a_screen(count: int, lines: int, capsys: pytest.CaptureFixture[str]) -> None:
    """The first findings, and how many more there are."""
    verdict = Verdict(runs=1)
    for number in range(count):
        verdict.violate(f"the row of u{number} differs")
    chaos._tell(7, Outcome("kill", verdict, {1: 2}, 3.0))
    head, *found = capsys.readouterr().out.splitlines()
    assert ("FAILED" in head) == (count > 0)
    assert "exits: 2 x 1" in head
    assert len(found) == lines
    assert count <= SHOWN or found[-1].strip() == f"and {count - SHOWN} more like these"


def test_topics_that_stay_are_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    """By what their names begin with, so that they can be looked into and deleted."""
    chaos._tell(7, Outcome("kill", Verdict(runs=1), {}, 3.0, kept="chaos-7-ab12cd."))
    assert "still there: chaos-7-ab12cd.*" in capsys.readouterr().out


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Seeds of runs that were played; odd ones fail."""
    seeds: list[int] = []

    async def run(_settings: object, _kafka: object, seed: int, folder: Path, *_: object) -> Outcome:
        seeds.append(seed)
        (folder / "worker.log").write_text("what happened")
        verdict = Verdict(runs=1)
        if seed % 2:
            verdict.violate("a row differs")
        return Outcome("kill", verdict, {}, 1.0)

    monkeypatch.setattr(cluster_run, "cluster_run", run)
    return seeds


def on_a_cluster(seed: int, runs: int, evidence: Path) -> Result:
    """So many runs from this seed."""
    given = ["--runs", str(runs), "--seed", str(seed), "--brokers", "localhost:1", "--evidence", str(evidence)]
    return CliRunner().invoke(chaos.chaos, given)


@pytest.mark.parametrize("name", ["file/below", "x" * 300])
def test_evidence_that_cannot_be_written_is_said_before_the_first_run(
    name: str, tmp_path: Path, played: list[int]
) -> None:
    """Afterwards the logs of a failing run would be gone."""
    (tmp_path / "file").touch()
    result = on_a_cluster(1, 2, tmp_path / name)
    assert isinstance(result.exception, DataError)
    assert "cannot be written" in str(result.exception)
    assert "choose another --evidence" in str(result.exception)
    assert not played
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_evidence_is_there_where_a_run_failed_and_nowhere_else(tmp_path: Path, played: list[int]) -> None:
    """No empty folder is left of runs that held."""
    assert on_a_cluster(1, 2, tmp_path / "some" / "evidence").exit_code == 1
    assert [path.name for path in (tmp_path / "some" / "evidence").iterdir()] == ["seed-1"]
    assert on_a_cluster(2, 1, tmp_path / "other" / "evidence").exit_code == 0
    assert played == [1, 2, 2]
    assert [path.name for path in tmp_path.iterdir()] == ["some"]
    assert (tmp_path / "some" / "evidence" / "seed-1" / "worker.log").read_text() == "what happened"


@pytest.mark.parametrize(
    "given",
    [
        ["--runs", "1", "--nodes", "3", "--brokers", "localhost:1"],
        ["--simulate", "1", "--nodes", "3"],
        ["--runs", "1", "--kafka-version", "4.4.0", "--brokers", "localhost:1"],
        ["--runs", "1", "--nodes", "3", "--network", "resets"],
    ],
)
def test_what_only_a_kafka_of_its_own_can_be_is_refused_elsewhere(given: list[str], played: list[int]) -> None:
    """Said before anything starts: a run on another Kafka than was asked for would prove something else."""
    result = CliRunner().invoke(chaos.chaos, given)
    assert result.exit_code == 2
    assert "on a Kafka of their own" in result.output
    assert not played


def test_a_fault_that_is_not_there_is_told_with_those_that_are(tmp_path: Path, played: list[int]) -> None:
    """Those of brokers are not for a cluster that is not ours."""
    given = ["--runs", "1", "--brokers", "localhost:1", "--evidence", str(tmp_path), "--fault"]
    refused = CliRunner().invoke(chaos.chaos, [*given, "disk_full"])
    assert refused.exit_code == 2
    assert "--fault is 'disk_full'; expected one of kill, terminate" in refused.output
    assert not played
    assert CliRunner().invoke(chaos.chaos, [*given, "kill", "--seed", "2"]).exit_code == 0
    assert played == [2]
