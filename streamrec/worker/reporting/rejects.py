"""Input that was not taken as it came: all of it is counted, and samples are in the log.

    records set aside    one line a second of each topic and reason; all are in the dead letter topic
    fields dropped       one line a minute of each topic and field: its name and what was wrong, never its value

A line says how many came since the one before, which the log does not name: a bad producer would fill the disk.
"""

import logging
import math
from collections.abc import Hashable, Mapping
from typing import TypeVar

from ...contracts.field_parsing import Note
from ...contracts.records import DeadLetter
from ...observability.metrics import InputTopic, Metrics

log = logging.getLogger(__name__)

T = TypeVar("T", bound=InputTopic)


class Rejects:
    """Counts and logs dead letters and dropped fields; one for each reader of records."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._records, self._fields = _Sampling(every_s=1.0), _Sampling(every_s=60.0)

    def set_aside(self, topic: InputTopic, letter: DeadLetter, at_s: float) -> None:
        """Count a record of this topic that became a dead letter; `at_s` is monotonic."""
        self._metrics.dead_letters[topic, letter.reason].inc()
        if (left_out := self._records.left_out((letter.topic, letter.reason), 1, at_s)) is not None:
            names = ("topic", "partition", "offset", "reason", "detail")
            log.warning("set aside", extra={name: getattr(letter, name) for name in names} | {"left_out": left_out})

    def dropped(self, notes: Mapping[tuple[T, Note], int], at_s: float) -> None:
        """Count the fields that were dropped, or read in another form than the schema's, as often as `notes` says."""
        for (topic, note), count in notes.items():
            self._metrics.dropped_fields[topic, note.field].inc(count)
            if (left_out := self._fields.left_out((topic, note.field), count, at_s)) is not None:
                more = {"topic": topic, "field": note.field, "error": note.what, "left_out": left_out}
                log.warning("field dropped", extra=more)


class _Sampling:
    """Says when a kind of thing may have a line again."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._told: dict[Hashable, tuple[float, int]] = {}  # kind -> when it had a line, how many came since

    def left_out(self, kind: Hashable, count: int, at_s: float) -> int | None:
        """How many came besides the one a line may name now, these `count` included; None: no line yet."""
        told_s, before = self._told.get(kind, (-math.inf, 0))
        if at_s - told_s < self._every_s:
            self._told[kind] = told_s, before + count
            return None
        self._told[kind] = at_s, 0
        return before + count - 1
