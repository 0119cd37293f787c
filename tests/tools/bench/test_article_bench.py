"""`streamrec bench article`, with few users: all of them get the article."""

import json

import pytest
from click.testing import CliRunner

from streamrec.__main__ import cli

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]


def test_every_user_gets_the_article_once(kafka: str) -> None:
    """Times count from its publication; clicks go on before and meanwhile."""
    done = CliRunner().invoke(cli, ["bench", "article", "--users", "6000", "--per-s", "200", "--brokers", kafka])
    assert done.exit_code == 0, (done.stderr, done.exception)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["pushes"] == 6000
    assert 0 < found["first_ms"] <= 1000 * found["all_s"]
    assert found["click_p99_before_ms"] > 0
    assert found["click_p99_during_ms"] > 0
