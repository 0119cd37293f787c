"""`streamrec bench recovery` really recovers what it says, on both sides."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.kafka


def test_both_sides_recover(kafka: str) -> None:
    """A tiny run ends with one JSON line; a side that recovers nothing ends it with an error."""
    tiny = ["--users", "300", "--dirty", "500", "--stock", "400", "--brokers", kafka]
    command = [sys.executable, "-m", "streamrec", "bench", "recovery", *tiny]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["users"] == 300
    assert found["dirty"] == 500
    assert found["us_per_record"] > 0
    assert found["stock_us_per_record"] > 0
