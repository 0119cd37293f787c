"""Fields that were not taken as they came: all are counted, and one a minute of each topic and field is in the log.

A line names the field and what was wrong with it, never its value. It says how many came since the line before.
"""

import logging
import math
from collections.abc import Mapping
from typing import TypeVar

from ..contracts.field_reading import Note
from ..observability.metrics import InputTopic, Metrics

log = logging.getLogger(__name__)

TOLD_EVERY_S = 60.0
T = TypeVar("T", bound=InputTopic)


class FieldNotes:
    """Counts and logs the fields that one reader of records dropped, or took in another form than the schema says."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._told: dict[tuple[InputTopic, str], tuple[float, int]] = {}

    def take(self, notes: Mapping[tuple[T, Note], int], at_s: float) -> None:
        """Count each note as often as it says, and log those whose minute is over; `at_s` is monotonic."""
        for (topic, note), count in notes.items():
            self._metrics.dropped_fields[topic, note.field].inc(count)
            self._tell(topic, note, count, at_s)

    def _tell(self, topic: InputTopic, note: Note, count: int, at_s: float) -> None:
        told_s, left_out = self._told.get((topic, note.field), (-math.inf, 0))
        if at_s - told_s < TOLD_EVERY_S:
            self._told[topic, note.field] = told_s, left_out + count
            return
        self._told[topic, note.field] = at_s, 0
        more = {"topic": topic, "field": note.field, "error": note.what, "left_out": left_out + count - 1}
        log.warning("field dropped", extra=more)
