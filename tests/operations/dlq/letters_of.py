"""Makers shared by the tests of dead letters: as plain data, and on a real broker as the worker writes them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from on_kafka import read as read_topic
from on_kafka import settled

from streamrec.contracts.record_size import record_bytes
from streamrec.contracts.records import DeadLetter, RejectReason
from streamrec.kafka.log import KafkaLog
from streamrec.kafka.transactions import Message, Transactions, set_aside
from streamrec.operations.dlq.letters import Letter, Origin, Place
from streamrec.operations.dlq.reading import read
from streamrec.settings import Settings


def letter(topic: str = "events", offset: int = 0, **changed: Any) -> Letter:
    """A letter of a cluster without a prefix."""
    fields: dict[str, Any] = {
        "place": Place(topic, 0, offset),
        "at_ms": 1000,
        "reason": "invalid",
        "detail": "",
        "origin": Origin(topic, 0, 7),
        "own": (),
        "key": b"u1",
        "value": b"{}",
    }
    fields |= changed
    size = record_bytes(fields["key"], fields["value"], fields["own"])
    return Letter(**({"size": size} | fields))


def dead(
    settings: Settings, topic: str, number: int, reason: RejectReason = "processing_error", **changed: Any
) -> DeadLetter:
    """Record `number` of a topic, set aside; in partition number % 4, articles in 0."""
    at = 0 if topic == "articles" else number % settings.partitions
    fields: dict[str, Any] = {"key": b"k%d" % number, "value": b"v%d" % number, "trail": [("trace", b"t%d" % number)]}
    return DeadLetter(settings.topic(topic), at, 100 + number, reason, "field", **(fields | changed))


async def write(settings: Settings, letters: Sequence[DeadLetter]) -> None:
    """As the worker does: each into the partition of the dead-letter topic it came from."""
    transactions = Transactions(f"{settings.group_id}-worker", KafkaLog(settings))
    await transactions.start()
    by_place: dict[tuple[str, int], list[Message]] = defaultdict(list)
    for one in letters:
        by_place[f"{one.topic}.dlq", one.partition].append(set_aside(one))
    async with transactions.begin() as writes:
        for (topic, partition), messages in by_place.items():
            await writes.send(topic, partition, messages)
    await transactions.stop()
    await settled(settings, *{topic for topic, _ in by_place})


async def arrived(settings: Settings, topic: str) -> list[Any]:
    """What consumers of a topic see, the oldest of each partition first."""
    await settled(settings, settings.topic(topic))
    return await read_topic(settings, settings.topic(topic), 1 if topic.startswith("articles") else None)


def values(records: Sequence[Any]) -> list[bytes]:
    """Sorted, so that doubles show."""
    return sorted(record.value for record in records)


async def open_letters(settings: Settings) -> list[Letter]:
    """All not yet redriven."""
    return [letter for letter in await read(settings, whole=True) if letter.is_open]
