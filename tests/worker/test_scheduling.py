"""When a writer applies what it is offered: together between two transactions, at once when a batch is full."""

import asyncio
from collections.abc import Iterator

import msgspec
import pytest
from making import AffinityScores, article, click, policy
from on_kafka import until
from slow_log import SlowLog, offer_clicks, writer_on

from streamrec import clock
from streamrec.clock import now_ms
from streamrec.contracts.records import RawRecord
from streamrec.partition.changes import Changes
from streamrec.partition.intake import Batch
from streamrec.partition.partition import Meeting, Partition, PartitionContext
from streamrec.settings import load
from streamrec.worker.recovery.recovery import recover
from streamrec.worker.writing import scheduling as turns


class Watched(Partition):
    """Notes the size of each batch."""

    def __init__(self, context: PartitionContext) -> None:
        super().__init__(context)
        self.sizes: list[int] = []
        self.looks = 0

    def apply(self, batch: Batch, now_ms: int) -> Iterator[Changes]:
        self.sizes.append(len(batch.records))
        return super().apply(batch, now_ms)

    def due(self, now_ms: int) -> Iterator[Meeting]:
        self.looks += 1
        return super().due(now_ms)


async def sizes_applied(batch_events: int) -> tuple[list[int], list[int]]:
    """A record is offered, and seven more while its transaction is in flight; sizes applied by then, and in all."""
    log, errors = SlowLog(), list[BaseException]()
    partition = Watched(PartitionContext(0, policy(), AffinityScores()))
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


class Ordered(Watched):
    """Notes the order of what it does."""

    def __init__(self, context: PartitionContext) -> None:
        super().__init__(context)
        self.done: list[str] = []

    def apply(self, batch: Batch, now_ms: int) -> Iterator[Changes]:
        for changes in super().apply(batch, now_ms):
            self.done.append(batch.topic)
            yield changes

    def meet(self, meeting: Meeting) -> Changes:
        if meeting.trigger == "article":
            self.done.append("catalog")
        return super().meet(meeting)


async def test_clicks_have_their_turn_between_the_chunks_of_an_article_though_they_are_few() -> None:
    """While a transaction is in flight a few clicks wait for its end, but never for an article that meets everybody."""
    log, errors = SlowLog(), list[BaseException]()
    partition = Ordered(PartitionContext(0, policy(min_affinity=0, min_score=0), AffinityScores(), chunk_users=1))
    writer = writer_on(log, partition, load({}), errors)
    await writer.start()
    await offer_clicks(writer, [f"u{number}" for number in range(40)])
    await until(lambda: writer.committed.get("events") == 40)
    partition.done.clear()
    log.answers.clear()
    published = article(published_at_ms=now_ms(), known_at_ms=now_ms(), expires_at_ms=now_ms() + 60_000)
    catalog = RawRecord(0, now_ms(), b"a1", msgspec.json.encode(published))
    record = RawRecord(40, now_ms(), b"u1", msgspec.json.encode(click("u1", at_ms=now_ms())))
    await writer.offer(Batch("catalog", [catalog], 1), 0)
    while writer._in_flight_since_s is None:  # noqa: ASYNC110 - turn by turn
        await asyncio.sleep(0)
    chunks = len(partition.done)
    await writer.offer(Batch("events", [record], 41), 40)
    await until(lambda: partition.done.count("catalog") > 40)
    log.answers.set()
    await writer.stop()
    assert not errors
    assert chunks < 40
    assert partition.done.index("events") - chunks <= 2


async def test_looks_go_on_though_the_clock_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a quiet partition nobody who is due waits for the wall clock to come back to where it was."""
    partition, errors = Watched(PartitionContext(0, policy(), AffinityScores())), list[BaseException]()
    writer = writer_on(SlowLog(), partition, load({}, due_scan_s=0.05), errors)
    await writer.start()
    await until(lambda: partition.looks > 2)
    hour_ago = clock.now_ms() - 3_600_000
    monkeypatch.setattr(turns, "now_ms", lambda: hour_ago)
    before = partition.looks
    await until(lambda: partition.looks > before + 2, wait_s=10)
    await writer.stop()
    assert not errors


async def test_an_article_that_nobody_got_is_not_met_again() -> None:
    """That all have met it is committed once the queue is empty, though it changed nobody's row."""
    log, errors = SlowLog(), list[BaseException]()
    context = PartitionContext(0, policy(min_score=1), AffinityScores(), chunk_users=2)
    writer = writer_on(log, Partition(context), load({}), errors)
    await writer.start()
    await offer_clicks(writer, ["u0", "u1", "u2"])
    await until(lambda: writer.committed.get("events") == 3)
    fresh = article("fresh", published_at_ms=now_ms(), known_at_ms=now_ms(), expires_at_ms=now_ms() + 3_600_000)
    record = RawRecord(0, now_ms(), None, msgspec.json.encode(fresh))
    log.broker.append("catalog", 0, record, "committed")
    await writer.offer(Batch("catalog", [record], 1), 0)
    await until(lambda: writer.committed.get("catalog") == 1 and not writer.partition.queue and not writer._pending)
    await until(lambda: not writer.uncommitted_s())
    successor = Partition(context)
    await recover(successor, log, "changelog", 24)
    assert successor.cursor["catalog"] == 1
    assert not successor.queue
    await writer.stop()
    assert not errors
    assert not log.broker.committed("push", 0)
