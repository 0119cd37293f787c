"""Everything an audit looks at, as plain data. A reader of a cluster fills it, or a test from records in memory.

The order is part of the contract, for a live cluster moves while it is read: pushes first, then the changelog up to an
end asked for after that (a push's row was written before the push was committed), then dead letters and events, then
the ends of the inputs (a cursor was written after what it counts). So what is missing is missing.
"""

from collections.abc import Mapping, Sequence

from ...contracts.records import Record
from .articles import Articles
from .changelog import Changelog
from .commands import Commands
from .erasures import Erasures
from .events import Events
from .findings import Tally
from .preferences import Preferences
from .pushes import Pushes

Log = Mapping[int, Sequence[Record]]  # partition -> records in order


class Facts:
    """What was read; `since_ms` bounds which pushes are judged, by append time."""

    def __init__(self, partitions: int, since_ms: int = 0, examples: int = 5) -> None:
        self.partitions = partitions
        self.tally = Tally(examples)
        self.pushes = Pushes(partitions, self.tally, since_ms)
        self.ends: dict[tuple[str, int], int] = {}  # (topic without prefix, partition) -> next offset to be written
        self.articles = Articles()
        self.commands = Commands(partitions)
        self.settle_pushes()

    def settle_pushes(self) -> None:
        """Close the table of pushes; what comes from now on is about the users in it."""
        self.pushes.settle()
        self.changelog = Changelog(self.partitions, self.tally, self.pushes.index)
        self.events = Events(self.partitions, self.pushes)
        self.preferences = Preferences(self.partitions, self.pushes)
        self.erasures = Erasures(self.partitions, self.pushes)

    @classmethod
    def of(
        cls,
        partitions: int,
        push: Log,
        changelog: Log,
        events: Log,
        ends: Mapping[tuple[str, int], int],
        dead_letters: Sequence[Record] = (),
        catalog: Sequence[Record] = (),
        examples: int = 5,
        preferences: Log | None = None,
        control: Log | None = None,
        erasure: Log | None = None,
    ) -> "Facts":
        """Facts of a test: from records in memory, committed ones only."""
        facts = cls(partitions, examples=examples)
        for partition, records in push.items():
            facts.pushes.take(partition, records)
        facts.settle_pushes()
        for partition, records in changelog.items():
            facts.changelog.take(partition, records)
        facts.articles.take(catalog)
        for partition, records in (control or {}).items():
            facts.commands.take(partition, records)
        facts.events.take_dead_letters(dead_letters)
        for partition, records in events.items():
            facts.events.take(partition, records)
        facts.preferences.take_dead_letters(dead_letters)
        for partition, records in (preferences or {}).items():
            facts.preferences.take(partition, records)
        facts.erasures.take_dead_letters(dead_letters)
        for partition, records in (erasure or {}).items():
            facts.erasures.take(partition, records)
        facts.ends |= ends
        return facts
