"""Zones as small numbers: each name has its own, and a number the offset of its zone at a moment."""

import zoneinfo
from datetime import UTC, datetime

import numpy as np
import pytest
from making import T0

from streamrec.contracts.ids import key_of
from streamrec.engine.profiles.zones import is_zone, offset_minutes, zone_slots

NAMES = sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})
SUMMER_S = int(datetime(2026, 7, 1, tzinfo=UTC).timestamp())


def slots(*names: str) -> np.ndarray[tuple[int], np.dtype[np.uint16]]:
    """Slots of zones by name."""
    return zone_slots(np.array([key_of(name) for name in names], np.uint32))


def test_each_zone_has_a_slot_of_its_own() -> None:
    """No two share one, none has that of the default zone."""
    assert sorted(slots(*NAMES).tolist()) == list(range(1, len(NAMES) + 1))


def test_a_zone_this_process_lacks_is_the_default() -> None:
    """As is none at all."""
    assert zone_slots(np.array([0, key_of("Mars/Olympus"), 1], np.uint32)).tolist() == [0, 0, 0]
    default = offset_minutes(np.array([0], np.uint16), T0 // 1000, "Asia/Tokyo")
    assert default.tolist() == [9 * 60]


@pytest.mark.parametrize("now_s", [0, T0 // 1000, SUMMER_S])
def test_offsets_are_those_of_the_zone_database(now_s: int) -> None:
    """Of every zone, in winter, in summer and when 1970 began, to the nearest minute."""
    offsets = offset_minutes(slots(*NAMES), now_s, "Asia/Tokyo")
    moment = datetime.fromtimestamp(now_s, UTC)
    for name, minutes in zip(NAMES, offsets.tolist(), strict=True):
        offset = moment.astimezone(zoneinfo.ZoneInfo(name)).utcoffset()
        assert offset is not None
        assert abs(offset.total_seconds() - minutes * 60) <= 30, name
    assert offset_minutes(slots(), now_s, "Asia/Tokyo").tolist() == []


def test_what_is_no_zone() -> None:
    """Names of files beside the zones, of other things, and none."""
    assert all(is_zone(name) for name in NAMES)
    assert not any(is_zone(name) for name in ("", "localtime", "Factory", "Mars/Olympus", "posixrules"))
