"""A rebalance that begins while records at fault are searched for."""

import asyncio

import pytest
from making import AffinityScores, policy
from on_kafka import event, until
from slow_log import SlowLog, offer_clicks, writer_on

from streamrec.clock import now_ms
from streamrec.contracts.records import RawRecord
from streamrec.observability.metrics import HoldReason
from streamrec.partition.changelog_meta import OWNER_KEY
from streamrec.partition.intake import Batch
from streamrec.partition.partition import PartitionContext
from streamrec.settings import load
from streamrec.tools.chaos import memory_log
from streamrec.tools.chaos.faulty_partition import POISON, FragilePartition
from streamrec.tools.chaos.memory_log import MemoryLog
from streamrec.worker.writing.catch_up import CatchUp
from streamrec.worker.writing.writer import PartitionWriter

USERS = ["u", *(f"{POISON}{n}" for n in range(6)), "u"]


@pytest.fixture(autouse=True)
def markers_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Late ones would take seconds here, where time is real."""
    monkeypatch.setattr(memory_log, "LATE_MARKERS", 0.0)


def writer_of(log: SlowLog, errors: list[BaseException]) -> PartitionWriter:
    """With a bug that some users reach."""
    return writer_on(
        log,
        FragilePartition(PartitionContext(0, policy(), AffinityScores())),
        load({}, batch_events=1),
        errors,
    )


def barriers(broker: MemoryLog) -> int:
    """How often a state was about to be restored."""
    return sum(record.key == OWNER_KEY for record in broker.committed("changelog", 0))


async def nothing_written(broker: MemoryLog) -> None:
    """It stands still: the next owner may fence it."""
    before = len(broker.partitions["changelog", 0])
    await asyncio.sleep(0.05)
    assert len(broker.partitions["changelog", 0]) == before


@pytest.mark.parametrize("users", [["u", f"{POISON}1", "u"], ["u", "u", f"{POISON}1", "u"]])
async def test_a_pause_ends_though_what_it_waits_for_is_thrown_away(users: list[str]) -> None:
    """A transaction is in flight, its successor may be pending, and then a record raises: nothing is written after the
    pause, and the search begins with the end of it.

    `pause` waited for ever for a commit of what no longer was (chaos --simulate, seed 610), or ended before the search.
    """
    log, errors = SlowLog(), list[BaseException]()
    writer = writer_of(log, errors)
    await writer.start()
    log.answers.clear()
    await offer_clicks(writer, users)
    pausing = asyncio.create_task(writer.pause())
    await asyncio.sleep(0.01)
    assert not pausing.done()  # a transaction is in flight
    log.answers.set()
    async with asyncio.timeout(5):
        await pausing
    await nothing_written(log.broker)
    writer.resume()
    await until(lambda: writer.committed.get("events") == len(users))
    await until(lambda: len(log.broker.committed("events.dlq", 0)) == 1)
    await writer.stop()
    assert not errors


class StopsInTheSearch(SlowLog):
    """Answers so many requests more, and then none until it is told to."""

    left = -1

    async def _answered(self) -> None:
        if self.left == 0:
            self.answers.clear()
        self.left -= 1
        await super()._answered()


async def offer(writer: PartitionWriter) -> None:
    """A batch with six records at fault."""
    records = [RawRecord(n, now_ms(), user.encode(), event(user, "a").value) for n, user in enumerate(USERS)]
    await writer.offer(Batch("events", records, len(records)), 0)


async def paused_in_a_search(log: StopsInTheSearch, after: int, errors: list[BaseException]) -> PartitionWriter:
    """So many requests after it began."""
    writer = writer_of(log, errors)
    await writer.start()
    before, log.left = barriers(log.broker), after
    await offer(writer)
    await until(lambda: not log.answers.is_set())
    pausing = asyncio.create_task(writer.pause())
    await asyncio.sleep(0.01)
    log.answers.set()
    async with asyncio.timeout(5):
        await pausing
    await nothing_written(log.broker)
    assert barriers(log.broker) - before <= 1 + after / 6  # not the eight of the whole search
    assert not log.broker.committed("events.dlq", 0)
    return writer


async def finishes(writer: PartitionWriter, broker: MemoryLog) -> None:
    """All is applied, and the six are set aside, once."""
    await until(lambda: writer.committed.get("events") == len(USERS))
    assert len(broker.committed("events.dlq", 0)) == 6
    await writer.stop()


@pytest.mark.parametrize("after", [0, 3, 6, 8, 10, 13, 17])
async def test_a_pause_gives_the_search_up_and_it_begins_anew(after: int) -> None:
    """Everybody waits for a pause, and a search takes a recovery for each culprit."""
    log, errors = StopsInTheSearch(), list[BaseException]()
    writer = await paused_in_a_search(log, after, errors)
    writer.resume()
    await finishes(writer, log.broker)
    assert not errors


@pytest.mark.parametrize("after", [0, 8, 17])
async def test_the_next_owner_searches_for_itself(after: int) -> None:
    """What was not committed never happened."""
    log, errors = StopsInTheSearch(), list[BaseException]()
    before = await paused_in_a_search(log, after, errors)
    async with asyncio.timeout(5):
        await before.stop()
    writer = writer_of(log, errors)
    await writer.start()
    assert writer.committed.get("events") == 0
    await offer(writer)
    await finishes(writer, log.broker)
    assert not errors


async def test_a_pause_ends_when_a_search_fails() -> None:
    """The process ends of it; until then nothing hangs."""
    log, errors = SlowLog(), list[BaseException]()
    writer = writer_on(
        log, FragilePartition(PartitionContext(0, policy(), AffinityScores())), load({}, max_poison_per_hour=0), errors
    )
    await writer.start()
    await offer_clicks(writer, [f"{POISON}1"])
    await until(lambda: bool(errors))
    async with asyncio.timeout(5):
        await writer.pause()


class OnceDeaf:
    """The other partitions, asked through a client that loses the first cancelling, as `asyncio.wait_for` may."""

    def __init__(self) -> None:
        self.was_cancelled = False

    async def sent_on(self) -> None:
        """Nothing strayed; what came of the cancelling is an answer."""
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.was_cancelled = True

    async def too_late(self) -> HoldReason:
        """Nobody ever is."""
        await asyncio.sleep(60)
        return "strays"

    def why(self) -> str:
        """Nobody is behind."""
        return ""


async def test_a_stop_ends_though_the_asker_loses_a_cancelling() -> None:
    """A worker that was told to stop while it asked waited for it until the process was ended with code 1."""
    log, errors, others = SlowLog(), list[BaseException](), OnceDeaf()
    writer = writer_of(log, errors)
    writer.catch_up = CatchUp(log, 0, writer.partition.context.topics, 60.0, others)
    await writer.start()
    await asyncio.sleep(0.05)
    async with asyncio.timeout(6):
        await writer.stop()
    assert others.was_cancelled
    assert not errors


class SlowToEnd(OnceDeaf):
    """The other partitions, asked through a client that takes a moment to end; counts who asks at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.asking = self.most = self.asked = 0

    async def sent_on(self) -> None:
        """For ever, until it is cancelled and has cleaned up."""
        self.asking, self.asked = self.asking + 1, self.asked + 1
        self.most = max(self.most, self.asking)
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.02)
            self.asking -= 1


