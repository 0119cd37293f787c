"""A partition's raw records to items: typed, set aside, or on their way to the partition they belong to.

    intake(batch, origin, partitions, reference_ms) -> [Typed | Watermark | DeadLetter | Stray, ...]

One item a record, in order. A user lives in one partition. An event that came to another one (librdkafka hashes keys
by CRC-32 unless told otherwise) is written to the internal topic `rerouted`, where its user lives, once: an event that
strays again, or in a replay, is a dead letter, for then the topics are not as the settings say.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from ..contracts.decode import Item, Origin, Typed, dead_letter, decode_catalog, decode_events
from ..contracts.event import SAYS_NO, UserEvent
from ..contracts.limits import BATCH_BYTES
from ..contracts.partitioner import partitions_of
from ..contracts.record_size import record_bytes
from ..contracts.records import REROUTED_HEADER, DeadLetter, Record, Stray, Topic
from ..engine.profiles.zones import is_zone
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
    items: list[AnyItem]
    if batch.topic == "catalog":
        items = [*decode_catalog(records, origin)]
    else:
        events = decode_events(records, origin, is_zone, reference_ms)
        may_go = batch.topic != "rerouted" and reference_ms is None
        items = [*events] if partitions is None else _strays_apart(events, records, origin, partitions, may_go)
    if batch.poison:
        poison = [record for record in batch.records if record.offset in batch.poison]
        items += [dead_letter(record, origin, "processing_error", "") for record in poison]
        items.sort(key=lambda item: item.offset)
    return items


def _strays_apart(
    items: Sequence[Item[UserEvent]],
    records: Sequence[Record],
    origin: Origin,
    partitions: int,
    may_go: bool,
) -> list[AnyItem]:
    apart: list[AnyItem] = [*items]
    typed = [(i, item.value) for i, item in enumerate(items) if isinstance(item, Typed)]
    homes = partitions_of([event.user_id for _, event in typed], partitions)
    for at in np.flatnonzero(homes != origin.partition).tolist():
        i, event = typed[at]
        apart[i] = _away(records[i], event, int(homes[at]), origin, may_go)
    return apart


def _away(record: Record, event: UserEvent, home: int, origin: Origin, may_go: bool) -> Stray | DeadLetter:
    if not may_go:
        return dead_letter(record, origin, "misrouted", f"belongs to partition {home}")
    came_from = (REROUTED_HEADER, f"{origin.topic}/{origin.partition}/{record.offset}".encode())
    value, headers = record.value, (*record.headers, came_from)
    if record_bytes(event.user_id.encode(), value, headers) > BATCH_BYTES:
        if event.action not in SAYS_NO:
            return dead_letter(record, origin, "too_large", f"headers: too long to be sent on to partition {home}")
        value, headers = msgspec.json.encode(event), (came_from,)  # a no gets there, without what is wrong with it
    return Stray(record.offset, home, event.user_id, value, record.timestamp, headers)
