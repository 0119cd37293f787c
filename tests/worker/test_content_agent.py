"""The content agent on a log in memory: rebalances while it works, articles on which analysis raises, its watchdog."""

import asyncio
import json
import time

import msgspec
import pytest
from fragile_encoder import EARLY, FragileEncoder
from on_kafka import until
from prometheus_client import CollectorRegistry
from slow_log import SlowLog

from streamrec.clock import simulated
from streamrec.content.category_slots import slots_in
from streamrec.content.pipeline import ContentPipeline
from streamrec.contracts.article import AnalysedArticle
from streamrec.contracts.records import RawRecord
from streamrec.engine.policy.suppression_reasons import SUPPRESSION_REASONS
from streamrec.errors import StateError
from streamrec.observability.metrics import Metrics
from streamrec.settings import load
from streamrec.tools.chaos.process_log import ProcessLog
from streamrec.worker.content_agent import ContentAgent, renewal_s
from streamrec.worker.fetching.fetch_lag import FetchProgress
from streamrec.worker.fetching.fetcher import RecordBatch

SETTINGS = load({}, partitions=2, max_poison_per_hour=2)


def agent(log: ProcessLog, generation: int | None = 1) -> ContentAgent:
    """Of one process, which has `articles` in this generation of the group."""
    metrics = Metrics(CollectorRegistry(), SUPPRESSION_REASONS)
    made = ContentAgent(SETTINGS, ContentPipeline(SETTINGS, FragileEncoder()), metrics, log)
    if generation is not None:
        made.assigned(generation)
    return made


def batch(start: int, *titles: str, version: int = 1, **more: str | int) -> RecordBatch:
    """Articles a<offset> with these titles."""
    now_ms = time.time_ns() // 1_000_000
    records = [
        RawRecord(
            offset,
            now_ms,
            f"a{offset}".encode(),
            json.dumps(
                {"article_id": f"a{offset}", "title": title, "published_at_ms": now_ms, "version": version} | more
            ).encode(),
        )
        for offset, title in enumerate(titles, start)
    ]
    return RecordBatch(start, [*records], start + len(titles))


async def catalog(log: SlowLog, number: int = 0) -> list[tuple[str, int]]:
    """Article versions in a partition, in order."""
    await until(log.broker.settled)
    records = [record for record in log.broker.committed("catalog", number) if record.value]
    articles = [msgspec.json.decode(record.value or b"", type=AnalysedArticle) for record in records]
    return [(article.article_id, article.version) for article in articles]


async def letters(log: SlowLog) -> list[tuple[bytes, bytes]]:
    """Reason and offset of what was set aside."""
    await until(log.broker.settled)
    headers = [dict(letter.headers) for letter in log.broker.committed("articles.dlq", 0)]
    return [(one["streamrec-reason"], one["streamrec-offset"]) for one in headers]


@pytest.mark.slow
@pytest.mark.parametrize("requests", range(1, 40, 3))
async def test_a_rebalance_at_any_request(requests: int) -> None:
    """It waits for what is being written, ends a take-over, and leaves nothing that fences the next owner."""
    log = SlowLog()
    first = agent(log)
    log.answers.clear()
    working = asyncio.create_task(first.analyse(batch(0, "Weather in Odense"), 1))
    for _ in range(requests):
        log.answers.set()
        await asyncio.sleep(0)
        log.answers.clear()
    rebalance = asyncio.create_task(first.release())
    await asyncio.sleep(0)
    log.answers.set()
    async with asyncio.timeout(20):
        await asyncio.gather(working, rebalance)

    second = agent(SlowLog(log.broker), 2)
    await second.analyse(batch(0, "Weather in Odense", "Football in Aarhus"), 2)
    assert dict(await catalog(log)) == dict(await catalog(log, 1)) == {"a0": 1, "a1": 1}
    first.assigned(3)
    await second.release()
    await first.analyse(batch(2, "Film in Vejle"), 3)  # it comes back, and goes on
    assert (await catalog(log))[-1] == ("a2", 1)


async def test_a_rebalance_waits_for_what_is_being_written() -> None:
    """Stopped under a running transaction, a producer raises, or its commit never returns."""
    log = SlowLog()
    one = agent(log)
    await one.analyse(batch(0, "Weather in Odense"), 1)
    log.answers.clear()
    working = asyncio.create_task(one.analyse(batch(1, "Football in Aarhus"), 1))
    await asyncio.sleep(0.01)
    rebalance = asyncio.create_task(one.release())
    await asyncio.sleep(0.01)
    assert not rebalance.done()
    log.answers.set()
    async with asyncio.timeout(20):
        await asyncio.gather(working, rebalance)
    assert await catalog(log) == [("a0", 1), ("a1", 1)]


