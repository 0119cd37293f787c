"""First read, then push: what stood in the inputs at a takeover is applied before anybody gets anything."""

import asyncio
import json
from collections.abc import Iterator

import msgspec
import pytest
from making import AffinityScores, article, policy
from on_kafka import event, until
from slow_log import SlowLog, writer_on

from streamrec.clock import now_ms
from streamrec.contracts.records import RawRecord, Topic
from streamrec.observability.metrics import HoldReason
from streamrec.partition.changes import Changes
from streamrec.partition.intake import Batch
from streamrec.partition.partition import Meeting, Partition, PartitionContext
from streamrec.settings import load
from streamrec.worker.writing.catch_up import CatchUp, readable_end
from streamrec.worker.writing.writer import PartitionWriter


def partition(chunk_users: int = 4096) -> Partition:
    """Where everybody who is known gets everything."""
    return Partition(
        PartitionContext(
            0, policy(min_affinity=0, min_score=0, late_event_s=0), AffinityScores(), chunk_users=chunk_users
        )
    )


def fresh(name: str, **changed: object) -> bytes:
    """An article that may be pushed for an hour."""
    now = now_ms()
    made: dict[str, object] = {"published_at_ms": now, "known_at_ms": now, "expires_at_ms": now + 3_600_000} | changed
    return msgspec.json.encode(article(name, **made))


def append(log: SlowLog, topic: Topic, *values: bytes | None) -> None:
    """Into the log; nobody is told."""
    for value in values:
        log.broker.append(topic, 0, RawRecord(0, now_ms(), None, value), "committed")


async def deliver(writer: PartitionWriter, log: SlowLog, topic: Topic) -> None:
    """All the writer has not been given of it."""
    start = writer._lanes.expected.get(topic, 0)
    records = log.broker.committed(topic, 0, start)
    await writer.offer(Batch(topic, records, records[-1].offset + 1), start)
    await until(lambda: writer.committed.get(topic) == records[-1].offset + 1)


def pushed(log: SlowLog) -> list[tuple[str, str]]:
    """User and article of each push."""
    values = [json.loads(record.value or b"") for record in log.broker.committed("push", 0)]
    return sorted((value["user_id"], value["article_id"]) for value in values)


def decided(writer: PartitionWriter) -> int:
    """Pushes the rows know of, committed or not."""
    return int(writer.partition.profiles["n_pushes"].sum())


async def two_readers(log: SlowLog) -> None:
    """Known, and their worker is gone."""
    errors = list[BaseException]()
    first = writer_on(log, partition(), load({}), errors)
    await first.start()
    append(log, "events", event("ann", "x").value, event("bob", "x").value)
    await deliver(first, log, "events")
    await first.stop()
    assert not errors


UNSUBSCRIBE = {"user_id": "ann", "action": "unsubscribe", "article_id": ""}


async def takeover(log: SlowLog, errors: list[BaseException]) -> PartitionWriter:
    """After an outage in which ann unsubscribed and an article came; the article is delivered first."""
    await two_readers(log)
    append(log, "events", msgspec.json.encode(UNSUBSCRIBE | {"at_ms": now_ms()}))
    append(log, "catalog", fresh("a1"))
    writer = writer_on(log, partition(), load({}, due_scan_s=0.01), errors)
    await writer.start()
    await deliver(writer, log, "catalog")
    await asyncio.sleep(0.1)
    return writer


async def test_nobody_gets_a_push_before_the_backlog_is_applied() -> None:
    """The article is taken in at once and meets everybody once the opt-out is known."""
    log, errors = SlowLog(), list[BaseException]()
    writer = await takeover(log, errors)
    assert decided(writer) == 0
    await deliver(writer, log, "events")
    await until(lambda: bool(pushed(log)))
    await writer.stop()
    assert pushed(log) == [("bob", "a1")]
    assert not errors


