"""What one reader's row must hold, in Python's own numbers: the state of the plain reading (reference_reading.py)."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from ...contracts.preferences import Patch
from ...engine.profiles.layout import ROW
from .erasures_reading import Receipt

SEEN, WAITING = (ROW[name].shape[0] for name in ("seen", "waiting"))
SOURCES = ROW["source_affinity"].shape[0]


class Waiting(NamedTuple):
    """An event on an article that is not known."""

    article: int
    at_s: int
    action: str


@dataclass
class Sum:
    """A decayed sum, and by how much float16 may miss it."""

    value: float = 0.0
    error: float = 0.0

    def after(self, keep: float, gain: float) -> None:
        """Decay the sum by `keep`, add `gain`, and grow its error as a float16 may."""
        self.value = self.value * keep + gain
        self.error = self.error * keep + 2**-10 * (abs(self.value) + abs(gain)) + 2**-23


@dataclass
class Wants:
    """All patches a reader sent, and what holds of them: simulated ones have few names of a kind."""

    patches: list[Patch] = field(default_factory=list)

    @property
    def reset_ms(self) -> int:
        """When all was last taken back; 0: never."""
        return max((patch.at_ms for patch in self.patches if patch.resets), default=0)

    def value(self, name: str) -> Any:
        """What holds of a statement: the latest, of several at one time the strictest, unless it was taken back."""
        said = [(patch.at_ms, patch.said[name]) for patch in self.patches if name in patch.said]
        at_ms = max((at_ms for at_ms, _ in said), default=-1)
        latest = [value for at, value in said if at == at_ms]
        if name == "daily_cap":
            strictest = min((value for value in latest if value is not None), default=None)
        else:
            strictest = max(latest, key=_strictness, default=None)
        return strictest if at_ms >= self.reset_ms else None

    def since(self, at_ms: int) -> "Wants":
        """What was said later than that."""
        return Wants([patch for patch in self.patches if patch.at_ms > at_ms])

    def ask_something(self) -> bool:
        """Whether any statement counts, be it one that takes another back."""
        said = [
            (patch.at_ms, value) for patch in self.patches for name, value in patch.said.items() if name != "consent"
        ]
        reset_ms = self.reset_ms
        return any(at_ms > reset_ms or (at_ms == reset_ms and value is not None) for at_ms, value in said)

    def names(self) -> set[str]:
        """Every statement that was ever spoken of, but for consent, which is the row's."""
        return {name for patch in self.patches for name in patch.said} - {"consent"}


def _strictness(value: Any) -> tuple[int, bytes]:
    strict = 0 if value is None else 2 if value in (False, "mute", "none") else 1
    return strict, msgspec.json.encode(value)


@dataclass
class Reader:
    """What a reader's row must hold, in Python's own numbers."""

    interest: list[Sum] = field(default_factory=lambda: [Sum() for _ in range(ROW["interest"].shape[0])])
    category: list[Sum] = field(default_factory=lambda: [Sum() for _ in range(ROW["category_affinity"].shape[0])])
    source: list[Sum] = field(default_factory=lambda: [Sum() for _ in range(SOURCES)])
    interest_at_ms: int = 0
    language: str = ""
    acts: dict[int, set[str]] = field(default_factory=dict)  # by article; clicks and opens are one act
    taught_ms: int = 0  # the latest act that taught, or would have if it were not a repetition
    reads: int = 0  # each article once
    reads_in_all: int = 0
    held: set[int] = field(default_factory=set)  # articles read while they were known, or pushed
    pushed: set[int] = field(default_factory=set)
    pushes: int = 0
    rests_until_s: dict[int, int] = field(default_factory=dict)  # by category slot
    waiting: list[Waiting] = field(default_factory=list)
    consent: int = 0  # 1 in, 2 out
    consent_at_ms: int = 0
    zone: int = 0
    zone_at_s: int = 0
    active_s: int = 0
    first_seen_s: int = 0
    searched: frozenset[int] = frozenset()  # words of the latest search
    searched_at_s: int = 0
    wants: Wants = field(default_factory=Wants)

    def consents(self, says: bool, at_ms: int) -> None:
        """The latest word on consent counts; at equal times the one that says no."""
        if at_ms > self.consent_at_ms or (at_ms == self.consent_at_ms and not says):
            self.consent, self.consent_at_ms = 1 if says else 2, at_ms

    def left_by(self, erased_ms: int) -> "Reader | None":
        """What an erasure that came late leaves: what was said since, by its own time."""
        left = Reader(first_seen_s=erased_ms // 1000, wants=self.wants.since(erased_ms))
        if self.consent_at_ms > erased_ms:
            left.consent, left.consent_at_ms = self.consent, self.consent_at_ms
        return left if left.consent or left.wants.ask_something() else None

    def wait(self, event: Waiting) -> None:
        """In the first free place, else in that of the oldest, unless that is newer."""
        if len(self.waiting) < WAITING:
            self.waiting += [Waiting(0, 0, "")] * (WAITING - len(self.waiting))
        oldest = min(range(WAITING), key=lambda place: self.waiting[place].at_s)
        if event.at_s >= self.waiting[oldest].at_s:
            self.waiting[oldest] = event

    def lose_profile(self) -> None:
        """All that was learned goes, but for what was pushed."""
        empty = Reader()
        for name in (
            "interest", "category", "source", "interest_at_ms", "language", "acts", "taught_ms", "reads",
            "reads_in_all", "rests_until_s", "waiting", "searched", "searched_at_s",
        ):  # fmt: skip
            setattr(self, name, getattr(empty, name))
        self.held = set(self.pushed)

    def receipt(self) -> Receipt:
        """What is to stand in the receipt of their erasure."""
        said = any(patch.resets or patch.said.keys() - {"consent"} for patch in self.wants.patches)
        waiting = sum(each.article != 0 for each in self.waiting)
        return Receipt(0, True, said, None if self.is_crowded else waiting)

    @property
    def is_crowded(self) -> bool:
        """More articles than a row remembers by name."""
        return bool(len(self.acts.keys() | self.pushed) > SEEN)
