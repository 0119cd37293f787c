"""Weights in few bytes: what compression/store.py writes, read back to the bit. Free of torch.

    <name>                      as it is: float32, or float16 where every value is one
    <name>.int8 + .scale        int8 and a float32 scale per row or one in all, where weights lie on that grid
    <name>.kept + any of these  one bit per weight, and only the non-zero weights
    columns                     uint8: there are fewer than 256

A safetensors file whose metadata hold, under FORMAT, a network's sizes (none for other models) and all tensors' shapes.
What a file says of itself is counted before it is unpacked: a bit stands for four bytes, and a scale could make a table
of a row.
"""

import json
import math
from collections.abc import Mapping

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as tensors_of

from ..arrays import AnyArray
from ..engine.predictor import Arrays
from ..errors import ArtifactError

FORMAT = "streamrec-compressed-1"
SUFFIXES = ("", ".int8", ".scale", ".kept")
MOST = 1 << 26  # weights of all tensors: 256 MiB in float32

Parts = dict[str, AnyArray]  # suffix -> array


def is_packed(raw: bytes) -> bool:
    """Whether a safetensors file says that it is written like this."""
    return FORMAT in _metadata(raw)


def unpacked(raw: bytes, path: str) -> tuple[list[int], Arrays]:
    """Sizes and tensors of a file; ArtifactError if it is not one."""
    try:
        metadata, parts = _metadata(raw), tensors_of(raw)
        if FORMAT not in metadata:
            raise ArtifactError(f"{path}: no compressed model of format {FORMAT}; compress again with this release")
        told = json.loads(metadata[FORMAT])
        sizes: list[int] = told["sizes"]
        shapes: dict[str, list[int]] = told["shapes"]
        _check_count(shapes)
        arrays = {
            name: restored(
                {end: parts[name + end] for end in SUFFIXES if name + end in parts},
                tuple(shape),
                whole=name == "columns",
            )
            for name, shape in shapes.items()
        }
    except (SafetensorError, KeyError, TypeError, ValueError, IndexError, RecursionError) as error:
        raise ArtifactError(f"{path}: not a compressed model ({error}); compress again") from error
    return sizes, arrays


def restored(parts: Mapping[str, AnyArray], shape: tuple[int, ...], *, whole: bool) -> AnyArray:
    """The array of its parts; `whole` for integers that are indices. ValueError where they do not fit the shape."""
    values = parts[".int8"] if ".int8" in parts else parts[""]
    if whole:
        return values.astype(np.int64).reshape(shape)
    if ".kept" in parts:
        count = int(np.prod(shape))
        if len(parts[".kept"]) != -(-count // 8):
            raise ValueError(f"{len(parts['.kept'])} bytes of bits for {count} weights")
        kept = np.unpackbits(parts[".kept"], count=count).astype(bool)
        full = np.zeros(count, values.dtype)
        full[kept] = values
        values = full
    values = values.reshape(shape).astype(np.float32)
    if ".scale" not in parts:
        return values
    if np.broadcast_shapes(values.shape, parts[".scale"].shape) != values.shape:
        raise ValueError(f"scales {parts['.scale'].shape} for weights {values.shape}")
    return values * parts[".scale"]


def _check_count(shapes: Mapping[str, list[int]]) -> None:
    count = sum(math.prod(max(size, 0) for size in shape) for shape in shapes.values())
    if count > MOST or any(size < 0 for shape in shapes.values() for size in shape):
        raise ValueError(f"{count:,} weights, expected at most {MOST:,}")


def _metadata(raw: bytes) -> dict[str, str]:
    header = raw[8 : 8 + int.from_bytes(raw[:8], "little")]
    found: dict[str, str] = json.loads(header).get("__metadata__") or {}
    return found
