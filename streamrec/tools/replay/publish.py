"""Send a log to Kafka at N times its own speed, with the watermarks the policy clock follows."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable

from aiokafka import AIOKafkaProducer

from ...clock import monotonic_s
from ...contracts.records import watermark_headers
from ...kafka.clients import producer
from ...settings import Settings
from .producer_records import Group


async def publish(
    groups: Iterable[Group],
    settings: Settings,
    speed: float | None,
    progress: Callable[[Group], object] = lambda _: None,
) -> Counter[str]:
    """Send all groups; `speed` is log time over wall time, None = as fast as Kafka takes them. Counts by topic."""
    sent: Counter[str] = Counter()
    async with producer(settings, linger_ms=5, max_batch_size=262_144) as sending:
        started_s, first_ms = monotonic_s(), 0
        for group in groups:
            first_ms = first_ms or group.watermark_ms
            if speed is not None:
                due_s = (group.watermark_ms - first_ms) / 1000 / speed
                await asyncio.sleep(max(0.0, started_s + due_s - monotonic_s()))
            await _send(sending, group, settings)
            sent.update(record.topic for record in group.records)
            progress(group)
    return sent


async def _send(producer: AIOKafkaProducer, group: Group, settings: Settings) -> None:
    waiting = [
        await producer.send(settings.topic(record.topic), key=record.key.encode(), value=record.value)
        for record in group.records
    ]
    mark = watermark_headers(group.watermark_ms)
    waiting.append(await producer.send(settings.topic("articles"), partition=0, headers=mark, value=b""))
    waiting += [
        await producer.send(settings.topic("events"), partition=partition, headers=mark, value=b"")
        for partition in range(settings.partitions)
    ]
    await asyncio.gather(*waiting)
