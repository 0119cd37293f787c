"""The changelog's own records: how far each input was applied, and the layout and vector space of the rows beside them.

Their keys begin with 0xFF, which no UTF-8 user id contains, as those of
preferences do with 0xFE, and receipts of erasures with 0xFD. The cursor is written
in the same transaction as the rows it belongs to: that, and not the consumer group's offset, is where a new owner goes
on.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import orjson

from ..engine.catalog import Catalog
from ..engine.profiles.layout import LAYOUT_VERSION, ROW, descr
from ..engine.profiles.upgrade import dtype_of, upgraded, version_of
from ..errors import SettingsError, StateError

BESIDE_ROWS = b"\xfd"  # keys from here on are of no row
CURSOR_KEY = b"\xffcursor"
LAYOUT_KEY = b"\xfflayout"
SPACE_KEY = b"\xffspace"
MOVED_KEY = b"\xffmoved"
FIRST_SPACE = "hashed64-98d485ef5035"  # of rows without a space record: when they were written there was one encoder
CONTROL_PREFIX = b"\xffcontrol/"  # what was commanded, and how far it is done (steering.py)
OWNER_KEY = b"\xffowner"  # written by each new owner before it reads; says nothing but that it is there


class Meta(NamedTuple):
    """How far one partition is: its cursor, and the marks behind which every article has met everybody."""

    cursor: dict[str, int]  # topic -> next offset
    looked_ms: int  # policy time of the last look for due users
    met: int | None = None  # offset in `catalog`: what lies before has met everybody; None: all up to the cursor has
    opened_ms: int = 0  # policy time: articles whose time came before have met everybody; 0: before the last look
    audiences: Sequence[tuple[str, int, int]] = ()  # of articles under way that have one: id, readers met, of how many

    @property
    def met_until(self) -> int:
        """Offset in `catalog` before which every article has met everybody (article_queue.py)."""
        return self.cursor.get("catalog", 0) if self.met is None else self.met

    def record(self) -> tuple[bytes, bytes]:
        """Key and JSON value of the cursor record in the changelog."""
        said = self._asdict()
        if not self.audiences:
            del said["audiences"]
        return CURSOR_KEY, orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


def layout_record(partitions: int) -> tuple[bytes, bytes]:
    """Key and value of what each new owner writes, one a layout: a later release reads these rows by field name."""
    value = {"layout": LAYOUT_VERSION, "partitions": partitions, "descr": descr()}
    return b"%s-%d" % (LAYOUT_KEY, LAYOUT_VERSION), orjson.dumps(value)


def space_record(space_id: str) -> tuple[bytes, bytes]:
    """Key and value of what each new owner writes: in which space interests are sums of vectors."""
    return SPACE_KEY, orjson.dumps({"space": space_id})


def moved_record(app_id: str) -> tuple[bytes, bytes]:
    """Key and value of what a migration writes: the deployment that goes on with these profiles; "": this one again."""
    return MOVED_KEY, orjson.dumps({"to": app_id})


def owner_records(partitions: int, space_id: str) -> list[tuple[bytes, bytes]]:
    """Changelog records that a new owner writes before anything else; `space_id` "": it checks no space."""
    return [layout_record(partitions), *([space_record(space_id)] if space_id else [])]


def same_space(what: str, found: str, ours: str) -> None:
    """Raise SettingsError where vectors of one encoder would meet those of another; `ours` "" takes any."""
    if ours and found != ours:
        raise SettingsError(
            f"{what} in space '{found}', and STREAMREC_ENCODER works in '{ours}': vectors of two encoders never "
            "meet; set STREAMREC_ENCODER, or the release, back, or move to the new space with `streamrec migrate`"
        )


class ChangelogContent:
    """What the records of a changelog partition add up to: the last row of each key, the cursor, the space."""

    def __init__(self, partitions: int, space_id: str = "") -> None:
        self.meta = Meta({}, 0)
        self._partitions, self._ours = partitions, space_id
        self.moved_to = ""  # the deployment that goes on with these profiles, if they were migrated
        self._space = FIRST_SPACE
        self._rows: dict[bytes, bytes] = {}
        self.control: dict[bytes, bytes | None] = {}  # what was commanded, by key; None: it is over
        self.said: dict[bytes, bytes] = {}  # preferences and receipts of erasures, by key
        self._layouts: dict[int, np.dtype[Any]] = {}  # of earlier releases

    def take(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Take some more records in, in order. StateError if they are not of a layout this release can read."""
        for key, value in records:
            if not key.startswith(b"\xff"):
                kept = self.said if key >= BESIDE_ROWS else self._rows
                if value is None:
                    kept.pop(key, None)
                else:
                    kept[key] = value
            elif key.startswith(CONTROL_PREFIX):
                self.control[key] = value
            elif value is not None and key == CURSOR_KEY:
                self.meta = Meta(**orjson.loads(value))
            elif value is not None and key == SPACE_KEY:
                self._space = orjson.loads(value)["space"]
            elif value is not None and key == MOVED_KEY:
                self.moved_to = orjson.loads(value)["to"]
            elif value is not None and key.startswith(LAYOUT_KEY):
                self._layout(orjson.loads(value))

    @property
    def space(self) -> str:
        """The space the interests in the rows are sums of; "" while there are no rows."""
        return self._space if self._rows else ""

    def has_earlier_rows(self) -> bool:
        """Whether some rows are of another layout than this release's."""
        return any(map(_is_another, self._rows.values()))

    def rows(self, catalog: Catalog, now_s: int) -> dict[bytes, bytes]:
        """Rows of this release's layout, by key. SettingsError if of another space.

        Earlier ones are upgraded by the articles that are known now (upgrade.py).
        """
        if self._rows:
            same_space("the profiles in the changelog are", self._space, self._ours)
        others: dict[int, list[bytes]] = {}
        for key, row in self._rows.items():
            if _is_another(row):
                others.setdefault(version_of(row), []).append(key)
        for version, keys in others.items():
            written = self._layouts.get(version)
            old = [self._rows[key] for key in keys]
            wrong = next((row for row in old if written is None or len(row) != written.itemsize), None)
            if written is None or wrong is not None:
                size = len(wrong or b"")
                raise StateError(
                    f"a profile row has {size} bytes; layout {LAYOUT_VERSION} has {ROW.itemsize}, and no layout "
                    f"{version} of that size is described in the changelog"
                )
            self._rows.update(zip(keys, upgraded(old, written, catalog, now_s), strict=True))
        return self._rows

    def drained(self, catalog: Catalog, now_s: int) -> dict[bytes, bytes]:
        """As `rows`, of what was taken in since this was last asked; for whoever follows a log that goes on."""
        rows = self.rows(catalog, now_s)
        self._rows = {}
        return rows

    def without_rows(self) -> "ChangelogContent":
        """What is known of the log, to go on from: rows, preferences and commands are with the partition now."""
        self._rows, self.said, self.control = {}, {}, {}
        return self

    def _layout(self, written: dict[str, Any]) -> None:
        if written["layout"] > LAYOUT_VERSION:
            raise StateError(
                f"the changelog has row layout {written['layout']}, this release reads up to {LAYOUT_VERSION}: "
                "run the release that wrote it, or a newer one"
            )
        if written["partitions"] != self._partitions:
            raise StateError(
                f"the changelog was written for {written['partitions']} partitions, STREAMREC_PARTITIONS is "
                f"{self._partitions}: the number is fixed for the life of the topics; set it back"
            )
        if written["layout"] < LAYOUT_VERSION:
            self._layouts[written["layout"]] = dtype_of(written["descr"])


def _is_another(row: bytes) -> bool:
    return len(row) != ROW.itemsize or version_of(row) != LAYOUT_VERSION


def rows_and_meta(
    records: Iterable[tuple[bytes, bytes | None]], partitions: int, catalog: Catalog | None = None
) -> tuple[dict[bytes, bytes], Meta]:
    """Rows by key and the cursor, of all records at once; rows of earlier releases are upgraded by this catalog."""
    logged = ChangelogContent(partitions)
    logged.take(records)
    return logged.rows(catalog or Catalog(), 0), logged.meta
