"""The compressed file: every tensor in the smallest of these ways that gives it back to the bit.

    <name>                      as it is: float32, or float16 where every value is one
    <name>.int8 + .scale        int8 and a float32 scale per row or one in all, where weights lie on that grid (int8.py)
    <name>.kept + any of these  one bit per weight, and only the non-zero weights
    columns                     uint8: there are 96

A safetensors file whose metadata hold, under FORMAT, a network's sizes (none for other models) and all tensors' shapes.
Nothing is lost in it, so the model loaded is the model that was measured; `file_bytes` elsewhere is the length of this.
ArtifactError for a file that is not one.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as bytes_of
from torch import nn

from ..errors import ArtifactError
from ..ranking.network import Network, network_of
from ..ranking.scores import Arrays
from .int8 import Grain, integers_of, scales_of
from .layers import shaped

FORMAT = "streamrec-compressed-1"
FILE = "compressed.safetensors"
GRAINS: tuple[Grain, ...] = ("tensor", "channel")

Parts = dict[str, NDArray[Any]]  # suffix -> array


def encode(model: nn.Module) -> bytes:
    """The file of a model."""
    arrays = {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()}
    parts: Parts = {}
    for name, array in arrays.items():
        parts |= {name + suffix: np.ascontiguousarray(part) for suffix, part in smallest(array).items()}
    told = {
        "sizes": model.sizes if isinstance(model, Network) else (),
        "shapes": {name: array.shape for name, array in arrays.items()},
    }
    # one entry, because safetensors writes several in another order each time
    return bytes_of(parts, {FORMAT: json.dumps(told, separators=(",", ":"))})


def save(path: Path, model: nn.Module) -> int:
    """Write the file; its length in bytes."""
    raw = encode(model)
    path.write_bytes(raw)
    return len(raw)


def load_network(path: Path) -> Network:
    """The network of a file."""
    sizes, arrays = _read(path)
    if not sizes:
        raise ArtifactError(f"{path}: holds a model that is not a Network; expected one: load it with load_model")
    return network_of(sizes, arrays)


def load_model(path: Path, like: nn.Module) -> nn.Module:
    """Whatever a file holds: a network, or a model compressed from one built like `like`."""
    sizes, arrays = _read(path)
    if sizes:
        return network_of(sizes, arrays)
    model = shaped(like, {name: array.shape for name, array in arrays.items()})
    try:
        model.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    except RuntimeError as error:
        raise ArtifactError(f"{path}: is of another model: {str(error).splitlines()[-1].strip()}") from None
    return model


def smallest(array: NDArray[Any]) -> Parts:
    """The parts, by suffix, of the shortest exact way to write an array."""
    if array.dtype == np.int64:
        return {"": array.astype(np.uint8)} if array.size and 0 <= array.min() <= array.max() < 256 else {"": array}
    ways = _dense(array)
    ways += [_sparse(way, array) for way in ways]
    return min(ways, key=lambda way: sum(part.nbytes for part in way.values()))


def restored(parts: Mapping[str, NDArray[Any]], shape: tuple[int, ...], *, whole: bool) -> NDArray[Any]:
    """The array of its parts; `whole` for integers that are indices."""
    values = parts[".int8"] if ".int8" in parts else parts[""]
    if whole:
        return values.astype(np.int64).reshape(shape)
    if ".kept" in parts:
        kept = np.unpackbits(parts[".kept"], count=int(np.prod(shape))).astype(bool)
        full = np.zeros(len(kept), values.dtype)
        full[kept] = values
        values = full
    values = values.reshape(shape).astype(np.float32)
    return values * parts[".scale"] if ".scale" in parts else values


def _dense(array: NDArray[np.float32]) -> list[Parts]:
    ways: list[Parts] = [{"": array}]
    with np.errstate(over="ignore"):
        half = array.astype(np.float16)
    if np.array_equal(half.astype(np.float32), array):
        ways.append({"": half})
    if array.ndim == 2:
        weight = torch.from_numpy(array)
        for grain in GRAINS:
            scales = scales_of(weight, grain)
            integers = integers_of(weight, scales)
            if torch.equal(integers * scales, weight):
                ways.append({".int8": integers.numpy(), ".scale": scales.numpy()})
    return ways


def _sparse(way: Parts, array: NDArray[np.float32]) -> Parts:
    kept = (array != 0).ravel()
    value = ".int8" if ".int8" in way else ""
    return {**way, value: way[value].ravel()[kept], ".kept": np.packbits(kept)}


def _read(path: Path) -> tuple[list[int], Arrays]:
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            parts = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        if FORMAT not in metadata:
            raise ArtifactError(f"{path}: no compressed model of format {FORMAT}; compress again with this release")
        told = json.loads(metadata[FORMAT])
        sizes: list[int] = told["sizes"]
        shapes: dict[str, list[int]] = told["shapes"]
        suffixes = ("", ".int8", ".scale", ".kept")
        arrays = {
            name: restored(
                {end: parts[name + end] for end in suffixes if name + end in parts},
                tuple(shape),
                whole=name == "columns",
            )
            for name, shape in shapes.items()
        }
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise ArtifactError(f"{path}: not a compressed model ({error}); compress again") from error
    return sizes, arrays
