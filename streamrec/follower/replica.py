"""A read-only copy of one partition, which follows what the partition's owner commits.

    changelog records -> rows, held until the cursor record behind them: states between two transactions are never seen
    catalog records   -> held until the owner's cursor is past them: the copy knows an article when the owner does
    dead letters      -> an article the owner set aside as poison is none; known by then, the copy is restored anew

No broker and no clock here; follower.py reads and asks the time.
"""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from ..contracts.decode import Origin, decode_catalog
from ..contracts.records import Record, first_headers, header_number
from ..errors import SettingsError
from ..partition.changelog_meta import BESIDE_ROWS, CURSOR_KEY, ChangelogContent
from ..partition.following import after_catalog, after_changelog
from ..partition.partition import Partition
from ..worker.recovery.dead_letter_index import DeadLetterIndex
from ..worker.recovery.recovery import Recovered

REMEMBERED = 1000  # articles taken over last: their dead letters stand in the same transaction


class Mark(NamedTuple):
    """The latest cursor record that was read: a changelog in which another one stands there is another topic."""

    offset: int
    timestamp: int
    value: bytes


class Replica:
    """One followed partition: its state, how far it has read, and from when what it knows is."""

    def __init__(self, partition: Partition, partitions: int, recovered: Recovered, changelog: str) -> None:
        self.partition, self.recovered = partition, recovered
        self.next_offset = recovered.next_offset  # of the changelog
        self.applied_ms = 0  # append time of the last record that was applied
        self.applied = 0  # rows taken over since the restore
        self.is_stale = False  # only another restore can tell what the owner's state is
        self.mark: Mark | None = None
        self._changelog = changelog
        self._content = recovered.logged or ChangelogContent(partitions, partition.context.space_id)
        self._rows: dict[bytes, bytes | None] = {}  # of a transaction whose cursor record was not read yet
        self._articles: deque[Record] = deque()  # that the owner has not taken in yet
        self._taken: deque[Record] = deque(maxlen=REMEMBERED)
        self._letters = DeadLetterIndex()

    def take_changelog(self, records: Sequence[Record]) -> None:
        """Records of the changelog, in order. StateError or SettingsError where they cannot be followed."""
        last = max((at for at, record in enumerate(records) if record.key == CURSOR_KEY), default=-1)
        self._read(records[: last + 1])
        if last >= 0:
            found = records[last]
            self._apply(found.timestamp)
            self.mark = Mark(found.offset, found.timestamp, found.value or b"")
        self._read(records[last + 1 :])
        self.next_offset = records[-1].offset + 1

    def take_catalog(self, records: Sequence[Record]) -> None:
        """Records of `catalog`, in order; they count when the owner's cursor is past them."""
        self._articles.extend(records)
        self._apply_articles()

    def take_letters(self, letters: Sequence[Record]) -> None:
        """Dead letters of `catalog`: what they name is no article."""
        for letter in letters:
            said = first_headers(letter)
            offset = header_number(said.get("streamrec-offset"))
            if offset >= 0 and said.get("streamrec-reason") == b"processing_error":
                self._letters.add(offset, letter)
        self.is_stale = self.is_stale or bool(self._letters.named(self._taken))

    def _read(self, records: Sequence[Record]) -> None:
        for record in records:
            key = record.key or b""
            if key.startswith(b"\xff"):
                self._content.take([(key, record.value)])
            else:
                self._rows[key] = record.value
        if self._content.moved_to:
            raise SettingsError(
                f"{self._changelog}: `streamrec migrate` moved these profiles to {self._content.moved_to};"
                " follow that deployment"
            )

    def _apply(self, at_ms: int) -> None:
        meta, partition = self._content.meta, self.partition
        rows, self._rows = self._rows, {}
        said = {key: rows.pop(key) for key in [key for key in rows if key >= BESIDE_ROWS]}
        self._content.take([(key, row) for key, row in rows.items() if row is not None])
        partition.looked_ms = meta.looked_ms
        current: dict[bytes, bytes | None] = {key: None for key, row in rows.items() if row is None}
        current |= self._content.drained(partition.catalog, at_ms // 1000)
        after_changelog(partition, current | said, meta)
        partition.steering.follow(self._content.control.items())
        self._content.control = {}
        self.applied += len(current)
        self.applied_ms = max(self.applied_ms, at_ms)
        self._apply_articles()

    def _apply_articles(self) -> None:
        before, taken = self.partition.cursor.get("catalog", 0), []
        while self._articles and self._articles[0].offset < before:
            taken.append(self._articles.popleft())
        if taken:
            self._taken.extend(taken)
            poison = self._letters.named(taken)
            sound = [record for record in taken if record.offset not in poison]
            self.partition.catalog.after_set_aside(max((r.timestamp for r in taken if r.offset in poison), default=0))
            topic, number = self.partition.context.topics["catalog"], self.partition.context.number
            after_catalog(self.partition, decode_catalog(sound, Origin(topic, number)))
            self._taken = deque((record for record in self._taken if record.offset not in poison), REMEMBERED)
