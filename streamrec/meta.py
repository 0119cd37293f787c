"""The changelog's own records: how far each input was applied, and the layout of the rows beside them.

Their keys begin with 0xFF, which no UTF-8 user id contains. The cursor is written in the same transaction as the rows
it belongs to: that, and not the consumer group's offset, is where a new owner goes on.
"""

from collections.abc import Iterable
from typing import NamedTuple

import orjson

from .errors import StateError
from .profiles.layout import LAYOUT_VERSION, ROW, descr

CURSOR_KEY = b"\xffcursor"
LAYOUT_KEY = b"\xfflayout"


class Meta(NamedTuple):
    """Where a partition stands."""

    cursor: dict[str, int]  # topic -> next offset
    looked_ms: int  # policy time of the last look for due users

    def record(self) -> tuple[bytes, bytes]:
        """As a changelog record."""
        return CURSOR_KEY, orjson.dumps(self._asdict(), option=orjson.OPT_SORT_KEYS)


def layout_record(partitions: int) -> tuple[bytes, bytes]:
    """Written once by each new owner: lets a later release read these rows by field name."""
    return LAYOUT_KEY, orjson.dumps({"layout": LAYOUT_VERSION, "partitions": partitions, "descr": descr()})


def split(records: Iterable[tuple[bytes, bytes | None]], partitions: int) -> tuple[dict[bytes, bytes], Meta]:
    """Rows by key (the last one counts) and the cursor. StateError if the rows are not of this layout."""
    rows: dict[bytes, bytes] = {}
    meta = Meta({}, 0)
    for key, value in records:
        if value is None:
            rows.pop(key, None)
        elif key == CURSOR_KEY:
            meta = Meta(**orjson.loads(value))
        elif key == LAYOUT_KEY:
            _check_layout(orjson.loads(value), partitions)
        elif len(value) != ROW.itemsize:
            raise StateError(f"a profile row has {len(value)} bytes; layout {LAYOUT_VERSION} has {ROW.itemsize}")
        else:
            rows[key] = value
    return rows, meta


def _check_layout(written: dict[str, object], partitions: int) -> None:
    if written["layout"] != LAYOUT_VERSION:
        raise StateError(
            f"the changelog has row layout {written['layout']}, this release reads {LAYOUT_VERSION}: "
            "run the release that wrote it, or a newer one"
        )
    if written["partitions"] != partitions:
        raise StateError(
            f"the changelog was written for {written['partitions']} partitions, STREAMREC_PARTITIONS is {partitions}: "
            "the number is fixed for the life of the topics; set it back"
        )
