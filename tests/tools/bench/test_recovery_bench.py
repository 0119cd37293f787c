"""`streamrec bench recovery` really recovers what it says, on both sides."""

import json

import pytest
from click.testing import CliRunner

from streamrec.__main__ import cli

pytestmark = pytest.mark.kafka


def test_both_sides_recover(kafka: str) -> None:
    """A tiny run ends with one JSON line; a side that recovers nothing ends it with an error."""
    tiny = ["--users", "300", "--dirty", "500", "--stock", "400", "--brokers", kafka]
    done = CliRunner().invoke(cli, ["bench", "recovery", *tiny])
    assert done.exit_code == 0, (done.stderr, done.exception)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["users"] == 300
    assert found["dirty"] == 500
    assert found["us_per_record"] > 0
    assert found["stock_us_per_record"] > 0
