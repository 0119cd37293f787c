"""The one training loop: fits any model to clicks, with or without a teacher, and keeps the best held-out state.

    train(model, rows, held_out, seed=1, epochs=20, learning_rate=5e-4) -> the same model, in evaluation mode

The loss is loss.py's. The state before the first step is a candidate too: fine-tuning a compressed model must not
make it worse. What is held out is judged by clicks alone. AdamW; training ends after PATIENCE epochs without a better
held-out loss. With `average` the weights judged and kept are a moving average of those that are moved (Polyak and
Juditsky, 1992), without the noise of the last steps. The result depends on the seed alone: each epoch has its own
random numbers, so a resumed run equals one never interrupted (checkpoint.py). A model that reads histories, or learns
order, gets whole impressions in a batch; any other gets rows at random. DataError for rows nothing can be learned
from, and for a loss that is not a number.
"""

import copy
import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypedDict, TypeVar

import numpy as np
import torch
from torch import nn

from ..arrays import FloatArray, IntArray
from ..errors import DataError
from . import checkpoint
from .checkpoint import Standing, State
from .loss import clicks_loss, distilled_loss
from .model import forward, logits_of
from .rows import Rows, check_classes, check_rows

BATCH_ROWS = 512
LEARNING_RATE = 5e-4
WEIGHT_DECAY = 1e-2
PATIENCE = 2  # epochs without a better held-out loss

Model = TypeVar("Model", bound=nn.Module)
AfterStep = Callable[[nn.Module, int], object]  # the model and the number of steps taken


class Progress(NamedTuple):
    """What the progress callback is told after each epoch."""

    epoch: int
    loss: float  # mean over training rows
    held_out_loss: float


class Running(TypedDict, total=False):
    """What `train` is told that decides nothing of its result."""

    progress: Callable[[Progress], object]
    device: str
    save_to: Path | None
    resume: bool


class Plan(NamedTuple):
    """The numbers that decide the result, besides the data and the model."""

    seed: int
    learning_rate: float
    alpha: float
    temperature: float
    listwise: float
    batch_rows: int
    average: float  # decay of the moving average a step; 0: none


def train(
    model: Model,
    rows: Rows,
    held_out: Rows,
    *,
    seed: int,
    epochs: int,
    learning_rate: float = LEARNING_RATE,
    teacher_logits: FloatArray | None = None,
    alpha: float = 0.0,
    temperature: float = 1.0,
    listwise: float = 0.0,
    batch_rows: int = BATCH_ROWS,
    patience: int = PATIENCE,
    average: float = 0.0,
    after_step: AfterStep = lambda *_: None,
    progress: Callable[[Progress], object] = lambda _: None,
    device: str = "cpu",
    save_to: Path | None = None,
    resume: bool = False,
) -> Model:
    """Train `model` in place; `teacher_logits` (N,) belong to `rows`.

    With `save_to` a checkpoint is written there after every epoch; `resume` goes on from it, if there is one.
    """
    plan = Plan(seed, learning_rate, alpha, temperature, listwise, batch_rows, average)
    _check(rows, held_out, teacher_logits, plan)
    run = _Run(model.to(device), rows, held_out, teacher_logits, plan, after_step, device)
    identity = run.identity() if save_to else ""
    found = checkpoint.load(save_to, identity, run.adam) if save_to and resume else None
    standing = run.resumed(*found) if found else run.start()
    while standing.epoch < epochs and standing.worse < patience:
        standing = run.epoch(standing)
        if save_to:
            checkpoint.save(save_to, identity, standing, run.states(), run.adam)
        progress(Progress(standing.epoch, standing.loss, standing.held_out_loss))
    model.load_state_dict(run.best)
    return model.eval()


