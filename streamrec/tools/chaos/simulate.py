"""One simulated run: the real partition and the real writer on a log in memory, with faults, judged at the end.

Each partition has an owner. When it dies, or is taken for dead, a successor starts: mostly at once, so that two owners
overlap, and the log has to fence the older one; or after an outage, in which opt-outs and reads come. Deliveries repeat
records and come in pieces of any size. The same seed gives the same run. While one partition stands still
opt-outs of the other's readers may wait in it (memory_strays.py).
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from aiokafka.errors import ProducerFenced
from prometheus_client import CollectorRegistry

from ...clock import now_ms
from ...content.query import Queries
from ...contracts.records import TOPICS, RawRecord, Topic
from ...engine.policy.suppression_reasons import SUPPRESSION_REASONS
from ...observability.metrics import Metrics
from ...partition.intake import Batch
from ...partition.partition import PartitionContext
from ...settings import load
from ...worker.commit.partition_commit import Names
from ...worker.reporting.metrics_recorder import MetricsRecorder
from ...worker.writing.writer import PartitionWriter
from .faulty_partition import FragilePartition
from .inputs import PARTITIONS, START_MS, Inputs, inputs
from .memory_log import MemoryLog
from .memory_network import Network
from .memory_strays import MemoryStrays
from .oracle import Everyone
from .process import Died, Faults, Process
from .process_log import ProcessLog
from .reference_reading import ENCODER
from .verdict import Verdict, judge
from .virtual_time import VirtualTime, run

REBALANCES, MOVES = 0.01, 0.3  # per delivery; of rebalances
OUTAGES, OUTAGE_S = 0.3, (3.0, 60.0, 1800.0)  # of successions; what comes meanwhile is a backlog
BETWEEN_S = (0.0, 0.001, 0.02, 1.0)  # two deliveries
NAMES = Names("changelog", "push", "rerouted")
UNDERSTAND = Queries(ENCODER).understand
RECORDER = MetricsRecorder(Metrics(CollectorRegistry(), SUPPRESSION_REASONS), load({}))
LONGEST_S = 2 * 86_400.0  # what comes in takes less than a day


def simulate(seed: int) -> Verdict:
    """Play the run of this seed and judge it; raises what a bug raises."""
    rng = np.random.default_rng(seed)
    time = VirtualTime(START_MS)
    FragilePartition.encodings.clear()
    faults = Faults(rng, int(rng.integers(0, 7)), float(rng.choice([0.01, 0.05, 0.2])))
    network = Network(rng, int(rng.integers(0, 13)), float(rng.choice([0.01, 0.05, 0.2])), faults.expect)
    given, broker = inputs(rng), MemoryLog(rng, network)
    strays = MemoryStrays(broker, PARTITIONS, given.settings.max_push_lag_s)
    world = _World(rng, time, given, faults, broker, strays)
    return run(_play(world), time)


def quietly(seed: int) -> Verdict:
    """Play the run of this seed and judge it; one that raises counts as failing."""
    try:
        return simulate(seed)
    except Exception as error:  # noqa: BLE001 - whatever it is, the seed has to be known
        verdict = Verdict(runs=1)
        verdict.violate(f"{type(error).__name__}: {error}")
        return verdict


@dataclass
class _World:
    rng: np.random.Generator
    time: VirtualTime
    inputs: Inputs
    faults: Faults
    broker: MemoryLog
    strays: MemoryStrays
    all_sent: bool = False
    owners: int = 0
    ended: set[int] = field(default_factory=set)  # partitions whose events are done: nothing strays from them any more


async def _play(world: _World) -> Verdict:
    sending = asyncio.create_task(_send(world))
    owners = [asyncio.create_task(_own(world, number)) for number in range(PARTITIONS)]
    async with asyncio.timeout(LONGEST_S):
        await asyncio.gather(sending, *owners)
    return judge(world.inputs, world.broker, world.owners)


async def _send(world: _World) -> None:
    for arrival in world.inputs.arrivals:
        if arrival.pause_ms:
            await asyncio.sleep(arrival.pause_ms / 1000)
        record = RawRecord(0, world.time.now_ns // 1_000_000, arrival.key, arrival.value)
        world.broker.append(arrival.topic, arrival.partition, record, "committed")
        if world.rng.random() < 0.5:
            await asyncio.sleep(0)
    world.all_sent = True
    world.broker.news.set()


async def _own(world: _World, number: int) -> None:
    """Run the owners of one partition, one after the other, until one has done everything."""
    zombies: list[asyncio.Task[None]] = []
    settings = world.inputs.settings
    while True:
        process = Process(world.rng, world.time, world.faults)
        context = PartitionContext.of(settings, number, Everyone())._replace(understand=UNDERSTAND)
        writer = PartitionWriter(
            FragilePartition(context), settings, ProcessLog(world.broker, process.step), NAMES, RECORDER,
            process.end, others=world.strays,
        )  # fmt: skip
        world.owners += 1
        working = asyncio.create_task(_work(world, process, writer))
        replaced = asyncio.create_task(process.replaced.wait())
        await asyncio.wait({working, replaced}, return_when=asyncio.FIRST_COMPLETED)
        replaced.cancel()
        process.check_end()
        if not process.replaced.is_set():
            working.result()
            await _end_zombies(zombies)
            return
        zombies.append(working)
        if world.rng.random() < OUTAGES:
            await asyncio.sleep(float(world.rng.choice(OUTAGE_S)))


async def _end_zombies(zombies: list["asyncio.Task[None]"]) -> None:
    """Give processes that were taken for dead a last chance to do harm, then end them."""
    for zombie in zombies:
        await asyncio.wait({zombie}, timeout=30.0)
        zombie.cancel()


async def _work(world: _World, process: Process, writer: PartitionWriter) -> None:
    """A process: start, be given records, stop; what ends it is kept in `process.error`."""
    living = asyncio.create_task(_live(world, process, writer))
    ended = asyncio.create_task(process.ended.wait())
    await asyncio.wait({living, ended}, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    if living.done() and (error := living.exception()) is not None:
        process.end(error)
    living.cancel()
    process.check_end()


async def _live(world: _World, process: Process, writer: PartitionWriter) -> None:
    try:
        await writer.start()
        done = await _deliver(world, writer)
        await writer.stop()
        if not done:
            process.replaced.set()
    except (Died, ProducerFenced) as error:
        process.end(error)


async def _deliver(world: _World, writer: PartitionWriter) -> bool:
    """Everything from the cursor on, in pieces, some of it again; until all is committed (True) or the partition moves.

    At a rebalance the owner commits and stands still; if it stays, it reads from the cursor again.
    """
    rng, number = world.rng, writer.number
    next_offset: dict[Topic, int] = {topic: writer.partition.cursor[topic] for topic in TOPICS}
    while True:
        if rng.random() < REBALANCES:
            await writer.pause()
            await asyncio.sleep(float(rng.choice([0, 0.02, 3.0])))
            if rng.random() < MOVES:
                return False
            writer.resume()
            next_offset = {topic: writer.partition.cursor[topic] for topic in TOPICS}
        heads = {topic: world.broker.committed(topic, number, next_offset[topic])[:1] for topic in TOPICS}
        ready = [topic for topic, head in heads.items() if head]
        since_ms = min((head[0].timestamp for head in heads.values() if head), default=now_ms())
        writer.catch_up.undelivered_s = (now_ms() - since_ms) / 1000  # as the worker finds out from the ends
        if not ready:
            if _all_committed(world, writer):
                world.ended.add(number)
                if len(world.ended) == PARTITIONS and world.broker.settled() and _all_committed(world, writer):
                    world.broker.news.set()
                    return True
            world.broker.news.clear()
            with suppress(TimeoutError):  # a commit of our own is no news
                async with asyncio.timeout(20.0):
                    await world.broker.news.wait()
            continue
        topic = ready[int(rng.integers(len(ready)))]
        start = next_offset[topic]
        if rng.random() < 0.15:
            start = int(rng.integers(max(0, start - 4), start + 1))
        records: list[RawRecord] = world.broker.committed(topic, number, start)[: int(rng.integers(1, 10))]
        if records and records[-1].offset >= next_offset[topic]:
            next_offset[topic] = records[-1].offset + 1
            await writer.offer(Batch(topic, records, next_offset[topic]), start)
        await asyncio.sleep(BETWEEN_S[int(rng.integers(len(BETWEEN_S)))])


def _all_committed(world: _World, writer: PartitionWriter) -> bool:
    def left(topic: Topic) -> bool:
        return bool(world.broker.committed(topic, writer.number, writer.committed.get(topic, 0)))

    return world.all_sent and not world.broker.open and not any(left(topic) for topic in TOPICS)
