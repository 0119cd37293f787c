"""`streamrec bench pipeline`, tiny: every contestant does all of its work, and the last line is what CI reads."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from streamrec.engine.profiles.layout import ROW

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

EVENTS = 2000
KEYS = {
    "ratio_to_stock_faust",
    "ratio_to_raw_aiokafka",
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


def bench(brokers: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """A run of one round."""
    tiny = ["--events", str(EVENTS), "--rounds", "1", "--pace-s", "1", "--brokers", brokers]
    command = [sys.executable, "-m", "streamrec", "bench", "pipeline", *tiny]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environ})


@pytest.fixture(scope="module")
def last_line(kafka: str) -> dict[str, Any]:
    """What a tiny run ends with."""
    done = bench(kafka)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_last_line_has_every_figure(last_line: dict[str, Any]) -> None:
    """The last line is one JSON object with the promised keys; row and user have a size."""
    assert last_line.keys() >= KEYS
    assert last_line["row_bytes"] == ROW.itemsize
    assert last_line["bytes_per_user"] > last_line["row_bytes"]


@pytest.mark.parametrize("name", ["stock faust", "raw aiokafka", "streamrec"])
def test_every_contestant_did_its_work(last_line: dict[str, Any], name: str) -> None:
    """A contestant that leaves events undone ends the bench with an error; one that pushes nobody did not decide."""
    (measured,) = last_line["rounds"][name]
    assert measured["events_per_s"] > 0
    assert measured["cpu_us_per_event"] >= 0  # the kernel counts CPU in ticks of 10 ms
    assert 0 <= measured["p50_ms"] <= measured["p99_ms"]
    assert measured["pushes"] > 0


def test_missing_broker_is_one_readable_line() -> None:
    """Without a broker the command says where it looked, and the cure."""
    done = bench("127.0.0.1:1", STREAMREC_BROKER_WAIT_S="0")
    assert done.returncode == 2
    assert "KafkaError: no broker answers at 127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr
