"""PartitionWriter: the only thing that changes a partition's state, and the only one that writes it.

    offer -> [lanes] -> apply -> pending changes -> one transaction {rows, cursor, pushes, dead letters} -> committed

Transactions go in rounds (commit_rounds.py). Between two rounds the events which were offered are applied, all in one
batch: a batch costs milliseconds of this process however small it is. While a round is on, articles meet users, and
events are applied as soon as there is a full batch (scheduling.py). All that goes into the next transaction (group
commit), until that is as large as it may be: its rows, pushes, strays and dead letters count as its events do, and one
step is the most it can be larger. Of pushes it takes one chunk of readers, for those that wait here leave even after a
stop. Rows and cursor are encoded in the moment a transaction is put together: they always agree.

A record on which `apply` raises is found and set aside (poison_search.py). Any other failure ends the process (`fail`);
what was not committed never happened.
"""

import asyncio
from collections.abc import Callable, Collection
from functools import partial

from ...clock import monotonic_s, now_ms
from ...contracts.records import Topic
from ...kafka.log import Log
from ...kafka.transactions import Transactions
from ...partition.changelog_meta import owner_records
from ...partition.changes import Changes
from ...partition.intake import Batch
from ...partition.partition import Partition
from ...settings import Settings
from ..commit.commit_rounds import PATIENCE_S, CommitRounds
from ..commit.partition_commit import MARK, Names, barrier, to_the_end, write
from ..commit.uncommitted import Pending, Ready, Uncommitted
from ..poison.poison_search import Found, without_poison
from ..process.supervision import cancel_and_wait, guarded
from ..recovery.recovery import Recovered, recover
from ..reporting.metrics_recorder import MetricsRecorder
from .catch_up import CatchUp, OtherPartitions
from .lanes import Lanes
from .scheduling import Scheduler


