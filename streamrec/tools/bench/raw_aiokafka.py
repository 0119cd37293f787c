"""Baseline: aiokafka alone, as fast as it can be made: getmany, a dict, batch builders, acks, a commit per batch.

The same work, guaranteed at least once only. `python -m streamrec.tools.bench.raw_aiokafka`, with
settings in the environment. Its clients are aiokafka's own, without ours beside it.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from ...engine.profiles.layout import ROW
from ...kafka.connection import connection
from ...settings import Settings, load

BATCH = 1000


async def run(settings: Settings) -> None:
    """Do the work of the benchmark on `events` until the process is killed."""
    reading = AIOKafkaConsumer(
        settings.topic("events"),
        **connection(settings),
        group_id=settings.topic("raw"),
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_poll_records=BATCH,
    )
    sending = AIOKafkaProducer(**connection(settings), max_batch_size=900_000, max_request_size=1_000_000)
    await reading.start()
    await sending.start()
    known: set[bytes] = set()
    row = bytes(ROW.itemsize)
    while True:
        waiting: list[Any] = []
        for tp, records in (await reading.getmany(timeout_ms=100)).items():
            rows: dict[bytes, bytes] = {}
            pushes = []
            for record in records:
                click = orjson.loads(record.value)
                if record.key not in known:
                    known.add(record.key)
                    value = orjson.dumps({"user_id": click["user_id"], "event_at_ms": click["at_ms"]})
                    pushes.append((record.key, value))
                rows[record.key] = row
            waiting += await _send(sending, settings.topic("rows"), tp.partition, rows.items())
            waiting += await _send(sending, settings.topic("push"), tp.partition, pushes)
        await asyncio.gather(*waiting)
        if waiting:
            await reading.commit()


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
    """The contestant as a process; it runs until it is killed."""
    uvloop.install()
    asyncio.run(run(load()))


if __name__ == "__main__":
    main()
