"""Preferences: what a reader wants, as the app writes it to `preferences`: key user_id, a JSON patch a record.

    {"at_ms": 1767225600000, "daily_cap": 2, "quiet_hours": "22:00-07:00", "stories": {"s17": "mute"}}

A patch says what it says and leaves the rest: null takes one statement back, a tombstone all of them but consent. Each
statement has the time of its patch. Of two the later one holds, of two at one time the one that asks for less
(engine/profiles/statements.py), so the order in which patches arrive does not matter.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from .field_types import OptionalId, OptionalMillis, Reads, ShortText, integral, number_in, says, word
from .limits import MAX_ID_CHARS
from .text import clean_id, clean_name

MOST_PUSHES = 8  # a day: what a profile remembers
MOST_NAMES = 64  # that one patch may give of a kind, and that are kept of one
QUIET_HOURS = r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$"
LANGUAGES = 8

KINDS_OF_NAMES = ("categories", "sources", "stories", "tags")

LevelOfNews = Literal["all", "breaking", "none"]
Stance = Literal["follow", "mute"]
_STANCES: dict[str, Stance | None] = {
    "follow": "follow", "followed": "follow", "mute": "mute", "muted": "mute", "block": "mute", "none": None,
}  # fmt: skip
_LESS: tuple[Stance | None, ...] = (None, "follow", "mute")
_YES, _NO = ("yes", "true", "on", "1", "y"), ("no", "false", "off", "0", "n")


def _yes_or_no(said: Any) -> Any:
    """A word for yes or no, or the number that stands for it."""
    spelt = word(said) if isinstance(said, str) else str(said) if type(said) is int else ""
    return True if spelt in _YES else False if spelt in _NO else said


def _capped(said: Any) -> Any:
    said = integral(number_in(said))
    return MOST_PUSHES if type(said) is int and said > MOST_PUSHES else said


def _codes(said: Any) -> Any:
    """Language codes as their first two letters; a single one is a list of one. What is none costs itself."""
    said = [said] if isinstance(said, str) else said
    if not isinstance(said, list):
        return said
    codes = [word(code)[:2] for code in said if isinstance(code, str)]
    return [code for code in dict.fromkeys(codes) if len(code) == 2 and code.isascii() and code.isalpha()][:LANGUAGES]


def _in_order(codes: list[str]) -> list[str]:
    return sorted(set(codes))


def _stances(said: Any) -> Any:
    """Names and what is said of each, as far as it can be read; what cannot costs itself."""
    if not isinstance(said, dict):
        return said
    found: dict[str, Stance | None] = {}
    for name, stance in said.items():
        spelt = word(stance) if isinstance(stance, str) else stance
        if spelt is None or (isinstance(spelt, str) and spelt in _STANCES):
            found[name] = None if spelt is None else _STANCES[spelt]
    return dict([*found.items()][:MOST_NAMES])


def _spelt(clean: Callable[[str], str]) -> Reads:
    def cleaned(stances: dict[str, Stance | None]) -> dict[str, Stance | None]:
        spelt: dict[str, Stance | None] = {}
        for name, stance in stances.items():  # of two that are one name what asks for less, as of two records
            if found := clean(name):
                spelt[found] = max(stance, spelt.get(found, stance), key=_LESS.index)
        return spelt

    return Reads(mended=_stances, cleaned=cleaned)


Stances = Annotated[dict[str, Stance | None], msgspec.Meta(max_length=MOST_NAMES)]
_AS_NAMES = _spelt(clean_name)
_AS_IDS = _spelt(lambda name: clean_id(name)[:MAX_ID_CHARS])
_EACH = "by name `follow`, `mute`, or null to take it back"


class Preferences(msgspec.Struct, frozen=True, omit_defaults=True):
    """A patch as a producer writes it. null, as a field that is left out, has no value; null says so."""

    user_id: Annotated[OptionalId, says("who; also the key of the record, which says it where this is empty")] = ""
    at_ms: Annotated[
        OptionalMillis, says("when this was said, in ms since 1970; 0: when it was appended, which is also the latest")
    ] = 0
    consent: Annotated[
        bool | None, says("false: no push at all, like `unsubscribe`; true: as `subscribe`"), Reads(mended=_yes_or_no)
    ] = None
    level: Annotated[
        LevelOfNews | None, says("which news: breaking news only, or none; null: all"), Reads(mended=word)
    ] = None
    daily_cap: Annotated[
        Annotated[int, msgspec.Meta(ge=0, le=MOST_PUSHES)] | None,
        says("pushes in 24 hours at most, 0 to 8; null: as the deployment says"),
        Reads(integral, _capped),
    ] = None
    quiet_hours: Annotated[
        Annotated[str, msgspec.Meta(pattern=QUIET_HOURS)] | None,
        says("no push from the first to the second local time, as in 22:00-07:00; equal times: none are quiet"),
        Reads(mended=word),
    ] = None
    zone: Annotated[
        ShortText | None, says("IANA zone of the quiet hours (Europe/Copenhagen); null: that of the device")
    ] = None
    languages: Annotated[
        Annotated[list[Annotated[str, msgspec.Meta(pattern="^[a-z]{2}$")]], msgspec.Meta(max_length=LANGUAGES)] | None,
        says("ISO 639-1 codes of languages that may be pushed; null, or none: any"),
        Reads(mended=_codes, cleaned=_in_order),
    ] = None
    profiling: Annotated[
        bool | None,
        says("false: nothing is learned and what was is deleted; only what is followed, and breaking news, is pushed"),
        Reads(mended=_yes_or_no),
    ] = None
    categories: Annotated[Stances | None, says(f"sections, {_EACH}"), _AS_NAMES] = None
    sources: Annotated[Stances | None, says(f"publishers or desks, {_EACH}"), _AS_NAMES] = None
    stories: Annotated[Stances | None, says(f"ids of stories, {_EACH}"), _AS_IDS] = None
    tags: Annotated[Stances | None, says(f"tags of articles, or words of their texts, {_EACH}"), _AS_NAMES] = None


Value = bool | int | str | list[str]


class Patch(NamedTuple):
    """What one record says of one reader: by statement its value, None where one is taken back.

    A statement is a field, or one name of a field of names: `daily_cap`, `stories/s17`.
    """

    user_id: str
    at_ms: int
    said: dict[str, Value | None]
    resets: bool = False  # a tombstone: all that was said before, but for consent, is taken back

    @property
    def says_no(self) -> bool:
        """Whether it asks for no push, or not to be profiled: that counts whatever else is wrong with its record."""
        return any(self.said.get(name, "") == no for name, no in NOES.items())


NOES: dict[str, Value] = {"consent": False, "profiling": False, "level": "none"}


def record_of(patch: Patch) -> bytes:
    """The patch as the value of a record, with nothing but what asks for less: it always fits."""
    noes = {name: value for name, value in patch.said.items() if NOES.get(name, "") == value}
    return msgspec.json.encode({"user_id": patch.user_id, "at_ms": patch.at_ms, **noes})
