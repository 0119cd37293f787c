"""The profile row: one fixed binary layout, 512 bytes, little-endian, packed.

It is the value of a changelog record (key = user_id). In memory the same fields are columns (store.py). Each field
stands once in FIELDS: dtype, defaults and what the changelog says of the layout follow. Hash seeds (CRC-32), category
slots and ordinals of actions are part of the layout: change one, or a field, and LAYOUT_VERSION rises. `descr()` is
published in the meta record of every changelog partition, so a later release reads older rows by field name.

Units: `_s` seconds since 1970 (uint32), `_ms` milliseconds since 1970; article and story ids are CRC-32, 0 = empty.
"""

from typing import NamedTuple

import numpy as np

from ...contracts.ids import CATEGORY_SLOTS, SOURCE_SLOTS

LAYOUT_VERSION = 3
DIMS = 64  # interest vector
SEEN = 18  # articles read, pushed or acted on that the row remembers by name; history.py says what holds beyond them
PUSHES = 8  # ring of recent pushes; also the largest daily cap
WAITING = 4  # events on articles not yet known
NEGATIVES = 4  # categories cooling down
SEARCHED = 4  # words of the latest search

CONSENT_UNKNOWN, CONSENT_IN, CONSENT_OUT = 0, 1, 2
READ, PUSHED = 1, 2  # bits of `seen_acts`; the others belong to actions (engine/learn.py)
NO_OVERRIDE = 0xFFFF
NO_CAP = 255

WAIT = np.dtype([("article", "<u4"), ("at_s", "<u4"), ("action", "u1")])
NEGATIVE = np.dtype([("category", "u1"), ("until_s", "<u4")])


class Field(NamedTuple):
    """One field of the profile row: its type and shape, and what it means."""

    name: str
    dtype: str | np.dtype[np.void]
    meaning: str
    shape: tuple[int, ...] = ()
    default: int = 0  # of a new user


# fmt: off
FIELDS = (
    Field("layout", "<u2", "version of this list", default=LAYOUT_VERSION),
    Field("interest_at_ms", "<i8", "what interest and affinities are valued at: the latest event that taught"),
    Field("interest", "<f2", "unnormalised decayed sum of the vectors of what was read", (DIMS,)),
    Field("category_affinity", "<f2", "decayed reads by category slot", (CATEGORY_SLOTS,)),
    Field("source_affinity", "<f2", "decayed reads by source slot", (SOURCE_SLOTS,)),
    Field("negatives", NEGATIVE, "categories cooling down, and until when", (NEGATIVES,)),
    Field("seen", "<u4", "articles read, pushed or acted on, in no order", (SEEN,)),
    Field("seen_acts", "u1", "what happened to each of them: READ, PUSHED, and a bit an action", (SEEN,)),
    Field("floor_s", "<u4", "every article that first became known at or before this counts as seen"),
    Field("pushed_at_s", "<u4", "ring of the times of recent pushes; push k lies at k % 8", (PUSHES,)),
    Field("pushed_story", "<u4", "ring of their stories", (PUSHES,)),
    Field("waiting", WAIT, "events on articles not yet known", (WAITING,)),
    Field("searched", "<u4", "words of the latest search as CRC-32, ascending; the text is not kept", (SEARCHED,)),
    Field("searched_at_s", "<u4", "when that was searched for, by the event's own time; a later search replaces it"),
    Field("n_reads", "<u4", "articles read in all"),
    Field("n_pushes", "<u4", "pushes in all"),
    Field("first_seen_s", "<u4", "when the first event of this user was seen"),
    Field("last_active_s", "<u4", "policy clock: when the last event arrived in time"),
    Field("due_at_s", "<u4", "when to look for a push again; 0 = not waiting"),
    Field("zone", "<u4", "CRC-32 of the IANA name, 0 = default zone"),
    Field("zone_at_s", "<u4", "when the user was in that zone, by the event's own time"),
    Field("quiet_from_min", "<u2", "minute of the day; NO_OVERRIDE = as the settings say", default=NO_OVERRIDE),
    Field("quiet_to_min", "<u2", "minute of the day; NO_OVERRIDE = as the settings say", default=NO_OVERRIDE),
    Field("muted", "<u4", "a bit per category slot"),
    Field("daily_cap", "u1", "pushes a day; NO_CAP = as the settings say", default=NO_CAP),
    Field("consent", "u1", "CONSENT_UNKNOWN, _IN or _OUT"),
    Field("consent_at_ms", "<i8", "when that was said, by the event's own time; a later statement replaces it"),
    Field("language", "S2", "of the latest read"),
)
# fmt: on
ROW = np.dtype([(field.name, field.dtype, field.shape) for field in FIELDS])
DEFAULTS = {field.name: field.default for field in FIELDS if field.default}  # of a new user; all else is zero
assert ROW.itemsize <= 512, ROW.itemsize  # the target of one changelog row


def descr() -> list[list[object]]:
    """The layout as JSON can carry it: name, type and shape of each field, in order."""
    return [
        [name, field[0].base.descr if field[0].base.names else field[0].base.str, list(field[0].shape)]
        for name, field in (ROW.fields or {}).items()
    ]
