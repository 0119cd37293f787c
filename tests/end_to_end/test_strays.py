"""Opt-outs in the events of another partition, behind its own backlog, count before anybody is pushed."""

import asyncio
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from on_kafka import Sent, article, event, read, rows_by_user, send, until

from streamrec.contracts.partitioner import partition_of
from streamrec.kafka.log import KafkaLog
from streamrec.kafka.topics import create
from streamrec.settings import Settings
from streamrec.tools.worker_process import worker_process
from streamrec.worker.strays import Strays

pytestmark = pytest.mark.kafka
BACKLOG = 60_000  # seconds of work: longer than the article takes


def about(name: str) -> Sent:
    """One of several articles on one subject, each a story of its own."""
    return article(name, title=f"{name} telescope finds {name}q planet {name}r beyond {name}s")


async def follow(settings: Settings, offset: int) -> None:
    """Let the group stand at this offset of partition 0, as a worker does that has committed so far."""
    async with AIOKafkaConsumer(
        bootstrap_servers=settings.brokers, group_id=settings.group_id, enable_auto_commit=False
    ) as group:
        tp = TopicPartition(settings.topic("events"), 0)
        group.assign([tp])
        await group.commit({tp: OffsetAndMetadata(offset, "")})


async def test_strays_are_waited_for_until_all_are_sent_on(settings_for_test: Settings) -> None:
    """Partitions that ask together are answered together, once the group has passed what stood there."""
    settings = settings_for_test
    await create(settings)
    strays = Strays(settings, KafkaLog(settings))
    await send(settings, [event("ann", "a1")._replace(partition=0)] * 3)
    await asyncio.wait_for(asyncio.gather(strays.sent_on(), strays.sent_on()), 10)  # nothing was ever sent on
    await send(settings, [Sent("rerouted", b"ann", event("ann", "a1").value, 1)])
    await follow(settings, 2)
    waiting = asyncio.gather(strays.sent_on(), strays.sent_on())
    await asyncio.sleep(1.0)
    assert not waiting.done()
    await follow(settings, 3)
    await asyncio.wait_for(waiting, 10)
    await asyncio.wait_for(strays.sent_on(), 10)


def test_after_an_outage_no_stray_no_comes_too_late(settings_for_test: Settings, tmp_path: Path) -> None:
    """Readers of other partitions left meanwhile; all of them said so in partition 0, last of all."""
    settings = settings_for_test.changed(min_interval_s=0.0, min_score=0.0, min_affinity=0.05)
    asyncio.run(create(settings))
    homes = {f"u{n}": partition_of(f"u{n}", settings.partitions) for n in range(60)}
    away = [user for user, home in homes.items() if home]
    stays, leave, busy = away[:3], away[3:23], next(user for user, home in homes.items() if not home)
    with worker_process(settings, tmp_path / "first.log") as worker:
        worker.wait_ready()
        asyncio.run(send(settings, [about("a1")]))
        asyncio.run(send(settings, [event(user, "a1")._replace(partition=0) for user in stays + leave]))
        asyncio.run(until(lambda: _known(settings, {*stays, *leave})))
        worker.kill()
    asyncio.run(send(settings, [event(busy, "a1", "impression")._replace(partition=0)] * BACKLOG))
    asyncio.run(send(settings, [event(user, "", "unsubscribe")._replace(partition=0) for user in leave]))
    asyncio.run(send(settings, [about("a2")]))
    with worker_process(settings, tmp_path / "second.log") as worker:
        worker.wait_ready()
        asyncio.run(until(lambda: _all_got(settings, set(stays))))
        assert asyncio.run(_got(settings)) == set(stays)


async def _known(settings: Settings, users: set[str]) -> bool:
    return users <= set(await rows_by_user(settings))


async def _got(settings: Settings) -> set[str]:
    return {push.key.decode() for push in await read(settings, settings.topic("push")) if b'"a2"' in push.value}


async def _all_got(settings: Settings, users: set[str]) -> bool:
    return users <= await _got(settings)
