"""Rows written by an earlier release, read by field name.

Every layout begins with its version (`layout`, uint16), and its description stands in the changelog
(partition/changelog_meta.py). A field that is in both layouts keeps its value; a new one gets its default; one that is
gone is left out, unless what it said is said by others now:

    layout 2    seen, seen_acts of 22 articles                      -> the 18 that became known last, and a higher floor
    layout 1    reads (16 keys), pushed (8 x article, story, at_s)  -> seen, seen_acts, pushed_at_s, pushed_story
                what those rings had lost already                   -> floor_s, at the user's last activity or push
                consent, zone                                       -> said at the user's last activity, at the latest

Where a row has more articles than this release's remember, those leave which would have been the first to leave anyway
(history.py), and the floor rises to the time they became known: what was read or pushed is not pushed (again).
"""

from typing import Any

import numpy as np

from ...arrays import AnyArray, ByteArray, UIntArray
from ..catalog import Catalog
from .history import LAST
from .layout import DEFAULTS, LAYOUT_VERSION, PUSHED, READ, ROW, SEEN


def version_of(row: bytes) -> int:
    """Which layout a row says it has; 0 for one too short to say."""
    return int.from_bytes(row[:2], "little")


def dtype_of(descr: list[list[Any]]) -> np.dtype[Any]:
    """The layout that `layout.descr()` of its release described. ValueError or TypeError if it describes none."""
    return np.dtype([(name, _base(base), tuple(shape)) for name, base, shape in descr])


def _base(base: str | list[list[str]]) -> Any:
    return base if isinstance(base, str) else [(name, kind) for name, kind in base]


def upgraded(rows: list[bytes], written: np.dtype[Any], known: Catalog, now_s: int) -> list[bytes]:
    """Rows of the layout `written` as rows of this release's. All must have its size.

    `known`: the articles before the cursor; those it does not know were forgotten by `now_s`, or are waited for.
    """
    old = np.frombuffer(b"".join(rows), written)
    new: AnyArray = np.zeros(len(rows), ROW)
    for name, value in DEFAULTS.items():
        new[name] = value
    for name in set(ROW.names or ()) & set(written.names or ()):
        if ROW[name].shape == written[name].shape:
            new[name] = old[name]
    if {"reads", "pushed"} <= set(written.names or ()):
        _remember(new, *_from_rings(old, new), known, now_s)
    elif {"seen", "seen_acts"} <= set(written.names or ()) and written["seen"].shape != ROW["seen"].shape:
        _remember(new, old["seen"], old["seen_acts"], known, now_s)
    new["layout"] = LAYOUT_VERSION
    data, size = new.tobytes(), ROW.itemsize
    return [data[at * size : (at + 1) * size] for at in range(len(rows))]


def _remember(new: AnyArray, keys: UIntArray, acts: ByteArray, known: Catalog, now_s: int) -> None:
    """Put the articles that leave last into the new rows, and raise the floors by the others; all (N, places)."""
    history = (keys > 0) & ((acts & (READ | PUSHED)) > 0)
    known_s = known.first_known_s(keys)
    waited = (keys[:, :, None] == new["waiting"]["article"][:, None, :]).any(axis=2)
    leaves = np.where(history, known_s, 0).astype(np.int64)
    leaves[(known_s == 0) & waited] = LAST
    leaves[keys == 0] = -1
    last_first = np.argsort(-leaves, axis=1, kind="stable")
    every = np.arange(len(keys))[:, None]
    kept, gone = last_first[:, :SEEN], last_first[:, SEEN:]
    places = slice(0, kept.shape[1])
    new["seen"][:, places], new["seen_acts"][:, places] = keys[every, kept], acts[every, kept]
    forgotten_s = known.forgotten_s(np.full(len(keys), now_s, np.uint32))[:, None]
    floors_s = np.where(known_s > 0, known_s, forgotten_s) * history
    new["floor_s"] = np.maximum(new["floor_s"], floors_s[every, gone].max(axis=1, initial=0))


def _from_rings(old: AnyArray, new: AnyArray) -> tuple[UIntArray, ByteArray]:
    """Keys and acts of what the rings hold, (N, 8 + 16)."""
    pushed = old["pushed"]
    new["pushed_at_s"], new["pushed_story"] = pushed["at_s"], pushed["story"]
    keys = np.concatenate([pushed["article"], old["reads"]], axis=1)  # (N, 8 + 16)
    acts = np.repeat([[PUSHED] * pushed.shape[1] + [READ] * old["reads"].shape[1]], len(old), axis=0).astype(np.uint8)
    for place in range(1, keys.shape[1]):  # an article once: what was read and pushed is both
        same = keys[:, :place] == keys[:, place, None]
        twice = np.flatnonzero(same.any(axis=1) & (keys[:, place] > 0))
        acts[twice, same.argmax(axis=1)[twice]] |= acts[twice, place]
        keys[twice, place] = 0
    acts[keys == 0] = 0
    full = (old["n_reads"] > old["reads"].shape[1]) | (old["n_pushes"] > pushed.shape[1])
    active_s = old["last_active_s"]
    new["floor_s"] = np.where(full, np.maximum(active_s, pushed["at_s"].max(axis=1)), 0)
    new["consent_at_ms"] = np.where(old["consent"] > 0, active_s.astype(np.int64) * 1000, 0)
    new["zone_at_s"] = np.where(old["zone"] > 0, active_s, 0)
    return keys, acts
