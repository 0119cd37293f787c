"""Replay through Kafka: topics, a worker, the log at N times its speed, and the pushes that came of it."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from aiokafka import TopicPartition

from ...clock import monotonic_s
from ...contracts.records import TOPICS
from ...errors import KafkaError
from ...kafka.clients import consumer
from ...kafka.log import KafkaLog, read_all
from ...kafka.topics import create
from ...settings import Settings
from ..worker_process import WorkerProcess, worker_process
from .outcome import Outcome
from .producer_records import Group
from .publish import publish

WAIT_S = 3600  # for the last record to be applied


async def replay(
    groups: Iterable[Group], settings: Settings, speed: float | None, told: Callable[[Group], object]
) -> Outcome:
    """Play the groups into an empty set of topics of these settings; the worker is one process."""
    await create(settings)
    with (
        tempfile.TemporaryDirectory(prefix="streamrec-replay-") as folder,
        worker_process(settings, Path(folder) / "worker.log") as worker,
    ):
        await asyncio.to_thread(worker.wait_ready)
        started_s = monotonic_s()
        sent = await publish(groups, settings, speed, told)
        await _applied(settings, worker)
        seconds = monotonic_s() - started_s
        series = worker.series()
    pushes = await _values(settings, "push", settings.partitions)
    dead = [
        await _values(settings, f"{topic}.dlq", partitions)
        for topic, partitions in (("articles", 1), *((topic, settings.partitions) for topic in TOPICS))
    ]
    suppressed = Counter[str]()
    for name, number in series.items():
        if name.startswith("streamrec_suppressions_total{"):
            suppressed[name.split('"')[1]] += int(number)
    latency_ms = {
        f"append_to_commit_p{share}_ms": _quantile_ms(series, "streamrec_append_to_commit_seconds", share / 100)
        for share in (50, 99)
    }
    return Outcome(sent, pushes, sum(map(len, dead)), seconds, suppressed, latency_ms)


def _quantile_ms(series: dict[str, float], histogram: str, share: float) -> float:
    """Upper bound in ms of the bucket this quantile lies in; infinite above the last one."""
    buckets = sorted(
        (float(name.split('le="')[1].split('"')[0]), count)
        for name, count in series.items()
        if name.startswith(f"{histogram}_bucket")
    )
    total = buckets[-1][1] if buckets else 0
    return next((1000 * bound for bound, count in buckets if total and count >= share * total), float("nan"))


async def _applied(settings: Settings, worker: WorkerProcess) -> None:
    """Until the cursors of all partitions, as the group's offsets show them, have reached the end of `events`."""
    tps = [TopicPartition(settings.topic("events"), number) for number in range(settings.partitions)]
    async with consumer(settings, group_id=settings.group_id, enable_auto_commit=False) as group:
        group.assign(tps)
        ends = await group.end_offsets(tps)
        deadline = monotonic_s() + WAIT_S
        while any([(await group.committed(tp) or 0) < ends[tp] for tp in tps]):
            if worker.exit_code() is not None:
                raise KafkaError(f"the worker ended during the replay: {worker.last_line()}")
            if monotonic_s() > deadline:
                raise KafkaError(f"the worker did not finish the replay within {WAIT_S} s")
            await asyncio.sleep(0.3)


async def _values(settings: Settings, topic: str, partitions: int) -> list[bytes]:
    async with KafkaLog(settings).reader() as reader:
        parts = [await read_all(reader, settings.topic(topic), number) for number in range(partitions)]
    return [record.value or b"" for part in parts for record in part]
