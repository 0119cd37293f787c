"""What strayed in a simulation: how far the partitions are in their inputs, by the cursors that are committed.

It is asked as a worker asks the group (worker/strays.py), and shares no code with that.
"""

import asyncio

import orjson

from ...clock import now_ms
from ...contracts.records import RawRecord
from ...observability.metrics import HoldReason
from ...partition.changelog_meta import CURSOR_KEY
from .memory_log import MemoryLog

LOOK_S = 2.0
SOURCES = ("events", "preferences", "erasure")  # from where records are sent on


class MemoryStrays:
    """Implements worker.catch_up.OtherPartitions for all partitions of a run."""

    def __init__(self, broker: MemoryLog, partitions: int, max_lag_s: float) -> None:
        self._broker, self._partitions, self._max_lag_ms = broker, range(partitions), max_lag_s * 1000
        self._read = 0  # of the committed transactions
        self._applied = {(name, number): 0 for name in SOURCES for number in self._partitions}

    async def sent_on(self) -> None:
        """Wait until all that strayed before this moment is sent on (worker.catch_up.OtherPartitions)."""
        if not self._anything_strayed():
            return
        ends = {place: len(self._broker.partitions[place]) for place in self._applied}
        while any(record.offset < ends[place] for place, record in self._unapplied()):  # noqa: ASYNC110 - no event
            await asyncio.sleep(LOOK_S)

    async def too_late(self) -> HoldReason:
        """Wait until something that strayed has waited too long (worker.catch_up.OtherPartitions)."""
        while (in_s := self._late_in_s()) > 0:  # noqa: ASYNC110 - nothing can be late before
            await asyncio.sleep(in_s)
        return "strays"

    def why(self) -> str:
        """No words: in a simulation nobody reads them."""
        return ""

    def _anything_strayed(self) -> bool:
        return any(self._broker.partitions["rerouted", number] for number in self._partitions)

    def _late_in_s(self) -> float:
        """Seconds until a record that strayed has waited too long, at the earliest; 0: one has already."""
        if not self._anything_strayed():
            return LOOK_S
        oldest_ms = min((record.timestamp for _, record in self._unapplied()), default=now_ms())
        left_ms = oldest_ms + self._max_lag_ms - now_ms()
        return max(LOOK_S, left_ms / 1000) if left_ms >= 0 else 0.0

    def _unapplied(self) -> list[tuple[tuple[str, int], RawRecord]]:
        """The first record of each partition of an input that has some."""
        self._follow()
        heads = [(place, self._broker.committed(*place, applied)) for place, applied in self._applied.items()]
        return [(place, records[0]) for place, records in heads if records]

    def _follow(self) -> None:
        for sent in self._broker.transactions[self._read :]:
            for (topic, number), entries in sent.items():
                for entry in entries if topic == "changelog" else ():
                    if entry.record.key == CURSOR_KEY and entry.record.value is not None:
                        cursor = orjson.loads(entry.record.value)["cursor"]
                        self._applied |= {(name, number): cursor.get(name, 0) for name in SOURCES}
        self._read = len(self._broker.transactions)
