"""Quantization-aware fine-tuning ends on the grid, keeps zeros, and is no worse than rounding alone."""

import torch
from benches import bench, held_out_loss, trained_network, zeros

from streamrec.compression.methods.int8 import Int8, on_grid
from streamrec.compression.methods.layers import linears
from streamrec.compression.methods.prune import Prune
from streamrec.compression.methods.qat import Qat


def test_it_ends_on_the_grid_and_not_worse_than_rounding() -> None:
    """Step 0 of its training *is* the rounded model, and the best state is kept."""
    network = trained_network()
    trained, rounded = Qat("tensor").apply(network, bench(network, 2)), Int8("tensor").apply(network, bench(network))
    for layer in linears(trained).values():
        assert type(layer) is torch.nn.Linear
        assert torch.equal(layer.weight, on_grid(layer.weight, "tensor"))
    # bounds are learned again after training, which may move the loss by a hair
    assert held_out_loss(trained) < held_out_loss(rounded) + 1e-3


def test_gradients_go_straight_through() -> None:
    """Weights below half a step still move: a rounded weight has a gradient, and learning changes it."""
    network = trained_network()
    trained = Qat().apply(network, bench(network, 2))
    assert not torch.equal(trained.get_parameter("stages.0.weight"), on_grid(network.linears()[0].weight, "channel"))


def test_pruned_weights_stay_zero() -> None:
    """0 is on the grid, and the optimizer's own copy is held at 0 too."""
    network = trained_network()
    pruned = Prune("magnitude", 0.5).apply(network, bench(network))
    trained = Qat().apply(pruned, bench(network, 1))
    for name, layer in linears(pruned).items():
        assert bool((linears(trained)[name].weight[layer.weight == 0] == 0).all())
    assert zeros(trained) >= 0.5
