"""Erasure: a reader is to be forgotten, as `streamrec erase` writes it: key user_id, a JSON object, or nothing.


    {"at_ms": 1767225600000}

Whatever else is in the record, its key or `user_id` says who. `at_ms` is when it was asked for, at the latest when the
record was appended: what is older by its own time counts no more, in whatever order it comes.
"""

from typing import Annotated

import msgspec

from .event_parsing import object_in, user_in
from .field_parsing import Fields, Note
from .field_types import OptionalId, OptionalMillis, says
from .records import Record, latest_said_ms


class Erasure(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request to forget a reader, as it is written."""

    user_id: Annotated[OptionalId, says("who; also the key of the record, which says it where this is empty")] = ""
    at_ms: Annotated[
        OptionalMillis,
        says("when it was asked for, in ms since 1970; 0: when it was appended, which is also the latest"),
    ] = 0


_FIELDS = Fields(Erasure)


def erasure_of(record: Record, reference_ms: int | None) -> tuple[Erasure, list[Note]]:
    """The erasure in a record, with what was not taken as it came; a replay has no append times, but a watermark."""
    latest_ms = latest_said_ms(record, reference_ms)
    if not record.value:
        return Erasure(user_in(record.key), latest_ms), []
    parsed = _FIELDS.read(object_in(record))
    at_ms = parsed.values.get("at_ms") or latest_ms
    if reference_ms is None:
        at_ms = min(at_ms, latest_ms)
    return Erasure(parsed.values.get("user_id") or user_in(record.key), at_ms), parsed.notes
