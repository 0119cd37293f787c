"""read(settings, topics, wanted, whole) -> letters of these dead-letter topics, with when each was redriven.

There may be millions, of up to a megabyte: only those wanted are kept, with value and headers only where asked for.

They are read to the end the log has, past open transactions (committed_records.py): a letter whose marker was not seen
would be redriven twice.

Raises KafkaError where the cluster cannot be read, or is not as the settings say.
"""

from collections.abc import Callable, Collection, Sequence

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError as ClientError

from ...errors import KafkaError
from ...kafka.permissions import Need, permitted
from ...kafka.topics import list_topics
from ...settings import Settings
from ..committed_records import committed_records
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
    patience_s = settings.transaction_timeout_s + settings.broker_wait_s
    letters: list[Letter] = []
    redriven: dict[Place, tuple[int, ...]] = {}
    try:
        async with committed_records(settings) as reader:
            async for tp, records in reader.read(tps, patience_s, lambda tp: f"{tp.topic}-{tp.partition}"):
                for found in (parse(names[tp.topic], tp.partition, record) for record in records):
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
    letters = [f"{settings.topic(topic)}.dlq" for topic in topics]
    await permitted(settings, "operator", [Need("Read", "topic", name) for name in letters])
    listed = await list_topics(settings, [*letters, *(settings.topic(topic) for topic in topics)])
    counts = {spec.name: (spec.partitions, found) for spec, found in listed}
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