async def test_a_rebalance_does_not_wait_for_a_take_over() -> None:
    """It may take as long as somebody's transaction is open; the next owner would fence us in the midst of it."""
    log = SlowLog()
    log.broker.append("catalog", 0, RawRecord(0, 0, b"a", b""), "open")
    one = agent(log)
    working = asyncio.create_task(one.analyse(batch(0, "Weather in Odense"), 1))
    await until(lambda: len(log.broker.partitions["catalog", 0]) > 2)  # its barrier
    async with asyncio.timeout(20):
        await asyncio.gather(working, one.release())
    assert one.done is None
    assert one.stalled_s() == 0.0


async def test_a_batch_of_an_earlier_generation_is_dropped() -> None:
    """Whoever owns `articles` reads it again; written here, it would fence the owner."""
    log = SlowLog()
    one = agent(log)
    await one.release()
    await one.analyse(batch(0, "Weather in Odense"), 1)
    one.assigned(2)
    await one.analyse(batch(7, "Weather in Odense"), 1)
    await one.analyse(batch(0, "Football in Aarhus"), None)
    assert log.asked == 0
    await one.analyse(batch(0, "Weather in Odense"), 2)
    assert await catalog(log) == [("a0", 1)]


async def test_records_are_not_passed_over_in_silence() -> None:
    """A gap between two batches ends the process."""
    one = agent(SlowLog())
    await one.analyse(batch(0, "Weather in Odense"), 1)
    with pytest.raises(StateError, match="offsets 1 to 2"):
        await one.analyse(batch(3, "Football in Aarhus"), 1)


async def test_it_reads_back_what_was_not_decided_when_it_took_over() -> None:
    """A commit that the coordinator accepted and forgot becomes readable late: the barrier waits for it."""
    log = SlowLog()
    other = SlowLog()
    await agent(other).analyse(batch(0, "Weather in Odense", version=5), 1)
    (late,) = [record for record in other.broker.committed("catalog", 0) if record.value]
    entry = log.broker.append("catalog", 0, late, "open")
    one = agent(log)
    working = asyncio.create_task(one.analyse(batch(0, "Weather in Odense", version=3), 1))
    await asyncio.sleep(0.2)
    entry.state = "committed"
    await working
    assert await catalog(log) == [("a0", 5)]


async def test_what_was_never_written_is_not_remembered() -> None:
    """A batch whose transaction did not commit is analysed again as if for the first time."""

    class Dies(SlowLog):
        """Its next commits fail."""

        dies = False

        async def _answered(self) -> None:
            await super()._answered()
            if self.dies:
                raise ConnectionError

    log = Dies()
    one = agent(log)
    await one.analyse(batch(0, "Weather in Odense"), 1)
    log.dies = True
    with pytest.raises(ConnectionError):
        await one.analyse(batch(1, "Football in Aarhus", version=5), 1)
    log.dies = False
    await one.release()
    one.assigned(2)
    await one.analyse(batch(1, "Football in Aarhus", version=3), 2)
    assert await catalog(log) == [("a0", 1), ("a1", 3)]


def tables(log: SlowLog, number: int) -> list[list[str]]:
    """Slots of categories as one partition remembers them, in order."""
    found = map(slots_in, log.broker.committed("catalog", number))
    return [table.names for table in found if table is not None]


async def test_the_next_owner_hands_out_the_same_slots() -> None:
    """Which all partitions hold, also when retention has taken every article."""
    log = SlowLog()
    await agent(log).analyse(batch(0, "Weather in Odense", category="wetter"), 1)
    await until(log.broker.settled)
    assert tables(log, 0) == tables(log, 1) == [["wetter"]]
    for number in range(2):
        for entry in log.broker.partitions["catalog", number]:
            if entry.record.value:
                entry.state = "aborted"  # as good as gone
    await agent(log).analyse(batch(1, "Football in Aarhus", category="sport"), 1)
    await until(log.broker.settled)
    assert tables(log, 0) == tables(log, 1) == [["wetter"], ["wetter"], ["wetter", "sport"]]


async def test_slots_are_written_again_before_retention_takes_them() -> None:
    """Once an hour, also when no news comes; not by whoever does not own the articles."""
    log, ahead_s = SlowLog(), [0.0]
    one = agent(log)
    with simulated(lambda: time.time_ns() + round(ahead_s[0] * 1e9)):
        await one.renew()
        await one.analyse(batch(0, "Weather in Odense", category="wetter"), 1)
        for hours in (0.9, 1.1, 1.2, 2.3):
            ahead_s[0] = hours * 3600
            await one.renew()
        await one.release()
        ahead_s[0] = 9 * 3600
        await one.renew()
    await until(log.broker.settled)
    assert tables(log, 0) == tables(log, 1) == [["wetter"]] * 3
    assert renewal_s(load({}, vector_days=0.01)) == pytest.approx(86.4)


