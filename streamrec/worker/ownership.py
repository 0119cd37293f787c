"""Which partitions this process owns, and one writer for each.

A partition is acquired after Faust's own recovery step, outside the rebalance callback: heartbeats go on while a big
state is read. It is released before another worker may have it: what was applied is committed, the rest is its next
owner's.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence

from ..clock import monotonic_s, now_ms
from ..content.query import Queries
from ..contracts.inputs import OF_READERS
from ..contracts.records import TOPICS, Record, Topic
from ..engine.predictor import Predictor
from ..kafka.log import Log
from ..partition.intake import Batch
from ..partition.partition import Partition, PartitionContext
from ..settings import Settings
from .commit.commit_rounds import CommitRounds
from .commit.partition_commit import Names
from .fetching.fetch_lag import FetchLag
from .fetching.fetcher import RecordBatch
from .process.open_files import check_limit
from .reporting.hold_log import HoldLog
from .reporting.metrics_recorder import MetricsRecorder
from .writing.catch_up import OtherPartitions
from .writing.writer import PartitionWriter

log = logging.getLogger(__name__)

SEARCH = b"earch"  # part of the action, with a capital or without
CHINESE = "中".encode()  # whoever understands it needs to load nothing more
AT_ONCE = 8  # partitions that are recovered together: it is the waiting for brokers that is shared


class Ownership:
    """The partitions of this process, acquired and released as the group says; they know where reading goes on."""

    def __init__(
        self,
        settings: Settings,
        ranker: Predictor,
        recorder: MetricsRecorder,
        fail: Callable[[BaseException], None],
        changelog: str,
        kafka: Log,
        queries: Queries,
        others: OtherPartitions | None = None,
    ) -> None:
        self.writers: dict[int, PartitionWriter] = {}
        self.ready = False  # the group has settled, and each partition it gave us, if any, is acquired
        self.fetch_lag, self._hold_log = FetchLag(), HoldLog()
        # what partitions that were let go had committed: the last group offsets follow it
        self._left: dict[int, dict[str, int]] = {}
        self.articles_done: int | None = None  # next offset of `articles`, which is not a partition's input
        self._settings, self._ranker, self._recorder, self._fail = settings, ranker, recorder, fail
        self._queries, self._others = queries, others
        self._log = kafka
        self._names = Names(changelog, settings.topic("push"), settings.topic("rerouted"))
        self._inputs: dict[str, Topic] = {settings.topic(topic): topic for topic in TOPICS}
        self._at_once, self._rounds = asyncio.Semaphore(AT_ONCE), CommitRounds()
        self._acquiring: list[asyncio.Task[None]] = []
        self._group_settled = asyncio.Event()
        self._released = False  # the process ends: what the group gives it from now on is its next owner's

    # --- positions ----------------------------------------------------------------------------------------------------

    def position(self, topic: str, partition: int) -> int | None:
        """Offset to read next; None: as the group says, for the partition is not ours or has no cursor there."""
        writer = self.writers.get(partition)
        name = self._inputs.get(topic)
        return writer.partition.cursor.get(name) if writer and name else None

    def committed(self, topic: str, partition: int) -> int | None:
        """Offset up to which all of this input is in committed transactions; None: nothing is yet."""
        name = self._inputs.get(topic)
        if name is None:
            return self.articles_done
        writer = self.writers.get(partition)
        return (writer.committed if writer else self._left.get(partition, {})).get(name)

    # --- rebalances ---------------------------------------------------------------------------------------------------

    async def pause(self) -> None:
        """A rebalance begins, and nobody knows yet what moves: commit everything, and stand still.

        The group waits for us here: no partition has two owners at work, and its old one is not fenced in mid-flight.
        What is being acquired is given up: it may take minutes, and its next owner would fence us in the midst of it.
        """
        self._group_settled.clear()
        self._be_ready(False)
        await self._acquire_no_more()
        await asyncio.gather(*(writer.pause() for writer in self.writers.values()))

    async def assigned(self, partitions: set[int]) -> None:
        """The group has settled: let go of what moved, and go on with the rest as it is."""
        self._recorder.metrics.rebalances.inc()
        if self._released:
            return
        moved = [number for number in self.writers if number not in partitions]
        await asyncio.gather(*(self.writers[number].stop() for number in moved))
        self._forget(moved)
        for writer in self.writers.values():
            writer.resume()
        self._group_settled.set()

    async def acquire(self, partitions: Iterable[int]) -> None:
        """Fence, recover and start the partitions not owned yet. A rebalance ends it; another call follows that one.

        SettingsError where this process may not have so many connections.
        """
        if self._released:
            return
        partitions = list(partitions)
        check_limit(len(partitions))
        started_s, new = monotonic_s(), [number for number in partitions if number not in self.writers]
        tasks = [asyncio.create_task(self._acquire(number)) for number in new]
        self._acquiring = tasks
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        for error in outcomes:
            if isinstance(error, Exception):
                raise error
        if any(outcomes):
            await self._group_settled.wait()  # or Faust goes on as if all were acquired
            return
        self._be_ready(self._group_settled.is_set())
        if new:
            recovered = [done for number in new if (done := self.writers[number].recovered) is not None]
            facts = {"rows": sum(done.rows for done in recovered), "records": sum(done.records for done in recovered)}
            log.info("%d partitions recovered in %.2f s", len(new), monotonic_s() - started_s, extra=facts)

    def _be_ready(self, ready: bool) -> None:
        self.ready = ready
        self._recorder.metrics.ready.set(ready)

    async def _acquire_no_more(self) -> None:
        for task in self._acquiring:
            task.cancel()
        await asyncio.gather(*self._acquiring, return_exceptions=True)

    async def _acquire(self, number: int) -> None:
        async with self._at_once:
            context = PartitionContext.of(self._settings, number, self._ranker, self._recorder.stage, self._queries)
            partition = Partition(context)
            writer = PartitionWriter(
                partition, self._settings, self._log, self._names, self._recorder, self._fail, self._rounds,
                self._others,
            )  # fmt: skip
            recovered = await writer.start()
            self.writers[number] = writer
            self._left.pop(number, None)
        metrics = self._recorder.metrics
        metrics.recovery_rows.labels(str(number)).set(recovered.records)
        metrics.recovery.labels(str(number)).set(recovered.seconds)
        facts = {
            "partition": number,
            "rows": recovered.rows,
            "records": recovered.records,
            "articles": recovered.articles,
        }
        log.debug("partition recovered in %.2f s", recovered.seconds, extra=facts)
        for name, count in recovered.lost.items():
            self._recorder.lost(self._settings.topic(name), number, count)

    async def release(self) -> None:
        """The worker stops: commit what was applied, and let the partitions go for good."""
        self._released = True
        self._be_ready(False)
        await self._acquire_no_more()
        await asyncio.gather(*(writer.pause() for writer in self.writers.values()))
        await asyncio.gather(*(writer.stop() for writer in self.writers.values()))
        self._forget(list(self.writers))

    def _forget(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            writer = self.writers.pop(number, None)
            if writer is not None:
                self._left[number] = writer.committed
            self._recorder.metrics.forget_partition(number)

    # --- input --------------------------------------------------------------------------------------------------------

    async def offer(self, topic: str, partition: int, batch: RecordBatch) -> None:
        """Give a batch to its partition; dropped if the partition is not ours any more (its next owner reads it)."""
        if self._inputs[topic] in OF_READERS and not self._queries.is_ready_for(CHINESE):
            await self._prepare_for(batch.records)
        writer = self.writers.get(partition)
        if writer is not None:
            await writer.offer(Batch(self._inputs[topic], batch.records, batch.next_offset), batch.start)

    async def _prepare_for(self, records: Sequence[Record]) -> None:
        """Load what searches among these records need, aside: all partitions would stand still.

        Bytes are looked at, for decoding comes later. An action written in another way loads what it needs itself.
        """
        values = [record.value or b"" for record in records]
        if SEARCH not in b"".join(values):  # looked for in all of them at once: that costs a third
            return
        for raw in values:
            if SEARCH in raw and not self._queries.is_ready_for(raw):
                await asyncio.to_thread(self._queries.prepare, raw)

    def observe(self) -> None:
        """Set the gauges of every owned partition: lag and waiting in seconds, readers, and what holds pushes back."""
        metrics, at_ms = self._recorder.metrics, now_ms()
        for number, writer in self.writers.items():
            waited_s = self.fetch_lag.seconds(number, monotonic_s())
            writer.catch_up.undelivered_s = waited_s
            writer.catch_up.silence_s = self.fetch_lag.silence_s(monotonic_s())
            metrics.hold(number, writer.catch_up.held)
            metrics.stopped.labels(str(number)).set(writer.partition.steering.stopped)
            metrics.lag.labels(str(number)).set(max(writer.lag_s(at_ms), waited_s))
            metrics.users.labels(str(number)).set(writer.partition.profiles.count())
            audiences = writer.partition.audiences_under_way()
            metrics.audience_left.labels(str(number)).set(sum(of - met for _, met, of in audiences))
        self._hold_log.note(
            {number: writer.catch_up.why(writer.partition.cursor) for number, writer in self.writers.items()},
            monotonic_s(),
        )
        metrics.oldest_uncommitted.set(self.oldest_uncommitted_s())
        metrics.catalog_articles.set(
            max((len(writer.partition.catalog) for writer in self.writers.values()), default=0)
        )

    def stuck_s(self, over_s: float) -> dict[int, float]:
        """Partitions with work in which nothing was committed, or handed over, for longer than `over_s`: how long."""
        stuck: dict[int, float] = {}
        for number, writer in self.writers.items():
            awaited = [name for name, topic in self._inputs.items() if not writer.has_waiting(topic)]
            unheard_s = max((self.fetch_lag.standstill_s(name, number) for name in awaited), default=0.0)
            if (seconds := max(writer.stalled_s(), unheard_s)) > over_s:
                stuck[number] = seconds
        return stuck

    def oldest_uncommitted_s(self) -> float:
        """Age of the oldest change no transaction has committed, in seconds."""
        return max((writer.uncommitted_s() for writer in self.writers.values()), default=0.0)
