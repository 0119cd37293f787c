"""A rebalance that begins while a record at fault is searched for."""

import asyncio

import numpy as np
from making import AffinityScores, policy
from on_kafka import event, until
from prometheus_client import CollectorRegistry

from streamrec.chaos.fragile import POISON, FragilePartition
from streamrec.chaos.memory_log import MemoryLog, ProcessLog
from streamrec.clock import now_ms
from streamrec.contracts.records import RawRecord
from streamrec.intake import Batch
from streamrec.metrics import Metrics
from streamrec.partition import Settled
from streamrec.policy.reasons import SUPPRESSION_REASONS
from streamrec.settings import load
from streamrec.worker.counting import Counting
from streamrec.worker.writer import PartitionWriter
from streamrec.worker.written import Names


async def test_a_pause_ends_though_what_it_waits_for_is_thrown_away() -> None:
    """A transaction is in flight, its successor pending, and then a record raises: the search begins anew without it.

    `pause` waited for ever for a commit of what no longer was (chaos --simulate, seed 610).
    """
    broker_answers = asyncio.Event()
    broker_answers.set()

    async def step() -> None:
        await broker_answers.wait()

    settings = load({}, batch_events=1)
    broker = MemoryLog(np.random.default_rng(1))
    counting = Counting(Metrics(CollectorRegistry(), SUPPRESSION_REASONS), settings)
    errors: list[BaseException] = []
    partition = FragilePartition(Settled(0, policy(), AffinityScores()))
    names = Names("changelog", "push", "rerouted")
    writer = PartitionWriter(partition, settings, ProcessLog(broker, step), names, counting, errors.append)
    await writer.start()
    broker_answers.clear()
    for offset, user in enumerate(["u", "u", f"{POISON}1", "u"]):
        record = RawRecord(offset, now_ms(), user.encode(), event(user, "a").value)
        await writer.offer(Batch("events", [record], offset + 1), offset)
        await asyncio.sleep(0.01)
    pausing = asyncio.create_task(writer.pause())
    await asyncio.sleep(0.01)
    broker_answers.set()
    async with asyncio.timeout(5):
        await pausing
    before = len(broker.partitions["changelog", 0])
    await asyncio.sleep(0.05)
    assert len(broker.partitions["changelog", 0]) == before  # it stands still: the next owner may fence it
    writer.resume()
    await until(lambda: writer.committed.get("events") == 4)
    await until(lambda: len(broker.committed("events.dlq", 0)) == 1)
    await writer.stop()
    assert not errors
