"""Variational dropout: the KL is that of the paper, and weights that carry nothing are found without being told."""

import numpy as np
import pytest
import torch
from benches import HELD_OUT, bench, held_out_loss, trained_network, zeros

from streamrec.compression.methods.layers import linears
from streamrec.compression.methods.variational import FASTER, NoisyLinear, Variational, minus_kl
from streamrec.errors import RecipeError
from streamrec.training.model import logits_of


@pytest.mark.parametrize("log_alpha", [-6.0, -2.0, 0.0, 2.0, 6.0])
def test_the_kl_is_the_integral_up_to_a_constant(log_alpha: float) -> None:
    """-KL = log alpha / 2 - E log |1 + sqrt(alpha) e| + constant, e ~ N(0, 1): by quadrature, 0 at infinite alpha."""

    def exact(value: float) -> float:
        e = np.linspace(-12, 12, 2_000_001)
        density = np.exp(-(e**2) / 2) / np.sqrt(2 * np.pi)
        return float(value / 2 - (np.log(np.abs(1 + np.exp(value / 2) * e) + 1e-300) * density).sum() * (e[1] - e[0]))

    expected = exact(log_alpha) - exact(25.0)
    assert minus_kl(torch.tensor(log_alpha)).item() == pytest.approx(expected, abs=0.02)


def test_the_kl_prefers_noise() -> None:
    """It rises with the noise up to 0, so a weight that helps nobody is driven towards being dropped."""
    values = minus_kl(torch.linspace(-9, 12, 50))
    assert bool((values.diff() > 0).all())
    assert float(values[-1]) == pytest.approx(0, abs=1e-3)


def test_noise_has_the_variance_it_says() -> None:
    """Local reparametrisation: outputs vary by x ** 2 (sigma ** 2)^T around x w^T while learning, not in evaluation."""
    torch.manual_seed(1)
    layer = NoisyLinear(torch.nn.Linear(6, 2), 0.0)
    with torch.no_grad():
        layer.precision.fill_(-2 / FASTER)  # log sigma ** 2 = -2
    x = torch.randn(1, 6)
    drawn = layer.train()(x.expand(20_000, 6)).detach()
    expected = float(x.square().sum()) * np.exp(-2)
    np.testing.assert_allclose(drawn.var(dim=0).numpy(), expected, rtol=0.05)
    torch.testing.assert_close(layer.eval()(x), layer.plain()(x))


def test_useless_weights_go_and_useful_ones_stay() -> None:
    """Of the first layer's inputs three matter: far fewer of their weights go than of the others'."""
    network = trained_network()
    work = bench(network, 40)
    pruned = Variational(weight=0.5).apply(network, work)
    assert 0.2 < zeros(pruned) < 1
    gone = (linears(pruned)["stages.0"].weight == 0).float().mean(dim=0)  # (96,) by input
    assert float(gone[[0, 70, 90]].mean()) < 0.4 * float(gone.mean())
    assert held_out_loss(pruned) < held_out_loss(network) + 0.05
    assert all(type(layer) is torch.nn.Linear for layer in linears(pruned).values())
    assert np.isfinite(logits_of(pruned, HELD_OUT)).all()


def test_it_has_to_learn() -> None:
    """Without an epoch there is nothing to say about certainty."""
    with pytest.raises(RecipeError, match="at least one"):
        Variational().apply(trained_network(), bench(trained_network()))
