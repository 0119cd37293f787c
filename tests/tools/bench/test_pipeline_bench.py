"""`streamrec bench pipeline`, tiny: every contestant does all of its work, and the last line is what CI reads."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from streamrec.__main__ import cli
from streamrec.engine.profiles.layout import ROW
from streamrec.errors import KafkaError
from streamrec.tools.bench.pipeline import BASELINES

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(480)]

EVENTS = 2000
KEYS = {
    "bench",
    "conditions",
    "left_out",
    "ratios",
    "events_per_s",
    "cpu_us_per_event",
    "p50_ms",
    "p99_ms",
    "row_bytes",
    "bytes_per_user",
    "rounds",
    "commit",
    "machine",
}


@pytest.fixture(scope="module")
def last_line(kafka: str) -> dict[str, Any]:
    """What a tiny run ends with."""
    tiny = ["--events", str(EVENTS), "--rounds", "1", "--pace-s", "1", "--brokers", kafka]
    done = CliRunner().invoke(cli, ["bench", "pipeline", *tiny])
    assert done.exit_code == 0, (done.stderr, done.exception)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_last_line_has_every_figure(last_line: dict[str, Any]) -> None:
    """The last line is one JSON object with the promised keys; row and user have a size."""
    assert last_line.keys() >= KEYS
    assert last_line["row_bytes"] == ROW.itemsize
    assert last_line["bytes_per_user"] > last_line["row_bytes"]


@pytest.mark.parametrize("name", [*BASELINES, "streamrec"])
def test_every_contestant_did_its_work(last_line: dict[str, Any], name: str) -> None:
    """A contestant that leaves events undone ends the bench with an error; one that pushes nobody did not decide."""
    if name in last_line["left_out"]:
        pytest.skip(last_line["left_out"][name])
    (measured,) = last_line["rounds"][name]
    assert measured["events_per_s"] > 0
    assert measured["cpu_us_per_event"] >= 0  # the kernel counts CPU in ticks of 10 ms
    assert 0 <= measured["p50_ms"] <= measured["p99_ms"]
    assert measured["broker_cpu_us_per_event"] is None  # of a broker that is not the bench's own nobody knows
    assert measured["pushes"] > 0


def test_the_ratio_to_each_contestant_stands_in_the_last_line(last_line: dict[str, Any]) -> None:
    """By events a second and by events a second of CPU; of one round without an interval."""
    assert last_line["ratios"].keys() == set(BASELINES) - last_line["left_out"].keys()
    ours = last_line["rounds"]["streamrec"][0]["events_per_s"]
    for name, found in last_line["ratios"].items():
        theirs = last_line["rounds"][name][0]["events_per_s"]
        assert found["events_per_s"] == {"median": pytest.approx(ours / theirs, rel=1e-3), "low": None, "high": None}
        assert found.keys() == {"events_per_s", "events_per_cpu_s"}


def test_missing_broker_is_one_readable_line() -> None:
    """Without a broker the command says where it looked, and the cure."""
    command = ["bench", "pipeline", "--brokers", "127.0.0.1:1"]
    done = CliRunner().invoke(cli, command, env={"STREAMREC_BROKER_WAIT_S": "0"})
    assert isinstance(done.exception, KafkaError)
    assert "no broker answers at 127.0.0.1:1" in str(done.exception)
