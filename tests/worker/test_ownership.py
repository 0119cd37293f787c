"""Acquiring partitions while the group changes."""

import asyncio
import logging
import time

import msgspec
import numpy as np
import pytest
from making import AffinityScores
from on_kafka import event, until
from slow_log import SlowLog, recorder

from streamrec.clock import now_ms, simulated
from streamrec.content import query
from streamrec.content.encoder import HashedEncoder
from streamrec.content.query import Queries
from streamrec.contracts.records import RawRecord, Record
from streamrec.settings import load
from streamrec.tools.chaos.memory_log import MemoryLog
from streamrec.tools.chaos.process_log import ProcessLog
from streamrec.worker.fetching.fetch_lag import FetchProgress
from streamrec.worker.fetching.fetcher import RecordBatch
from streamrec.worker.ownership import Ownership


class Process:
    """The partitions of one worker."""

    def __init__(self, log: ProcessLog) -> None:
        self.errors: list[BaseException] = []
        settings = load({}, partitions=2)
        counted = recorder(settings)
        self.metrics = counted.metrics
        self.owned = Ownership(
            settings, AffinityScores(), counted, self.errors.append, "changelog", log, Queries(HashedEncoder())
        )

    def ready(self) -> bool:
        """As it says."""
        assert self.owned.ready == bool(self.metrics.ready._value.get())  # /ready and the gauge
        return self.owned.ready


async def test_a_rebalance_ends_what_is_being_acquired() -> None:
    """The next owner fences nobody who is at work, and the first may have its partitions back."""
    log = SlowLog()
    first, second = Process(log), Process(SlowLog(log.broker))
    log.answers.clear()
    acquiring = asyncio.create_task(first.owned.acquire([0, 1]))
    await until(lambda: log.asked > 0)
    rebalance = asyncio.create_task(first.owned.pause())
    await asyncio.sleep(0)
    log.answers.set()
    await rebalance
    assert not first.owned.writers

    await second.owned.acquire([0])
    assert not acquiring.done()
    await first.owned.assigned({1})
    await acquiring
    assert not first.ready()
    await first.owned.acquire([1])
    assert (set(first.owned.writers), set(second.owned.writers)) == ({1}, {0})
    assert first.ready()
    await first.owned.release()
    await second.owned.release()
    assert not first.errors + second.errors


async def offered_more_than_is_applied(log: SlowLog) -> Process:
    """Nothing is committed any more, so most of it waits."""
    process = Process(log)
    await process.owned.acquire([0])
    log.answers.clear()
    for offset in range(10):
        records: list[Record] = [RawRecord(offset, now_ms(), b"u", event("u", "a").value)]
        await process.owned.offer("events", 0, RecordBatch(offset, records, offset + 1))
        await asyncio.sleep(0.01 if offset < 2 else 0)
    return process


async def test_only_an_input_nothing_comes_from_is_stuck() -> None:
    """One of which records wait here has had its turn: more are handed over when these are applied."""
    log = SlowLog()
    process = await offered_more_than_is_applied(log)
    for second in range(100):
        process.owned.fetch_lag.note("events", 0, FetchProgress(10, 99), float(second))
    assert not process.owned.stuck_s(30.0)
    process.owned.fetch_lag.note("rerouted", 0, FetchProgress(3, 3), 99.0)
    for second in range(99, 200):
        process.owned.fetch_lag.note("rerouted", 0, FetchProgress(3, 4), float(second))
    assert process.owned.stuck_s(30.0) == {0: 100.0}
    log.answers.set()
    await process.owned.release()


async def test_a_rebalance_is_no_stall_of_those_who_wait_for_it() -> None:
    """The slowest worker may take a minute: those who have stood still for it would all end."""
    log, ahead_s = SlowLog(), [0.0]
    with simulated(lambda: time.time_ns() + round(ahead_s[0] * 1e9)):
        process = await offered_more_than_is_applied(log)
        ahead_s[0] += 40.0
        assert process.owned.stuck_s(30.0).keys() == {0}
        pausing = asyncio.create_task(process.owned.pause())
        await asyncio.sleep(0)
        log.answers.set()
        await pausing
        assert process.owned.writers[0].has_waiting("events")
        ahead_s[0] += 100.0
        assert not process.owned.stuck_s(30.0)
        log.answers.clear()
        await process.owned.assigned({0})
        assert not process.owned.stuck_s(30.0)
        ahead_s[0] += 40.0
        assert process.owned.stuck_s(30.0).keys() == {0}
        log.answers.set()
        await process.owned.release()
    assert not process.errors


async def test_a_release_commits_what_was_applied_and_no_more() -> None:
    """A backlog is the next owner's: it may take longer than a worker that is told to stop has time for."""
    log = SlowLog()
    process = await offered_more_than_is_applied(log)
    releasing = asyncio.create_task(process.owned.release())
    await asyncio.sleep(0.01)
    assert not releasing.done()
    log.answers.set()
    await releasing
    assert process.owned.committed("events", 0) in range(1, 10)
    assert not process.errors


