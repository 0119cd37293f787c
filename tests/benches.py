"""Small models and rows for tests of compression, made in a moment."""

from functools import cache

import numpy as np
import torch
from making_rows import impressions
from torch import nn

from streamrec.arrays import FloatArray
from streamrec.compression.methods.method import Workbench
from streamrec.engine.predictor import COLUMNS
from streamrec.models.network import Network, use_one_thread
from streamrec.training.loop import train
from streamrec.training.model import logits_of
from streamrec.training.rows import Rows
from streamrec.training.teacher import Teacher

SIZES = (COLUMNS, 24, 12, 1)


def by_three_features(x: FloatArray, like: FloatArray) -> FloatArray:
    """Clicked by three features, and by whether the article is like what was read."""
    return 2 * x[:, 0] - 1.5 * x[:, 70] + x[:, 90] + like - 1


def clicked_rows(count: int, seed: int) -> Rows:
    """Impressions of ten."""
    return impressions(count, seed, by_three_features)


TRAINING, HELD_OUT = clicked_rows(2000, 1), clicked_rows(600, 2)


@cache
def trained_network() -> Network:
    """A network that has learned the clicks; never change it."""
    use_one_thread()
    torch.manual_seed(1)
    network = Network(SIZES)
    network.learn_standardisation(TRAINING.x)
    train(network, TRAINING, HELD_OUT, seed=1, epochs=30, learning_rate=5e-3)
    network.learn_bounds(TRAINING.x)
    return network.requires_grad_(requires_grad=False)


@cache
def trained_teacher() -> Teacher:
    """A small teacher after one epoch; never change it."""
    use_one_thread()
    torch.manual_seed(1)
    teacher = Teacher(width=16, heads=2)
    teacher.learn_standardisation(TRAINING.x)
    return train(teacher, TRAINING, HELD_OUT, seed=1, epochs=1, learning_rate=2e-3).requires_grad_(requires_grad=False)


def bench(model: nn.Module, epochs: int = 0) -> Workbench:
    """A workbench whose teacher is `model`."""
    return Workbench(TRAINING, HELD_OUT, logits_of(model, TRAINING), seed=1, epochs=epochs)


def held_out_loss(model: nn.Module) -> float:
    """Binary cross-entropy on the held-out rows."""
    clicked = torch.from_numpy(HELD_OUT.clicked.astype(np.float32))
    logits = torch.from_numpy(logits_of(model, HELD_OUT))
    return nn.functional.binary_cross_entropy_with_logits(logits, clicked).item()


def zeros(model: nn.Module) -> float:
    """Share of exact zeros among the weights of linear layers."""
    weights = torch.cat([layer.weight.flatten() for layer in model.modules() if isinstance(layer, nn.Linear)])
    return float((weights == 0).float().mean())
