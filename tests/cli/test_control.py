"""`streamrec control` as an editor uses it, on a real broker."""

import asyncio
import json

import click
import pytest
from aiokafka import TopicPartition
from click.testing import CliRunner, Result

from streamrec.cli.control import control
from streamrec.kafka.clients import consumer, producer
from streamrec.kafka.topics import create
from streamrec.settings import Settings

pytestmark = pytest.mark.kafka

HOSTILE = "a\x1b[31m\u202e"


@pytest.fixture
async def cluster(settings_for_test: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The test's settings as a user gives them, and topics."""
    for name in ("brokers", "topic_prefix", "app_id", "partitions"):
        monkeypatch.setenv(f"STREAMREC_{name.upper()}", str(getattr(settings_for_test, name)))
    await create(settings_for_test)
    return settings_for_test


async def run(*arguments: str, command: click.Command = control) -> Result:
    """A command as from a shell."""
    return await asyncio.to_thread(CliRunner().invoke, command, list(arguments))


async def good(*arguments: str) -> str:
    """What a command says that does what it should."""
    done = await run(*arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


async def test_an_editor_steers(cluster: Settings) -> None:
    """What is given stands in every partition, is in effect, and is in the trail with who and why."""
    assert (await run("stop")).exit_code == 2  # without a reason
    assert "everything is stopped; command" in await good("stop", "--why", "wrong alert", "--who", "ann")
    assert "as it was before" in await good("stop", "--why", "I think so, too", "--who", "bob")
    await good("hold", "a1", HOSTILE, "--why", "name\x1b[2J", "--who", "ann", "--for", "2h")
    await good("pin", "min_score", "0.5", "--why", "calm")
    assert (await run("pin", "min_score", "2", "--why", "calm")).exit_code == 2
    assert "is retracted for good" in await good("retract", "a7", "--why", "not true")
    told = json.loads(await good("status", "--json"))
    assert told["stopped"] is True
    assert {(one["kind"], one["name"]) for one in told["in_effect"]} == {
        ("everything", ""), ("article", "a1"), ("article", "a[31m"), ("setting", "min_score"), ("retract", "a7"),
    }  # fmt: skip
    assert "resumed" in await good("resume", "--why", "checked", "--who", "ann")
    assert json.loads(await good("status", "--json"))["stopped"] is False
    assert "article a1" in await good("status")
    async with producer(cluster) as raw:  # by hand, and of no use
        await raw.send_and_wait(cluster.topic("control"), value=b'{"action":"release"}', partition=0)
    lines = [json.loads(line) for line in (await good("log", "--json")).splitlines()]
    assert [line.get("action") for line in lines] == ["stop", "stop", "hold", "hold", "pin", "retract", "resume", None]
    assert [line["at_ms"] for line in lines[:-1]] == sorted(line["at_ms"] for line in lines[:-1])
    assert lines[0]["why"] == "wrong alert"
    shown = await good("log")
    assert "\x1b" not in shown + await good("status")
    assert "unreadable" in shown
    tps = [TopicPartition(cluster.topic("control"), number) for number in range(cluster.partitions)]
    async with consumer(cluster, isolation_level="read_committed") as reading:
        reading.assign(tps)
        await reading.seek_to_beginning(*tps)
        for tp in tps:
            records = (await reading.getmany(tp, timeout_ms=5000))[tp]
            assert len([record for record in records if record.key in (b"a1", b"a7")]) == 2
