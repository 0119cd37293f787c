"""When a writer applies what it is offered: together between two transactions, at once when a batch is full."""

from collections.abc import Iterator

import pytest
from making import AffinityScores, policy
from on_kafka import until
from slow_log import SlowLog, offer_clicks, writer_on

from streamrec import clock
from streamrec.changes import Changes
from streamrec.intake import Batch
from streamrec.partition import Partition, Settled
from streamrec.settings import load
from streamrec.worker import writer as writer_module


class Watched(Partition):
    """Notes the size of each batch."""

    def __init__(self, settled: Settled) -> None:
        super().__init__(settled)
        self.sizes: list[int] = []
        self.looks = 0

    def apply(self, batch: Batch, now_ms: int) -> Iterator[Changes]:
        self.sizes.append(len(batch.records))
        return super().apply(batch, now_ms)

    def look(self, now_ms: int) -> Changes:
        self.looks += 1
        return super().look(now_ms)


async def sizes_applied(batch_events: int) -> tuple[list[int], list[int]]:
    """A record is offered, and seven more while its transaction is in flight; sizes applied by then, and in all."""
    log, errors = SlowLog(), list[BaseException]()
    partition = Watched(Settled(0, policy(), AffinityScores()))
    writer = writer_on(log, partition, load({}, batch_events=batch_events), errors)
    await writer.start()
    log.answers.clear()
    await offer_clicks(writer, 8 * ["u"])
    in_flight = list(partition.sizes)
    log.answers.set()
    await until(lambda: writer.committed.get("events") == 8)
    await writer.stop()
    assert not errors
    return in_flight, partition.sizes


async def test_what_waits_for_a_transaction_is_applied_as_one_batch() -> None:
    """One fixed cost instead of seven."""
    assert await sizes_applied(1000) == ([1], [1, 7])


async def test_a_full_batch_does_not_wait() -> None:
    """Under a backlog it goes into the transaction after this one while this one is in flight."""
    in_flight, sizes = await sizes_applied(3)
    assert in_flight == [1, 3, 3]
    assert sizes == [1, 3, 3, 1]


async def test_looks_go_on_though_the_clock_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a quiet partition nobody who is due waits for the wall clock to come back to where it was."""
    partition, errors = Watched(Settled(0, policy(), AffinityScores())), list[BaseException]()
    writer = writer_on(SlowLog(), partition, load({}, due_scan_s=0.05), errors)
    await writer.start()
    await until(lambda: partition.looks > 2)
    hour_ago = clock.now_ms() - 3_600_000
    monkeypatch.setattr(writer_module, "now_ms", lambda: hour_ago)
    before = partition.looks
    await until(lambda: partition.looks > before + 2, wait_s=10)
    await writer.stop()
    assert not errors