class PartitionWriter:
    """Applies what one partition is offered and commits what that changed, a transaction at a time."""

    def __init__(
        self, partition: Partition, settings: Settings, log: Log, names: Names, recorder: MetricsRecorder,
        fail: Callable[[BaseException], None], rounds: CommitRounds | None = None,
        others: OtherPartitions | None = None,
    ) -> None:  # fmt: skip
        self.partition = partition
        self.number = partition.context.number
        self.committed: dict[str, int] = {}
        self.recovered: Recovered | None = None
        self._settings, self._log, self._names, self._recorder, self._fail = settings, log, names, recorder, fail
        self._transactions = Transactions(f"{settings.group_id}-{self.number}", log)
        self._committing = asyncio.Lock()
        self._lanes, self._rounds = Lanes(self.number, settings.batch_events), rounds or CommitRounds()
        self._pending, self._uncommitted = Pending(), Uncommitted()
        self.catch_up = CatchUp(log, self.number, partition.context.topics, settings.max_push_lag_s, others)
        self._askers: set[asyncio.Task[None]] = (
            set()
        )  # of where the inputs end: one at work, and those on their way out
        self._scheduler = Scheduler(partition, settings, self._lanes, self._uncommitted, self.catch_up)
        self._in_flight_since_s: float | None = None
        self._progress_s = 0.0
        self._closing = self._leaving = False
        self._search: asyncio.Task[None] | None = None  # for the records on which `apply` raised
        self._failed = False  # since the last commit
        self._poison: set[int] = set()  # offsets in `catalog` before the cursor, found by this owner
        self._work, self._dirty, self._clean, self._running, self._committed = (asyncio.Event() for _ in range(5))
        self._running.set()
        self._tasks: list[asyncio.Task[None]] = []

    # --- life ---------------------------------------------------------------------------------------------------------

    async def start(self) -> Recovered:
        """Fence the old owner, restore the state, begin. Let go if that is cancelled: it can take minutes."""
        try:
            await self._transactions.start()
            self.recovered = await self._recover(self.partition)
            self.committed, self._lanes.expected = dict(self.partition.cursor), dict(self.partition.cursor)
            owner = owner_records(self._settings.partitions, self.partition.context.space_id)
            await write(self._transactions, self._names, self.number, owner, Changes())
        except asyncio.CancelledError:
            await self._transactions.stop()
            raise
        self._begin_catch_up()
        self._tasks = [asyncio.create_task(guarded(run, self._fail)) for run in (self._apply_all, self._commit_all)]
        return self.recovered

    def _begin_catch_up(self) -> None:
        """Hold pushes back until the inputs are applied up to where they end now; a replay pushes as it goes."""
        if not self.partition.context.tick_ms:
            self.catch_up.forget()
            asking = asyncio.create_task(guarded(partial(self._ask, [*self._askers]), self._fail))
            self._askers.add(asking)
            asking.add_done_callback(self._askers.discard)

    async def _ask(self, earlier: Collection[asyncio.Task[None]]) -> None:
        await cancel_and_wait(earlier)  # or one that is slow to end would answer for the ends of a moment ago
        others = True
        while others:
            await self.catch_up.ask(self.committed)
            self._work.set()
            others = await self.catch_up.others_are_late()

    async def _recover(self, partition: Partition) -> Recovered:
        changelog, partitions = self._names.changelog, self._settings.partitions
        through = await barrier(self._transactions, changelog, self.number)  # even our own last commit may appear late
        progress = self._recorder.recovering(self.number)
        return await recover(partition, self._log, changelog, partitions, progress, through, self._poison)

    async def stop(self) -> None:
        """Finish what was offered, commit it, let go. A paused partition leaves that to its next owner."""
        self._leaving = not self._running.is_set()
        self._running.set()
        self._closing = True
        self._lanes.close()
        self._work.set()
        await asyncio.gather(*self._tasks)
        await cancel_and_wait([*self._askers])
        await self._transactions.stop()

    async def pause(self) -> None:
        """Commit what was applied and apply nothing more, until `resume`: the next owner, if any, may fence us then.

        A search for records at fault is given up: it may take minutes, and all workers wait for this one.
        """
        self._running.clear()
        if self._search is not None:
            self._search.cancel()
        while self._pending or self._in_flight_since_s is not None or self._search is not None:
            self._committed.clear()
            self._dirty.set()
            await self._committed.wait()

    def resume(self) -> None:
        """Go on: the partition is still ours. Records may have come meanwhile."""
        self._progress_s = monotonic_s()
        self._begin_catch_up()
        self._running.set()

    # --- input --------------------------------------------------------------------------------------------------------

    async def offer(self, batch: Batch, start: int) -> None:
        """Take a batch in for later, once there is room; what was applied before is skipped.

        `start` is where the consumer stood before the batch. StateError where records between the two are missing.
        """
        was_idle = not self._lanes and not self._pending
        if await self._lanes.put(batch, start):
            if was_idle:
                self._progress_s = monotonic_s()
            self._work.set()

    def has_waiting(self, topic: Topic) -> bool:
        """Whether records of this topic were offered and are not applied yet: more of them come when there is room."""
        return self._lanes.has(topic)

    def lag_s(self, at_ms: int) -> float:
        """Age of the oldest record offered and not yet committed, in seconds."""
        heads = self._lanes.oldest_ms() + self._uncommitted.oldest_ms()
        return max(0.0, (at_ms - min(heads)) / 1000) if heads else 0.0

    def uncommitted_s(self) -> float:
        """Age of the oldest change not yet committed, in seconds."""
        since = [moment for moment in (self._pending.since_s, self._in_flight_since_s) if moment is not None]
        return monotonic_s() - min(since) if since else 0.0

    def stalled_s(self) -> float:
        """Seconds since the last commit while there is work; 0 when there is none, or while poison is searched for.

        Nor is a rebalance a stall of ours: nothing is applied before the slowest worker of the group has answered.
        """
        has_work = bool(self._lanes) or bool(self._pending) or self._in_flight_since_s is not None
        is_at_work = has_work and self._running.is_set() and self._search is None
        return monotonic_s() - self._progress_s if is_at_work and self._progress_s else 0.0

    # --- apply --------------------------------------------------------------------------------------------------------

    async def _apply_all(self) -> None:
        while True:
            await self._unpaused()
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
            self._pending.add(changes)
            if changes:
                self._dirty.set()
            self._recorder.applied(changes)
            await asyncio.sleep(0)
            while self._pending.is_full(self._settings):
                self._clean.clear()
                await self._clean.wait()

    async def _unpaused(self) -> None:
        while not self._running.is_set():  # a waiter is told of each `resume`, even if a `pause` has followed it
            await self._running.wait()

    def _step(self) -> Changes | None:
        in_round = self._in_flight_since_s is not None or self._rounds.on()
        return self._scheduler.next(in_round, self._closing)

    async def _set_poison_aside(self, error: Exception | None) -> None:
        """Find the records at fault and go on without them, from the last commit; raises `error` if none is.

        A pause ends the search. If the partition stays ours, it is tried again, as a next owner would. So it is, once,
        if nothing is found: what waits for users is not logged to the second, so not every failure comes again.
        """
        self._pending = Pending()
        while not self._leaving:
            # from this moment on: `pause` must not end between a transaction that is in flight and the search
            self._search = search = asyncio.create_task(self._go_on_without_poison(error))
            await asyncio.wait({search})
            self._search, self._progress_s = None, monotonic_s()
            self._committed.set()  # `pause` may wait for what was thrown away
            if not search.cancelled():
                search.result()
                break
            await self._unpaused()
            error = None

    async def _go_on_without_poison(self, error: Exception | None) -> None:
        async with self._committing:
            found, batches = None, self._uncommitted.uncovered
            if error is not None:
                allowed = self._settings.max_poison_per_hour
                found = await without_poison(error, self.partition, batches, self._restored, self._log, allowed)
                if found is None and self._failed:
                    raise error
                self._failed = True
            found = found or Found(list(batches), [])
            if found.letters:  # with a record of the changelog, so that an owner who can read his barrier can read them
                self._poison.update(letter.offset for letter in found.letters)
                await to_the_end(self._commit(Ready(Changes(dead_letters=found.letters), [MARK], self.committed)))
            self.partition = await self._restored()
            self._scheduler.begin(self.partition)
            self._uncommitted.uncovered.clear()
            self._lanes.put_back(found.batches)
            self._begin_catch_up()

    async def _restored(self) -> Partition:
        partition = type(self.partition)(self.partition.context)
        await self._recover(partition)
        return partition

    async def _wait_for_work(self) -> None:
        self._work.clear()
        wait_s = self._scheduler.wait_s()
        if self._lanes:  # for the end of the round
            self._rounds.wake(self._work)
            wait_s = min(wait_s, PATIENCE_S)
        wake = asyncio.get_running_loop().call_later(wait_s, self._work.set)
        await self._work.wait()
        wake.cancel()

    # --- commit -------------------------------------------------------------------------------------------------------

    async def _commit_all(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            await self._rounds.over()
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
        changes, self._in_flight_since_s, self._pending = self._pending.changes, self._pending.since_s, Pending()
        cursor = dict(self.partition.cursor)
        self._uncommitted.put_together(cursor)
        return Ready(changes, self.partition.encode(changes.unique_rows()), cursor)

    async def _commit(self, ready: Ready) -> None:
        started_s = monotonic_s()
        with self._rounds.flight(self.number):
            await write(self._transactions, self._names, self.number, ready.rows, ready.changes)
        self._uncommitted.committed()
        self._in_flight_since_s, self._failed, self._progress_s = None, False, monotonic_s()
        self.committed = ready.cursor
        self._committed.set()
        self._work.set()
        self._recorder.committed(ready.changes, monotonic_s() - started_s, now_ms())
