"""What the whole path from an article's text to a score takes, part by part: as it is written down, and in words.

    text encoder      of the article, once
    profile update    one read of each reader since
    retrieval         of the readers whose interest is near the article
    features          of the pairs
    ranker            of the features to P(click)

Bytes and times are of one process and one thread. What is the same on both paths is counted on both: so a ratio says
what a machine gains, and the parts what is left to gain. `bench path` measures it (tools/bench/whole_path.py).
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

PARTS = ("text encoder", "profile update", "retrieval", "features", "ranker")
Kind = Literal["disk", "memory", "reader"]
KINDS: tuple[Kind, ...] = ("disk", "memory", "reader")
FILE = "path.json"  # in the folder of a search, whose page shows it


class Bytes(msgspec.Struct, frozen=True):
    """What one part takes: files, weights in memory, and state a reader."""

    disk: int
    memory: int
    reader: int = 0


class Route(msgspec.Struct, frozen=True):
    """One path: its parts' bytes, and medians over the rounds of their times."""

    version: str  # of the model
    encoder: str
    engine: str
    bytes: dict[str, Bytes]  # by part
    us_article: float  # the text encoder
    us: dict[int, dict[str, float]]  # a candidate, by candidates of an article and part

    def total(self, kind: Kind) -> int:
        """Bytes of all parts."""
        return sum(getattr(part, kind) for part in self.bytes.values())

    def us_candidate(self, candidates: int) -> float:
        """Microseconds of all parts, by candidate."""
        return sum(self.us[candidates].values())


class Faster(msgspec.Struct, frozen=True):
    """How many times as fast the served path is, end to end, over interleaved rounds."""

    ratio: float  # median
    low: float  # the smallest and largest of a round
    high: float


class WholePath(msgspec.Struct, frozen=True, kw_only=True):
    """The teacher's path beside the served one."""

    format: Literal[1] = 1
    log: str
    articles: int  # in the catalog
    readers: int
    teacher: Route
    served: Route
    faster: dict[int, Faster]  # by candidates of an article
    encoder_fp32_bytes: int  # the teacher's encoder with every number in four bytes; 0: it has no weights
    machine: str = ""

    def smaller(self, kind: Kind) -> float:
        """How many times as small the served path is."""
        return self.teacher.total(kind) / max(1, self.served.total(kind))

    def smaller_than_fp32(self) -> float:
        """The same on disk, were every number of the teacher's encoder stored in four bytes."""
        whole = self.teacher.total("disk") - self.teacher.bytes["text encoder"].disk + self.encoder_fp32_bytes
        return whole / max(1, self.served.total("disk"))

    def summary(self) -> dict[str, object]:
        """What a script reads of it, ratios beside what they are of."""
        told: dict[str, object] = msgspec.to_builtins(self)
        ratios: dict[str, float] = {kind: round(self.smaller(kind), 2) for kind in KINDS}
        if self.encoder_fp32_bytes:
            ratios["disk_fp32_encoder"] = round(self.smaller_than_fp32(), 2)
        left = {count: _shares(parts) for count, parts in self.served.us.items()}
        return told | {"smaller": ratios, "left": {"disk": _shares(_sizes(self.served, "disk")), "us": left}}

    def says(self) -> list[str]:
        """In sentences: how much smaller and faster the whole is, and which part is left."""
        served = _sizes(self.served, "disk")
        fp32 = f" ({_said(self.smaller_than_fp32())} beside an encoder stored in fp32)" * bool(self.encoder_fp32_bytes)
        speeds = [
            f"at {count:,} {_said(faster.ratio)} ({_said(faster.low)} to {_said(faster.high)}), then"
            f" {_largest(self.served.us[count])} is left"
            for count, faster in self.faster.items()
        ]
        smaller = (
            f"the whole path is {_said(self.smaller('disk'))} times smaller on disk{fp32} and"
            f" {_said(self.smaller('memory'))} times in memory; of what is left on disk {_largest(served)}"
        )
        return [
            smaller,
            f"end to end, by candidates of an article, it is so many times as fast: {'; '.join(speeds)}",
        ]


def bytes_rows(found: WholePath) -> list[list[str]]:
    """Of each part, and of all: its name, and on disk, in memory and a reader the teacher's bytes and the served."""
    parts = [[name, *(_pair(found, name, kind) for kind in KINDS)] for name in PARTS]
    whole = [
        f"{found.teacher.total(kind):,} -> {found.served.total(kind):,}: {_said(found.smaller(kind))}x"
        for kind in KINDS
    ]
    return [*parts, ["all", *whole]]


def time_rows(found: WholePath) -> list[list[str]]:
    """Of each part, and of all: its name, and by candidates the teacher's time, the served one and its share."""
    rows = [[name, *(_times_of(found, name, count) for count in found.faster)] for name in PARTS]
    whole = [
        f"{_said(found.teacher.us_candidate(count))} -> {_said(found.served.us_candidate(count))}:"
        f" {_said(faster.ratio)}x ({_said(faster.low)} to {_said(faster.high)})"
        for count, faster in found.faster.items()
    ]
    return [*rows, ["all", *whole]]


def _pair(found: WholePath, name: str, kind: Kind) -> str:
    before, after = (getattr(route.bytes[name], kind) for route in (found.teacher, found.served))
    return f"{before:,} -> {after:,}"


def _times_of(found: WholePath, name: str, count: int) -> str:
    before, after = found.teacher.us[count][name], found.served.us[count][name]
    return f"{_said(before)} -> {_said(after)}, {100 * _shares(found.served.us[count])[name]:.0f} %"


def _sizes(route: Route, kind: Kind) -> dict[str, float]:
    return {name: float(getattr(part, kind)) for name, part in route.bytes.items()}


def _shares(parts: Mapping[str, float]) -> dict[str, float]:
    whole = sum(parts.values()) or 1.0
    return {name: round(of / whole, 4) for name, of in parts.items()}


def _largest(parts: Mapping[str, float]) -> str:
    name, share = max(_shares(parts).items(), key=lambda part: part[1])
    return f"{name} {100 * share:.0f} %"


def _said(number: float) -> str:
    """With three digits at most: a ratio, or microseconds."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}" if number >= 10 else f"{number:.2f}"
