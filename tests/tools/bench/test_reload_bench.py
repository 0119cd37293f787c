"""`streamrec bench reload` really reloads while it measures."""

import json

import pytest
from click.testing import CliRunner

from streamrec.__main__ import cli
from streamrec.tools.bench.reload import Phase, summary

pytestmark = pytest.mark.kafka


def test_it_reloads_and_reports(kafka: str) -> None:
    """A tiny run ends with one JSON line; a phase without a reload would end it with an error."""
    tiny = ["--per-s", "500", "--seconds", "2", "--rounds", "1", "--brokers", kafka]
    done = CliRunner().invoke(cli, ["bench", "reload", *tiny])
    assert done.exit_code == 0, (done.stderr, done.exception)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["reloads"] >= 1
    assert found["p99_ms"] > 0
    assert found["p99_ms_reloading"] > 0


def test_ratios_are_of_each_round() -> None:
    """Two rounds at different speeds of the machine do not mix."""
    found = {
        "steady": [Phase(10, 20, 1, 0), Phase(100, 200, 1, 0), Phase(10, 20, 1, 0)],
        "reloading": [Phase(10, 30, 1, 2), Phase(100, 300, 1, 2), Phase(10, 30, 1, 2)],
    }
    assert summary(found)["p50_ratio"] == 1
    assert summary(found)["p99_ratio"] == 1.5
    assert summary(found)["reloads"] == 6
