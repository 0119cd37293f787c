"""`streamrec audit` on a real Kafka: a running worker passes, and what is planted is named."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from click.testing import CliRunner, Result
from on_kafka import article, event, read, send, settled, until

from streamrec.cli.audit import audit
from streamrec.contracts.partitioner import partition_of
from streamrec.errors import KafkaError
from streamrec.kafka.topics import changelog_topic, create
from streamrec.operations.audit.findings import RULES
from streamrec.partition.changelog_meta import CURSOR_KEY
from streamrec.settings import Settings, to_environ
from streamrec.tools.worker_process import value, worker_process

pytestmark = pytest.mark.kafka

USERS = [f"reader{number}" for number in range(20)]


@pytest.fixture
def cluster(settings_for_test: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings under which clicks lead to pushes, in the environment as an operator gives them."""
    settings = settings_for_test.changed(min_score=0.0, min_affinity=0.0)
    for name, text in to_environ(settings).items():
        monkeypatch.setenv(name, text)
    return settings


async def run(*arguments: str) -> Result:
    """The command as from a shell; in a thread, since it starts a loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, audit, list(arguments))


def summary(result: Result) -> Any:
    """The last line."""
    return json.loads(result.stdout.splitlines()[-1])


def broken(result: Result) -> set[str]:
    """Names of the broken rules."""
    return {rule for rule, count in summary(result)["violations"].items() if count}


async def plant(settings: Settings, topic: str, partition: int, key: bytes, raw: bytes, abort: bool = False) -> None:
    """One record where no worker would write it."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.brokers, transactional_id=f"{settings.group_id}-planted")
    await producer.start()
    try:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, key=key, value=raw, partition=partition)
        await (producer.abort_transaction() if abort else producer.commit_transaction())
    finally:
        await producer.stop()
    await settled(settings, topic)


async def test_a_worker_at_work_passes_and_planted_violations_are_named(cluster: Settings, tmp_path: Path) -> None:
    """Exit code 0 while clicks become pushes; then 1, with each rule, its place, and no user's name unless asked."""
    await create(cluster)
    with worker_process(cluster, tmp_path / "worker.log") as worker:
        await asyncio.to_thread(worker.wait_ready)
        await send(cluster, [article(f"a{number}") for number in range(6)])
        await until(lambda: value(worker.series(), "streamrec_catalog_articles") >= 6)
        clicking = asyncio.create_task(send(cluster, (event(user, "a0") for user in USERS * 100), pause_s=0.1))
        await until(lambda: value(worker.series(), "streamrec_pushes_total") >= 3)
        assert (first := await run()).exit_code == 0, first.output
        await clicking
        await until(lambda: value(worker.series(), "streamrec_pushes_total") >= len(USERS))
        result = await run("--since", "1h")
        assert result.exit_code == 0, result.output
        assert summary(result)["ok"]
        assert summary(result)["checked"]["duplicate_push"] >= len(USERS)
        assert summary(result)["checked"]["cursor_beyond_end"] >= 2 * cluster.partitions
        assert await asyncio.to_thread(worker.stop) == 0

    changelog, push = changelog_topic(cluster), cluster.topic("push")
    records = await read(cluster, changelog, cluster.partitions)
    rows = {record.key: record for record in records if record.key and not record.key.startswith(b"\xff")}
    cursor = next(json.loads(record.value) for record in reversed(records) if record.key == CURSOR_KEY)
    await plant(cluster, push, 0, b"x", b"{", abort=True)
    assert (await run("--json")).exit_code == 0

    pushed = (await read(cluster, push, cluster.partitions))[0]
    await plant(cluster, push, pushed.partition, pushed.key, pushed.value)
    await plant(cluster, changelog, partition_of("zed", cluster.partitions), b"zed", b"a row of another release")
    cursor["cursor"] |= {"events": 1_000_000, "catalog": 1_000_000}
    await plant(cluster, changelog, 0, CURSOR_KEY, json.dumps(cursor).encode())
    row = rows[USERS[0].encode()]
    await plant(cluster, changelog, (row.partition + 1) % cluster.partitions, row.key, row.value)
    result = await run()
    assert result.exit_code == 1
    doubled = {"duplicate_push", "already_pushed", "min_interval"}
    strayed = {"wrong_partition", "user_in_two_partitions"}
    assert broken(result) == doubled | strayed | {"unknown_layout", "cursor_beyond_end"}
    assert summary(result)["violations"]["cursor_beyond_end"] == 2
    assert f"changelog-{row.partition + 1 & 3} @ " in result.stdout
    assert "events at 1000000, the topic ends at " in result.stdout
    assert not [user for user in USERS if user in result.stdout]
    assert USERS[0] in (await run("--show-users")).stdout


async def test_json_is_one_line_with_every_rule(cluster: Settings) -> None:
    """On topics nobody has written to nothing is judged, and nothing broken."""
    await create(cluster)
    result = await run("--json")
    assert (result.exit_code, result.stdout.count("\n")) == (0, 1)
    assert summary(result) == {"checked": dict.fromkeys(RULES, 0), "violations": dict.fromkeys(RULES, 0), "ok": True}


async def test_a_cluster_that_cannot_be_checked_is_not_called_broken(
    cluster: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No topics, or other counts than the settings say: an error that names the cure (exit code 2 of the program)."""
    assert "streamrec topics create" in str((await run()).exception)
    await create(cluster)
    monkeypatch.setenv("STREAMREC_PARTITIONS", "5")
    result = await run()
    assert isinstance(result.exception, KafkaError)
    assert "has 4 partitions, STREAMREC_PARTITIONS is 5" in str(result.exception)


async def test_since_takes_a_length_of_time() -> None:
    """Anything else is refused before a broker is asked."""
    result = await run("--since", "yesterday")
    assert result.exit_code == 2
    assert "like 24h" in result.output
