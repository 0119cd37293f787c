"""Rows written by an earlier release, read by field name.

Every layout begins with its version (`layout`, uint16), and its description stands in the changelog (meta.py). A field
that is in both layouts keeps its value; a new one gets its default; one that is gone is left out.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from .layout import DEFAULTS, LAYOUT_VERSION, ROW


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
    new["layout"] = LAYOUT_VERSION
    data, size = new.tobytes(), ROW.itemsize
    return [data[at * size : (at + 1) * size] for at in range(len(rows))]
