"""Replay without a broker: the same records, the same content pipeline, the same partitions; so the same pushes."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from ...clock import monotonic_s
from ...content.encoder import Encoder
from ...content.encoders import encoder_of
from ...content.pipeline import Analysed, ContentPipeline
from ...content.query import Queries
from ...contracts.partitioner import partitions_of
from ...contracts.records import RawRecord, Topic, watermark_headers
from ...engine.predictor import Predictor
from ...models.load import as_served, ranker_of
from ...partition.changes import Changes
from ...partition.intake import Batch
from ...partition.partition import Partition, PartitionContext
from ...settings import Settings
from .outcome import Outcome
from .producer_records import Group, Sent


def replay(groups: Iterable[Group], settings: Settings, told: Callable[[Group], object]) -> Outcome:
    """Play the groups with the encoder and the ranker that the settings name."""
    encoder, settings = encoder_of(settings.encoder), as_served(settings)
    direct, started_s = Direct(settings, ranker_of(settings, encoder.space_id), encoder), monotonic_s()
    sent, suppressed, pushes, dead_letters = Counter[str](), Counter[str](), list[bytes](), 0
    for group in groups:
        told(group)
        sent.update(record.topic for record in group.records)
        changes = direct.apply(group)
        pushes += [push.value for push in changes.pushes]
        suppressed.update(changes.suppressed)
        dead_letters += len(changes.dead_letters)
    return Outcome(sent, pushes, dead_letters, monotonic_s() - started_s, suppressed, {})


class Direct:
    """All partitions in this process; needs settings with policy_time=event."""

    def __init__(self, settings: Settings, ranker: Predictor, encoder: Encoder) -> None:
        self._settings = settings
        self._pipeline = ContentPipeline(settings, encoder)
        queries = Queries(encoder)
        self.partitions = [
            Partition(PartitionContext.of(settings, number, ranker, queries=queries))
            for number in range(settings.partitions)
        ]
        self._articles = 0  # next offset of `articles`

    def apply(self, group: Group) -> Changes:
        """Apply the next group; answers with what it has changed."""
        analysed = self._analyse(group)
        changes = Changes(dead_letters=list(analysed.dead_letters))
        for partition, batch in self._batches(group, analysed):
            for step in partition.apply(batch, 0):
                changes.merge(step)
        return changes

    def _analyse(self, group: Group) -> Analysed:
        articles = [_raw(sent) for sent in group.records if sent.topic == "articles"]
        numbered = [record._replace(offset=self._articles + i) for i, record in enumerate([*articles, _mark(group)])]
        self._articles += len(numbered)
        return self._pipeline.analyse(numbered)

    def _batches(self, group: Group, analysed: Analysed) -> Iterator[tuple[Partition, Batch]]:
        catalog = [RawRecord(0, 0, *record) for record in analysed.catalog]
        events: list[list[RawRecord]] = [[] for _ in self.partitions]
        mine = [sent for sent in group.records if sent.topic == "events"]
        homes = partitions_of([sent.key for sent in mine], len(self.partitions))
        for sent, home in zip(mine, homes.tolist(), strict=True):
            events[home].append(_raw(sent))
        for partition, own in zip(self.partitions, events, strict=True):
            yield partition, _batch(partition, "catalog", catalog)
            yield partition, _batch(partition, "events", [*own, _mark(group)])


def _mark(group: Group) -> RawRecord:
    return RawRecord(0, 0, None, None, watermark_headers(group.watermark_ms))


def _raw(sent: Sent) -> RawRecord:
    return RawRecord(0, 0, sent.key.encode(), sent.value)


def _batch(partition: Partition, topic: Topic, records: Sequence[RawRecord]) -> Batch:
    first = partition.cursor.get(topic, 0) + partition.held(topic)
    numbered = [record._replace(offset=first + i) for i, record in enumerate(records)]
    return Batch(topic, numbered, first + len(numbered))
