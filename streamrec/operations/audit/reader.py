"""read(settings, ...): a live cluster into Facts, read-committed, in the order that makes them sound (facts.py).

Raises KafkaError where the cluster cannot be read, or is not as the settings say.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError as ClientError

from ...contracts.records import TOPICS, Record
from ...errors import KafkaError
from ...kafka.permissions import permitted
from ...kafka.topics import changelog_topic, list_topics
from ...settings import Settings
from ..committed_records import CommittedRecords, committed_records
from .facts import Facts

Progress = Callable[[str, int, int], None]  # topic, offsets done, offsets in all


async def read(settings: Settings, since_ms: int = 0, examples: int = 5, progress: Progress = lambda *_: None) -> Facts:
    """Read a live cluster into facts; KafkaError where it cannot be read or is not as the settings say."""
    await permitted(settings, "auditor")
    changelog, push, events = changelog_topic(settings), settings.topic("push"), settings.topic("events")
    control = settings.topic("control")
    preferences = settings.topic("preferences")
    erasure = settings.topic("erasure")
    letters = [f"{events}.dlq", settings.topic("rerouted.dlq"), f"{preferences}.dlq", f"{erasure}.dlq"]
    inputs = [settings.topic(name) for name in TOPICS]
    listed = await list_topics(settings, [changelog, push, *letters, *inputs])
    counts = {spec.name: partitions for spec, partitions in listed}
    for topic in (push, changelog, events):
        _as_settings_say(topic, counts[topic], settings)
    facts = Facts(settings.partitions, since_ms, examples)
    with _readable():
        async with committed_records(settings) as reader:
            source = _Source(reader, settings, progress)
            await source.each(push, facts.pushes.take)
            facts.settle_pushes()
            await source.each(changelog, facts.changelog.take)
            await source.first(settings.topic("catalog"), facts.articles.take)
            if settings.policy_time == "wall":  # in a replay nothing could be told from them
                takers = dict.fromkeys(letters, facts.events.take_dead_letters)
                takers[f"{preferences}.dlq"] = facts.preferences.take_dead_letters
                takers[f"{erasure}.dlq"] = facts.erasures.take_dead_letters
                for topic, take in takers.items():
                    if counts[topic]:
                        await source.each(topic, partial(_apart, take))
                await source.each(events, facts.events.take)
                if counts[preferences]:
                    await source.each(preferences, facts.preferences.take)
                if counts[erasure]:
                    await source.each(erasure, facts.erasures.take)
                if counts[control]:
                    await source.each(control, facts.commands.take)
            known = {topic for cursor in facts.changelog.cursors for topic in cursor}
            facts.ends |= await source.input_ends(sorted(known), counts)
    return facts


def _apart(take: Callable[[Sequence[Record]], None], _: int, records: Sequence[Record]) -> None:
    take(records)


class _Source:
    def __init__(self, reader: CommittedRecords, settings: Settings, progress: Progress) -> None:
        self._reader, self._settings, self._progress = reader, settings, progress
        self._patience_s = settings.transaction_timeout_s + settings.broker_wait_s + 30

    async def each(self, topic: str, take: Callable[[int, Sequence[Record]], None]) -> None:
        """Every committed record of a topic up to its present end, a partition's in order."""
        pieces = self._reader.read(
            self._partitions(topic),
            self._patience_s,
            lambda tp: f"topic {tp.topic}",
            lambda done, total: self._progress(topic, done, total),
        )
        async for tp, records in pieces:
            take(tp.partition, records)

    async def first(self, topic: str, take: Callable[[Sequence[Record]], None]) -> None:
        """Every committed record of the first partition, of a topic that has the same in all."""
        pieces = self._reader.read(
            self._partitions(topic)[:1],
            self._patience_s,
            lambda tp: f"topic {tp.topic}",
            lambda done, total: self._progress(topic, done, total),
        )
        async for _, records in pieces:
            take(records)

    async def input_ends(self, topics: Iterable[str], counts: dict[str, int | None]) -> dict[tuple[str, int], int]:
        """Next offset to be written of every partition of these topics (named without prefix)."""
        found: dict[tuple[str, int], int] = {}
        for name in topics:
            full = self._settings.topic(name)
            if full in counts:
                _as_settings_say(full, counts[full], self._settings)
                ends = await self._reader.ends(self._partitions(full))
                found |= {(name, tp.partition): end for tp, end in ends.items()}
        return found

    def _partitions(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(topic, number) for number in range(self._settings.partitions)]


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
