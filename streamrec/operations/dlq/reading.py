"""read(settings, topics, wanted, whole) -> letters of these dead-letter topics, with when each was redriven.

There may be millions, of up to a megabyte: only those wanted are kept, with value and headers only where asked for.

Committed records only, from the oldest still kept up to the end the log has when reading starts. That end is asked for
without regard to open transactions, and reading waits until those are over: behind a worker's open transaction may lie
markers that are committed already, and a letter whose marker was not seen would be redriven twice.

Raises KafkaError where the cluster cannot be read, or is not as the settings say.
"""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AsyncExitStack

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError as ClientError

from ...clock import monotonic_s
from ...contracts.records import Record
from ...errors import KafkaError
from ...kafka.consumer import AIOKafkaConsumer
from ...kafka.topics import list_topics
from ...settings import Settings
from .letters import DEAD_LETTER_TOPICS, Letter, Marker, Place, parse


async def read(
    settings: Settings,
    topics: Collection[str] = (),
    wanted: Callable[[Letter], bool] = lambda _: True,
    whole: bool = False,
) -> list[Letter]:
    """Those wanted of these topics (none given: of all), by topic, partition and offset.

    `wanted` is asked before it is known whether a letter was redriven. Unless `whole`, they have no value and no own
    headers.
    """
    topics = list(topics or DEAD_LETTER_TOPICS)
    tps = await _partitions(settings, topics)
    names = {f"{settings.topic(topic)}.dlq": topic for topic in topics}
    letters: list[Letter] = []
    redriven: dict[Place, tuple[int, ...]] = {}
    try:
        async for tp, record in _records(settings, tps):
            found = parse(names[tp.topic], tp.partition, record)
            if isinstance(found, Letter):
                if wanted(found):
                    letters.append(found if whole else found._replace(value=None, own=()))
            elif isinstance(found, Marker):
                redriven[found.of] = (*redriven.get(found.of, ()), found.at_ms)
    except (ClientError, OSError) as error:
        raise KafkaError(f"the dead letters could not be read: {type(error).__name__} {error}") from error
    letters.sort(key=lambda letter: letter.place)
    return [letter._replace(redriven_ms=redriven.get(letter.place, ())) for letter in letters]


async def whole(settings: Settings, letters: Sequence[Letter]) -> list[Letter]:
    """The same in the same order, with values and headers, so far as they are still there."""
    at = {letter.place: number for number, letter in enumerate(letters)}
    found = await read(settings, {place.topic for place in at}, lambda x: x.place in at, whole=True) if at else []
    return sorted(found, key=lambda letter: at[letter.place])


async def _partitions(settings: Settings, topics: Collection[str]) -> list[TopicPartition]:
    """All partitions of the dead-letter topics; KafkaError if one, or the topic of its records, is not as it should."""
    counts = {spec.name: (spec.partitions, found) for spec, found in await list_topics(settings)}
    tps = []
    for topic in topics:
        for name in (full := settings.topic(topic), f"{full}.dlq"):
            expected, found = counts[name]
            if found is None:
                raise KafkaError(f"there is no topic {name} at {settings.brokers}; run `streamrec topics create`")
            if found != expected:
                cure = "set STREAMREC_PARTITIONS to what the topics were made with"
                raise KafkaError(f"topic {name} has {found} partitions, expected {expected}; {cure}")
        tps += [TopicPartition(f"{full}.dlq", number) for number in range(counts[f"{full}.dlq"][0])]
    return tps


async def _records(settings: Settings, tps: list[TopicPartition]) -> AsyncIterator[tuple[TopicPartition, Record]]:
    async with AsyncExitStack() as stack:
        committed, log = [await _started(stack, settings, level) for level in ("read_committed", "read_uncommitted")]
        ends = await log.end_offsets(tps)
        at = await log.beginning_offsets(tps)  # above 0 where retention was at work
        unread = {tp for tp in tps if at[tp] < ends[tp]}
        committed.assign(list(unread))
        for tp in unread:
            committed.seek(tp, at[tp])
        moved_s = monotonic_s()
        while unread:
            for tp, records in (await committed.getmany(*unread, timeout_ms=200)).items():
                for record in records:
                    if record.offset < ends[tp]:
                        yield tp, record
            for tp in sorted(unread):
                position = await committed.position(tp)  # past gaps, too: transaction markers, aborted records
                moved_s = monotonic_s() if position > at[tp] else moved_s
                at[tp] = position
                if position >= ends[tp]:
                    unread.discard(tp)
            _stands_still(settings, unread, monotonic_s() - moved_s)


async def _started(stack: AsyncExitStack, settings: Settings, level: str) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.brokers,
        isolation_level=level,
        enable_auto_commit=False,
        auto_offset_reset="earliest",  # retention may pass us while we read
        max_partition_fetch_bytes=8 * 1024 * 1024,
        fetch_max_wait_ms=50,
    )
    stack.push_async_callback(consumer.stop)  # also closes one whose start failed
    await consumer.start()
    return consumer


def _stands_still(settings: Settings, unread: Collection[TopicPartition], seconds: float) -> None:
    if unread and seconds > settings.transaction_timeout_s + settings.broker_wait_s:
        tp = min(unread)
        raise KafkaError(
            f"{tp.topic}-{tp.partition} could not be read to its end: nothing came for {seconds:.0f} s; "
            "a broker is missing, or a transaction hangs (kafka-transactions.sh find-hanging)"
        )
