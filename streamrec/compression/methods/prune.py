"""Unstructured pruning: single weights become zero. It makes files smaller, not products faster (no sparse kernel wins
at these sizes).

    prune(magnitude, .5)      half of all weights, by magnitude
    prune(gradient, .8)       four fifths, by first-order change of the loss

With fine-tuning epochs the weights go gradually (pruning_importance.py) during the first half of them, so that the
others can take over, and the second half repairs what is left, the best held-out state being kept. Without, they go at
once.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ...training.loop import BATCH_ROWS
from .layers import copied, linears, raw_weight
from .method import Method, Workbench
from .pruning_importance import (
    By,
    Share,
    empties_a_layer,
    gradient_importance,
    kept,
    magnitudes,
    share_at,
    weight_change,
)
from .tuning import tuned

EVERY = 10  # steps between two rounds of pruning
MEMORY = 0.9  # of the running mean of gradients


class Prune(Method, frozen=True, tag="prune"):
    """Set the least important weights to zero."""

    by: By
    share: Share
    layers: str = ""  # names that start like this; "" = all
    gradual: bool = True

    def apply(self, model: nn.Module, bench: Workbench) -> nn.Module:
        pruned = copied(model)
        # settled once: weights that went while all were compared would go beyond the share of their layer
        by_layer = empties_a_layer(self._importance(pruned, bench), self.share)
        if bench.epochs and self.gradual:
            ramp = bench._replace(epochs=max(1, bench.epochs // 2))
            steps = ramp.epochs * -(-len(bench.rows.x) // BATCH_ROWS)
            schedule = _Schedule(self, steps, by_layer)
            tuned(pruned, ramp, after_step=schedule)
            schedule.restore(pruned)
            bench = bench._replace(epochs=max(1, bench.epochs - ramp.epochs))
        drop(pruned, kept(self._importance(pruned, bench), self.share, by_layer=by_layer))
        return tuned(pruned, bench)

    def _importance(self, model: nn.Module, bench: Workbench) -> dict[str, Tensor]:
        layers = linears(model, self.layers)
        if self.by == "gradient":
            return _dropped_first(gradient_importance(model, bench, weight_change, self.layers), layers)
        return magnitudes(layers)


@torch.no_grad()
def drop(model: nn.Module, masks: dict[str, Tensor]) -> None:
    """Set the weights to zero that no mask keeps."""
    layers = linears(model)
    for name, mask in masks.items():
        raw_weight(layers[name]).mul_(mask)


class _Schedule:
    """Prunes while a model learns, and remembers it as it was last: `train` itself gives back the best state, which is
    the least pruned one.
    """

    def __init__(self, settings: Prune, steps: int, by_layer: bool) -> None:
        self._settings, self._steps, self._by_layer = settings, steps, by_layer
        self._gradients: dict[str, Tensor] = {}  # running mean of |w g|
        self._last: dict[str, Tensor] = {}

    @torch.no_grad()
    def __call__(self, model: nn.Module, step: int) -> None:
        layers = linears(model, self._settings.layers)
        if self._settings.by == "gradient":
            self._follow(layers)
        if step % EVERY == 0 or step >= self._steps:
            share = share_at(step, self._steps, self._settings.share)
            drop(model, kept(self._importance(layers), share, by_layer=self._by_layer))
            self._last = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    def restore(self, model: nn.Module) -> None:
        """Give a model the state it had at the last round."""
        if self._last:
            model.load_state_dict(self._last)

    def _follow(self, layers: dict[str, nn.Linear]) -> None:
        for name, layer in layers.items():
            if layer.weight.grad is not None:
                change = (layer.weight * layer.weight.grad).abs()
                before = self._gradients.get(name, change)
                self._gradients[name] = MEMORY * before + (1 - MEMORY) * change

    def _importance(self, layers: dict[str, nn.Linear]) -> dict[str, Tensor]:
        return _dropped_first(self._gradients, layers) if self._settings.by == "gradient" else magnitudes(layers)


def _dropped_first(importance: Mapping[str, Tensor], layers: Mapping[str, nn.Linear]) -> dict[str, Tensor]:
    """A dropped weight stays dropped, whatever its gradient was, and no other goes in its place for having none."""
    return {name: values.where(layers[name].weight != 0, torch.tensor(-1.0)) for name, values in importance.items()}
