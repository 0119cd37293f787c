"""Fine-tuning never makes the held-out loss worse, and leaves the bounds of a network set."""

import numpy as np
import torch
from benches import TRAINING, bench, held_out_loss, trained_network

from streamrec.compression.methods.int8 import Int8
from streamrec.compression.methods.layers import copied, linears
from streamrec.compression.methods.tuning import sample, tuned
from streamrec.models.network import Network


def test_step_0_is_a_candidate() -> None:
    """With a teacher of pure noise nothing is gained, and nothing is lost."""
    network = trained_network()
    noise = np.random.default_rng(1).normal(size=len(TRAINING.x)).astype(np.float32) * 9
    spoiled = tuned(network, bench(network, 3)._replace(teacher_logits=noise))
    assert held_out_loss(spoiled) <= held_out_loss(network) + 1e-3


def test_a_damaged_network_is_repaired() -> None:
    """Noise on the weights costs; fine-tuning wins some of it back, and the bounds are finite again."""
    network = trained_network()
    damaged = copied(network)
    torch.manual_seed(2)
    with torch.no_grad():
        for layer in linears(damaged).values():
            layer.weight.add_(2 * layer.weight.std() * torch.randn_like(layer.weight))
    repaired = tuned(damaged, bench(network, 20))
    lost, left = (held_out_loss(model) - held_out_loss(network) for model in (damaged, repaired))
    assert left < 0.8 * lost
    assert isinstance(repaired, Network)
    assert np.isfinite(repaired.arrays()["high"]).all()


def test_without_epochs_it_is_a_copy() -> None:
    """Nothing moves, and nothing is shared."""
    network = trained_network()
    copy = tuned(network, bench(network))
    assert all(
        torch.equal(a, b) for a, b in zip(copy.state_dict().values(), network.state_dict().values(), strict=True)
    )
    assert copy is not network
    assert Int8().apply(copy, bench(network)) is not copy


def test_samples_are_different_rows_in_order() -> None:
    """As many as asked for or there are."""
    assert sample(5, 9, 1).tolist() == [0, 1, 2, 3, 4]
    found = sample(1000, 10, 1)
    assert len(found) == 10
    assert (np.diff(found) > 0).all()
