"""Topics of a run's own, and the load of the benches: clicks, of which 5 % lead to a push.

Every twentieth is the first of a new user. The others are of users who came before, each SPREAD_USERS users earlier
than the last: a user clicks twenty times over some 100,000 clicks of others, 5 s at 20,000/s. Twenty clicks of one user
in 50 ms, which this load once had, are no reader's, and a batch has to apply the clicks of one user one after another.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic

from ...clock import monotonic_s, now_ms
from ...contracts.partitioner import partitions_of
from ...kafka.clients import admin, consumer, producer
from ...settings import Settings, load

ARTICLES = 100
CLICKS_PER_USER = 20
SPREAD_USERS = 250  # new users between two clicks of one
PACED_BATCH = 200  # clicks sent together at most


def own_topics(cluster: Settings, **others: Any) -> Settings:
    """Settings with topics of this run's own; of what is given the cluster, and nothing else."""
    run = f"bench-{uuid.uuid4().hex[:8]}"
    return load({}, **cluster.connection(), topic_prefix=f"{run}.", app_id=run, web_port=0, **others)


async def make_topics(settings: Settings, *names: str, config: dict[str, str] | None = None) -> None:
    """Make topics that are none of the worker's, or such as it would not make."""
    async with admin(settings) as making:
        await making.create_topics([NewTopic(name, settings.partitions, 1, topic_configs=config) for name in names])


@asynccontextmanager
async def pushes_from_now(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    """`push` as a gateway reads it: committed records only, those that come from now on."""
    async with consumer(settings, isolation_level="read_committed") as reading:
        reading.assign([TopicPartition(settings.topic("push"), number) for number in range(settings.partitions)])
        await reading.seek_to_end()
        yield reading


@asynccontextmanager
async def beside(*work: Coroutine[Any, Any, object]) -> AsyncIterator[None]:
    """Do this work while the block lasts; an error of it is raised at the block's end."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def click(number: int, at_ms: int, kind: str) -> tuple[bytes, bytes]:
    """The n-th click of a phase, whose users bear its `kind`; where nobody came long enough ago, of anybody so far."""
    newest, turn = divmod(number, CLICKS_PER_USER)
    earlier = turn * SPREAD_USERS
    user = f"{kind}{newest - earlier if earlier <= newest else number * 7919 % (newest + 1)}"
    record = {"user_id": user, "article_id": f"a{(number * 7) % ARTICLES}", "action": "click", "at_ms": at_ms}
    return user.encode(), orjson.dumps(record)


async def send_backlog(settings: Settings, events: int) -> None:
    """Send `events` clicks as fast as they go."""
    async with producer(settings, linger_ms=20, max_batch_size=262_144) as sending:
        for number in range(events):
            key, value = click(number, now_ms(), "b")
            await sending.send(settings.topic("events"), key=key, value=value)


async def send_paced(settings: Settings, per_s: float, seconds: float, kind: str) -> int:
    """Clicks at an even rate, those of a few milliseconds in one batch a partition; how many."""
    async with producer(settings, linger_ms=0, max_batch_size=PACED_BATCH * 1000) as sending:
        sent, started_s = 0, monotonic_s()
        while (elapsed_s := monotonic_s() - started_s) < seconds:
            due = min(round(elapsed_s * per_s), sent + PACED_BATCH)
            await _send_together(sending, settings, [click(number, now_ms(), kind) for number in range(sent, due)])
            sent = due
            await asyncio.sleep(0.004)
    return sent


async def _send_together(producer: AIOKafkaProducer, settings: Settings, records: list[tuple[bytes, bytes]]) -> None:
    homes = partitions_of([key.decode() for key, _ in records], settings.partitions).tolist()
    for partition in set(homes):
        builder = producer.create_batch()
        for (key, value), home in zip(records, homes, strict=True):
            if home == partition:
                builder.append(timestamp=None, key=key, value=value)
        await producer.send_batch(builder, settings.topic("events"), partition=partition)


async def send_articles(settings: Settings) -> None:
    """Publish all articles of the load; titles have no word in common, so each is a story of its own."""
    async with producer(settings) as sending:
        for number in range(ARTICLES):
            category = ("science", "sports", "politics", "health")[number % 4]
            await publish(sending, settings, f"a{number}", f"w{number}x v{number}y z{number}q", now_ms(), category)


async def publish(
    producer: AIOKafkaProducer,
    settings: Settings,
    name: str,
    title: str,
    at_ms: int,
    category: str = "science",
    **more: object,
) -> None:
    """Publish one article, with `more` fields, and wait for its acknowledgement."""
    article = {"article_id": name, "title": title, "category": category, "published_at_ms": at_ms} | more
    await producer.send_and_wait(settings.topic("articles"), key=name.encode(), value=orjson.dumps(article))
