"""What `apply` answers: everything one transaction writes, and the facts metrics are made of."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from ..arrays import IndexArray
from ..contracts.control import ControlAction
from ..contracts.event import Action
from ..contracts.field_parsing import Note
from ..contracts.push import PushKind
from ..contracts.records import DeadLetter, Stray, Topic
from ..engine.policy.suppression_reasons import SuppressionReason

Side = Literal["inside", "outside"]  # of an audience
NO_ROWS: IndexArray = np.empty(0, np.intp)


class PushRecord(NamedTuple):
    """A push as it goes to Kafka, with what metrics and the log need to know of it."""

    user_id: str
    value: bytes
    trigger: str
    priority: str
    event_at_ms: int
    kind: PushKind = "push"


@dataclass
class Changes:
    """Changes of one partition; two of them merge into what one transaction can carry."""

    rows: list[IndexArray] = field(default_factory=list)  # profiles to be written, as row numbers
    pushes: list[PushRecord] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    strays: list[Stray] = field(default_factory=list)
    cursor: dict[str, int] = field(default_factory=dict)  # topic -> next offset
    all_met: bool = False  # no article waits any more: a mark to be committed, also where nobody got a push
    appended_ms: list[int] = field(default_factory=list)  # append times of the records applied
    kib: int = 0  # of the records it came from: they are in memory until it is committed
    # facts
    events: Counter[Action] = field(default_factory=Counter)
    suppressed: Counter[SuppressionReason] = field(default_factory=Counter)
    audience: Counter[Side] = field(default_factory=Counter)  # readers who met an article that has one, no gate closed
    notes: Counter[tuple[Topic, Note]] = field(default_factory=Counter)  # fields not taken as they came
    commands: Counter[tuple[ControlAction, bool]] = field(default_factory=Counter)  # and whether each changed anything
    unsure: int = 0  # readers who may have got what is taken back, and whose row cannot tell
    late: int = 0
    unknown: int = 0
    forgotten: int = 0  # users, for their silence

    def merge(self, other: "Changes") -> None:
        """Take over the changes of a later step."""
        self.rows += other.rows
        self.pushes += other.pushes
        self.dead_letters += other.dead_letters
        self.strays += other.strays
        self.cursor |= other.cursor
        self.all_met |= other.all_met
        self.appended_ms += other.appended_ms
        self.kib += other.kib
        if other.events:
            self.events.update(other.events)
        if other.audience:
            self.audience.update(other.audience)
        if other.suppressed:
            self.suppressed.update(other.suppressed)
        if other.commands:
            self.commands.update(other.commands)
        if other.notes:
            self.notes.update(other.notes)
        self.unsure += other.unsure
        self.late += other.late
        self.unknown += other.unknown
        self.forgotten += other.forgotten

    def size(self) -> int:
        """How much it is, in records of up to a KiB: records applied, rows or pushes, whichever are most (each record
        and each push changes at most one row), and what is passed on as it came; never less than the KiB held.
        """
        passed_on = sum(_kib(letter.key, letter.value, letter.trail) for letter in self.dead_letters)
        passed_on += sum(_kib(None, stray.value, stray.headers) for stray in self.strays)
        return max(max(len(self.appended_ms), sum(map(len, self.rows)), len(self.pushes)) + passed_on, self.kib)

    def unique_rows(self) -> IndexArray:
        """Row numbers that changed, each once and ascending: what a transaction has to encode."""
        return np.unique(np.concatenate(self.rows)) if self.rows else NO_ROWS

    def __bool__(self) -> bool:
        return bool(self.rows or self.pushes or self.dead_letters or self.strays or self.cursor or self.all_met)


def _kib(key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes | None]]) -> int:
    return 1 + sum(len(part or b"") for part in (key, value, *(header for _, header in headers))) // 1024
