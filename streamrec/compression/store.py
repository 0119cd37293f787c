"""The compressed file: every tensor in the smallest way of models/packed_tensors.py that gives it back to the bit.

Nothing is lost in it, so the model loaded is the model that was measured; `file_bytes` elsewhere is the length of this.
A ranker's is the file of weights in its artifact, which workers load; that of another model stands alone, as FILE.
ArtifactError for a file that is not one.
"""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save as bytes_of
from torch import nn

from ..arrays import AnyArray, FloatArray
from ..engine.predictor import Arrays
from ..errors import ArtifactError
from ..models.network import Network, network_of
from ..models.packed_tensors import FORMAT, Parts, unpacked
from .methods.int8 import Grain, integers_of, scales_of
from .methods.layers import shaped

FILE = "compressed.safetensors"
GRAINS: tuple[Grain, ...] = ("tensor", "channel")


def encode(model: nn.Module) -> bytes:
    """A model as the bytes of a compressed file: every tensor in its smallest exact form."""
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


def smallest(array: AnyArray) -> Parts:
    """The parts, by suffix, of the shortest exact way to write an array."""
    if array.dtype == np.int64:
        return {"": array.astype(np.uint8)} if array.size and 0 <= array.min() <= array.max() < 256 else {"": array}
    ways = _dense(array)
    ways += [_sparse(way, array) for way in ways]
    return min(ways, key=lambda way: sum(part.nbytes for part in way.values()))


def _dense(array: FloatArray) -> list[Parts]:
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


def _sparse(way: Parts, array: FloatArray) -> Parts:
    kept = (array != 0).ravel()
    value = ".int8" if ".int8" in way else ""
    return {**way, value: way[value].ravel()[kept], ".kept": np.packbits(kept)}


def _read(path: Path) -> tuple[list[int], Arrays]:
    try:
        return unpacked(path.read_bytes(), str(path))
    except OSError as error:
        raise ArtifactError(f"{path}: cannot be read ({error.strerror}); compress again") from error
