"""A model in every engine that can run it: what scores a window, and what is timed.

A Network runs in the served engines (models/engines). A model of the teacher's shape runs in torch, fp32 or
dynamically quantized: it never serves, so nothing is promised of it but its figures. What is timed starts from
features, or for a teacher from article vectors and the 30 last reads: one user a row, as an article meets its
readers. `head` is the teacher with user vectors given: what remains if somebody kept those up to date at every read.
An engine that cannot be built here, or whose sums saturate, is told with the reason.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from ...arrays import FloatArray
from ...errors import ArtifactError
from ...models.engines import ENGINES, engine_of, missing, torch_int8
from ...models.engines.contract import EngineName, precision_of
from ...models.network import Network
from ...models.saturation import clipped
from ...training.model import Batch, batch_of, logits_of
from ...training.rows import Rows
from ...training.teacher import Teacher
from .latency import Run

TEACHER_BLOCK = 256  # rows: larger blocks leave the cache, and are slower


class Scorer(NamedTuple):
    """A model in one engine: what scores a window with it, and what is timed of it."""

    engine: str
    logits: Callable[[Rows], FloatArray]
    run: Run


class Scorers(NamedTuple):
    """A model in every engine: those that can run it, and why the others cannot."""

    able: dict[str, Scorer]
    refused: dict[str, str]  # why


def scorers(model: nn.Module, rows: Rows) -> Scorers:
    """Every engine for a model of its shape; `rows` are what is scored when timed."""
    build: Callable[[EngineName], Scorer]
    if isinstance(model, Network):
        build, names = partial(_served, model=model, rows=rows), list(ENGINES)
    else:
        build, names = partial(_offline, model=model, rows=rows), ["torch_fp32", "torch_int8"]
    found = Scorers({}, {})
    for name in names:
        try:
            found.able[name] = build(name)
        except ArtifactError as error:
            found.refused[name] = str(error)
    return found


def head(teacher: Teacher, rows: Rows) -> Run:
    """What is timed of the teacher with its user vectors given: all of it but the user tower."""
    batches = _Batches(rows)
    users = torch.zeros(TEACHER_BLOCK, teacher.width).normal_(generator=torch.Generator().manual_seed(0))

    @torch.inference_mode()
    def run(count: int) -> None:
        for batch in batches[count]:
            teacher.score(users[: len(batch.x)], batch)

    return run


def _served(name: EngineName, model: Network, rows: Rows) -> Scorer:
    """ArtifactError for an engine that this machine lacks, or that no worker on it would admit."""
    if reason := missing(name):
        raise ArtifactError(reason)
    engine = engine_of(name, model)
    if precision_of(name) == "int8" and (reason := clipped(name, model.sizes, engine_of)):
        raise ArtifactError(reason)
    return Scorer(name, lambda of: engine.logits(of.x), lambda count: engine.logits(_first(rows.x, count)))


def _offline(name: EngineName, model: nn.Module, rows: Rows) -> Scorer:
    """ArtifactError where this torch can no longer quantize: the served engines take networks alone."""
    if reason := missing(name):
        raise ArtifactError(f"{reason}; for an int8 of this torch begin the recipe with a student")
    batches, model = _Batches(rows), torch_int8.quantized(model) if name == "torch_int8" else model

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
