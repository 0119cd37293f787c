"""The load of the benches: clicks of which every twentieth is the first of a new user, so 5 % lead to a push.

The others are of users who came before, each SPREAD_USERS users earlier than the last: a user clicks twenty times over
some 100,000 clicks of others, 5 s at 20,000/s. Twenty clicks of one user in 50 ms, which this load once had, are no
reader's, and a batch has to apply the clicks of one user one after another.
"""

import asyncio
from collections.abc import Iterator

import orjson
from aiokafka import AIOKafkaProducer

from ...clock import monotonic_s, now_ms
from ...contracts.partitioner import partitions_of
from ...settings import Settings

ARTICLES = 100
CLICKS_PER_USER = 20
SPREAD_USERS = 250  # new users between two clicks of one
PACED_BATCH = 200  # clicks sent together at most


def articles(at_ms: int) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of each article; titles have no word in common, so each is a story of its own."""
    for number in range(ARTICLES):
        name = f"a{number}"
        title = f"w{number}x v{number}y z{number}q"
        category = ("science", "sports", "politics", "health")[number % 4]
        record = {"article_id": name, "title": title, "category": category, "published_at_ms": at_ms}
        yield name.encode(), orjson.dumps(record)


def click(number: int, at_ms: int, kind: str) -> tuple[bytes, bytes]:
    """The n-th click of a phase, whose users bear its `kind`; where nobody came long enough ago, of anybody so far."""
    newest, turn = divmod(number, CLICKS_PER_USER)
    earlier = turn * SPREAD_USERS
    user = f"{kind}{newest - earlier if earlier <= newest else number * 7919 % (newest + 1)}"
    record = {"user_id": user, "article_id": f"a{(number * 7) % ARTICLES}", "action": "click", "at_ms": at_ms}
    return user.encode(), orjson.dumps(record)


async def send_backlog(settings: Settings, events: int) -> None:
    """Send `events` clicks as fast as they go."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.brokers, linger_ms=20, max_batch_size=262_144)
    await producer.start()
    try:
        for number in range(events):
            key, value = click(number, now_ms(), "b")
            await producer.send(settings.topic("events"), key=key, value=value)
        await producer.flush()
    finally:
        await producer.stop()


async def send_paced(settings: Settings, per_s: float, seconds: float, kind: str) -> int:
    """Clicks at an even rate, those of a few milliseconds in one batch a partition; how many."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.brokers, linger_ms=0, max_batch_size=PACED_BATCH * 1000)
    await producer.start()
    sent, started_s = 0, monotonic_s()
    try:
        while (elapsed_s := monotonic_s() - started_s) < seconds:
            due = min(round(elapsed_s * per_s), sent + PACED_BATCH)
            await _send_together(producer, settings, [click(number, now_ms(), kind) for number in range(sent, due)])
            sent = due
            await asyncio.sleep(0.004)
        await producer.flush()
    finally:
        await producer.stop()
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
    """Publish all articles of the load."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.brokers)
    await producer.start()
    try:
        for key, value in articles(now_ms()):
            await producer.send(settings.topic("articles"), key=key, value=value)
        await producer.flush()
    finally:
        await producer.stop()