async def test_with_the_rule_switched_off_they_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail."""
    monkeypatch.setattr(CatchUp, "is_behind", lambda *_: False)
    log, errors = SlowLog(), list[BaseException]()
    writer = await takeover(log, errors)
    assert decided(writer) == 2
    await writer.stop()


async def test_an_owner_who_ends_while_it_catches_up_loses_no_meeting() -> None:
    """The article's offset is behind the cursor, and the mark of those that have met everybody is not."""
    log, errors = SlowLog(), list[BaseException]()
    await (await takeover(log, errors)).stop()
    third = writer_on(log, partition(), load({}), errors)
    await third.start()
    await deliver(third, log, "events")
    await until(lambda: bool(pushed(log)))
    await third.stop()
    fourth = writer_on(log, partition(), load({}), errors)
    await fourth.start()
    assert not fourth.partition.queue
    await fourth.stop()
    assert pushed(log) == [("bob", "a1")]
    assert not errors


async def test_an_article_meets_people_as_its_newest_version_or_not_at_all() -> None:
    """What was withdrawn while it waited is not pushed, nor is an older title."""
    log, errors = SlowLog(), list[BaseException]()
    writer = await takeover(log, errors)
    append(log, "catalog", fresh("a2"), fresh("a1", version=2, status="withdrawn"))
    append(log, "catalog", fresh("a2", version=2, title="new"))
    await deliver(writer, log, "catalog")
    await deliver(writer, log, "events")
    await until(lambda: bool(pushed(log)))
    await writer.stop()
    (push,) = (json.loads(record.value or b"") for record in log.broker.committed("push", 0))
    assert (push["user_id"], push["article_id"], push["title"]) == ("bob", "a2", "new")
    assert not errors


async def test_none_leaves_while_the_partition_lags() -> None:
    """Records that nobody hands over hold pushes back, until they are handed over; breaking news, too."""
    log, errors = SlowLog(), list[BaseException]()
    await two_readers(log)
    writer = writer_on(log, partition(), load({}, due_scan_s=0.01, max_push_lag_s=5), errors)
    await writer.start()
    await until(lambda: not writer.partition.holds)
    writer.catch_up.undelivered_s = 5.1
    append(log, "catalog", fresh("a1", breaking=2))
    await deliver(writer, log, "catalog")
    await asyncio.sleep(0.1)
    assert decided(writer) == 0
    writer.catch_up.undelivered_s = 4.9
    await until(lambda: len(pushed(log)) == 2)
    await writer.stop()
    assert not errors


async def test_a_rebalance_is_a_takeover() -> None:
    """What came while the partition stood still is applied first, though its owner is the same."""
    log, errors = SlowLog(), list[BaseException]()
    await two_readers(log)
    writer = writer_on(log, partition(), load({}, due_scan_s=0.01), errors)
    await writer.start()
    await until(lambda: not writer.partition.holds)
    await writer.pause()
    append(log, "events", msgspec.json.encode(UNSUBSCRIBE | {"at_ms": now_ms()}))
    append(log, "catalog", fresh("a1"))
    writer.resume()
    await deliver(writer, log, "catalog")
    await asyncio.sleep(0.1)
    assert decided(writer) == 0
    await deliver(writer, log, "events")
    await until(lambda: bool(pushed(log)))
    await writer.stop()
    assert pushed(log) == [("bob", "a1")]
    assert not errors


class Elsewhere:
    """Other partitions, which send on and fall behind when they are told to."""

    def __init__(self, all_sent_on: asyncio.Event, late: asyncio.Event) -> None:
        self.all_sent_on, self.late, self.behind = all_sent_on, late, ""

    async def sent_on(self) -> None:
        """When told."""
        await self.all_sent_on.wait()

    async def too_late(self) -> HoldReason:
        """When told."""
        await self.late.wait()
        return "strays"

    def why(self) -> str:
        """As told."""
        return self.behind


async def test_what_strayed_is_an_input_too() -> None:
    """An opt-out that another partition sends on during the catch-up is applied before anybody gets a push."""
    log, errors, all_sent_on = SlowLog(), list[BaseException](), asyncio.Event()
    await two_readers(log)
    append(log, "catalog", fresh("a1"))

    writer = writer_on(log, partition(), load({}, due_scan_s=0.01), errors, Elsewhere(all_sent_on, asyncio.Event()))
    await writer.start()
    await deliver(writer, log, "catalog")
    await asyncio.sleep(0.1)
    assert decided(writer) == 0
    append(log, "rerouted", msgspec.json.encode(UNSUBSCRIBE | {"at_ms": now_ms()}))
    all_sent_on.set()
    await asyncio.sleep(0.1)
    assert decided(writer) == 0
    await deliver(writer, log, "rerouted")
    await until(lambda: bool(pushed(log)))
    await writer.stop()
    assert pushed(log) == [("bob", "a1")]
    assert not errors


