"""`streamrec bench article`, with few users: all of them get the article."""

import json
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]


def test_every_user_gets_the_article_once(kafka: str) -> None:
    """Times count from its publication; clicks go on before and meanwhile."""
    command = [sys.executable, "-m", "streamrec", "bench", "article", "--users", "6000", "--per-s", "200"]
    done = subprocess.run([*command, "--brokers", kafka], capture_output=True, text=True, check=False, timeout=200)

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["pushes"] == 6000
    assert 0 < found["first_ms"] <= 1000 * found["all_s"]
    assert found["click_p99_before_ms"] > 0
    assert found["click_p99_during_ms"] > 0
