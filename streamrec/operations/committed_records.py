"""Every committed record of some partitions, from the oldest still kept up to the end the log has when reading starts.

That end is asked for without regard to open transactions, and reading waits until those are over: what was written
before the end was asked for is seen, also what lies committed behind a worker's open transaction.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from aiokafka import TopicPartition

from ..clock import monotonic_s
from ..contracts.records import Record
from ..errors import KafkaError
from ..kafka.clients import AIOKafkaConsumer, consumer
from ..settings import Settings

MOST_RECORDS = 20_000  # of one piece


class CommittedRecords:
    """Reads with two consumers without a group: one of what is committed, one that knows where the logs end."""

    def __init__(self, committed: AIOKafkaConsumer, log: AIOKafkaConsumer) -> None:
        self._committed, self._log = committed, log

    async def ends(self, tps: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Next offset to be written of each partition."""
        return dict(await self._log.end_offsets(tps))

    async def read(
        self,
        tps: Sequence[TopicPartition],
        patience_s: float,
        name: Callable[[TopicPartition], str],
        progress: Callable[[int, int], object] = lambda *_: None,
    ) -> AsyncIterator[tuple[TopicPartition, list[Record]]]:
        """Records in pieces, a partition's in order; `progress` hears of offsets done and in all.

        KafkaError where nothing comes for `patience_s`; it calls the partition by its `name`.
        """
        ends = await self.ends(tps)
        at = dict(await self._log.beginning_offsets(tps))  # above 0 where retention was at work
        unread = {tp for tp in tps if at[tp] < ends[tp]}
        self._committed.assign(list(unread))
        for tp in unread:
            self._committed.seek(tp, at[tp])
        total, moved_s = sum(ends[tp] - at[tp] for tp in tps), monotonic_s()
        while unread:
            pieces = await self._committed.getmany(*unread, timeout_ms=200, max_records=MOST_RECORDS)
            for tp, records in pieces.items():
                yield tp, [record for record in records if record.offset < ends[tp]]
            for tp in sorted(unread):
                position = await self._committed.position(tp)  # past gaps, too: transaction markers, aborted records
                moved_s = monotonic_s() if position > at[tp] else moved_s
                at[tp] = position
                if position >= ends[tp]:
                    unread.discard(tp)
                    self._committed.pause(tp)
            progress(total - sum(ends[tp] - at[tp] for tp in unread), total)
            seconds = monotonic_s() - moved_s
            if unread and seconds > patience_s:
                raise KafkaError(
                    f"{name(min(unread))} could not be read to its end: nothing came for {seconds:.0f} s; "
                    "a broker is missing, or a transaction hangs (kafka-transactions.sh find-hanging)"
                )


@asynccontextmanager
async def committed_records(settings: Settings) -> AsyncIterator[CommittedRecords]:
    """A reader of these brokers while the block lasts."""
    async with AsyncExitStack() as stack:
        levels = ("read_committed", "read_uncommitted")
        yield CommittedRecords(*[await _started(stack, settings, level) for level in levels])


async def _started(stack: AsyncExitStack, settings: Settings, level: str) -> AIOKafkaConsumer:
    reading = consumer(
        settings,
        isolation_level=level,
        enable_auto_commit=False,
        auto_offset_reset="earliest",  # retention may pass us while we read
        max_partition_fetch_bytes=8 * 1024 * 1024,
        fetch_max_wait_ms=50,
    )
    stack.push_async_callback(reading.stop)  # also closes one whose start failed
    await reading.start()
    return reading
