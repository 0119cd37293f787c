"""State of a partition from its log: the changelog in bulk, then the part of `catalog` before the cursor.

Called by a new owner after it has fenced the old one, so the read-committed end of the changelog is final. A consumer
without a group reads whole fetches; rows become columns with one np.frombuffer.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from ..clock import monotonic_s
from ..contracts.decode import Origin, decode_catalog
from ..contracts.records import Record
from ..meta import Meta, split
from ..partition import Partition
from ..settings import Settings


class Recovered(NamedTuple):
    """What it took."""

    rows: int
    articles: int
    seconds: float
    lost: dict[str, int]  # topic -> records that retention deleted before they were applied


async def recover(partition: Partition, settings: Settings, changelog: str) -> Recovered:
    """Restore the partition; sets its cursor, also where there was none."""
    started = monotonic_s()
    number, (catalog_topic, events_topic) = partition.settled.number, partition.settled.topics
    async with _consumer(settings) as consumer:
        rows, meta = split(
            [(record.key or b"", record.value) for record in await read_all(consumer, changelog, number)],
            settings.partitions,
        )
        cursor, lost = await _cursor(consumer, meta, {"catalog": catalog_topic, "events": events_topic}, number)
        known = await read_all(consumer, catalog_topic, number, before=cursor["catalog"])
        articles = decode_catalog(known, Origin(catalog_topic, number))
        partition.restore(rows.items(), Meta(cursor, meta.looked_ms), articles)
    return Recovered(len(rows), len(articles), monotonic_s() - started, lost)


async def _cursor(
    consumer: AIOKafkaConsumer, meta: Meta, topics: dict[str, str], number: int
) -> tuple[dict[str, int], dict[str, int]]:
    """The logged cursor, moved to the first offset that still exists where retention was faster than we."""
    tps = {name: TopicPartition(topic, number) for name, topic in topics.items()}
    beginnings = await consumer.beginning_offsets(list(tps.values()))
    cursor = {name: max(meta.cursor.get(name, 0), beginnings[tp]) for name, tp in tps.items()}
    lost = {
        name: cursor[name] - meta.cursor[name] for name in tps if cursor[name] > meta.cursor.get(name, cursor[name])
    }
    return cursor, lost


@asynccontextmanager
async def _consumer(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.brokers,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=8 * 1024 * 1024,
        fetch_max_wait_ms=50,
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def read_all(
    consumer: AIOKafkaConsumer, topic: str, partition: int, before: int | None = None
) -> Sequence[Record]:
    """All committed records of a partition up to its present end, or up to offset `before`."""
    tp = TopicPartition(topic, partition)
    consumer.assign([tp])
    await consumer.seek_to_beginning(tp)
    end = (await consumer.end_offsets([tp]))[tp]
    if before is not None:
        end = min(end, before)
    records: list[Record] = []
    while await consumer.position(tp) < end:
        for fetched in (await consumer.getmany(tp, timeout_ms=200)).values():
            records += fetched
    return [record for record in records if record.offset < end]
