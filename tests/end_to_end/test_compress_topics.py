"""From the topics of a running system to a compressed ranker of its teacher, by command."""

import asyncio
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from streamrec.__main__ import cli
from streamrec.datasets.simulated.log import SimulatedLog
from streamrec.kafka.topics import create
from streamrec.settings import Settings
from streamrec.tools.replay.producer_records import groups
from streamrec.tools.replay.publish import publish

pytestmark = pytest.mark.kafka

HOUR = 3_600_000
UNTIL = "2027-01-01"


def test_what_learned_from_topics_is_compressed_on_them(
    settings_for_test: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A teacher, and a recipe; its log is known, so that no other one is taken for it."""
    settings = settings_for_test.changed(policy_time="event")
    monkeypatch.setenv("STREAMREC_BROKERS", settings.brokers)
    monkeypatch.setenv("STREAMREC_TOPIC_PREFIX", settings.topic_prefix)
    monkeypatch.setenv("STREAMREC_POLICY_TIME", "event")

    async def fill() -> None:
        await create(settings)
        await publish(groups(SimulatedLog(seed=3, n_users=150, hours=30), HOUR), settings, None)

    asyncio.run(fill())
    teacher, recipe = tmp_path / "teacher", "student(8) > distil(0) > int8"
    taught = ["train", "topics", "--until", UNTIL, "--teacher", "--epochs", "1", "--out", f"{teacher}"]
    topics = ["--log", "topics", "--until", UNTIL, "--teacher", f"{teacher}", "--max-loss", "50%"]
    run = ["compress", "run", recipe, *topics, "--epochs", "1", "--out", f"{tmp_path / 'small'}"]
    for command in (taught, run):
        done = CliRunner().invoke(cli, command, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        assert orjson.loads(done.stdout.splitlines()[-1])
    assert (tmp_path / "small" / "manifest.json").exists()
    other = CliRunner().invoke(cli, [*run, "--log", "simulated"])
    assert "the model was trained on 'topics'" in str(other.exception)
