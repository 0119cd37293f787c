"""A patch of preferences that is not all as its schema says: each statement in it that can be read counts.

    patch_of(record, is_zone, reference_ms) -> (Patch, notes), or RejectedError

A "no" is never rejected: where consent or profiling is refused, or no news wanted, and the reader can be read, from the
value or else from the key, everything else in the record may be wrong, its size too. Nothing is said later than it was
appended. A record of which nothing can be read is a dead letter.
"""

from typing import Any

from .event_parsing import IsZone, object_in, too_large, user_in
from .field_parsing import Fields, Note, Parsed
from .limits import MAX_RECORD_BYTES
from .preferences import KINDS_OF_NAMES, NOES, Patch, Preferences, Value
from .records import Record, RejectedError, latest_said_ms

_FIELDS = Fields(Preferences)
SETTABLE = frozenset(Preferences.__struct_fields__) - {"user_id", "at_ms"}


def patch_of(record: Record, is_zone: IsZone, reference_ms: int | None) -> tuple[Patch, list[Note]]:
    """The patch in a record, with what was not taken as it came.

    `reference_ms`: None live; in a replay, which has no append times, the last watermark.
    """
    latest_ms = latest_said_ms(record, reference_ms)
    if not record.value:
        return Patch(user_in(record.key), latest_ms, {}, resets=True), []
    given = object_in(record)
    parsed = _FIELDS.read(given)
    said = _statements(given, parsed, is_zone)
    if len(record.value) > MAX_RECORD_BYTES:
        said = {name: value for name, value in said.items() if NOES.get(name, "") == value}
        if not said:
            raise too_large()
    if not said and (wrong := [note for note in parsed.notes if note.field in SETTABLE]):
        raise RejectedError("invalid", f"{wrong[0].field}: {wrong[0].what}")
    at_ms = parsed.values.get("at_ms") or latest_ms
    if reference_ms is None:
        at_ms = min(at_ms, latest_ms)
    return Patch(parsed.values.get("user_id") or user_in(record.key), at_ms, said), parsed.notes


def _statements(given: dict[str, Any], parsed: Parsed, is_zone: IsZone) -> dict[str, Value | None]:
    """Each statement of a patch by its name: fields in their order, and the names of each in theirs."""
    said: dict[str, Value | None] = {}
    for field in Preferences.__struct_fields__:
        if field not in SETTABLE or field not in given:
            continue
        value = parsed.values.get(field)
        if field == "zone" and value and not is_zone(value):
            parsed.notes.append(Note("zone", "not in the IANA zone database"))
        elif field in KINDS_OF_NAMES:
            said |= {f"{field}/{name}": stance for name, stance in (value or {}).items()}
        elif value is not None:
            said[field] = value or None if field in ("languages", "zone") else value
        elif given[field] is None:
            said[field] = None
    return said
