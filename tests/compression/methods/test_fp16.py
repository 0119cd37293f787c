"""Half precision keeps its bound and refuses what it cannot hold."""

import pytest
import torch
from benches import bench, trained_network
from hypothesis import given
from hypothesis import strategies as st

from streamrec.compression.methods.fp16 import Fp16
from streamrec.compression.methods.layers import copied, linears
from streamrec.errors import RecipeError


@given(value=st.floats(-65504, 65504, width=32))
def test_relative_error(value: float) -> None:
    """|w - fp16(w)| <= 2**-11 |w|, or 2**-25 below the normal numbers."""
    error = abs(torch.tensor(value).half().double().item() - value)
    assert error <= max(2**-11 * abs(value), 2**-25)


def test_weights_are_halves() -> None:
    """Every weight survives a way through float16 afterwards."""
    network = trained_network()
    for layer in linears(Fp16().apply(network, bench(network))).values():
        assert torch.equal(layer.weight, layer.weight.half().float())


def test_too_large_a_weight_is_refused() -> None:
    """It would become infinite; the message names the layer."""
    network = copied(trained_network())
    with torch.no_grad():
        linears(network)["stages.1"].weight[0, 0] = 1e6
    with pytest.raises(RecipeError, match=r"stages\.1"):
        Fp16().apply(network, bench(network))
