"""Where a training stands after an epoch, in one file: safetensors for the numbers, JSON in its header for the rest.

    model.<name>  best.<name>  adam.<parameter>.<name>   tensors; average.<name> where one is kept
    "training"    {identity} and what Standing holds

The file replaces the one before in a single rename, so an interrupted run finds a whole one. `identity` is a hash of
data, model and plan: a checkpoint of another training is refused. Random numbers need no place in it, because every
epoch draws its own from the seed. A hook's own state (loop.py, `after_step`) is not in it either.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from torch import Tensor

from ..errors import DataError

HEADER = "training"
AGAIN = "remove it, or train without --resume"

State = dict[str, Tensor]


class Standing(msgspec.Struct, frozen=True):
    """A training after `epoch` epochs; its weights and its optimizer are beside it."""

    epoch: int
    step: int  # optimizer steps so far
    worse: int  # epochs since the best one
    best_loss: float  # the least held-out loss
    loss: float  # of the last epoch
    held_out_loss: float


class _Header(Standing, frozen=True, forbid_unknown_fields=True):
    identity: str


def identity_of(parts: Iterable[str | NDArray[np.generic]]) -> str:
    """A hash of all that decides the result."""
    digest = hashlib.sha256()
    for part in parts:
        text = part if isinstance(part, str) else f"{part.dtype}{part.shape}"
        digest.update(text.encode() + b"\0")
        if not isinstance(part, str):
            digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()[:16]


def save(
    path: Path, identity: str, standing: Standing, states: Mapping[str, State], adam: torch.optim.Optimizer
) -> None:
    """Write the file beside its place, then rename it."""
    tensors = {f"{kind}.{name}": tensor for kind, state in states.items() for name, tensor in state.items()}
    for number, state in adam.state_dict()["state"].items():
        tensors |= {f"adam.{number}.{name}": tensor for name, tensor in state.items()}
    header = msgspec.json.encode(_Header(identity=identity, **msgspec.structs.asdict(standing))).decode()
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.new")
    arrays = {name: np.ascontiguousarray(tensor.detach().cpu().numpy()) for name, tensor in tensors.items()}
    save_file(arrays, scratch, metadata={HEADER: header})
    scratch.replace(path)


def load(path: Path, identity: str, adam: torch.optim.Optimizer) -> tuple[Standing, dict[str, State]] | None:
    """Put the optimizer where it stood, and answer with what was saved; None without a file, DataError for one of
    another training.
    """
    if not path.exists():
        return None
    header, tensors = _read(path)
    if header.identity != identity:
        raise DataError(
            f"{path}: is the checkpoint of another training (identity {header.identity}, expected {identity}: other"
            f" data, model or options); {AGAIN}"
        )
    states = _by_prefix(tensors)
    moments = {int(number): state for number, state in _by_prefix(states.pop("adam", {})).items()}
    adam.load_state_dict({"state": moments, "param_groups": adam.state_dict()["param_groups"]})
    return header, states


def _read(path: Path) -> tuple[_Header, State]:
    try:
        with safe_open(path, "np") as file:
            header = msgspec.json.decode((file.metadata() or {}).get(HEADER, ""), type=_Header)
            return header, {name: torch.from_numpy(file.get_tensor(name).copy()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, msgspec.MsgspecError, OSError) as error:
        raise DataError(f"{path}: expected a checkpoint of `streamrec train`, got: {error}; {AGAIN}") from None


def _by_prefix(tensors: State) -> dict[str, State]:
    found: dict[str, State] = {}
    for name, tensor in tensors.items():
        prefix, _, rest = name.partition(".")
        found.setdefault(prefix, {})[rest] = tensor
    return found
