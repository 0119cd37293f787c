"""An event that is not all as its schema says: each statement in it that can be read counts.

    event_of(record, is_zone, reference_ms) -> (UserEvent, notes), or RejectedError

A "no" cannot be rejected: where the action is unsubscribe and the user can be read, from the value or else from the
key, everything else in the record may be wrong. It, and a yes, never lie ahead of the append time: the later counts of
the two, and a clock that is ahead must not make a yes outlive the no that follows it. A no without a time that can be
read was said when it was appended.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from .event import CONSENTS, NEEDS_NO_ARTICLE, SAYS_NO, UserEvent
from .field_parsing import Fields, Note, Parsed
from .framing import UnreadableError, ids_in, said_in
from .limits import MAX_EVENT_AHEAD_MS, MAX_RECORD_BYTES
from .records import Record, RejectedError, first_appended_ms, latest_said_ms

_FIELDS = Fields(UserEvent)
IsZone = Callable[[str], bool]


def event_of(record: Record, is_zone: IsZone, reference_ms: int | None) -> tuple[UserEvent, list[Note]]:
    """The event in a record, with what was not taken as it came.

    `reference_ms`: None live; in a replay, which has no append times, the last watermark.
    """
    said = object_in(record)
    parsed = _FIELDS.read(said)
    values = parsed.values
    if values.get("action") in SAYS_NO:
        _complete(parsed, record, reference_ms)
    elif len(record.value or b"") > MAX_RECORD_BYTES:
        raise too_large()
    for field in ("user_id", "action", "at_ms"):
        check_fault(parsed, field)
    _check_time(parsed, record, reference_ms)
    if not values.get("article_id") and values["action"] not in NEEDS_NO_ARTICLE:
        raise RejectedError("invalid", f"article_id: {_why(parsed, 'article_id')} for {values['action']}")
    if (zone := values.get("tz")) and not is_zone(zone):
        del values["tz"]
        parsed.notes.append(Note("tz", "not in the IANA zone database"))
    return msgspec.convert(values, UserEvent), parsed.notes


def cleaned(event: UserEvent) -> UserEvent:
    """An event with each of its texts in its one spelling; ValueError if a text has none."""
    return _FIELDS.cleaned(event)


def object_in(record: Record) -> dict[str, Any]:
    """The JSON object of a record; RejectedError if it has none."""
    if not record.value:
        raise RejectedError("empty_value", "")
    try:
        said = said_in(record.value)
    except UnreadableError:
        raise RejectedError("undecodable", "") from None
    if not isinstance(said, dict):
        raise RejectedError("invalid", "value: expected a JSON object")
    return said


def too_large() -> RejectedError:
    """The error of a record above the size limit; only an opt-out and a withdrawal count at any size."""
    return RejectedError("too_large", f"value: more than {MAX_RECORD_BYTES} bytes")


def check_fault(parsed: Parsed, field: str) -> None:
    """Refuse a record for one field it cannot do without."""
    if field in parsed.faults:
        raise RejectedError("invalid", f"{field}: {parsed.faults[field]}")
    if not parsed.values.get(field):
        raise RejectedError("invalid", f"{field}: required")


def _complete(parsed: Parsed, record: Record, reference_ms: int | None) -> None:
    values = parsed.values
    parsed.forgive()
    if not values.get("user_id"):
        values["user_id"] = user_in(record.key)
        parsed.notes.append(Note("user_id", "the key says who"))
    if "at_ms" not in values:
        values["at_ms"] = latest_said_ms(record, reference_ms)
        parsed.notes.append(Note("at_ms", "the append time counts"))


def user_in(key: bytes | None) -> str:
    """Who the key of a record names; RejectedError if nobody can be sure."""
    try:
        return [*ids_in(key or b"", "user_id")][-1]
    except UnreadableError:
        raise RejectedError("invalid", "user_id: required, and the key says nothing certain") from None


def _check_time(parsed: Parsed, record: Record, reference_ms: int | None) -> None:
    if reference_ms is not None:
        return
    values = parsed.values
    if values["action"] in CONSENTS:
        values["at_ms"] = min(values["at_ms"], first_appended_ms(record))
    elif values["at_ms"] > record.timestamp + MAX_EVENT_AHEAD_MS:
        raise RejectedError("in_future", "at_ms: more than five minutes after the append time")


def _why(parsed: Parsed, field: str) -> str:
    dropped = next((note.what for note in parsed.notes if note.field == field), "required")
    return parsed.faults.get(field, dropped)
