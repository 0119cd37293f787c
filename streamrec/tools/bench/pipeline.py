"""`bench pipeline`: the same work by the baselines and by this worker, interleaved.

All use one broker. A round: a backlog is written, the contestant is started, progress and CPU are read while it works
it off; then clicks come at half of that rate and pushes are read as a gateway would. Rates count from the first
progress seen to the last event committed, so start-up is left out, and from after WARM_UP where a JIT compiler makes
code faster as it runs. CPU time is a contestant's own; that of an embedded broker stands apart. Medians over rounds,
ratios as in ratios.py.
"""

import asyncio
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer

from ...clock import monotonic_s, now_ms
from ...contracts.inputs import DAY_MS
from ...engine.profiles.layout import ROW
from ...errors import StateError
from ...kafka.clients import consumer, producer
from ...kafka.topics import create
from ...settings import Settings
from ..worker_process import WorkerProcess
from .contestants import Contestant, cpu_s, group_of, started
from .load import ARTICLES, make_topics, own_topics, publish, pushes_from_now, send_articles, send_backlog, send_paced
from .memory import bytes_per_user
from .ratios import Ratio, ratio

BASELINES = ("stock faust", "raw aiokafka", "quix streams", "kafka streams")
# backlogs of the same size that are worked off unmeasured: Kafka Streams took 51 us of CPU an event at first, 14 after
# 200,000 events, 10 after 400,000 and no less from there on
WARM_UP = {"kafka streams": 2}
SHARES = {"stock faust": 3, "quix streams": 3}  # of the backlog these get one in so many: they take longest
PACE_CAP = 30_000.0  # events/s: above it the paced producer itself needs the second core


class Measured(NamedTuple):
    """What one contestant did in one round."""

    events_per_s: float
    cpu_us_per_event: float
    broker_cpu_us_per_event: float  # not a number if the broker is none of ours
    p50_ms: float
    p99_ms: float
    pushes: int

    def shown(self) -> tuple[str, ...]:
        """As a table shows it: events/s, CPU us/event, the broker's, p50 and p99 in ms."""
        broker = "" if math.isnan(self.broker_cpu_us_per_event) else f"{self.broker_cpu_us_per_event:.1f}"
        return (
            *(f"{self.events_per_s:,.0f}", f"{self.cpu_us_per_event:.1f}", broker),
            *(f"{self.p50_ms:.0f}", f"{self.p99_ms:.0f}"),
        )


def half_load(events_per_s: float) -> float:
    """Clicks/s for latency, of a contestant that can do so many."""
    return min(events_per_s / 2, PACE_CAP)


class _Pushed(msgspec.Struct):
    user_id: str
    event_at_ms: int


async def measure(
    name: str,
    cluster: Settings,
    events: int,
    pace_s: float,
    model: str | None,
    load: Callable[[float], float] = half_load,
    broker_pid: int | None = None,
) -> Measured:
    """One round of one contestant; latency at the clicks/s that `load` says for what it can do.

    `broker_pid`: of its process, if it runs here.
    """
    settings = bench_settings(cluster, model)
    await create(settings)
    # instead of our changelog; Kafka Streams makes its own
    written_by_baselines = ("rows", "stock-rows-changelog", "stock-__assignor-__leader")
    await make_topics(settings, *map(settings.topic, written_by_baselines))
    if name.startswith("streamrec"):
        await know_articles(settings)
    warm_up = WARM_UP.get(name, 0) * events
    await send_backlog(settings, warm_up + events)
    group = group_of(name, settings)
    async with consumer(settings, group_id=group, enable_auto_commit=False) as asking:
        with started(name, settings) as contestant:
            rates = await _work_off(contestant, settings, asking, warm_up, events, broker_pid)
            latency = await paced(settings, load(rates[0]), pace_s)
    return Measured(*rates, quantile(latency, 0.5), quantile(latency, 0.99), len(latency))


def quantile(latency: Sequence[float], share: float) -> float:
    """The latency that this share of them is below; not a number if there are none."""
    ordered = sorted(latency) or [float("nan")]
    return ordered[int(share * len(ordered))]


def bench_settings(cluster: Settings, model: str | None) -> Settings:
    """Topics of this run's own, nothing suppressed by the time of day."""
    return own_topics(
        cluster,
        kafka_cache=cluster.kafka_cache,
        partitions=4,
        model_dir=model,
        session_gap_s=0.0,
        quiet_from="00:00",
        quiet_to="00:00",
        min_affinity=0.0,
        min_score=0.0,
    )


