"""Rows of an earlier release are read by field name."""

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import Feed, click, partition

from streamrec.engine.profiles.layout import DEFAULTS, LAYOUT_VERSION, ROW, descr
from streamrec.engine.profiles.upgrade import dtype_of
from streamrec.errors import StateError
from streamrec.partition import changelog_meta as meta
from streamrec.partition.changelog_meta import CURSOR_KEY, LAYOUT_KEY, layout_record, rows_and_meta

OLD = 0  # before the first release's
NAMES = [name for name in ROW.names or () if name != "layout"]


def old_layout(kept: list[str]) -> np.dtype[np.void]:
    """A layout with only these fields, in this order, and one that is gone by now."""
    fields = [("layout", ROW["layout"]), *((name, ROW[name]) for name in kept), ("gone", np.dtype("<f8"))]
    return np.dtype(fields)


def old_record(layout: np.dtype[np.void], partitions: int = 4) -> tuple[bytes, bytes]:
    """What its release wrote beside the rows."""
    described = [
        [name, field[0].base.descr if field[0].base.names else field[0].base.str, list(field[0].shape)]
        for name, field in (layout.fields or {}).items()
    ]
    value = {"layout": OLD, "partitions": partitions, "descr": described}
    return LAYOUT_KEY + b"-0", orjson.dumps(value)


def test_the_description_is_the_layout() -> None:
    """What every changelog carries is enough to read its rows."""
    assert dtype_of(orjson.loads(orjson.dumps(descr()))) == ROW


@given(st.permutations(NAMES), st.integers(0, len(NAMES)))
def test_fields_keep_their_values_wherever_they_stood(names: list[str], count: int) -> None:
    """A field of both layouts keeps its value, a new one gets its default, and newer rows beside stay as they are."""
    feed = Feed(partition())
    feed.events(click("ann", tz="Asia/Tokyo"), click("bo", "a2"))
    rows = feed.to.profiles.rows()
    layout = old_layout(names[:count])
    old = np.zeros(1, layout)
    old["layout"], old["gone"] = OLD, 7.5
    for name in names[:count]:
        old[name] = np.frombuffer(rows[b"ann"], ROW)[name]
    log = [old_record(layout), (b"ann", old.tobytes()), layout_record(4), (b"bo", rows[b"bo"])]
    found, _ = rows_and_meta(log, 4)
    assert found[b"bo"] == rows[b"bo"]
    ann, was = np.frombuffer(found[b"ann"], ROW)[0], np.frombuffer(rows[b"ann"], ROW)[0]
    assert ann["layout"] == LAYOUT_VERSION
    for name in NAMES:
        default = DEFAULTS.get(name, np.zeros((), ROW)[name])
        assert np.array_equal(ann[name], was[name] if name in names[:count] else default), name


def test_a_row_nobody_described_is_refused() -> None:
    """Without a description of its layout a row is not guessed at."""
    with pytest.raises(StateError, match="3 bytes"):
        rows_and_meta([(b"ann", b"\x09\x00x")], 4)


def test_a_newer_layout_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release does not read what a later one wrote, and says which one to run."""
    with monkeypatch.context() as later:
        later.setattr(meta, "LAYOUT_VERSION", LAYOUT_VERSION + 1)
        newer = layout_record(4)
    with pytest.raises(StateError, match="run the release that wrote it"):
        rows_and_meta([newer, (CURSOR_KEY, meta.Meta({}, 0).record()[1])], 4)
