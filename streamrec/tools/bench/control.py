"""`bench control`: how long pushes still leave after a command to stop, while an article meets everybody.

One worker has `users` of state in one partition, restored from a changelog of rows with random interests; nothing else
suppresses anything. An article is published; once its pushes flow everything is stopped, resumed, stopped again, and
when an article has met everybody the next one comes. Counted from the append of each stop, by the broker's clock, to
the moment when a gateway that reads committed records has the last push: that is after its append by a commit and a
fetch.
"""

import asyncio
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from ...clock import monotonic_s, now_ms
from ...contracts.control import Command
from ...contracts.inputs import DAY_MS
from ...errors import StateError
from ...kafka.clients import producer
from ...kafka.topics import create
from ...settings import Settings
from .contestants import started
from .load import beside, publish, pushes_from_now, send_paced
from .pipeline import bench_settings, know_articles, quantile
from .recovery import fill

QUIET_S = 1.5  # without a push: all has left that could
FLOWS_S = 0.05
PATIENCE_S = 120.0
SPREAD_S = 0.017  # each stop comes so much later after the pushes flow than the one before, up to a third of a second


class Stopped(NamedTuple):
    """What a run measured: milliseconds from a stop's append to the last push that a gateway got."""

    users: int
    stops: int
    pushes: int  # in all
    articles: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    late_pushes: float  # that arrived after the stop's append, a stop


class _Gateway:
    """Notes when pushes arrive."""

    def __init__(self) -> None:
        self.arrived: list[tuple[int, int]] = []  # ms since 1970, how many
        self.pushes = 0

    async def read(self, reading: AIOKafkaConsumer) -> None:
        """Note pushes as they arrive, until the task is cancelled."""
        while True:
            for records in (await reading.getmany(timeout_ms=10)).values():
                self.arrived.append((now_ms(), len(records)))
                self.pushes += len(records)


async def measure(cluster: Settings, users: int, stops: int, per_s: float, model: str | None) -> Stopped:
    """Stop and resume so many times, while `per_s` clicks/s come."""
    settings = bench_settings(cluster, model).changed(partitions=1, min_interval_s=0.0, daily_cap=8)
    await create(settings)
    await know_articles(settings)
    await fill(settings, users, 0)
    with started("streamrec", settings):
        async with pushes_from_now(settings) as reading, producer(settings) as sending:
            gateway = _Gateway()
            async with beside(send_paced(settings, per_s, 3600.0, "p"), gateway.read(reading)):
                return await _all_stops(settings, sending, gateway, users, stops)


async def _all_stops(
    settings: Settings, sending: AIOKafkaProducer, gateway: _Gateway, users: int, stops: int
) -> Stopped:
    await publish(sending, settings, "old", "nobody is told of this", now_ms() - 2 * DAY_MS)
    taken_ms: list[int] = []
    late, articles = 0, 0
    for number in range(stops):
        if not await _flows(gateway):
            articles += 1
            await publish(sending, settings, f"everybody{articles}", f"word{articles} has a title", now_ms())
            if not await _flows(gateway, PATIENCE_S):
                raise StateError(
                    f"article {articles} reached nobody within {PATIENCE_S:.0f} s; {gateway.pushes} pushes so far"
                )
        await asyncio.sleep(SPREAD_S * (number % 20))
        stopped_ms = await _say(settings, sending, "stop")
        await _quiet(gateway)
        after = [(at_ms, count) for at_ms, count in gateway.arrived if at_ms > stopped_ms]
        taken_ms.append(max((at_ms for at_ms, _ in after), default=stopped_ms) - stopped_ms)
        late += sum(count for _, count in after)
        gateway.arrived.clear()
        await _say(settings, sending, "resume")
    p50_ms, p99_ms = (quantile([float(each) for each in taken_ms], share) for share in (0.5, 0.99))
    return Stopped(users, stops, gateway.pushes, articles, p50_ms, p99_ms, max(taken_ms), late / stops)


async def _say(settings: Settings, sending: AIOKafkaProducer, action: str) -> int:
    """Give a command; when the broker appended it, in ms since 1970."""
    command = Command(action, "bench", "measuring", now_ms())
    sent = await sending.send_and_wait(settings.topic("control"), value=msgspec.json.encode(command), partition=0)
    return int(sent.timestamp)


async def _flows(gateway: _Gateway, patience_s: float = 2.0) -> bool:
    """Whether pushes of an article arrive; clicks alone bring a few at most."""
    begun_s, before = monotonic_s(), gateway.pushes
    while gateway.pushes - before < 2000:
        if monotonic_s() - begun_s > patience_s:
            return False
        await asyncio.sleep(FLOWS_S)
    return True


async def _quiet(gateway: _Gateway) -> None:
    last, since_s = gateway.pushes, monotonic_s()
    while monotonic_s() - since_s < QUIET_S:
        await asyncio.sleep(FLOWS_S)
        if gateway.pushes != last:
            last, since_s = gateway.pushes, monotonic_s()