class _Run:
    """One training: everything that stays the same over its epochs."""

    def __init__(
        self,
        model: nn.Module,
        rows: Rows,
        held_out: Rows,
        teacher: FloatArray | None,
        plan: Plan,
        after_step: AfterStep,
        device: str,
    ) -> None:
        self.model, self.rows, self.held_out, self.plan, self.device = model, rows, held_out, plan, device
        self.after_step = after_step
        self.judged = copy.deepcopy(model) if plan.average else model
        self.best = self._state()  # with the least held-out loss
        self.adam = torch.optim.AdamW(model.parameters(), lr=plan.learning_rate, weight_decay=WEIGHT_DECAY)
        self.clicked = torch.from_numpy(rows.clicked.astype(np.float32))
        self.impression = torch.from_numpy(rows.impression)
        self.teacher = torch.from_numpy(teacher) if teacher is not None and plan.alpha else None

    def states(self) -> dict[str, State]:
        """The weights a checkpoint has to hold, by name."""
        average = {"average": self.judged.state_dict()} if self.plan.average else {}
        return {"model": self.model.state_dict(), "best": self.best} | average

    def identity(self) -> str:
        """Hash of all that decides this training's result, by which it knows its own checkpoints."""
        weights = [tensor.detach().cpu().numpy() for tensor in self.model.state_dict().values()]
        teacher = [] if self.teacher is None else [self.teacher.numpy()]
        return checkpoint.identity_of([repr(self.model), repr(self.plan), *self.rows, *teacher, *weights])

    def start(self) -> Standing:
        """Where a training stands before its first step: epoch 0, with the held-out loss of the weights as given."""
        loss = self._held_out_loss()
        return Standing(epoch=0, step=0, worse=0, best_loss=loss, loss=math.inf, held_out_loss=loss)

    def resumed(self, standing: Standing, states: dict[str, State]) -> Standing:
        """Where a checkpoint says it stands, with the weights put back."""
        self.model.load_state_dict(states["model"])
        self.best = states["best"]
        if self.plan.average:
            self.judged.load_state_dict(states["average"])
        return standing

    def epoch(self, before: Standing) -> Standing:
        """One pass over the rows; its random numbers depend on the seed and the epoch alone."""
        epoch, step, total = before.epoch + 1, before.step, 0.0
        rng = np.random.default_rng([self.plan.seed, epoch])
        self.model.train()
        with torch.random.fork_rng(devices=[] if self.device == "cpu" else None):
            torch.manual_seed(int(rng.integers(2**62)))  # dropout
            for chosen in self._batches(rng):
                total += self._step(chosen) * len(chosen)
                step += 1
                self.after_step(self.model, step)
                if self.plan.average:
                    _follow(self.judged, self.model, min(self.plan.average, step / (10 + step)))
        loss, held_out_loss = total / len(self.rows.x), self._held_out_loss()
        worse, best_loss = before.worse + 1, before.best_loss
        if held_out_loss < best_loss:
            worse, best_loss, self.best = 0, held_out_loss, self._state()
        return Standing(epoch, step, worse, best_loss, loss, held_out_loss)

    def _step(self, chosen: IntArray) -> float:
        self.adam.zero_grad()
        logits = forward(self.model, self.rows, chosen, self.device)
        at = torch.from_numpy(chosen)
        clicked, impression = self.clicked[at].to(self.device), self.impression[at].to(self.device)
        loss = clicks_loss(logits, clicked, impression, self.plan.listwise)
        if self.teacher is not None:
            said = self.teacher[at].to(self.device)
            loss = distilled_loss(loss, logits, said, self.plan.alpha, self.plan.temperature)
        value = loss.item()
        if not math.isfinite(value):
            raise DataError(
                f"the training loss is {value}, expected a finite number: training diverged; lower the learning rate"
                f" (now {self.plan.learning_rate:g}) or look for extreme values in the features"
            )
        loss.backward()  # type: ignore[no-untyped-call]
        self.adam.step()
        return value

    def _batches(self, rng: np.random.Generator) -> list[IntArray]:
        size = self.plan.batch_rows
        if self.plan.listwise or getattr(self.model, "reads_history", False):
            return whole_impressions(self.rows.impression, size, rng)
        order = rng.permutation(len(self.rows.x))
        return [order[start : start + size] for start in range(0, len(order), size)]

    def _held_out_loss(self) -> float:
        logits = torch.from_numpy(logits_of(self.judged, self.held_out, self.device))
        clicked = torch.from_numpy(self.held_out.clicked.astype(np.float32))
        return clicks_loss(logits, clicked, torch.from_numpy(self.held_out.impression), self.plan.listwise).item()

    def _state(self) -> State:
        return {name: tensor.detach().clone() for name, tensor in self.judged.state_dict().items()}


@torch.no_grad()
def _follow(average: nn.Module, model: nn.Module, decay: float) -> None:
    for kept, moved in zip(average.parameters(), model.parameters(), strict=True):
        kept.lerp_(moved, 1 - decay)


def whole_impressions(impression: IntArray, size: int, rng: np.random.Generator) -> list[IntArray]:
    """Row indices in batches of about `size` rows, impressions in random order and each in one batch only."""
    _, group, sizes = np.unique(impression, return_inverse=True, return_counts=True)
    shuffled = rng.permutation(len(sizes))
    place = np.empty(len(sizes), np.int64)
    place[shuffled] = np.arange(len(sizes))
    order = np.argsort(place[group], kind="stable")
    ends = np.cumsum(sizes[shuffled])
    _, last = np.unique((ends - 1) // size, return_index=True)  # where a batch is full, between two impressions
    return [part for part in np.split(order, ends[last[1:] - 1]) if len(part)]


def _check(rows: Rows, held_out: Rows, teacher: FloatArray | None, plan: Plan) -> None:
    for part, name in ((rows, "training rows"), (held_out, "held-out rows")):
        check_rows(part, rows.x.shape[1])
        check_classes(part.clicked, name)
    if teacher is None and plan.alpha:
        raise DataError(f"alpha is {plan.alpha:g} without a teacher's logits; expected both, or alpha 0")
    if teacher is not None and (teacher.shape != (len(rows.x),) or not np.isfinite(teacher).all()):
        raise DataError(f"teacher logits have shape {teacher.shape}; expected {len(rows.x)} finite numbers")
