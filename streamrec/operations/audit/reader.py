"""read(settings, ...): a live cluster into Facts, read-committed, in the order that makes them sound (facts.py).

Ends are asked for without regard to open transactions, and reading waits until those are over: what was written before
the end was asked for is seen. Raises KafkaError where the cluster cannot be read, or is not as the settings say.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError as ClientError

from ...clock import monotonic_s
from ...contracts.records import Record
from ...errors import KafkaError
from ...kafka.consumer import AIOKafkaConsumer
from ...kafka.topics import changelog_topic, list_topics
from ...settings import Settings
from .facts import Facts

Progress = Callable[[str, int, int], None]  # topic, offsets done, offsets in all
BATCH = 20_000  # records decoded together, a partition


class Consumers(NamedTuple):
    """The two consumers of an audit: one reads what is committed, one knows where the logs end."""

    committed: AIOKafkaConsumer
    ends: AIOKafkaConsumer  # read_uncommitted: its ends are those of the log


async def read(settings: Settings, since_ms: int = 0, examples: int = 5, progress: Progress = lambda *_: None) -> Facts:
    """Read a live cluster into facts; KafkaError where it cannot be read or is not as the settings say."""
    counts = {spec.name: partitions for spec, partitions in await list_topics(settings)}
    changelog, push, events = changelog_topic(settings), settings.topic("push"), settings.topic("events")
    for topic in (push, changelog, events):
        _as_settings_say(topic, counts[topic], settings)
    facts = Facts(settings.partitions, since_ms, examples)
    with _readable():
        async with AsyncExitStack() as stack:
            consumers = Consumers(*[await _started(stack, settings, level) for level in LEVELS])
            source = _Source(consumers, settings, progress)
            await source.each(push, facts.pushes.take)
            facts.settle_pushes()
            await source.each(changelog, facts.changelog.take)
            if settings.policy_time == "wall":  # in a replay nothing could be told from them
                for letters in (f"{events}.dlq", settings.topic("rerouted.dlq")):
                    if counts.get(letters):
                        await source.each(letters, lambda _, records: facts.events.take_dead_letters(records))
                await source.each(events, facts.events.take)
            inputs = {topic for cursor in facts.changelog.cursors for topic in cursor}
            facts.ends |= await source.input_ends(sorted(inputs), counts)
    return facts


LEVELS = ("read_committed", "read_uncommitted")


async def _started(stack: AsyncExitStack, settings: Settings, level: str) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.brokers,
        isolation_level=level,
        enable_auto_commit=False,
        max_partition_fetch_bytes=8 * 1024 * 1024,
        fetch_max_wait_ms=50,
    )
    stack.push_async_callback(consumer.stop)  # also closes one whose start failed
    await consumer.start()
    return consumer


class _Source:
    def __init__(self, consumers: Consumers, settings: Settings, progress: Progress) -> None:
        self._consumers, self._settings, self._progress = consumers, settings, progress

    async def each(self, topic: str, take: Callable[[int, Sequence[Record]], None]) -> None:
        """Every committed record of a topic up to its present end, a partition's in order."""
        committed = self._consumers.committed
        tps = [TopicPartition(topic, number) for number in range(self._settings.partitions)]
        ends = await self._consumers.ends.end_offsets(tps)
        begins = await self._consumers.ends.beginning_offsets(tps)
        committed.assign(tps)
        for tp in tps:
            committed.seek(tp, begins[tp])
        total = sum(ends[tp] - begins[tp] for tp in tps)
        open_tps, at, moved_s = {tp for tp in tps if begins[tp] < ends[tp]}, dict(begins), monotonic_s()
        while open_tps:
            for tp, records in (await committed.getmany(*open_tps, timeout_ms=200, max_records=BATCH)).items():
                take(tp.partition, [record for record in records if record.offset < ends[tp]])
            for tp in sorted(open_tps):
                position = await committed.position(tp)
                moved_s = monotonic_s() if position > at[tp] else moved_s
                at[tp] = position
                if position >= ends[tp]:
                    open_tps.discard(tp)
                    committed.pause(tp)
            self._progress(topic, total - sum(max(0, ends[tp] - at[tp]) for tp in open_tps), total)
            self._stands_still(topic, monotonic_s() - moved_s)

    def _stands_still(self, topic: str, seconds: float) -> None:
        limit_s = self._settings.transaction_timeout_s + self._settings.broker_wait_s + 30
        if seconds > limit_s:
            raise KafkaError(
                f"topic {topic} could not be read to its end: nothing came for {seconds:.0f} s; "
                "a broker is missing, or a transaction hangs (kafka-transactions.sh find-hanging)"
            )

    async def input_ends(self, topics: Iterable[str], counts: dict[str, int | None]) -> dict[tuple[str, int], int]:
        """Next offset to be written of every partition of these topics (named without prefix)."""
        found: dict[tuple[str, int], int] = {}
        for name in topics:
            full = self._settings.topic(name)
            if full in counts:
                _as_settings_say(full, counts[full], self._settings)
                tps = [TopicPartition(full, number) for number in range(self._settings.partitions)]
                ends = await self._consumers.ends.end_offsets(tps)
                found |= {(name, tp.partition): end for tp, end in ends.items()}
        return found


def _as_settings_say(topic: str, partitions: int | None, settings: Settings) -> None:
    if partitions is None:
        raise KafkaError(f"there is no topic {topic} at {settings.brokers}; run `streamrec topics create`")
    if partitions != settings.partitions:
        raise KafkaError(
            f"topic {topic} has {partitions} partitions, STREAMREC_PARTITIONS is {settings.partitions}: "
            "give the settings of the cluster's workers"
        )


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (ClientError, OSError) as error:
        raise KafkaError(f"the cluster could not be read: {type(error).__name__} {error}") from error