async def know_articles(settings: Settings) -> None:
    """The catalog is there before the clicks are, as in real life, and the changelog says that it has met everybody.

    That is written with the next record that changes something: one more article, too old to be pushed. Without it, the
    next worker would have these articles meet whoever is there by then.
    """
    await send_articles(settings)
    with started("streamrec", settings) as contestant:
        assert contestant.worker is not None
        await _known(contestant.worker, ARTICLES)
        async with producer(settings) as sending:
            await publish(sending, settings, "last_week", "nobody is told of this", now_ms() - 2 * DAY_MS)
        await _known(contestant.worker, ARTICLES + 1)
        await asyncio.sleep(1.0)


async def _known(worker: WorkerProcess, articles: int) -> None:
    deadline = monotonic_s() + 30
    while not _has_met(worker.series(), articles):
        if monotonic_s() > deadline:
            raise StateError(f"the articles did not arrive: {worker.last_line()}")
        await asyncio.sleep(0.2)


def _has_met(series: dict[str, float], articles: int) -> bool:
    """All articles are known and none waits for its meeting: users who come later do not get one of them at once."""
    catching_up = any(value for name, value in series.items() if name.startswith("streamrec_pushes_held_back{"))
    return series.get("streamrec_catalog_articles", 0) >= articles and not catching_up


async def _work_off(
    contestant: Contestant,
    settings: Settings,
    consumer: AIOKafkaConsumer,
    warm_up: int,
    events: int,
    broker_pid: int | None,
) -> tuple[float, float, float]:
    """Events/s, CPU us per event and the broker's, of these events, which come after those of the warm-up."""

    def look(done: int) -> tuple[float, int, float, float]:
        return monotonic_s(), done, cpu_s(contestant.pid), cpu_s(broker_pid) if broker_pid else math.nan

    first: tuple[float, int, float, float] | None = None
    before, everything = look(0), warm_up + events
    deadline = monotonic_s() + 300
    while True:
        now = look(await contestant.done(settings, consumer))
        if first is None and now[1] > warm_up:
            first = now if now[1] < everything else before  # a backlog of one commit: counted from the look before it
        before = now
        if first is not None and now[1] >= everything:
            break
        if monotonic_s() > deadline:
            raise StateError(f"{contestant.name} processed {now[1]} of {everything} events in 300 s")
        await asyncio.sleep(0.02)
    seconds, worked, own_s, broker_s = (end - start for end, start in zip(now, first, strict=True))
    if worked <= 0 or seconds <= 0:
        raise StateError(f"{contestant.name} was done before it could be measured; raise --events")
    return worked / seconds, 1e6 * own_s / worked, 1e6 * broker_s / worked


async def paced(settings: Settings, per_s: float, seconds: float, kind: str = "p") -> list[float]:
    """Milliseconds from click to push, as a gateway sees it; the users of this phase bear its `kind`."""
    latency: list[float] = []
    async with pushes_from_now(settings) as pushes:
        sending = asyncio.create_task(send_paced(settings, per_s, seconds, kind))
        quiet_since = monotonic_s()
        while not sending.done() or monotonic_s() - quiet_since < 2.0:
            for records in (await pushes.getmany(timeout_ms=20)).values():
                at_ms, quiet_since = now_ms(), monotonic_s()
                pushed = (msgspec.json.decode(record.value, type=_Pushed) for record in records)
                latency += [at_ms - push.event_at_ms for push in pushed if push.user_id.startswith(kind)]
        await sending
    return latency


def medians(rounds: list[Measured]) -> Measured:
    """The median over rounds of each figure by itself."""
    return Measured(*(statistics.median(column) for column in zip(*rounds, strict=True)))


def ratios(measured: Mapping[str, list[Measured]]) -> dict[str, dict[str, Ratio]]:
    """This worker beside each baseline that took part, in events a second and events a second of CPU."""
    ours = measured["streamrec"]
    return {
        name: {
            "events_per_s": ratio((at.events_per_s for at in ours), (at.events_per_s for at in found)),
            "events_per_cpu_s": ratio((at.cpu_us_per_event for at in found), (at.cpu_us_per_event for at in ours)),
        }
        for name, found in measured.items()
        if name != "streamrec"
    }


def summary(measured: Mapping[str, list[Measured]]) -> dict[str, Any]:
    """This worker's medians, and its ratios to the others; `measured` by contestant and round."""
    ours = medians(measured["streamrec"])
    return {
        "ratios": {
            name: {what: each._asdict() for what, each in found.items()} for name, found in ratios(measured).items()
        },
        "events_per_s": round(ours.events_per_s),
        "cpu_us_per_event": round(ours.cpu_us_per_event, 1),
        "p50_ms": ours.p50_ms,
        "p99_ms": ours.p99_ms,
        "row_bytes": ROW.itemsize,
        "bytes_per_user": round(bytes_per_user()),
        "rounds": {name: [at._asdict() for at in found] for name, found in measured.items()},
    }