async def test_nothing_is_acquired_after_a_release(caplog: pytest.LogCaptureFixture) -> None:
    """Workers that are told to stop together leave the group one by one, and it gives those still in it the rest."""
    process = Process(SlowLog())
    await process.owned.acquire([0])
    releasing = asyncio.create_task(process.owned.release())
    await asyncio.sleep(0)
    await process.owned.assigned({0, 1})
    await process.owned.acquire([0, 1])
    await releasing
    caplog.set_level(logging.INFO, "streamrec")
    await process.owned.acquire([0, 1])
    assert not process.owned.writers
    assert not process.ready()
    assert not caplog.records
    assert not process.errors


async def test_what_goes_wrong_in_acquiring_is_raised() -> None:
    """A partition that cannot be recovered ends the process, and not only its task."""

    async def fails() -> None:
        raise OSError("no such disk")

    process = Process(ProcessLog(MemoryLog(np.random.default_rng(1)), fails))
    with pytest.raises(OSError, match="no such disk"):
        await process.owned.acquire([0])
    assert not process.ready()


async def test_partitions_that_are_acquired_together_are_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """With what all of them took; what each took is for whoever looks for it."""
    caplog.set_level(logging.INFO, "streamrec")
    process = Process(SlowLog())
    await process.owned.acquire([0, 1])
    await process.owned.acquire([0, 1])
    (line,) = caplog.records
    assert line.getMessage().startswith("2 partitions recovered in ")
    assert vars(line)["rows"] == 0
    await process.owned.release()
    assert not process.errors


@pytest.mark.parametrize("given", [[], [0, 1]])
async def test_ready_is_who_has_all_that_the_group_gave(given: list[int]) -> None:
    """Also where that is nothing, as for a spare worker; not before, nor while partitions move, nor at the end."""
    process = Process(SlowLog())
    for _ in range(2):
        assert not process.ready()  # it has not joined
        await process.owned.assigned(set(given))
        assert not process.ready()  # nothing is acquired
        await process.owned.acquire(given)
        assert process.ready()
        await process.owned.pause()
    assert not process.ready()
    await process.owned.assigned(set(given))
    await process.owned.acquire(given)
    await process.owned.release()
    assert not process.ready()
    assert not process.errors


async def test_what_was_acquired_is_not_ready_if_the_group_has_moved_on() -> None:
    """Faust tells of the end of a recovery when the next rebalance may have begun."""
    process = Process(SlowLog())
    await process.owned.assigned(set())
    await process.owned.pause()
    await process.owned.acquire([])
    assert not process.ready()


class NeverLookedAt:
    """A record whose value nobody may read."""

    offset, timestamp, key, headers = 0, 0, b"u", ()

    @property
    def value(self) -> bytes | None:
        """Not here."""
        raise AssertionError("the bytes of an event were looked at")


class Slowly(Queries):
    """Notes what is prepared."""

    def __init__(self) -> None:
        super().__init__(HashedEncoder())
        self.prepared: list[bytes] = []

    def prepare(self, raw: bytes) -> None:
        """As ever."""
        self.prepared.append(raw)
        super().prepare(raw)


def search(words: str) -> bytes:
    """As a producer sends it."""
    return msgspec.json.encode({"user_id": "u", "action": "search", "query": words, "at_ms": now_ms()})


async def test_searches_are_prepared_for_and_nothing_is_looked_at_once_all_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only a search loads, each thing once: the encoder's weights, then the dictionary. Then events pass untouched."""
    loaded = list[str]()
    monkeypatch.setattr(query, "load_dictionary", lambda: loaded.append("dictionary"))
    monkeypatch.setattr(query, "needs_no_dictionary", lambda raw: bool(loaded) or "中".encode() not in raw)
    process, queries = Process(SlowLog()), Slowly()
    process.owned._queries = queries

    async def offer(*values: bytes | None) -> None:
        records: list[Record] = [RawRecord(n, now_ms(), b"u", value) for n, value in enumerate(values)]
        await process.owned.offer("events", 0, RecordBatch(0, records, len(records)))

    plain, chinese = search("volcano"), search("中国")
    await offer(event("u", "a").value)
    assert queries.prepared == []
    await offer(event("u", "a").value, plain, plain)
    assert queries.prepared == [plain]
    with pytest.raises(AssertionError, match="looked at"):
        await process.owned.offer("events", 0, RecordBatch(0, [NeverLookedAt()], 1))
    await offer(chinese, chinese)
    assert queries.prepared == [plain, chinese]
    await process.owned.offer("events", 0, RecordBatch(0, [NeverLookedAt()], 1))
