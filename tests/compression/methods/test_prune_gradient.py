"""Gradient importance is the first-order change of the loss, within the curvature's bound."""

import numpy as np
import torch
from benches import TRAINING, bench, trained_network
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from streamrec.compression.methods.layers import copied
from streamrec.compression.methods.pruning_importance import gradient_importance, input_change, weight_change


@given(seed=st.integers(0, 999), share=st.floats(0, 1))
def test_the_change_of_the_loss_is_first_order_plus_curvature(seed: int, share: float) -> None:
    """For a logistic loss: |L(w') - L(w) + sum of dropped g w| <= M / 2 * ||w - w'||**2, M = lambda_max(X'X) / 4N."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(40, 8, generator=generator).double()
    clicked = (torch.rand(40, generator=generator) < 0.3).double()
    weight = torch.randn(8, generator=generator).double().requires_grad_()
    loss = bce(x @ weight, clicked)
    (gradient,) = torch.autograd.grad(loss, weight)
    dropped = torch.rand(8, generator=generator) < share
    pruned = torch.where(dropped, 0, weight)
    change = float((bce(x @ pruned, clicked) - loss).detach())
    first_order = -float((gradient * weight)[dropped].sum().detach())
    curvature = float(torch.linalg.eigvalsh(x.T @ x)[-1]) / (4 * len(x))
    rest = curvature / 2 * float((weight - pruned).square().sum().detach())
    assert abs(change - first_order) <= rest + 1e-9
    assert abs(first_order) <= float(weight_change(weight, gradient).abs()[dropped].sum().detach()) + 1e-12


def test_units_by_their_outgoing_weights() -> None:
    """Sum over samples of h dL/dh equals the sum over outgoing weights of w dL/dw."""
    generator = torch.Generator().manual_seed(1)
    h = torch.randn(20, 5, generator=generator).requires_grad_()
    weight = torch.randn(3, 5, generator=generator).requires_grad_()
    loss = torch.tanh(h @ weight.T).square().sum()
    of_h, of_weight = torch.autograd.grad(loss, (h, weight))
    torch.testing.assert_close((h * of_h).sum(dim=0), input_change(weight, of_weight))


def test_importance_bounds_the_mean_change_and_leaves_no_trace() -> None:
    """Mean of |g w| over batches is at least |mean g w|; the model neither learns nor keeps gradients."""
    model = copied(trained_network())
    found = gradient_importance(model, bench(model), weight_change)
    weights = [layer.weight for layer in model.modules() if isinstance(layer, torch.nn.Linear)]
    assert not any(weight.requires_grad or weight.grad is not None for weight in weights)
    for weight in weights:
        weight.requires_grad_()
    clicked = torch.from_numpy(TRAINING.clicked.astype(np.float32))
    gradients: tuple[Tensor, ...] = torch.autograd.grad(bce(model(torch.from_numpy(TRAINING.x)), clicked), weights)
    for importance, weight, gradient in zip(found.values(), weights, gradients, strict=True):
        # 2,000 rows are four batches, the last of 464: their plain mean is not the mean over rows to the last digit
        assert bool((importance >= (weight * gradient).abs() * 0.9 - 1e-4).all())
