"""The second layout's row, frozen: rows of it lie in changelogs."""

import numpy as np

_WAIT = np.dtype([("article", "<u4"), ("at_s", "<u4"), ("action", "u1")])
_NEGATIVE = np.dtype([("category", "u1"), ("until_s", "<u4")])
ROW_V2 = np.dtype(
    [
        ("layout", "<u2"),
        ("interest_at_ms", "<i8"),
        ("interest", "<f2", (64,)),
        ("category_affinity", "<f2", (30,)),
        ("source_affinity", "<f2", (16,)),
        ("negatives", _NEGATIVE, (4,)),
        ("seen", "<u4", (22,)),
        ("seen_acts", "u1", (22,)),
        ("floor_s", "<u4"),
        ("pushed_at_s", "<u4", (8,)),
        ("pushed_story", "<u4", (8,)),
        ("waiting", _WAIT, (4,)),
        ("n_reads", "<u4"),
        ("n_pushes", "<u4"),
        ("first_seen_s", "<u4"),
        ("last_active_s", "<u4"),
        ("due_at_s", "<u4"),
        ("zone", "<u4"),
        ("zone_at_s", "<u4"),
        ("quiet_from_min", "<u2"),
        ("quiet_to_min", "<u2"),
        ("muted", "<u4"),
        ("daily_cap", "u1"),
        ("consent", "u1"),
        ("consent_at_ms", "<i8"),
        ("language", "S2"),
    ]
)
assert ROW_V2.itemsize == 512


def descr_v2() -> list[list[object]]:
    """As that layout was described in the changelog."""
    return [
        [name, field[0].base.descr if field[0].base.names else field[0].base.str, list(field[0].shape)]
        for name, field in (ROW_V2.fields or {}).items()
    ]
