"""A partition's raw records to items: typed, set aside, or on their way to the partition they belong to.

    intake(batch, origin, partitions, reference_ms) -> [Typed | Watermark | DeadLetter | Stray, ...]

One item a record, in order. A user lives in one partition. A record that came to another one (librdkafka hashes keys
by CRC-32 unless told otherwise) is written to the internal topic `rerouted`, where its user lives, once: a record that
strays again, or in a replay, is a dead letter, for then the topics are not as the settings say.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..contracts.decode import Origin, Typed, dead_letter
from ..contracts.inputs import OF_READERS, STRAYING
from ..contracts.limits import BATCH_BYTES
from ..contracts.partitioner import partitions_of
from ..contracts.record_size import record_bytes
from ..contracts.records import REROUTED_HEADER, DeadLetter, Record, Stray, Topic
from .inputs import READINGS
from .timeline import AnyItem


class Batch(NamedTuple):
    """Records of one topic partition, in order. `next_offset` is where the consumer stands after them."""

    topic: Topic
    records: Sequence[Record]
    next_offset: int
    poison: Collection[int] = ()  # offsets of records on which `apply` raised before: set aside
    kib: int = 0  # of its records, counted when it is put into a lane


def intake(batch: Batch, origin: Origin, partitions: int | None, reference_ms: int | None) -> list[AnyItem]:
    """Items of a batch, one a record and in order. `partitions`: how many the topics have, None: every user is ours.

    `reference_ms` is what event times of a replay are checked against; None in wall time.
    """
    records = batch.records
    if batch.poison:
        records = [record for record in records if record.offset not in batch.poison]
    items: list[AnyItem] = [*READINGS[batch.topic].decode(records, origin, reference_ms)]
    if batch.topic in OF_READERS and partitions is not None:
        items = _strays_apart(items, records, origin, partitions, batch.topic, reference_ms is None)
    if batch.poison:
        poison = [record for record in batch.records if record.offset in batch.poison]
        items += [dead_letter(record, origin, "processing_error", "") for record in poison]
        items.sort(key=lambda item: item.offset)
    return items


def _strays_apart(
    items: Sequence[AnyItem],
    records: Sequence[Record],
    origin: Origin,
    partitions: int,
    topic: Topic,
    is_live: bool,
) -> list[AnyItem]:
    apart: list[AnyItem] = [*items]
    typed = [(i, item.value) for i, item in enumerate(items) if isinstance(item, Typed)]
    homes = partitions_of([value.user_id for _, value in typed], partitions)
    for at in np.flatnonzero(homes != origin.partition).tolist():
        i, value = typed[at]
        home = int(homes[at])
        if is_live and topic in STRAYING:
            apart[i] = _away(records[i], value, home, origin, READINGS[topic].shortest)
        else:
            apart[i] = dead_letter(records[i], origin, "misrouted", f"belongs to partition {home}")
    return apart


def _away(
    record: Record, said: Any, home: int, origin: Origin, shortest: Callable[[Any], bytes | None]
) -> Stray | DeadLetter:
    came_from = (REROUTED_HEADER, f"{origin.topic}/{origin.partition}/{record.offset}".encode())
    value, headers = record.value, (*record.headers, came_from)
    if record_bytes(said.user_id.encode(), value, headers) > BATCH_BYTES:
        if (short := shortest(said)) is None:
            return dead_letter(record, origin, "too_large", f"headers: too long to be sent on to partition {home}")
        value, headers = short, (came_from,)
    return Stray(record.offset, home, said.user_id, value, record.timestamp, headers)
