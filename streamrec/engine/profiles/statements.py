"""What readers have said they want, statement by statement: kept beside the rows, of readers only who said something.

    merged(said, patch)  -> said   the later statement of each name holds; of two at one time the one that asks for less

So any order of patches gives the same. A statement that was taken back stays as None, for an older one may still come.
Of names of a kind (stories, tags, ...) the newest MOST_NAMES are kept. A tombstone is a time: what was said until then
counts no more.

The changelog keeps one record a reader, key 0xFE + user id, which is no UTF-8 and so no user id.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import orjson

from ...contracts.preferences import KINDS_OF_NAMES, MOST_NAMES, MOST_PUSHES, Patch, Value

PREFIX = b"\xfe"


class Statement(NamedTuple):
    """A value and the time it was said; None: taken back."""

    at_ms: int
    value: Value | None


class Said(NamedTuple):
    """All that one reader has said: statements by name, and until when all was taken back."""

    statements: Mapping[str, Statement]
    reset_ms: int = 0

    def value(self, name: str) -> Value | None:
        """What holds of this statement; None: nothing was said."""
        found = self.statements.get(name)
        return None if found is None else found.value

    def names(self, field: str, stance: str) -> list[str]:
        """Names of a kind of which this was said, in order."""
        start = f"{field}/"
        named = [name for name, each in self.statements.items() if name.startswith(start) and each.value == stance]
        return sorted(name.removeprefix(start) for name in named)

    @property
    def asks_anything(self) -> bool:
        """Whether any statement holds."""
        return any(each.value is not None for each in self.statements.values())

    def encoded(self) -> bytes:
        """As the changelog holds it."""
        said = {name: list(each) for name, each in self.statements.items()}
        return orjson.dumps({"reset_ms": self.reset_ms, "said": said}, option=orjson.OPT_SORT_KEYS)


NOTHING = Said({})


class _Encoded(msgspec.Struct):
    said: dict[str, tuple[int, bool | int | str | list[str] | None]]
    reset_ms: int = 0


def decoded(record: bytes) -> Said:
    """What `encoded` wrote; msgspec.DecodeError for anything else."""
    found = msgspec.json.decode(record, type=_Encoded)
    return Said({name: Statement(*each) for name, each in found.said.items()}, found.reset_ms)


def merged(said: Said, patch: Patch) -> Said:
    """What a reader has said, after this patch, which may be an older one."""
    statements, reset_ms = dict(said.statements), said.reset_ms
    if patch.resets:
        reset_ms = max(reset_ms, patch.at_ms)
    for name, value in patch.said.items():
        new, known = Statement(patch.at_ms, value), statements.get(name)
        if known is None or _rank(name, new) > _rank(name, known):
            statements[name] = new
    kept = {name: each for name, each in statements.items() if _counts(each, reset_ms)}
    return Said(_newest(kept), reset_ms)


def said_since(said: Said, at_ms: int) -> Said:
    """What was said after this moment, by its own time."""
    statements = {name: each for name, each in said.statements.items() if each.at_ms > at_ms}
    return Said(statements, said.reset_ms if said.reset_ms > at_ms else 0)


def _counts(each: Statement, reset_ms: int) -> bool:
    return each.at_ms > reset_ms or (each.at_ms == reset_ms and each.value is not None)


def _rank(name: str, each: Statement) -> tuple[int, int, bytes]:
    """The higher one holds: the later, then the one that asks for less, then one of them, whichever came first."""
    return each.at_ms, _restraint(name, each.value), orjson.dumps(each.value)


def _restraint(name: str, value: Value | None) -> int:
    if value is None:
        return 0
    if name == "daily_cap":
        return 1 + MOST_PUSHES - int(str(value))
    return 2 if value in (False, "mute", "none") else 1


def _newest(statements: dict[str, Statement]) -> dict[str, Statement]:
    """Without the oldest names of kinds that have too many."""
    for kind in KINDS_OF_NAMES:
        names = [name for name in statements if name.startswith(f"{kind}/")]
        if len(names) > MOST_NAMES:
            names.sort(key=lambda name: (*_rank(name, statements[name]), name))
            for name in names[:-MOST_NAMES]:
                del statements[name]
    return statements
