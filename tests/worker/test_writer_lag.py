"""The lag of a partition covers whatever was offered until it is committed."""

import pytest
from making import AffinityScores, policy
from on_kafka import event, until
from slow_log import SlowLog, writer_on

from streamrec.clock import now_ms
from streamrec.contracts.partitioner import partition_of
from streamrec.contracts.records import RawRecord
from streamrec.partition.intake import Batch
from streamrec.partition.partition import Partition, PartitionContext
from streamrec.settings import load

STRAY = next(f"u{n}" for n in range(100) if partition_of(f"u{n}", 2) == 1)
HOME = next(f"u{n}" for n in range(100) if partition_of(f"u{n}", 2) == 0)


@pytest.mark.parametrize(
    ("key", "value"),
    [(HOME.encode(), event(HOME, "a").value), (b"x", b"garbage"), (STRAY.encode(), event(STRAY, "a").value)],
    ids=["event", "dead letter", "stray"],
)
async def test_what_is_in_flight_has_an_age(key: bytes, value: bytes) -> None:
    """One record on a quiet partition, in a transaction that does not end; when it has ended, nothing is late."""
    log, errors = SlowLog(), list[BaseException]()
    writer = writer_on(log, Partition(PartitionContext(0, policy(), AffinityScores(), partitions=2)), load({}), errors)
    await writer.start()
    log.answers.clear()
    asked = log.asked
    at_ms = now_ms()
    await writer.offer(Batch("events", [RawRecord(0, at_ms - 40_000, key, value)], 1), 0)
    assert writer.lag_s(at_ms) == 40
    await until(lambda: log.asked > asked)
    assert writer.lag_s(at_ms) == 40
    log.answers.set()
    await until(lambda: writer.committed.get("events") == 1)
    assert writer.lag_s(at_ms) == 0
    await writer.stop()
    assert not errors
