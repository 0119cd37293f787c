"""Which weights go: the least important ones, and the cubic schedule by which they go.

    share_t = share * (1 - (1 - t / T) ** 3)        Zhu & Gupta (2017), from nothing at t = 0 to `share` at t = T

Many go early, while the network has much to spare, and few late. Importance is given by prune_magnitude.py or
prune_gradient.py; here it is only compared, over all chosen layers at once.
"""

import math
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

By = Literal["magnitude", "gradient"]


def share_at(step: int, steps: int, share: float) -> float:
    """Share of weights that are zero after `step` of `steps` steps."""
    return share * (1 - (1 - min(max(step / max(steps, 1), 0), 1)) ** 3)


def kept(importance: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """True for all but the least important `share` of weights, counted over all layers; ties go by position."""
    flat = torch.cat([values.flatten() for values in importance.values()])
    mask = torch.ones(len(flat), dtype=torch.bool)
    mask[flat.argsort(stable=True)[: math.floor(share * len(flat))]] = False
    parts = torch.split(mask, [values.numel() for values in importance.values()])
    return {name: part.view_as(values) for (name, values), part in zip(importance.items(), parts, strict=True)}


def strongest(importance: Tensor, share: float) -> Tensor:
    """Indices, ascending, of what is left of (n,) when the least important `share` is gone; at least one."""
    count = max(1, len(importance) - math.floor(share * len(importance)))
    return importance.argsort(stable=True, descending=True)[:count].sort().values
