"""`bench article`: one fresh article meets everybody, while clicks go on.

The state is read back from a changelog of rows with random interests; with nothing suppressed each user is pushed to. A
gateway reads the push topic, committed records only. An article that is too old to be pushed comes first: a worker
loads what it reads languages with when it needs it.
"""

import asyncio
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer

from ...clock import monotonic_s, now_ms
from ...contracts.inputs import DAY_MS
from ...errors import StateError
from ...kafka.clients import producer
from ...kafka.topics import create
from ...settings import Settings
from ..worker_process import WorkerProcess
from .contestants import started
from .load import beside, publish, pushes_from_now, send_paced
from .pipeline import bench_settings, know_articles, quantile
from .recovery import fill

ARTICLE = "everybody"
BEFORE_S = 5.0  # clicks alone, to compare with
QUIET_S = 15.0  # without a push of the article: no more will come
PATIENCE_S = 180.0


class Met(NamedTuple):
    """One article. Times count from its publication to the moment when the gateway has the push."""

    users: int
    pushes: int
    first_ms: float
    fifty_thousand_s: float  # until as many pushes are there; not a number if there are fewer
    all_s: float
    click_p99_before_ms: float
    click_p99_during_ms: float


class _Pushed(msgspec.Struct):
    user_id: str
    article_id: str
    event_at_ms: int = 0
    trigger: str = ""


class _Gateway:
    """Reads `push` while the article meets its readers, and notes when its pushes and those of clicks arrive."""

    def __init__(self) -> None:
        self.clicks: list[float] = []  # milliseconds from click to push
        self.arrived: list[tuple[float, int]] = []  # monotonic time, pushes of the article so far

    async def read(self, consumer: AIOKafkaConsumer) -> None:
        """Note pushes as they arrive, until the task is cancelled."""
        count = 0
        while True:
            for records in (await consumer.getmany(timeout_ms=20)).values():
                at_s, at_ms = monotonic_s(), now_ms()
                pushed = [msgspec.json.decode(record.value, type=_Pushed) for record in records]
                clicked = [push for push in pushed if push.user_id.startswith("p")]
                self.clicks += [at_ms - push.event_at_ms for push in clicked if push.trigger == "due"]
                if article := sum(p.article_id == ARTICLE and not p.user_id.startswith("p") for p in pushed):
                    count += article
                    self.arrived.append((at_s, count))

    def count(self) -> int:
        """Pushes of the article so far."""
        return self.arrived[-1][1] if self.arrived else 0

    def quiet_s(self, since_s: float) -> float:
        """Seconds since the last push of the article; 0 before the first."""
        return monotonic_s() - max(since_s, self.arrived[-1][0]) if self.arrived else 0.0


async def measure(cluster: Settings, users: int, per_s: float, model: str | None, everybody: bool = False) -> Met:
    """A worker with `users` of state in one partition, `per_s` clicks/s, one article; `everybody`: its audience."""
    settings = bench_settings(cluster, model).changed(partitions=1)
    await create(settings)
    await know_articles(settings)  # there are no users yet
    await fill(settings, users, 0)
    with started("streamrec", settings) as contestant:
        assert contestant.worker is not None
        async with pushes_from_now(settings) as pushes:
            gateway, clicks = _Gateway(), send_paced(settings, per_s, BEFORE_S + PATIENCE_S, "p")
            audience: dict[str, Any] = {"audience": {"everybody": True}} if everybody else {}
            async with beside(clicks, gateway.read(pushes)):
                return await _meet(settings, gateway, users, contestant.worker, audience)


def _so_far(gateway: _Gateway, worker: WorkerProcess) -> str:
    """What there is to see of an article that does not arrive."""
    told = tuple(f"streamrec_{name}" for name in ("pushes_held_back", "suppressed", "events_total", "lag_seconds"))
    series = {name: number for name, number in worker.series().items() if name.startswith(told) and number}
    return f"{gateway.count()} pushes of it, {len(gateway.clicks)} of clicks, {series}; log: {worker.last_line()}"


async def _meet(
    settings: Settings, gateway: _Gateway, users: int, worker: WorkerProcess, audience: dict[str, Any]
) -> Met:
    async with producer(settings) as sending:
        await publish(sending, settings, "yesterday", "yesterday has a title", now_ms() - 2 * DAY_MS)
        await asyncio.sleep(BEFORE_S)
        before = len(gateway.clicks)
        published_s = monotonic_s()
        await publish(sending, settings, ARTICLE, f"{ARTICLE} has a title", now_ms(), **audience)
    while gateway.count() < users and gateway.quiet_s(published_s) < QUIET_S:
        if monotonic_s() - published_s > PATIENCE_S:
            raise StateError(f"the article was still on its way after {PATIENCE_S:.0f} s: {_so_far(gateway, worker)}")
        await asyncio.sleep(0.05)
    times = [(at_s - published_s, count) for at_s, count in gateway.arrived]
    during = gateway.clicks[before:]
    return Met(
        users,
        times[-1][1],
        1000 * times[0][0],
        next((at_s for at_s, count in times if count >= 50_000), float("nan")),
        times[-1][0],
        quantile(gateway.clicks[:before], 0.99),
        quantile(during, 0.99),
    )
