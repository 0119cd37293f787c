"""The content agent: analyses each article once and writes it to every partition of `catalog`, in one transaction.

`articles` has one partition, so one worker at a time does this; news comes at a few articles a second. Like a
partition's writer it fences the owner before it and then reads back what was written: the desk remembers stories and
versions. After a crash a batch may be analysed again: the catalog knows a version by its digest, so the second time
changes nothing.
"""

import asyncio
import logging
from collections.abc import Sequence

from ..content.desk import Desk
from ..contracts.article import Outcome
from ..contracts.decode import Origin, Typed, decode_catalog
from ..contracts.records import DeadLetter
from ..metrics import Metrics
from ..settings import Settings
from .log import KafkaLog
from .transaction import Message, Transactions, set_aside
from .transport import RecordBatch

log = logging.getLogger(__name__)


class ContentAgent:
    """One batch of `articles` at a time."""

    def __init__(self, settings: Settings, desk: Desk, metrics: Metrics) -> None:
        self._settings, self._desk, self._metrics = settings, desk, metrics
        self._transactions: Transactions | None = None
        self.done: int | None = None  # next offset of `articles`

    async def analyse(self, batch: RecordBatch) -> None:
        """Write what the desk makes of these records; counted when committed."""
        if self._transactions is None:
            self._transactions = await self._take_over()
            await asyncio.to_thread(self._desk.prepare)
        analysed = self._desk.analyse(batch.records)
        async with self._transactions.begin() as writes:
            for partition in range(self._settings.partitions):
                await writes.send(self._settings.topic("catalog"), partition, (Message(*r) for r in analysed.catalog))
            letters = map(set_aside, analysed.dead_letters)
            await writes.send(f"{self._settings.topic('articles')}.dlq", 0, letters)
        self.done = batch.next_offset
        self._count(analysed.outcomes, analysed.dead_letters)

    async def _take_over(self) -> Transactions:
        kafka, topic = KafkaLog(self._settings), self._settings.topic("catalog")
        transactions = Transactions(f"{self._settings.app_id}-content", kafka)
        await transactions.start()
        async with kafka.reader() as reader:
            async for records in reader.read(topic, 0):  # all partitions hold the same articles
                items = decode_catalog(records, Origin(topic, 0))
                self._desk.recall(item.value for item in items if isinstance(item, Typed))
        return transactions

    async def release(self) -> None:
        """`articles` may go to another worker: let the producers go; the next batch takes the ids over again."""
        transactions, self._transactions, self.done = self._transactions, None, None
        if transactions is not None:
            await transactions.stop()

    def _count(self, outcomes: Sequence[Outcome], letters: Sequence[DeadLetter]) -> None:
        for outcome in outcomes:
            self._metrics.articles[outcome].inc()
        for letter in letters:
            self._metrics.dead_letters["articles", letter.reason].inc()
            log.warning(
                "article set aside", extra={"offset": letter.offset, "reason": letter.reason, "detail": letter.detail}
            )
