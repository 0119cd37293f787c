"""Whole numbers: the stated error bound holds, nothing can overflow or saturate, and the grid holds its range."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from streamrec.engine.predictor import COLUMNS
from streamrec.models.fixed_point import BIAS_STEPS, WEIGHT_STEPS, grid, stages_of
from streamrec.models.network import INPUT_RANGE, Network


def network(seed: int, scale: float) -> Network:
    """One hidden stage with weights over many orders of magnitude, one of them dead."""
    generator = torch.Generator().manual_seed(seed)
    drawn = Network((COLUMNS, 6, 1)).eval().requires_grad_(requires_grad=False)
    for linear in drawn.linears():
        linear.weight.copy_(torch.randn(linear.weight.shape, generator=generator) * scale)
        linear.bias.copy_(torch.randn(linear.bias.shape, generator=generator))
    drawn.linears()[0].weight[2] = 0
    drawn.high.fill_(3.0)
    return drawn


@given(seed=st.integers(0, 1000), scale=st.sampled_from([1e-30, 1e-6, 0.1, 1.0, 1e4]))
@settings(deadline=None)
def test_the_error_of_a_stage_is_bounded(seed: int, scale: float) -> None:
    """|W h + b - s t (sum w (a - z) + b')| <= s / 2 |W|_1 + t / 2 (|h|_1 + K s / 2), and half a step of the bias."""
    drawn = network(seed, scale)
    stage, linear = stages_of(drawn)[0], drawn.linears()[0]
    h = np.random.default_rng(seed).uniform(-INPUT_RANGE, INPUT_RANGE, COLUMNS)
    a = (np.rint(h / stage.scale) + stage.zero).clip(0, 255).astype(np.int64)
    weight = stage.weight.astype(np.int64)
    steps = weight @ (a - stage.zero) + stage.bias_steps
    found = steps * (np.float64(stage.scale) * stage.weight_scale)
    exact_weight = linear.weight.numpy().astype(np.float64)
    error = np.abs(exact_weight @ h + linear.bias.numpy() - found)
    s, t = stage.scale, stage.weight_scale.astype(np.float64)
    bound = s / 2 * np.abs(exact_weight).sum(axis=1) + t / 2 * (np.abs(h).sum() + COLUMNS * s / 2) + s * t / 2
    assert (error <= bound * (1 + 1e-6) + 1e-30).all()


@given(seed=st.integers(0, 1000), scale=st.sampled_from([1e-30, 1e-6, 0.1, 1.0, 1e4]))
@settings(deadline=None)
def test_nothing_can_saturate(seed: int, scale: float) -> None:
    """Two products fit in 16 bits signed, and a whole sum with its bias in 32, whatever the weights."""
    for stage in stages_of(network(seed, scale)):
        assert 2 * 255 * int(np.abs(stage.weight.astype(int)).max()) <= 2 * 255 * WEIGHT_STEPS <= 2**15 - 1
        sums = 255 * np.abs(stage.weight.astype(np.int64)).sum(axis=1) + np.abs(stage.bias_steps.astype(np.int64))
        assert sums.max() < 2**31
        assert np.abs(stage.bias_steps).max() <= BIAS_STEPS * (1 + 1e-6)
        assert np.isfinite(stage.weight_scale).all()
        assert (stage.weight_scale > 0).all()


@pytest.mark.parametrize(("low", "high"), [(0.0, 5.0), (-4.0, 4.0), (-3.0, 1.0), (-1.0, 8.0)])
def test_the_grid_holds_its_range(low: float, high: float) -> None:
    """Both ends and zero can be said within half a step, zero exactly."""
    step, zero = grid(low, high)
    for value in (low, high, 0.0):
        place = float(np.clip(np.rint(value / step) + zero, 0, 255))
        assert abs((place - zero) * step - value) <= step / 2 * (1 + 1e-6)
    assert (zero - zero) * step == 0
