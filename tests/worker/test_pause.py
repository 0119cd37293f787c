"""A rebalance that begins while a record at fault is searched for."""

import asyncio

from making import AffinityScores, policy
from on_kafka import until
from slow_log import SlowLog, offer_clicks, writer_on

from streamrec.chaos.fragile import POISON, FragilePartition
from streamrec.partition import Settled
from streamrec.settings import load


async def test_a_pause_ends_though_what_it_waits_for_is_thrown_away() -> None:
    """A transaction is in flight, its successor pending, and then a record raises: the search begins anew without it.

    `pause` waited for ever for a commit of what no longer was (chaos --simulate, seed 610).
    """
    log, errors = SlowLog(), list[BaseException]()
    broker = log.broker
    partition = FragilePartition(Settled(0, policy(), AffinityScores()))
    writer = writer_on(log, partition, load({}, batch_events=1), errors)
    await writer.start()
    log.answers.clear()
    await offer_clicks(writer, ["u", "u", f"{POISON}1", "u"])
    pausing = asyncio.create_task(writer.pause())
    await asyncio.sleep(0.01)
    log.answers.set()
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
