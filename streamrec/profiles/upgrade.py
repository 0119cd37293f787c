"""Rows written by an earlier release, read by field name.

Every layout begins with its version (`layout`, uint16), and its description stands in the changelog (meta.py). A field
that is in both layouts keeps its value; a new one gets its default; one that is gone is left out, unless what it said
is said by others now:

    layout 1    reads (16 keys), pushed (8 x article, story, at_s)  -> seen, seen_acts, pushed_at_s, pushed_story
                what those rings had lost already                   -> floor_s, at the user's last activity or push
                consent, zone                                       -> said at the user's last activity, at the latest
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from .layout import DEFAULTS, LAYOUT_VERSION, PUSHED, READ, ROW, SEEN


def version_of(row: bytes) -> int:
    """Which layout a row says it has; 0 for one too short to say."""
    return int.from_bytes(row[:2], "little")


def dtype_of(descr: list[list[Any]]) -> np.dtype[Any]:
    """The layout that `layout.descr()` of its release described. ValueError or TypeError if it describes none."""
    return np.dtype([(name, _base(base), tuple(shape)) for name, base, shape in descr])


def _base(base: str | list[list[str]]) -> Any:
    return base if isinstance(base, str) else [(name, kind) for name, kind in base]


def upgraded(rows: list[bytes], written: np.dtype[Any]) -> list[bytes]:
    """Rows of the layout `written` as rows of this release's. All must have its size."""
    old = np.frombuffer(b"".join(rows), written)
    new: npt.NDArray[Any] = np.zeros(len(rows), ROW)
    for name, value in DEFAULTS.items():
        new[name] = value
    for name in set(ROW.names or ()) & set(written.names or ()):
        if ROW[name].shape == written[name].shape:
            new[name] = old[name]
    if {"reads", "pushed"} <= set(written.names or ()):
        _from_rings(old, new)
    new["layout"] = LAYOUT_VERSION
    data, size = new.tobytes(), ROW.itemsize
    return [data[at * size : (at + 1) * size] for at in range(len(rows))]


def _from_rings(old: npt.NDArray[Any], new: npt.NDArray[Any]) -> None:
    pushed, every = old["pushed"], np.arange(len(old))
    new["pushed_at_s"], new["pushed_story"] = pushed["at_s"], pushed["story"]
    keys = np.concatenate([pushed["article"], old["reads"]], axis=1)  # (N, 8 + 16)
    acts = np.repeat([[PUSHED] * pushed.shape[1] + [READ] * old["reads"].shape[1]], len(old), axis=0).astype(np.uint8)
    for place in range(1, keys.shape[1]):  # an article once: what was read and pushed is both
        same = keys[:, :place] == keys[:, place, None]
        twice = np.flatnonzero(same.any(axis=1) & (keys[:, place] > 0))
        acts[twice, same.argmax(axis=1)[twice]] |= acts[twice, place]
        keys[twice, place] = 0
    acts[keys == 0] = 0
    first = np.argsort(keys == 0, axis=1, kind="stable")[:, :SEEN]
    new["seen"], new["seen_acts"] = keys[every[:, None], first], acts[every[:, None], first]
    full = (old["n_reads"] > old["reads"].shape[1]) | (old["n_pushes"] > pushed.shape[1])
    lost = full | ((keys > 0).sum(axis=1) > SEEN)
    active_s = old["last_active_s"]
    new["floor_s"] = np.where(lost, np.maximum(active_s, pushed["at_s"].max(axis=1)), 0)
    new["consent_at_ms"] = np.where(old["consent"] > 0, active_s.astype(np.int64) * 1000, 0)
    new["zone_at_s"] = np.where(old["zone"] > 0, active_s, 0)
