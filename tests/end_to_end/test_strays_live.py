"""Opt-outs that strayed count while their partition stands still, not only at a takeover."""

import asyncio
import os
import signal
import zlib
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from on_kafka import Sent, article, event, read, rows_by_user, send, until

from streamrec.clock import now_ms
from streamrec.contracts.partitioner import partition_of
from streamrec.kafka.log import KafkaLog
from streamrec.kafka.topics import create
from streamrec.operations.audit.checks import check
from streamrec.operations.audit.reader import read as read_facts
from streamrec.settings import Settings
from streamrec.tools.worker_process import WorkerProcess, value
from streamrec.worker.strays import Strays

pytestmark = pytest.mark.kafka


def about(name: str) -> Sent:
    """One of several articles on one subject, each a story of its own."""
    return article(name, title=f"{name} telescope finds {name}q planet {name}r beyond {name}s")


def by_crc32(settings: Settings, user: str) -> int:
    """Where librdkafka puts a key unless told otherwise."""
    return zlib.crc32(user.encode()) % settings.partitions


def owned(worker: WorkerProcess) -> set[int]:
    """Partitions of a worker, as it says."""
    _, body = worker.get("/ready")
    return set(orjson.loads(body)["partitions"]) if body else set()


def held(worker: WorkerProcess) -> float:
    """Partitions whose pushes wait for strays."""
    series = worker.series()
    return sum(series[f'streamrec_pushes_held_back{{partition="{n}",reason="strays"}}'] for n in owned(worker))


async def pushed(settings: Settings, article_id: str) -> set[str]:
    """Who got it."""
    pushes = await read(settings, settings.topic("push"))
    return {push.key.decode() for push in pushes if orjson.loads(push.value)["article_id"] == article_id}


async def both_at_work(settings: Settings, workers: list[WorkerProcess]) -> tuple[WorkerProcess, WorkerProcess]:
    """The one that analyses articles, and the other one."""
    for worker in workers:
        worker.ensure()
    everything = set(range(settings.partitions))
    await until(lambda: all(map(owned, workers)) and owned(workers[0]) | owned(workers[1]) == everything)
    await send(settings, [about("a1")])
    await until(lambda: any(value(worker.series(), "streamrec_articles_total") for worker in workers))
    workers.sort(key=lambda worker: value(worker.series(), "streamrec_articles_total"))
    return workers[1], workers[0]


async def known(settings: Settings, users: set[str]) -> bool:
    """Whether all have a row."""
    return users <= set(await rows_by_user(settings))


async def in_catalog(settings: Settings, article_id: str) -> bool:
    """Whether every partition may have read it."""
    keys = [record.key for record in await read(settings, settings.topic("catalog"))]
    return keys.count(article_id.encode()) == settings.partitions


async def scene(settings: Settings, workers: list[WorkerProcess]) -> None:
    """One worker stands still for longer than pushes may lag, but not for its session; its partitions hold opt-outs."""
    await create(settings)
    live, stalled = await both_at_work(settings, workers)
    homes, away = owned(live), owned(stalled)
    users = [
        user
        for user in map("u{}".format, range(1000))
        if partition_of(user, settings.partitions) in homes and by_crc32(settings, user) in away
    ]
    stay, leave = users[:3], users[3:23]
    await send(settings, [event(user, "a1")._replace(partition=by_crc32(settings, user)) for user in stay + leave])
    await until(lambda: known(settings, {*stay, *leave}))
    os.kill(stalled.pid, signal.SIGSTOP)
    try:
        noes = [event(user, "", "unsubscribe")._replace(partition=by_crc32(settings, user)) for user in leave]
        await send(settings, noes)
        await until(lambda: held(live) == len(homes), 20)
        await send(settings, [about("a2")])
        await until(lambda: in_catalog(settings, "a2"))
        await until(lambda: "pushes are held back: events-" in live.log_path.read_text(), 20)
        assert await pushed(settings, "a2") == set()
    finally:
        os.kill(stalled.pid, signal.SIGCONT)
    await until(lambda: got_it(settings, "a2", set(stay)))
    assert await pushed(settings, "a2") == set(stay)
    await until(lambda: "pushes leave again" in live.log_path.read_text(), 20)
    await until(lambda: held(live) == 0)
    assert not [worker.restarts for worker in workers if worker.restarts]
    findings = {found.rule: found for found in check(await read_facts(settings), settings, now_ms(), skew_ms=0)}
    assert not any(found.violations for found in findings.values())


