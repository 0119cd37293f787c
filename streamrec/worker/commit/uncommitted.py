"""What is applied and not yet committed: how much it is, since when it waits, and the batches it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ...clock import monotonic_s
from ...partition.changes import Changes
from ...partition.intake import Batch
from ...settings import Settings


@dataclass
class Pending:
    """What a partition has changed since its last transaction, on its way into the next one."""

    changes: Changes = field(default_factory=Changes)
    size: int = 0  # as Changes.size; summed up here, because counting all of it again at each step would be quadratic
    since_s: float | None = None

    def __bool__(self) -> bool:
        return bool(self.changes)

    def is_full(self, settings: Settings) -> bool:
        """Whether it is to leave before anything more is applied."""
        much = self.size >= settings.commit_window_events or len(self.changes.pushes) >= settings.chunk_users
        return much and bool(self)

    def add(self, changes: Changes) -> None:
        """Take over a step's changes, also if they are facts only: those are counted with the next commit."""
        self.size += changes.size()
        self.changes.merge(changes)
        if changes:
            self.since_s = self.since_s or monotonic_s()


class Ready(NamedTuple):
    """What goes into one transaction, encoded in the same moment: the rows and the cursor they belong to."""

    changes: Changes
    rows: list[tuple[bytes, bytes | None]]
    cursor: dict[str, int]


class Uncommitted:
    """Batches that are applied, at least in part, and not committed."""

    def __init__(self) -> None:
        self.uncovered: list[Batch] = []  # no transaction put together so far covers them
        self._in_flight: list[Batch] = []  # covered by the transaction that is

    def put_together(self, cursor: Mapping[str, int]) -> None:
        """A transaction with this cursor is on its way: what lies before the cursor is in it."""
        taken = self.uncovered
        self.uncovered = [batch for batch in taken if cursor.get(batch.topic, 0) < batch.next_offset]
        self._in_flight = [batch for batch in taken if cursor.get(batch.topic, 0) >= batch.next_offset]

    def committed(self) -> None:
        """Forget the batches of the transaction in flight, which was committed."""
        self._in_flight = []

    def oldest_ms(self) -> list[int]:
        """When the first record of each batch was appended, in ms since 1970."""
        return [batch.records[0].timestamp for batch in self._in_flight + self.uncovered if batch.records]
