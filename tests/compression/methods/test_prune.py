"""Unstructured pruning reaches its share, gradually or at once, and later learning keeps the zeros."""

import numpy as np
import pytest
import torch
from benches import HELD_OUT, TRAINING, bench, held_out_loss, trained_network, trained_teacher, zeros

from streamrec.compression.methods.distil import Distil
from streamrec.compression.methods.layers import linears
from streamrec.compression.methods.prune import Prune
from streamrec.compression.methods.pruning_importance import By
from streamrec.training.model import logits_of


@pytest.mark.parametrize("by", ["magnitude", "gradient"])
@pytest.mark.parametrize("epochs", [0, 3])
def test_the_share_is_reached_and_repaired(by: By, epochs: int) -> None:
    """Half of all weights, whichever epoch was best; the given model is left as it was."""
    network = trained_network()
    before = network.arrays()
    pruned = Prune(by, 0.5).apply(network, bench(network, epochs))
    assert zeros(pruned) == pytest.approx(0.5, abs=0.001)
    assert held_out_loss(pruned) < held_out_loss(network) + (0.05 if epochs else 0.3)
    assert all(np.array_equal(array, before[name]) for name, array in network.arrays().items())


def test_gradient_is_better_than_chance_and_magnitude_too() -> None:
    """At 70 % without repair, both lose far less than as many random zeros."""
    network = trained_network()
    random = Prune("magnitude", 0.0).apply(network, bench(network))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for layer in linears(random).values():
            layer.weight.mul_(torch.rand(layer.weight.shape, generator=generator) > 0.7)
    for by in ("magnitude", "gradient"):
        pruned = Prune(by, 0.7).apply(network, bench(network))
        assert held_out_loss(pruned) < held_out_loss(random)


def test_zeros_survive_what_is_learned_later() -> None:
    """A weight that is zero when learning starts is a pruned one."""
    network = trained_network()
    pruned = Prune("magnitude", 0.6).apply(network, bench(network))
    learned = Distil(epochs=2).apply(pruned, bench(network, 1))
    for name, layer in linears(pruned).items():
        assert bool((linears(learned)[name].weight[layer.weight == 0] == 0).all())
    assert zeros(learned) == pytest.approx(0.6, abs=0.001)


def test_chosen_layers_only() -> None:
    """The share is of the layers named; an unknown name is refused with those there are."""
    network = trained_network()
    pruned = Prune("magnitude", 0.5, layers="stages.1").apply(network, bench(network))
    shares = {name: float((layer.weight == 0).float().mean()) for name, layer in linears(pruned).items()}
    assert shares == {"stages.0": 0, "stages.1": 0.5, "stages.2": 0}


def test_a_teacher_is_pruned_like_any_model() -> None:
    """All its weights are in linear layers."""
    teacher = trained_teacher()
    pruned = Prune("gradient", 0.3).apply(teacher, bench(teacher, 1))
    assert zeros(pruned) == pytest.approx(0.3, abs=0.001)
    assert np.isfinite(logits_of(pruned, HELD_OUT)).all()
    assert len(TRAINING.x) == 2000