async def goes_on(log: SlowLog, others: OnceDeaf, times: int, errors: list[BaseException]) -> PartitionWriter:
    """A writer that is asking, after so many rebalances that left it its partition."""
    writer = writer_of(log, errors)
    writer.catch_up = CatchUp(log, 0, writer.partition.context.topics, 60.0, others)
    await writer.start()
    await asyncio.sleep(0.01)
    for _ in range(times):
        await writer.pause()
        writer.resume()
    return writer


async def test_who_asked_before_has_ended_before_the_next_one_asks() -> None:
    """Two at once hold two connections, and the earlier could answer last."""
    log, errors, others = SlowLog(), list[BaseException](), SlowToEnd()
    writer = await goes_on(log, others, 2, errors)
    await until(lambda: others.asked == 2)
    assert others.most == 1
    await writer.stop()
    assert others.asking == 0
    assert not errors


async def test_an_answer_from_before_the_pause_counts_for_nothing() -> None:
    """Who lost the cancelling goes on and finds where the inputs ended then; what came since would be passed over."""
    log, errors, others = SlowLog(), list[BaseException](), OnceDeaf()
    writer = await goes_on(log, others, 1, errors)
    await until(lambda: others.was_cancelled)
    await asyncio.sleep(0.05)
    assert writer.catch_up.is_behind({}, 0.0)
    await writer.stop()
    assert not errors
