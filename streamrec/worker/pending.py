"""What is applied and in no transaction yet: how much it is, and since when it waits."""

from dataclasses import dataclass, field
from typing import NamedTuple

from ..changes import Changes
from ..clock import monotonic_s


@dataclass
class Pending:
    """The next transaction, while it grows."""

    changes: Changes = field(default_factory=Changes)
    size: int = 0  # as Changes.size; summed up here, because counting all of it again at each step would be quadratic
    since_s: float | None = None

    def __bool__(self) -> bool:
        return bool(self.changes)

    def add(self, changes: Changes) -> None:
        """Take over a step's changes, also if they are facts only: those are counted with the next commit."""
        self.size += changes.size()
        self.changes.merge(changes)
        if changes:
            self.since_s = self.since_s or monotonic_s()


class Ready(NamedTuple):
    """One transaction, put together."""

    changes: Changes
    rows: list[tuple[bytes, bytes]]
    cursor: dict[str, int]