async def test_pushes_wait_for_others_who_fall_behind_while_live() -> None:
    """Until these have sent on what strayed, and until that is applied; then they leave again."""
    log, errors, all_sent_on, late = SlowLog(), list[BaseException](), asyncio.Event(), asyncio.Event()
    all_sent_on.set()
    await two_readers(log)
    others = Elsewhere(all_sent_on, late)
    writer = writer_on(log, partition(), load({}, due_scan_s=0.01), errors, others)
    await writer.start()
    await until(lambda: writer.catch_up.held is None)
    all_sent_on.clear()
    late.set()
    await until(lambda: writer.catch_up.held == "strays")
    late.clear()
    others.behind = "events-1 is behind by 7 records"
    assert writer.catch_up.why({}) == ("strays", others.behind)
    append(log, "catalog", fresh("a1", breaking=2))
    await deliver(writer, log, "catalog")
    await asyncio.sleep(0.1)
    assert decided(writer) == 0
    append(log, "rerouted", msgspec.json.encode(UNSUBSCRIBE | {"at_ms": now_ms()}))
    others.behind = ""
    all_sent_on.set()
    await asyncio.sleep(0.1)
    assert writer.catch_up.why(writer.partition.cursor) == (
        "strays",
        "1 offsets of its inputs are to be applied first",
    )
    assert decided(writer) == 0
    await deliver(writer, log, "rerouted")
    await until(lambda: bool(pushed(log)))
    await writer.stop()
    assert pushed(log) == [("bob", "a1")]
    assert not errors


class Watched(Partition):
    """Notes the order of what it does."""

    def __init__(self, context: PartitionContext) -> None:
        super().__init__(context)
        self.done: list[str] = []

    def apply(self, batch: Batch, now_ms: int) -> Iterator[Changes]:
        self.done.append(batch.topic)
        return super().apply(batch, now_ms)

    def meet(self, meeting: Meeting) -> Changes:
        self.done.append(meeting.trigger)
        return super().meet(meeting)


async def offer_one(writer: PartitionWriter, log: SlowLog) -> None:
    """Another click."""
    append(log, "events", event("u1", "x").value)
    await deliver(writer, log, "events")


async def test_an_embargo_that_ends_meets_everybody_in_steps() -> None:
    """Events have their turn between two chunks, as they have when an article is published."""
    log, errors = SlowLog(), list[BaseException]()
    state = Watched(partition(chunk_users=1).context)
    writer = writer_on(log, state, load({}, due_scan_s=0.01), errors)
    await writer.start()
    append(log, "events", *(event(f"u{number}", "x").value for number in range(40)))
    append(log, "catalog", fresh("a1", embargo_until_ms=now_ms() + 300))
    topics: list[Topic] = ["events", "catalog"]
    for topic in topics:
        await deliver(writer, log, topic)
    assert decided(writer) == 0
    state.done.clear()
    while "article" not in state.done:  # noqa: ASYNC110 - turn by turn
        await asyncio.sleep(0)
    offering = asyncio.create_task(offer_one(writer, log))
    await until(lambda: len(pushed(log)) == 40)
    await offering
    await writer.stop()
    assert state.done.count("article") == 40
    assert state.done.index("events") < 30
    assert not errors


async def test_an_end_behind_markers_and_what_was_aborted_is_reached() -> None:
    """Offsets that no consumer is given are not waited for, however many there are."""
    log = SlowLog()
    append(log, "events", b"1")
    for _ in range(300):
        log.broker.append("events", 0, RawRecord(0, now_ms(), None, b"2"), "committed").state = "aborted"
    async with log.reader() as reader:
        assert await readable_end(reader, "events", 0, 0, 301) == 1
        assert await readable_end(reader, "events", 0, 1, 301) == 1
        assert await readable_end(reader, "events", 0, 301, 301) == 301
