"""The content agent: analyses each article once and writes it to every partition of `catalog`, in one transaction.

`articles` has one partition, so one worker at a time does this; news comes at a few articles a second. Like a
partition's writer it fences the owner before it, writes a barrier, and then reads back what was written: the pipeline
remembers stories, versions and the slots of categories. That table it writes again from time to time, or retention
would take it. After a crash a batch may be analysed again: the catalog knows a version by its digest, so the second
time changes nothing.

A rebalance waits for `release`: what is being written is committed, and taking over is given up. A batch of an earlier
generation of the group is dropped; whoever owns `articles` now reads it again.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from math import inf

from ..clock import monotonic_s, now_ms
from ..content.audience import NOBODY
from ..content.pipeline import Analysed, CatalogRecord, ContentPipeline
from ..contracts.records import watermark_headers
from ..errors import StateError
from ..kafka.log import UNDECIDED_S, Log
from ..kafka.transactions import Message, Transactions, Writes, set_aside
from ..observability.metrics import Metrics
from ..partition.changelog_meta import OWNER_KEY
from ..settings import Settings
from .commit.partition_commit import barrier, to_the_end
from .fetching.fetch_lag import FetchLag
from .fetching.fetcher import RecordBatch
from .poison.poison_limit import analysed
from .reporting.rejects import Rejects

OWNER = Message(OWNER_KEY, b"", watermark_headers(0))  # partitions read it, too, and it tells them nothing
RENEWED_S = 3600.0


def renewal_s(settings: Settings) -> float:
    """How often what must not be forgotten is written; `catalog` keeps a record for `vector_days`."""
    return min(RENEWED_S, settings.vector_days * 86_400 / 10)


class ContentAgent:
    """Analyses `articles` and writes them to every partition of `catalog`, one batch a transaction."""

    def __init__(self, settings: Settings, pipeline: ContentPipeline, metrics: Metrics, kafka: Log) -> None:
        self._settings, self._pipeline, self._metrics, self._log = settings, pipeline, metrics, kafka
        self._articles, self._catalog = settings.topic("articles"), settings.topic("catalog")
        self._transactions: Transactions | None = None
        self._generation: int | None = None  # of the group, in which we are at work; None: a rebalance is on
        self._taking_over: asyncio.Task[Transactions] | None = None
        self._busy, self._rejects = asyncio.Lock(), Rejects(metrics)
        self._at_hand: RecordBatch | None = None
        self._progress_s = 0.0
        self._renewed_s = -inf  # when what must not be forgotten was last written: monotonic time may begin at 0
        self.fetch_lag = FetchLag()
        self.done: int | None = None  # next offset of `articles`

    # --- rebalances ---------------------------------------------------------------------------------------------------

    def assigned(self, generation: int) -> None:
        """The group has settled: batches of this generation are ours."""
        self._generation = generation

    async def release(self) -> None:
        """`articles` may move: finish and let the producers go. The next batch takes the ids over again."""
        self._generation = None
        if self._taking_over is not None:
            self._taking_over.cancel()
        async with self._busy:
            transactions, self._transactions, self.done = self._transactions, None, None
            if transactions is not None:
                await transactions.stop()

    # --- input --------------------------------------------------------------------------------------------------------

    async def analyse(self, batch: RecordBatch, generation: int | None) -> None:
        """Commit what the pipeline makes of these records, and count it; dropped if they are of another generation.

        StateError where records before them were passed over.
        """
        async with self._busy:
            if generation is None or generation != self._generation:
                return
            if self.done is not None and batch.start > self.done:
                raise StateError(f"{self._articles}: offsets {self.done} to {batch.start - 1} were passed over")
            self._at_hand, self._progress_s = batch, monotonic_s()
            try:
                await self._write(batch)
            finally:
                self._at_hand = None

    def lag_s(self, at_ms: int) -> float:
        """Age of the oldest article not analysed yet, or how long one has waited to be handed over; in seconds."""
        at_hand_s = (at_ms - self._at_hand.records[0].timestamp) / 1000 if self._at_hand else 0.0
        return max(0.0, at_hand_s, self.fetch_lag.seconds(0, monotonic_s()))

    def observe(self) -> None:
        """Set the gauge of how long the oldest article has waited to be analysed, in seconds."""
        self._metrics.articles_lag.set(self.lag_s(now_ms()))

    def stuck_s(self) -> float:
        """Seconds without a commit, or, with nothing at hand, without being handed anything of what there is."""
        unheard_s = min(monotonic_s() - self._progress_s, self.fetch_lag.standstill_s(self._articles, 0))
        return max(self.stalled_s(), unheard_s)

    def stalled_s(self) -> float:
        """Seconds since the batch at hand came nearer to its commit; 0 when there is none.

        A new owner may have to wait for a transaction of the one before it, and the reader says so in time.
        """
        if self._at_hand is None:
            return 0.0
        patience_s = 0.0 if self._transactions else self._settings.transaction_timeout_s + UNDECIDED_S
        return max(0.0, monotonic_s() - self._progress_s - patience_s)

    async def renew(self) -> None:
        """Write again what must not be forgotten, long before retention takes it."""
        if self._transactions is None or monotonic_s() < self._renewed_s + renewal_s(self._settings):
            return
        async with self._busy:
            if self._transactions is not None:
                await self._write_again(self._transactions)

    # --- work ---------------------------------------------------------------------------------------------------------

    async def _write(self, batch: RecordBatch) -> None:
        transactions = self._transactions or await self._taken_over()
        if transactions is None:
            return
        done = await analysed(self._pipeline, batch.records, self._log, self._settings)
        self._progress_s = monotonic_s()
        async with transactions.begin() as writes:
            await self._to_all(writes, done.catalog)
            await writes.send(f"{self._articles}.dlq", 0, map(set_aside, done.dead_letters))
        self.done = batch.next_offset
        self._count(done)

    async def _write_again(self, transactions: Transactions) -> None:
        if not (records := self._pipeline.renewed(now_ms())):
            return
        async with transactions.begin() as writes:
            await self._to_all(writes, records)
        self._renewed_s = monotonic_s()

    async def _to_all(self, writes: Writes, records: Sequence[CatalogRecord]) -> None:
        for partition in range(self._settings.partitions):
            await writes.send(self._catalog, partition, (Message(*record) for record in records))

    async def _taken_over(self) -> Transactions | None:
        """Transactions of a new owner of `articles`; None if a rebalance came in between and the takeover is void."""
        self._taking_over = asyncio.create_task(self._take_over())
        (outcome,) = await asyncio.gather(self._taking_over, return_exceptions=True)
        self._taking_over = None
        if isinstance(outcome, asyncio.CancelledError):
            return None
        if isinstance(outcome, BaseException):
            raise outcome
        self._transactions = outcome
        return outcome if self._generation is not None else None

    async def _take_over(self) -> Transactions:
        transactions = Transactions(f"{self._settings.group_id}-content", self._log)
        try:
            await transactions.start()
            through = await barrier(transactions, self._catalog, 0, OWNER)
            await self._recall(through)
            await to_the_end(self._write_again(transactions))
            await asyncio.to_thread(self._pipeline.prepare)
        except BaseException:
            await transactions.stop()
            raise
        self._progress_s = monotonic_s()
        return transactions

    async def _recall(self, through: int) -> None:
        self._pipeline.forget()
        async with self._log.reader() as reader:
            async for records in reader.read(self._catalog, 0, through=through):  # all partitions hold the same
                self._pipeline.recall(records)
                self._progress_s = monotonic_s()

    def _count(self, done: Analysed) -> None:
        for outcome in done.outcomes:
            self._metrics.articles[outcome].inc()
        self._metrics.audiences_of_nobody.inc(done.notes.count(NOBODY))
        self._rejects.dropped(Counter(("articles", note) for note in done.notes), monotonic_s())
        for letter in done.dead_letters:
            self._rejects.set_aside("articles", letter, monotonic_s())