async def test_a_machine_that_has_just_started_writes_again_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new owner does so at once: where machines live for less than an hour, nobody else would."""
    monkeypatch.setattr("streamrec.worker.content_agent.monotonic_s", lambda: 60.0)
    log = SlowLog()
    one = agent(log)
    await one.analyse(batch(0, "Weather in Odense", category="wetter"), 1)
    for _ in range(2):
        await one.renew()
    await until(log.broker.settled)
    assert tables(log, 0) == [["wetter"]] * 2


async def test_what_waits_for_its_time_is_written_again_before_retention_takes_it() -> None:
    """Until it opens, by the next owner as well, which finds it in `catalog` only; not when it was withdrawn."""
    log, opens_ms, ahead_s = SlowLog(), time.time_ns() // 1_000_000 + 10 * 3_600_000, [0.0]

    async def written(one: ContentAgent, hours: float) -> list[tuple[str, int]]:
        ahead_s[0] = hours * 3600
        before = len(await catalog(log))
        await one.renew()
        await until(log.broker.settled)
        return (await catalog(log))[before:]

    with simulated(lambda: time.time_ns() + round(ahead_s[0] * 1e9)):
        first = agent(log)
        await first.analyse(batch(0, "Weather in Odense", "Football", embargo_until_ms=opens_ms), 1)
        (scheduled, other) = await catalog(log)
        assert await written(first, 1.1) == [scheduled, other]
        await first.release()
        second = agent(log)
        await second.analyse(batch(2, "Elections in Aarhus"), 1)
        assert await written(second, 9.9) == [scheduled, other]
        assert await written(second, 11.1) == []


async def test_an_article_on_which_analysis_raises_is_set_aside() -> None:
    """In the transaction of those beside it; above the limit, that of earlier owners included, the process ends."""
    log = SlowLog()
    await agent(log).analyse(batch(0, "Weather in Odense", EARLY, "Football in Aarhus"), 1)
    assert await catalog(log) == await catalog(log, 1) == [("a0", 1), ("a2", 1)]
    assert await letters(log) == [(b"processing_error", b"1")]
    second = agent(log)
    await second.analyse(batch(3, EARLY), 1)
    for _ in range(2):
        with pytest.raises(StateError, match="STREAMREC_MAX_POISON_PER_HOUR"):
            await second.analyse(batch(4, EARLY, "Film in Vejle"), 1)
    assert await letters(log) == [(b"processing_error", b"1"), (b"processing_error", b"3")]
    assert await catalog(log) == [("a0", 1), ("a2", 1)]


async def test_a_stuck_agent_is_seen() -> None:
    """While a transaction gets no answer; a new owner has more patience, for it may wait for an old transaction."""
    log, ahead_s = SlowLog(), [0.0]
    one = agent(log)
    with simulated(lambda: time.time_ns() + round(ahead_s[0] * 1e9)):
        for patience_s in (SETTINGS.transaction_timeout_s + 30, 0.0):
            log.answers.clear()
            working = asyncio.create_task(one.analyse(batch(one.done or 0, "Weather in Odense"), 1))
            await asyncio.sleep(0.01)
            before_s = ahead_s[0]
            ahead_s[0] += patience_s + 5
            assert 5 <= one.stalled_s() < 60
            assert one.stuck_s() == pytest.approx(one.stalled_s(), abs=1)
            assert one.lag_s(time.time_ns() // 1_000_000 + round(1e3 * ahead_s[0])) >= ahead_s[0] - before_s
            log.answers.set()
            await working
            assert one.stalled_s() == one.stuck_s() == one.lag_s(time.time_ns() // 1_000_000) == 0.0


def test_articles_nobody_hands_over_are_seen() -> None:
    """They are not booked on a partition, which may be another worker's."""
    one, ahead_s = agent(SlowLog()), [0.0]
    with simulated(lambda: time.time_ns() + round(ahead_s[0] * 1e9)):
        for second in range(41):
            one.fetch_lag.note("articles", 0, FetchProgress(3, 5), time.time_ns() / 1e9 + second)
        ahead_s[0] = 40.0
        assert 40 <= one.stuck_s() < 100
        assert one.stalled_s() == 0.0
        one.observe()
