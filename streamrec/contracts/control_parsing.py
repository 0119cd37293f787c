"""A command that is not all as its schema says: what pushes less is done as far as it can be read.

    command_of(record, reference_ms) -> (Command, notes), or RejectedError

A "no" cannot be rejected: a stop, a hold or a retraction counts whatever is wrong beside it. A stop whose category
cannot be read stops everything, one whose end cannot be read lasts until it is lifted; the article of a hold or a
retraction is the value's, or else the key's. Every other command needs who, why and when, and what it is about.

No command lies ahead of its append: of two commands on one target the later counts, and a clock that is ahead must not
make a release outlive the hold that follows it.
"""

import msgspec

from .control import MOST, ON_ARTICLE, ON_READER, SAYS_NO, Command, category_name
from .event_parsing import check_fault, object_in, too_large
from .field_parsing import Fields, Note, Parsed
from .framing import UnreadableError, ids_in
from .limits import EARLIEST_MS, MAX_RECORD_BYTES
from .records import Record, RejectedError

UNKNOWN = "unknown"
_FIELDS = Fields(Command)


def command_of(record: Record, reference_ms: int | None = None) -> tuple[Command, list[Note]]:
    """The command in a record, with what was not taken as it came; `reference_ms`: the last watermark of a replay."""
    parsed = _FIELDS.read(object_in(record))
    values, action = parsed.values, parsed.values.get("action")
    appended_ms = record.timestamp if reference_ms is None else max(reference_ms, EARLIEST_MS)
    if action in SAYS_NO:
        _complete(parsed, record, appended_ms)
    elif len(record.value or b"") > MAX_RECORD_BYTES:
        raise too_large()
    about = "article_id" if action in ON_ARTICLE else "reader" if action in ON_READER else ""
    for field in ("action", "who", "why", "at_ms", *([about] if about else [])):
        check_fault(parsed, field)
    if action == "resume":
        _needs_readable(parsed, "category")  # one that cannot be read does not lift the stop of everything
    if action in {"pin", "unpin"}:
        check_fault(parsed, "setting")
        _needs_readable(parsed, "setting")
    if action == "pin":
        _check_pin(parsed)
    if action == "approve":
        _needs(parsed, "digest")
    if reference_ms is None:
        values["at_ms"] = min(values["at_ms"], record.timestamp)
    if 0 < values.get("until_ms", 0) <= values["at_ms"]:
        _ended_before(parsed)
    values["category"] = category_name(values.get("category", ""))
    return msgspec.convert(values, Command), parsed.notes


def _complete(parsed: Parsed, record: Record, appended_ms: int) -> None:
    """What a no needs to count: its time is the append's, its author unknown, where that cannot be read."""
    values = parsed.values
    parsed.forgive()
    if values["action"] in ON_ARTICLE and not values.get("article_id"):
        values["article_id"] = _article_in(record.key)
        parsed.notes.append(Note("article_id", "the key says which"))
    if "at_ms" not in values:
        values["at_ms"] = appended_ms
        parsed.notes.append(Note("at_ms", "the append time counts"))
    for field in ("who", "why"):
        if not values.get(field):
            values[field] = UNKNOWN
            parsed.notes.append(Note(field, "required"))


def _article_in(key: bytes | None) -> str:
    try:
        return [*ids_in(key or b"", "article_id")][-1]
    except UnreadableError:
        raise RejectedError("invalid", "article_id: required, and the key says nothing certain") from None


def _needs_readable(parsed: Parsed, field: str) -> None:
    wrong = next((note.what for note in parsed.notes if note.field == field and field not in parsed.values), "")
    if wrong:
        raise RejectedError("invalid", f"{field}: {wrong}")


def _needs(parsed: Parsed, field: str) -> None:
    _needs_readable(parsed, field)
    if field not in parsed.values:
        raise RejectedError("invalid", f"{field}: required for {parsed.values['action']}")


def _check_pin(parsed: Parsed) -> None:
    values = parsed.values
    for field in ("value", "until_ms"):
        _needs(parsed, field)
    if not values["until_ms"]:
        raise RejectedError("invalid", "until_ms: required for pin")
    if values["value"] > MOST[values["setting"]]:
        raise RejectedError("invalid", f"value: at most {MOST[values['setting']]:g} for {values['setting']}")


def _ended_before(parsed: Parsed) -> None:
    if parsed.values["action"] not in SAYS_NO:
        raise RejectedError("invalid", "until_ms: before at_ms")
    del parsed.values["until_ms"]  # a stop that lasts can be lifted; one that never was cannot be had again
    parsed.notes.append(Note("until_ms", "before at_ms"))