async def got_it(settings: Settings, article_id: str, users: set[str]) -> bool:
    """Whether all of these did."""
    return users <= await pushed(settings, article_id)


def test_a_stray_no_holds_while_its_partition_stands_still(settings_for_test: Settings, tmp_path: Path) -> None:
    """Nobody is pushed to until the other worker goes on and what it holds is applied; then pushes leave again."""
    settings = settings_for_test.changed(
        session_timeout_s=60.0, max_push_lag_s=4.0, min_interval_s=0.0, min_score=0.0, min_affinity=0.05
    )
    workers = [WorkerProcess(settings, tmp_path / f"log-{number}") for number in range(2)]
    try:
        asyncio.run(scene(settings, workers))
    finally:
        for worker in workers:
            worker.stop()


async def follow(settings: Settings, offset: int) -> None:
    """Let the group stand at this offset of partition 0, as a worker does that has committed so far."""
    async with AIOKafkaConsumer(
        bootstrap_servers=settings.brokers, group_id=settings.group_id, enable_auto_commit=False
    ) as group:
        tp = TopicPartition(settings.topic("events"), 0)
        group.assign([tp])
        await group.commit({tp: OffsetAndMetadata(offset, "")})


async def watched(settings: Settings) -> tuple[Strays, "asyncio.Task[None]"]:
    """As a worker does."""
    await create(settings)
    strays = Strays(settings.changed(max_push_lag_s=0.1), KafkaLog(settings))
    return strays, asyncio.create_task(strays.watch())


async def test_a_partition_that_nobody_owns_is_behind(settings_for_test: Settings) -> None:
    """The group has no offset there: what stands in it was never applied, until somebody does."""
    settings = settings_for_test
    strays, watching = await watched(settings)
    await send(settings, [event("ann", "a1")._replace(partition=0)] * 3)
    await send(settings, [Sent("rerouted", b"ann", event("ann", "a1").value, 1)])
    assert await asyncio.wait_for(strays.too_late(), 30) == "strays"
    assert strays.why().startswith("events-0 is behind by 3 records, the oldest for ")
    await follow(settings, 2)
    await until(lambda: strays.why().startswith("events-0 is behind by 1 records"))
    await follow(settings, 3)
    await until(lambda: not strays.why())
    watching.cancel()


async def test_where_nothing_ever_strayed_nobody_is_late(settings_for_test: Settings) -> None:
    """However far a partition is behind; from the first stray on it counts."""
    settings = settings_for_test
    strays, watching = await watched(settings)
    await send(settings, [event("ann", "a1")._replace(partition=0)])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(strays.too_late(), 6)
    await send(settings, [Sent("rerouted", b"ann", event("ann", "a1").value, 1)])
    assert await asyncio.wait_for(strays.too_late(), 30) == "strays"
    watching.cancel()


async def test_markers_at_the_end_are_nothing_to_wait_for(settings_for_test: Settings) -> None:
    """A producer of events may write in transactions; no offset of the group follows what it aborted."""
    settings = settings_for_test
    strays, watching = await watched(settings)
    async with AIOKafkaProducer(bootstrap_servers=settings.brokers, transactional_id=settings.group_id) as producer:
        for committed in (True, False, False):
            await producer.begin_transaction()
            await producer.send_and_wait(settings.topic("events"), event("ann", "a1").value, b"ann", partition=0)
            await (producer.commit_transaction() if committed else producer.abort_transaction())
    await send(settings, [Sent("rerouted", b"ann", event("ann", "a1").value, 1)])
    assert await asyncio.wait_for(strays.too_late(), 30) == "strays"
    await follow(settings, 1)
    await until(lambda: not strays.why())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(strays.too_late(), 6)
    await asyncio.wait_for(strays.sent_on(), 20)
    watching.cancel()
