"""A record field by field: what can be read is taken, and what cannot costs itself.

    Fields(UserEvent).read({"user_id": "u", "action": "click", "at_ms": 1767225600, "tz": 7})
        -> values {"user_id": "u", "action": "click", "at_ms": 1767225600000}
           notes  [Note("at_ms", "another unit ..."), Note("tz", "Expected `str`, got `int`")]
           faults {}

A note is about a value not taken as it came, though the record is: dropped, cut, or of another form. A record without
notes is one its JSON Schema takes, and the other way round. Faults are of fields the record cannot do without. null is
the same as absent. Neither notes nor faults show a value.
"""

from typing import Annotated, Any, Generic, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from .field_types import NeverDropped, Reads

PLAIN = Reads()
R = TypeVar("R", bound=msgspec.Struct)


class Note(NamedTuple):
    """A field that was not taken as it came, and why."""

    field: str
    what: str


class Parsed(NamedTuple):
    """What was read of one record: values by field, what was not taken as it came, and what is at fault."""

    values: dict[str, Any]
    notes: list[Note]
    faults: dict[str, str]  # of required fields, and of those that are never dropped

    def forgive(self) -> None:
        """Let the record count in spite of its faults: they become notes."""
        self.notes.extend(Note(*fault) for fault in self.faults.items())
        self.faults.clear()


class _Field(NamedTuple):
    type: Any
    reads: Reads
    droppable: bool

    def read(self, value: Any) -> tuple[Any, str]:
        """The value, and what is to be said of it; raises ValueError or ValidationError."""
        try:
            return self.reads.cleaned(msgspec.convert(self.reads.alike(value), self.type)), ""
        except ValueError as error:
            typed = msgspec.convert(self.reads.mended(value), self.type)
            return self.reads.cleaned(typed), sentence(error)


class Fields(Generic[R]):
    """Reads records of one type field by field, as the type declares them."""

    def __init__(self, record: type[R]) -> None:
        hints = get_type_hints(record, include_extras=True)
        self._fields = {
            field.name: _field(hints[field.name], field.required) for field in msgspec.structs.fields(record)
        }
        self._texts = {name: field for name, field in self._fields.items() if field.reads.cleaned is not PLAIN.cleaned}

    def read(self, said: dict[str, Any]) -> Parsed:
        """Read all declared fields of a JSON object; unknown ones are tolerated."""
        parsed = Parsed({}, [], {})
        for name, value in said.items():
            if value is None or (field := self._fields.get(name)) is None:
                continue
            try:
                parsed.values[name], noted = field.read(value)
            except ValueError as error:
                if field.droppable:
                    parsed.notes.append(Note(name, sentence(error)))
                else:
                    parsed.faults[name] = sentence(error)
            else:
                if noted:
                    parsed.notes.append(Note(name, noted))
        return parsed

    def cleaned(self, record: R) -> R:
        """A record whose fields are right, each in its one spelling."""
        spelt = {name: field.reads.cleaned(getattr(record, name)) for name, field in self._texts.items()}
        return msgspec.structs.replace(record, **spelt)


def sentence(error: Exception) -> str:
    """What a decoding error says of types and limits, without the value, which may be user data."""
    message = str(error).partition(" - at `$")[0]
    return "unknown value" if message.startswith("Invalid enum value") else message


def _field(hint: Any, required: bool) -> _Field:
    marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    reads = [mark for mark in marks if isinstance(mark, Reads)]
    droppable = not required and not any(isinstance(mark, NeverDropped) for mark in marks)
    return _Field(hint, reads[-1] if reads else PLAIN, droppable)
