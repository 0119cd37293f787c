"""Readers in groups that an editor knows: language, zone, local hour, and how much they read."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from ..arrays import AnyArray
from ..engine.policy.config import Policy
from ..engine.profiles.store import ProfileStore
from ..engine.profiles.zones import offset_minutes, zone_name
from .verdicts import NOBODY, PUSH, Verdicts

SEGMENTS = ("new", "casual", "regular", "heavy", "away")
READS = (3, 16, 100)  # with fewer one is new, casual, regular
AWAY_S = 7 * 86_400


class Grouped(NamedTuple):
    """Readers of one group: all, those who would be pushed to, and the clicks expected of these."""

    readers: int
    pushes: int
    clicks: float


Groups = dict[str, dict[str, Grouped]]  # dimension -> group -> who


def grouped(profiles: ProfileStore, found: Verdicts, now_ms: int, policy: Policy) -> Groups:
    """The readers of one partition in groups, by what was found of each."""
    somebody = found.reasons != NOBODY
    pushed = found.reasons == PUSH
    clicks = np.where(pushed, found.scores, 0.0)
    groups: Groups = {}
    for dimension, (codes, name_of) in _dimensions(profiles, now_ms, policy).items():
        sums = [np.bincount(codes, weights) for weights in (somebody, pushed, clicks)]
        named = groups.setdefault(dimension, {})
        for code in np.flatnonzero(sums[0]).tolist():
            readers, pushes, expected = (float(found[code]) for found in sums)
            named[name_of(code)] = Grouped(round(readers), round(pushes), expected)
    return groups


def added(several: Iterable[Groups]) -> Groups:
    """The groups of several partitions together: most pushes first; hours and segments in their own order."""
    total: Groups = {}
    for groups in several:
        for dimension, found in groups.items():
            into = total.setdefault(dimension, {})
            for name, more in found.items():
                known = into.get(name, Grouped(0, 0, 0.0))
                into[name] = Grouped(known[0] + more[0], known[1] + more[1], known[2] + more[2])
    return {name: dict(sorted(found.items(), key=ORDERS.get(name, _largest))) for name, found in total.items()}


Named = tuple[str, Grouped]


def _largest(item: Named) -> tuple[int, int, str]:
    return -item[1].pushes, -item[1].readers, item[0]


ORDERS: dict[str, Callable[[Named], Any]] = {
    "segment": lambda item: SEGMENTS.index(item[0]),
    "hour": lambda item: item[0],
}


def _dimensions(
    profiles: ProfileStore, now_ms: int, policy: Policy
) -> dict[str, tuple[AnyArray, Callable[[int], str]]]:
    """Codes of all rows, (R,), and what each code means."""
    now_s, zones = now_ms // 1000, profiles["zone_slot"]
    local_s = now_s + offset_minutes(zones, now_s, policy.default_zone) * 60
    segments = np.searchsorted(READS, profiles["n_reads"], side="right")
    segments[profiles["last_active_s"].astype(np.int64) < now_s - AWAY_S] = len(READS) + 1
    return {
        "language": (profiles["language"].view("<u2"), _language),
        "zone": (zones, lambda code: zone_name(code, policy.default_zone)),
        "hour": (local_s // 3600 % 24, "{:02}".format),
        "segment": (segments, SEGMENTS.__getitem__),
    }


def _language(code: int) -> str:
    return code.to_bytes(2, "little").rstrip(b"\0").decode() or "unknown"
