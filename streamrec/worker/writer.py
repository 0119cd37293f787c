"""PartitionWriter: the only thing that changes a partition's state, and the only one that writes it.

    offer -> [lanes] -> apply -> pending changes -> one transaction {rows, cursor, pushes, dead letters} -> committed

What is computed while a transaction is in flight goes into the next one (group commit), bounded in events. Lanes:
events before the next chunk of an article before users who are due, so a click never waits for an article that meets
a million users. Rows and cursor are encoded in the moment a transaction is put together: they always agree.

A record on which `apply` raises is found and set aside (poison.py). Any other failure ends the process (`fail`); what
was not committed never happened.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

from ..changes import Changes
from ..clock import monotonic_s, now_ms
from ..contracts.records import TOPICS
from ..errors import StateError
from ..intake import Batch
from ..meta import owner_records
from ..partition import Partition
from ..settings import Settings
from .counting import Counting
from .log import Log
from .poison import without_poison
from .recovery import Recovered, recover
from .transaction import Transactions
from .written import Names, barrier, write

OFFERED = 8  # batches of one topic waiting; more, and `offer` waits


class Ready(NamedTuple):
    """One transaction, put together."""

    changes: Changes
    rows: list[tuple[bytes, bytes]]
    cursor: dict[str, int]


class PartitionWriter:
    """Applies what is offered and commits it."""

    def __init__(
        self,
        partition: Partition,
        settings: Settings,
        log: Log,
        names: Names,
        counting: Counting,
        fail: Callable[[BaseException], None],
    ) -> None:
        self.partition = partition
        self.number = partition.settled.number
        self.committed: dict[str, int] = {}
        self.recovered: Recovered | None = None
        self._settings, self._log, self._names, self._counting, self._fail = settings, log, names, counting, fail
        self._transactions = Transactions(f"{settings.app_id}-{self.number}", log)
        self._uncovered: list[Batch] = []  # applied, at least in part; no transaction put together so far covers them
        self._committing = asyncio.Lock()
        self._offered: dict[str, deque[Batch]] = {topic: deque() for topic in TOPICS}
        self._expected: dict[str, int] = {}  # next offset to be offered; ahead of the cursor by what is not applied yet
        self._steps: Iterator[Changes] | None = None  # an article on its way through the users
        self._pending = Changes()
        self._pending_since_s: float | None = None
        self._in_flight_since_s: float | None = None
        self._progress_s = 0.0
        self._next_look_ms = 0
        self._articles_turn = False
        self._closing = self._leaving = self._searching = False
        self._work, self._room, self._dirty, self._clean, self._running, self._committed = (
            asyncio.Event() for _ in range(6)
        )
        self._running.set()
        self._tasks: list[asyncio.Task[None]] = []

    # --- life ---------------------------------------------------------------------------------------------------------

    async def start(self) -> Recovered:
        """Fence the old owner, restore the state, begin."""
        await self._transactions.start()
        self.recovered = await self._recover(self.partition)
        self.committed, self._expected = dict(self.partition.cursor), dict(self.partition.cursor)
        owner = owner_records(self._settings.partitions, self.partition.settled.space_id)
        await write(self._transactions, self._names, self.number, owner, Changes())
        self._tasks = [asyncio.create_task(self._guard(run)) for run in (self._apply_all, self._commit_all)]
        return self.recovered

    async def _recover(self, partition: Partition) -> Recovered:
        changelog, partitions = self._names.changelog, self._settings.partitions
        through = await barrier(self._transactions, changelog, self.number)  # even our own last commit may appear late
        return await recover(
            partition, self._log, changelog, partitions, self._counting.recovering(self.number), through
        )

    async def stop(self) -> None:
        """Finish what was offered, commit it, let go. A paused partition leaves that to its next owner."""
        self._leaving = not self._running.is_set()
        self._running.set()
        self._closing = True
        self._wake()
        await asyncio.gather(*self._tasks)
        await self._transactions.stop()

    async def pause(self) -> None:
        """Commit what was applied and apply nothing more, until `resume`: the next owner, if any, may fence us then."""
        self._running.clear()
        while self._pending or self._in_flight_since_s is not None:
            self._committed.clear()
            self._dirty.set()
            await self._committed.wait()

    def resume(self) -> None:
        """Go on: the partition is still ours."""
        self._running.set()

    async def _guard(self, run: Callable[[], Awaitable[None]]) -> None:
        try:
            await run()
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is, the process must not go on
            self._fail(error)

    # --- input --------------------------------------------------------------------------------------------------------

    async def offer(self, batch: Batch, start: int) -> None:
        """Hand over a batch; waits while too much is waiting already. What was applied before is skipped.

        `start` is where the consumer stood before the batch; StateError where that is past what is expected next.
        """
        lane = self._offered[batch.topic]
        while len(lane) >= OFFERED and not self._closing:
            self._room.clear()
            await self._room.wait()
        if self._closing:
            return  # the partition is going to another owner, who reads these records from the cursor on
        expected = self._expected.get(batch.topic, 0)
        if start > expected:
            raise StateError(
                f"{batch.topic}-{self.number}: expected offset {expected}, got {start}; records are missing"
            )
        if start < expected:
            records = [record for record in batch.records if record.offset >= expected]
            if batch.next_offset <= expected:
                return
            batch = batch._replace(records=records)
        self._expected[batch.topic] = batch.next_offset
        if not any(self._offered.values()) and not self._pending:
            self._progress_s = monotonic_s()  # idle until now
        lane.append(batch)
        self._wake()

    def lag_s(self, at_ms: int) -> float:
        """Age of the oldest record offered and not yet committed, in seconds."""
        heads = [lane[0].records[0].timestamp for lane in self._offered.values() if lane and lane[0].records]
        heads += self._pending.appended_ms[:1]
        return max(0.0, (at_ms - min(heads)) / 1000) if heads else 0.0

    def uncommitted_s(self) -> float:
        """Age of the oldest change not yet committed, in seconds."""
        since = [moment for moment in (self._pending_since_s, self._in_flight_since_s) if moment is not None]
        return monotonic_s() - min(since) if since else 0.0

    def stalled_s(self) -> float:
        """Seconds since the last commit while there is work; 0 when there is none, or while poison is searched for."""
        has_work = any(self._offered.values()) or bool(self._pending) or self._in_flight_since_s is not None
        return monotonic_s() - self._progress_s if has_work and self._progress_s and not self._searching else 0.0

    # --- apply --------------------------------------------------------------------------------------------------------

    async def _apply_all(self) -> None:
        while True:
            await self._running.wait()
            try:
                changes = None if self._leaving else self._step()
            except Exception as error:  # noqa: BLE001 - whatever a record provokes
                await self._set_poison_aside(error)
                continue
            if changes is None:
                if self._closing:
                    self._dirty.set()
                    return
                await self._wait_for_work()
                continue
            self._pending.merge(changes)  # also if it holds facts only: they are counted with the next commit
            if changes:
                self._pending_since_s = self._pending_since_s or monotonic_s()
                self._dirty.set()
            self._counting.applied(self.number, changes)
            await asyncio.sleep(0)
            while len(self._pending.appended_ms) >= self._settings.commit_window_events:
                self._clean.clear()
                await self._clean.wait()

    def _step(self) -> Changes | None:
        """The next piece of work by lane; None if there is nothing to do.

        Events and the chunks of an article take turns, so neither starves; in a replay everything goes in order.
        """
        by_event_time = self.partition.settled.tick_ms > 0
        catalog = self._offered["catalog"]
        events = self._offered["rerouted"] or self._offered["events"]  # strays have waited already
        self._articles_turn = not self._articles_turn or not events
        if self._steps is not None and (self._articles_turn or by_event_time):
            changes = next(self._steps, None)
            if changes is not None:
                return changes
            self._steps = None
        if catalog and self._steps is None and self._articles_turn:
            return self._apply(catalog, by_event_time, in_steps=True)
        if events:
            return self._apply(events, by_event_time)
        return None if by_event_time or self._closing else self._look()

    def _apply(self, lane: deque[Batch], by_event_time: bool, in_steps: bool = False) -> Changes:
        batch = lane.popleft()
        self._uncovered.append(batch)
        steps = self.partition.apply(batch, now_ms())
        self._room.set()
        if in_steps or by_event_time:
            self._steps = steps
            return Changes()
        changes = Changes()
        for step in steps:
            changes.merge(step)
        changes.merge(self.partition.look(now_ms()))
        return changes

    async def _set_poison_aside(self, error: Exception) -> None:
        """Find the records at fault and go on without them, from the last commit; raises `error` if none is."""
        async with self._committing:
            self._searching = True
            self._pending, self._pending_since_s, self._steps = Changes(), None, None
            allowed = self._settings.max_poison_per_hour
            batches = await without_poison(error, self.partition, self._uncovered, self._restored, self._log, allowed)
            self.partition = await self._restored()
            self._uncovered.clear()
            for batch in reversed(batches):
                self._offered[batch.topic].appendleft(batch)
            self._progress_s, self._searching = monotonic_s(), False

    async def _restored(self) -> Partition:
        partition = type(self.partition)(self.partition.settled)
        await self._recover(partition)
        return partition

    def _look(self) -> Changes | None:
        moment = now_ms()
        if moment < self._next_look_ms:
            return None
        self._next_look_ms = moment + round(self._settings.due_scan_s * 1000)
        return self.partition.look(moment)

    async def _wait_for_work(self) -> None:
        self._work.clear()
        wait_s = max(0.001, (self._next_look_ms - now_ms()) / 1000) if not self.partition.settled.tick_ms else 1.0
        with suppress(TimeoutError):
            await asyncio.wait_for(self._work.wait(), wait_s)

    def _wake(self) -> None:
        self._work.set()
        self._room.set()

    # --- commit -------------------------------------------------------------------------------------------------------

    async def _commit_all(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            if self._pending:
                async with self._committing:
                    ready = self._put_together()
                    self._clean.set()
                    await self._commit(ready)
            elif self._closing and self._tasks[0].done():
                return
            if self._pending or (self._closing and self._tasks[0].done()):
                self._dirty.set()

    def _put_together(self) -> Ready:
        changes, self._pending = self._pending, Changes()
        self._in_flight_since_s, self._pending_since_s = self._pending_since_s, None
        cursor = dict(self.partition.cursor)
        self._uncovered = [batch for batch in self._uncovered if cursor.get(batch.topic, 0) < batch.next_offset]
        return Ready(changes, self.partition.encode(changes.unique_rows()), cursor)

    async def _commit(self, ready: Ready) -> None:
        started_s = monotonic_s()
        await write(self._transactions, self._names, self.number, ready.rows, ready.changes)
        self._in_flight_since_s = None
        self._progress_s = monotonic_s()
        self.committed = ready.cursor
        self._committed.set()
        self._counting.committed(self.number, ready.changes, len(ready.rows), monotonic_s() - started_s, now_ms())
