"""IANA zones as small numbers: the row keeps the CRC-32 of the name, memory a slot, a decision one offset per slot.

The CRC does not depend on the version of the zone database; slots are made afresh in every process.
"""

import zoneinfo
from datetime import UTC, datetime
from functools import cache

import numpy as np
import numpy.typing as npt

from ...arrays import IntArray, UIntArray
from ...contracts.ids import key_of


@cache
def _names() -> tuple[str, ...]:
    return ("UTC", *sorted(zoneinfo.available_timezones() - {"UTC", "localtime", "Factory"}))


@cache
def _known() -> frozenset[str]:
    return frozenset(_names())


@cache
def _slot_of_key() -> dict[int, int]:
    return {key_of(name): slot + 1 for slot, name in enumerate(_names())} | {0: 0}


def is_zone(name: str) -> bool:
    """True for a name in the zone database."""
    return name in _known()


def zone_slots(keys: UIntArray) -> npt.NDArray[np.uint16]:
    """Slots of zone keys as they stand in the row, (N,); 0 = default zone, also for a zone this process lacks."""
    slot_of = _slot_of_key()
    return np.array([slot_of.get(key, 0) for key in keys.tolist()], np.uint16)


def names_of_slots(default_zone: str) -> tuple[str, ...]:
    """The name of each slot's zone; that of slot 0 is the default zone."""
    return (default_zone, *_names())


@cache
def _zone(slot: int, default_zone: str) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(default_zone if slot == 0 else _names()[slot - 1])


def offset_minutes(slots: npt.NDArray[np.uint16], now_s: int, default_zone: str) -> IntArray:
    """Minutes to add to UTC at `now_s` for each zone slot, (N,): summer time included."""
    now = datetime.fromtimestamp(now_s, UTC)
    table = np.zeros(len(_names()) + 1, np.int64)
    for slot in np.flatnonzero(np.bincount(slots)).tolist():
        offset = now.astimezone(_zone(slot, default_zone)).utcoffset()
        table[slot] = round(offset.total_seconds() / 60) if offset else 0
    return table[slots]


def zone_name(slot: int, default_zone: str) -> str:
    """The IANA name of a zone slot."""
    return default_zone if slot == 0 else _names()[slot - 1]
