"""Baseline: aiokafka alone, as fast as it can be made: getmany, a dict, batch builders, acks, a commit per batch.

The same work, guaranteed at least once only. `python -m streamrec.tools.bench.raw_aiokafka BROKERS PREFIX PARTITIONS`.
"""

import asyncio
import sys
from collections.abc import Iterable
from typing import Any

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from ...engine.profiles.layout import ROW

BATCH = 1000


async def run(brokers: str, prefix: str) -> None:
    """Do the work of the benchmark on `events` until the process is killed."""
    consumer = AIOKafkaConsumer(
        f"{prefix}events",
        bootstrap_servers=brokers,
        group_id=f"{prefix}raw",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_poll_records=BATCH,
    )
    producer = AIOKafkaProducer(bootstrap_servers=brokers, max_batch_size=900_000, max_request_size=1_000_000)
    await consumer.start()
    await producer.start()
    known: set[bytes] = set()
    row = bytes(ROW.itemsize)
    while True:
        waiting: list[Any] = []
        for tp, records in (await consumer.getmany(timeout_ms=100)).items():
            rows: dict[bytes, bytes] = {}
            pushes = []
            for record in records:
                click = orjson.loads(record.value)
                if record.key not in known:
                    known.add(record.key)
                    value = orjson.dumps({"user_id": click["user_id"], "event_at_ms": click["at_ms"]})
                    pushes.append((record.key, value))
                rows[record.key] = row
            waiting += await _send(producer, f"{prefix}rows", tp.partition, rows.items())
            waiting += await _send(producer, f"{prefix}push", tp.partition, pushes)
        await asyncio.gather(*waiting)
        if waiting:
            await consumer.commit()


async def _send(
    producer: AIOKafkaProducer, topic: str, partition: int, messages: Iterable[tuple[bytes, bytes]]
) -> list[Any]:
    builder, sent = producer.create_batch(), []
    for key, value in messages:
        if builder.append(key=key, value=value, timestamp=None) is None:
            sent.append(await producer.send_batch(builder, topic, partition=partition))
            builder = producer.create_batch()
            builder.append(key=key, value=value, timestamp=None)
    if builder.record_count():
        sent.append(await producer.send_batch(builder, topic, partition=partition))
    return sent


def main() -> None:
    """The contestant as a process: arguments are brokers and topic prefix; it runs until it is killed."""
    uvloop.install()
    asyncio.run(run(sys.argv[1], sys.argv[2]))


if __name__ == "__main__":
    main()
