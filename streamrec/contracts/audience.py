"""Whom an article is for, where interest is not to decide: everybody, or a segment.

    {"everybody": true}
    {"languages": ["da"], "countries": ["DK", "SE"], "ramp": {"share": 0.05, "after_min": 15}}

A reader is in it who fits every field that is given; of a list, any one of its values. So each field makes it smaller,
and so does a value that nobody knows. What cannot be read may never make it larger: a value costs itself, anything else
sets the record aside, a field of an unknown name too, which might have been a limit.
"""

from typing import Annotated, Any

import msgspec

from .field_types import Reads, ShortText, says
from .limits import MAX_ID_CHARS, SHORT_TEXT_CHARS
from .text import clean_id, clean_name

MOST_NAMES = 1_000  # of one field
MOST_CHARS = MAX_ID_CHARS + 16  # of what is followed: its kind, and the id of a story
LONGEST_RAMP_MIN = 7 * 1440
_LISTS = ("languages", "zones", "countries", "categories", "followers")
SAYS_WHO = ("everybody", *_LISTS, "share")

_named = msgspec.Meta(max_length=MOST_NAMES)
Names = Annotated[tuple[ShortText, ...], _named]
Follows = Annotated[tuple[Annotated[str, msgspec.Meta(max_length=MOST_CHARS)], ...], _named]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Minutes = Annotated[float, msgspec.Meta(ge=0, le=LONGEST_RAMP_MIN)]


class Ramp(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Some first, the rest later: time to take back what was a mistake."""

    share: Annotated[Share, says("the part of the audience that gets it at once, 0 to 1")]
    after_min: Annotated[Minutes, says("minutes from when the version is known and out until the rest gets it")]


class Audience(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who gets an article whether they are interested or not; gates and rules hold for them as for all."""

    everybody: Annotated[bool, says("all readers, as far as no other field narrows it")] = False
    languages: Annotated[
        Names | None, says("readers of these languages (BCP 47): those they stated, else that of their latest read")
    ] = None
    zones: Annotated[Names | None, says("readers in these IANA zones; who named none is in the default zone")] = None
    countries: Annotated[Names | None, says("readers whose zone belongs to these countries (ISO 3166: DK)")] = None
    categories: Annotated[
        Names | None, says("readers with a recent read in these, or more reads longer ago: half a read by now")
    ] = None
    followers: Annotated[
        Follows | None,
        says("readers who follow any of these, as in `stories/s17`, `tags/volcano`, `categories/sports`"),
    ] = None
    share: Annotated[Share | None, says("this part of them, 0 to 1; a larger share has all of a smaller one")] = None
    ramp: Annotated[Ramp | None, says("first a share of them, the rest later")] = None


def said(value: Any) -> Any:
    """An audience without its nulls, which say nothing; ValueError for one that does not say who is meant."""
    if not isinstance(value, dict):
        return value
    fields = {name: one for name, one in value.items() if one is not None or name not in Audience.__struct_fields__}
    if not (fields.get("everybody") is True or any(name in fields for name in SAYS_WHO[1:])):
        raise ValueError("it does not say who is meant")
    return fields


def mended(value: Any) -> Any:
    """What can mean but one thing: the word everybody, one name for a list of one, numbers in strings.

    A list loses what is no name: the audience gets smaller.
    """
    if value == "everybody":
        return {"everybody": True}
    value = said(value)
    if not isinstance(value, dict):
        return value
    most = dict.fromkeys(_LISTS, SHORT_TEXT_CHARS) | {"followers": MOST_CHARS}
    value = {name: _names(one, most[name]) if name in _LISTS else _number(one) for name, one in value.items()}
    if isinstance(value.get("ramp"), dict):
        value["ramp"] = {name: _number(one) for name, one in value["ramp"].items()}
    return value


def spelt(audience: Audience) -> Audience:
    """An audience whose names are each in their one spelling, and once."""
    lists = {name: getattr(audience, name) for name in _LISTS}
    spelling = {
        name: tuple(dict.fromkeys(found for one in names if (found := _SPELT[name](clean_id(one)))))
        for name, names in lists.items()
        if names is not None
    }
    return msgspec.structs.replace(audience, **spelling)


def names_no_readers(audience: Audience) -> bool:
    """Whether no list narrows it: all readers, or a share of them all."""
    return all(getattr(audience, name) is None for name in _LISTS)


def is_nobody(audience: Audience) -> bool:
    """Whether no reader can ever be in it."""
    lists = [getattr(audience, name) for name in _LISTS]
    return audience.share == 0 or any(names is not None and not names for names in lists)


def without(audience: Audience, field: str, names: frozenset[str]) -> Audience:
    """The audience without these names of a field, which nobody can fit."""
    kept = tuple(name for name in getattr(audience, field) or () if name not in names)
    return msgspec.structs.replace(audience, **{field: kept})


def _names(value: Any, most_chars: int) -> Any:
    if isinstance(value, str):
        return [value]
    return [one for one in value if _is_name(one, most_chars)] if isinstance(value, list) else value


def _is_name(value: Any, most_chars: int) -> bool:
    try:
        return isinstance(value, str) and len(value) <= most_chars and clean_id(value) is not None
    except ValueError:
        return False


def _number(value: Any) -> Any:
    if not isinstance(value, str) or len(value) > 20:
        return value
    return float(value)  # ValueError: no number


def _same(name: str) -> str:
    return name


def _followed(name: str) -> str:
    """As a preference is called (contracts/preferences.py): ids of stories stay as they are."""
    kind, _, what = name.partition("/")
    kind = kind.strip().lower()
    return f"{kind}/{what.strip() if kind == 'stories' else clean_name(what)}"


_SPELT = {
    "languages": str.lower, "zones": _same, "countries": str.upper, "categories": str.lower, "followers": _followed,
}  # fmt: skip
AsAudience = Reads(said, mended, spelt)
