"""The profile row: one fixed binary layout, 484 bytes, little-endian, packed.

It is the value of a changelog record (key = user_id). In memory the same fields are columns (store.py). Hash seeds
(CRC-32) and category slots are part of the layout: change one and LAYOUT_VERSION rises. `descr()` is published in the
meta record of every changelog partition, so a later release can read older rows by field name.

Units: `_s` seconds since 1970 (uint32), `_ms` milliseconds since 1970; article and story ids are CRC-32, 0 = empty.
"""

import numpy as np

from ..contracts.ids import CATEGORIES, CATEGORY_SLOTS, SOURCE_SLOTS

__all__ = ["CATEGORIES", "CATEGORY_SLOTS", "ROW", "SOURCE_SLOTS", "descr"]

LAYOUT_VERSION = 1
DIMS = 64  # interest vector
READS = 16  # ring of recent reads
PUSHES = 8  # ring of recent pushes; also the largest daily cap
WAITING = 4  # clicks on articles not yet known
NEGATIVES = 4  # categories cooling down

CONSENT_UNKNOWN, CONSENT_IN, CONSENT_OUT = 0, 1, 2
NO_OVERRIDE = 0xFFFF
NO_CAP = 255

WAIT = np.dtype([("article", "<u4"), ("at_s", "<u4"), ("action", "u1")])
PUSHED = np.dtype([("article", "<u4"), ("story", "<u4"), ("at_s", "<u4")])
NEGATIVE = np.dtype([("category", "u1"), ("until_s", "<u4")])

ROW = np.dtype(
    [
        ("layout", "<u2"),
        ("flags", "<u2"),
        # interest: unnormalised decayed sum of read articles' vectors, valued at interest_at_ms
        ("interest_at_ms", "<i8"),
        ("interest", "<f2", (DIMS,)),
        ("category_affinity", "<f2", (CATEGORY_SLOTS,)),
        ("source_affinity", "<f2", (SOURCE_SLOTS,)),
        ("negatives", NEGATIVE, (NEGATIVES,)),
        # rings; the counters below say where the next entry goes
        ("reads", "<u4", (READS,)),
        ("pushed", PUSHED, (PUSHES,)),
        ("waiting", WAIT, (WAITING,)),
        # counters and times
        ("n_reads", "<u4"),
        ("n_pushes", "<u4"),
        ("first_seen_s", "<u4"),
        ("last_active_s", "<u4"),  # policy clock: when the last event arrived in time
        ("due_at_s", "<u4"),  # when to look for a push again; 0 = not waiting
        # preferences
        ("zone", "<u4"),  # CRC-32 of the IANA name, 0 = default zone
        ("quiet_from_min", "<u2"),  # NO_OVERRIDE = as the settings say
        ("quiet_to_min", "<u2"),
        ("muted", "<u4"),  # bit per category slot
        ("daily_cap", "u1"),  # 255 = as the settings say
        ("consent", "u1"),
        ("language", "S2"),
    ]
)
DEFAULTS = {  # of a new user; all else is zero
    "layout": LAYOUT_VERSION, "quiet_from_min": NO_OVERRIDE, "quiet_to_min": NO_OVERRIDE, "daily_cap": NO_CAP,
}  # fmt: skip
assert ROW.itemsize <= 512, ROW.itemsize  # the target of one changelog row


def descr() -> list[list[object]]:
    """The layout as JSON can carry it: name, type and shape of each field, in order."""
    return [
        [name, field[0].base.descr if field[0].base.names else field[0].base.str, list(field[0].shape)]
        for name, field in (ROW.fields or {}).items()
    ]
