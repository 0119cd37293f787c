"""Types of the fields of records: their bounds, and how a value is read that is of another form than the schema says.

Times are ms since 1970. Between 2001 and 2100 the same moment in s, ms, us and ns lies in four ranges that do not meet,
so the unit of a time follows from its magnitude alone: 1767225600 is seconds. What lies in none of them is no time.
A text in ISO 8601 is one where it names its zone, as in 2026-01-01T00:00:00Z.
"""

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Annotated, Any, NamedTuple

import msgspec

from .limits import EARLIEST_MS, LATEST_MS, LATEST_VERSION, MAX_ID_CHARS, SHORT_TEXT_CHARS
from .text import VISIBLE, clean_id, clean_text

PER_UNIT = ((1000, 1), (1, 1), (1, 1000), (1, 1_000_000))  # s, ms, us, ns: times, then divided by
_DIGITS = 19


def says(description: str) -> msgspec.Meta:
    """What a field means, for the JSON Schema and the tables made of it."""
    return msgspec.Meta(description=description)


def same(value: Any) -> Any:
    """The value as it is, for a field that needs no more than its type."""
    return value


class Reads(NamedTuple):
    """How a field is read where its bare type would be too narrow. What cannot be read raises ValueError."""

    alike: Callable[[Any], Any] = same  # what the schema takes for the same: 1.0 is an integer
    mended: Callable[[Any], Any] = same  # not as the schema says, but there is only one thing it can mean
    cleaned: Callable[[Any], Any] = same  # the one spelling of a value that is right


class NeverDropped:
    """Mark of an optional field without which its record would do harm."""


def integral(value: Any) -> Any:
    """An integer, also where it is written as a float: JSON has one kind of number, 1.796e12 is an integer."""
    return int(value) if type(value) is float and value.is_integer() else value


def set_or_not(value: Any) -> Any:
    """A time in ms, or 0: not set. It may be 0 or positive and still be no time."""
    value = integral(value)
    if type(value) is int and 0 < value < EARLIEST_MS:
        raise ValueError("not in ms")
    return value


def number_in(value: Any) -> Any:
    """The integer a string holds: JSON of protobuf, and of all who fear for 64 bits, puts them into strings."""
    if isinstance(value, str) and len(value) <= _DIGITS and value.isascii() and value.isdigit():
        return int(value)
    return value


def to_ms(value: Any) -> Any:
    """A time in s, ms, us, ns or ISO 8601, as ms; 0 stays 0, not set."""
    at = number_in(value)
    at = iso_ms(at) if isinstance(at, str) else at
    at = int(at) if type(at) is float and abs(at) < 1e19 else at  # seconds have fractions
    if type(at) is int:
        for times, divided in PER_UNIT:
            if EARLIEST_MS <= at * times // divided <= LATEST_MS:
                return int(float(value) * times) if times > 1 else at * times // divided
        if at:
            raise ValueError("no time between 2001 and 2100 in any unit")
    return at


def iso_ms(text: str, zone: tzinfo | None = None) -> int:
    """A time in ISO 8601 as ms; one that names no zone is of this one, or none, and raises ValueError."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError("no time") from None  # its own words name the value
    if at.tzinfo is None and zone is None:
        raise ValueError("a time in no zone")
    return round((at if at.tzinfo else at.replace(tzinfo=zone)).timestamp() * 1000)


def id_in(value: Any) -> Any:
    """An id as text: one that is a number in JSON has its digits for a name."""
    return str(value) if type(value) is int else value


def word(value: Any) -> Any:
    """A word of a list in lower case, without blanks around it and what cannot be seen in it."""
    return clean_id(value).strip().lower() if isinstance(value, str) else value


def cut(chars: int) -> Callable[[Any], Any]:
    """A function that cuts text to so many characters: it loses its end rather than its record."""
    return lambda value: value[:chars] if isinstance(value, str) else value


# fmt: off
_unset = {"anyOf": [{"const": 0}, {"minimum": EARLIEST_MS}]}
_visible = {"pattern": VISIBLE}
_AS_ID = Reads(mended=id_in, cleaned=clean_id)
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID_CHARS, extra_json_schema=_visible), _AS_ID]
OptionalId = Annotated[str, msgspec.Meta(max_length=MAX_ID_CHARS), _AS_ID]
ShortText = Annotated[str, msgspec.Meta(max_length=SHORT_TEXT_CHARS), Reads(cleaned=clean_id)]
Name = Annotated[str, msgspec.Meta(max_length=SHORT_TEXT_CHARS), Reads(cleaned=clean_text)]
Title = Annotated[str, msgspec.Meta(max_length=500), Reads(mended=cut(500), cleaned=clean_text)]
Abstract = Annotated[str, msgspec.Meta(max_length=5_000), Reads(mended=cut(5_000), cleaned=clean_text)]
Query = Annotated[str, msgspec.Meta(max_length=500), Reads(mended=cut(500), cleaned=clean_text)]
Link = Annotated[str, msgspec.Meta(max_length=2_000), Reads(cleaned=clean_id)]
Millis = Annotated[int, msgspec.Meta(ge=EARLIEST_MS, le=LATEST_MS), Reads(integral, to_ms)]
OptionalMillis = Annotated[int, msgspec.Meta(ge=0, le=LATEST_MS, extra_json_schema=_unset), Reads(set_or_not, to_ms)]
Version = Annotated[int, msgspec.Meta(ge=0, le=LATEST_VERSION), Reads(integral, number_in)]
Digest = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1), Reads(integral, number_in)]
Level = Annotated[int, msgspec.Meta(ge=0, le=3), Reads(integral, number_in)]
# fmt: on
