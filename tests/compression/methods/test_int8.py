"""int8 rounding keeps its two bounds, repeats itself to the bit, and leaves zeros and other layers alone."""

import numpy as np
import torch
from benches import bench, trained_network
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor

from streamrec.compression.methods.int8 import Grain, Int8, integers_of, on_grid, scales_of

ROUNDING = 1 + 1e-5  # of float32 itself, which the bounds do not count

values = st.floats(-1e4, 1e4, width=32)
matrices = st.tuples(st.integers(1, 8), st.integers(1, 8)).flatmap(
    lambda shape: arrays(np.float32, shape, elements=values)
)
grains = st.sampled_from(["channel", "tensor"])


@given(array=matrices, grain=grains)
def test_no_weight_moves_more_than_half_a_step(
    array: np.ndarray[tuple[int, ...], np.dtype[np.float32]], grain: Grain
) -> None:
    """|w - q(w)| <= scale / 2."""
    weight = torch.from_numpy(array)
    moved = (weight.double() - on_grid(weight, grain).double()).abs()
    assert bool((moved <= scales_of(weight, grain).double() / 2 * ROUNDING).all())


@given(array=matrices, grain=grains, seed=st.integers(0, 99))
def test_outputs_stay_within_the_sum_of_their_weights_bounds(
    array: np.ndarray[tuple[int, ...], np.dtype[np.float32]], grain: Grain, seed: int
) -> None:
    """|Wx - Q(W)x| <= n * scale / 2 * max |x|, for each row."""
    weight = torch.from_numpy(array).double()
    x = torch.randn(weight.shape[1], generator=torch.Generator().manual_seed(seed)).double()
    error = (weight @ x - on_grid(weight.float(), grain).double() @ x).abs()
    bound = weight.shape[1] * scales_of(weight.float(), grain).double() / 2 * x.abs().max()
    assert bool((error <= bound.expand(len(weight), 1)[:, 0] * ROUNDING + 1e-30).all())


@given(array=matrices, grain=grains)
def test_rounding_twice_is_rounding_once(
    array: np.ndarray[tuple[int, ...], np.dtype[np.float32]], grain: Grain
) -> None:
    """What lies on the grid finds the same scale and the same integers: the file can hold the very model."""
    once = on_grid(torch.from_numpy(array), grain)
    again = on_grid(once, grain)
    assert torch.equal(once, again)
    assert torch.equal(integers_of(once, scales_of(once, grain)) * scales_of(once, grain), once)


def test_a_scale_per_channel_is_finer() -> None:
    """A row of small weights keeps its own precision beside a row of large ones."""
    weight = torch.tensor([[100.0, -50.0], [0.01, 0.003]])

    def error(grain: Grain) -> Tensor:
        return (on_grid(weight, grain) - weight).abs()[1].max()

    assert error("tensor") > 0.009
    assert error("channel") < 1e-4


def test_zeros_stay_and_layers_can_be_chosen() -> None:
    """Symmetric: 0 is on every grid. A name prefix says which layers are rounded; the given model is not touched."""
    network = trained_network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    rounded = Int8(layers="stages.0").apply(network, bench(network))
    assert not torch.equal(rounded.get_parameter("stages.0.weight"), before["stages.0.weight"])
    assert torch.equal(rounded.get_parameter("stages.1.weight"), before["stages.1.weight"])
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert bool((on_grid(torch.tensor([[0.0, 3.0], [0.0, 0.0]]), "channel")[:, 0] == 0).all())
