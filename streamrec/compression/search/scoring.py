"""A model in every engine that can run it: what scores a window, and what is timed.

A Network runs in the served engines (ranking/engines). A model of the teacher's shape runs in torch, fp32 or
dynamically quantized: it never serves, so nothing is promised of it but its figures. What is timed starts from
features, or for a teacher from article vectors and the 30 last reads: one user a row, as an article meets its
readers. `head` is the teacher with user vectors given: what remains if somebody kept those up to date at every read.
"""

import copy
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from ...errors import ArtifactError
from ...ranking.engines import ENGINES, engine_of
from ...ranking.engines.contract import EngineName, precision_of
from ...ranking.extremes import clipped
from ...ranking.network import Network
from ...ranking.scores import FloatArray
from ...training.model import Batch, batch_of, logits_of
from ...training.rows import Rows
from ...training.teacher import Teacher
from .latency import Run

TEACHER_BLOCK = 256  # rows: larger blocks leave the cache, and are slower


class Scorer(NamedTuple):
    """A model in one engine."""

    engine: str
    logits: Callable[[Rows], FloatArray]
    run: Run


def scorers(model: nn.Module, rows: Rows) -> dict[str, Scorer]:
    """By name of the engine; `rows` are what is scored when timed."""
    if isinstance(model, Network):
        return {name: scorer for name in ENGINES if (scorer := _served(name, model, rows)) is not None}
    found = {"torch_fp32": _offline("torch_fp32", model, rows)}
    quantized = _quantized(model)
    if quantized is not None:
        found["torch_int8"] = _offline("torch_int8", quantized, rows)
    return found


def head(teacher: Teacher, rows: Rows) -> Run:
    """The teacher without its user tower."""
    batches = _Batches(rows)
    users = torch.zeros(TEACHER_BLOCK, teacher.width).normal_(generator=torch.Generator().manual_seed(0))

    @torch.inference_mode()
    def run(count: int) -> None:
        for batch in batches[count]:
            teacher.score(users[: len(batch.x)], batch)

    return run


def _served(name: EngineName, model: Network, rows: Rows) -> Scorer | None:
    try:
        engine = ENGINES[name](model)
    except ArtifactError:  # an extra that is not installed, or a torch without quantization
        return None
    if precision_of(name) == "int8" and clipped(name, model.sizes, engine_of):
        return None  # no worker on this machine would admit it
    return Scorer(name, lambda of: engine.logits(of.x), lambda count: engine.logits(_first(rows.x, count)))


def _offline(name: str, model: nn.Module, rows: Rows) -> Scorer:
    batches = _Batches(rows)

    @torch.inference_mode()
    def run(count: int) -> None:
        for batch in batches[count]:
            model(batch)

    return Scorer(name, lambda of: logits_of(model, of), run)


class _Batches:
    """Batches of one user a row by number of rows, made once: making them is not what is timed."""

    def __init__(self, rows: Rows) -> None:
        self._rows, self._made = rows, dict[int, list[Batch]]()

    def __getitem__(self, count: int) -> list[Batch]:
        if count not in self._made:
            chosen = np.resize(np.arange(len(self._rows.x)), count)
            blocks = [chosen[start : start + TEACHER_BLOCK] for start in range(0, count, TEACHER_BLOCK)]
            self._made[count] = [_one_user_a_row(batch_of(self._rows, block)) for block in blocks]
        return self._made[count]


def _one_user_a_row(batch: Batch) -> Batch:
    return batch._replace(history=batch.history[batch.user], seen=batch.seen[batch.user], user=None)


def _first(x: FloatArray, count: int) -> FloatArray:
    return x[:count] if count <= len(x) else np.resize(x, (count, x.shape[1]))


def _quantized(model: nn.Module) -> nn.Module | None:
    """Dynamically quantized linear layers; None where this torch no longer can."""
    quantize = getattr(getattr(torch.ao, "quantization", None), "quantize_dynamic", None)
    if quantize is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", UserWarning)
        quantized: nn.Module = quantize(copy.deepcopy(model).eval(), {nn.Linear}, dtype=torch.qint8)
    return quantized
