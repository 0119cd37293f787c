"""How wrong logits are: about single clicks, about the order within an impression, and about what a teacher said.

    clicks  = (1 - listwise) * BCE(logits, clicked) + listwise * mean over clicks of -log softmax(logits of impression)
    distilled = (1 - alpha) * clicks + alpha * T**2 * BCE(logits / T, sigmoid(teacher / T))

T**2 keeps the size of the teacher's gradient whatever T is (Hinton et al., 2015). The softmax over an impression
learns order alone; the BCE also how likely a click is, which thresholds need. All shapes (n,), float32.
"""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as bce


def clicks_loss(logits: Tensor, clicked: Tensor, impression: Tensor, listwise: float) -> Tensor:
    """Scalar; `clicked` is 0 or 1, `impression` any integer that rows of one impression share."""
    single = bce(logits, clicked)
    return single if not listwise else (1 - listwise) * single + listwise * _order(logits, clicked, impression)


def distilled_loss(clicks: Tensor, logits: Tensor, teacher: Tensor, alpha: float, temperature: float) -> Tensor:
    """Scalar; `clicks` mixed with the distance to the teacher's logits."""
    softened = bce(logits / temperature, torch.sigmoid(teacher / temperature))
    return (1 - alpha) * clicks + alpha * temperature**2 * softened


def _order(logits: Tensor, clicked: Tensor, impression: Tensor) -> Tensor:
    groups, group = torch.unique(impression, return_inverse=True)
    largest = logits.detach().new_full((len(groups),), -torch.inf)
    largest = largest.scatter_reduce(0, group, logits.detach(), "amax")  # so that exp cannot overflow
    total = torch.zeros_like(largest).index_add(0, group, (logits - largest[group]).exp())
    surprise = largest[group] + total.log()[group] - logits
    return (surprise * clicked).sum() / clicked.sum().clamp(min=1)
