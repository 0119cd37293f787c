"""Standardisation, ceilings, and that state survives the way through arrays."""

import numpy as np
import torch

from streamrec.ranking.network import INPUT_RANGE, Network, network_of
from streamrec.ranking.scores import COLUMNS, FloatArray
from streamrec.training.fit import Fitted


def test_inputs_are_standardised_and_bounded(fitted: Fitted, rows: FloatArray) -> None:
    """Columns come out centred with unit spread, and nothing leaves the range int8 is told of."""
    inputs = fitted.network.standardised(torch.from_numpy(rows)).numpy()
    np.testing.assert_allclose(inputs[:, :64].mean(axis=0), 0, atol=0.1)
    np.testing.assert_allclose(inputs[:, :64].std(axis=0), 1, atol=0.1)
    assert np.abs(inputs).max() <= INPUT_RANGE
    extreme = fitted.network.standardised(torch.full((1, COLUMNS), 1e30))
    assert float(extreme.max()) == INPUT_RANGE


def test_a_constant_column_divides_by_nothing() -> None:
    """A feature that never varied in training gives zero, not infinity."""
    network = Network()
    network.learn_standardisation(np.full((50, COLUMNS), 3, np.float32))
    inputs = network.standardised(torch.full((1, COLUMNS), 3.0))
    assert float(inputs.abs().max()) == 0


def test_ceilings_hold_nearly_all_activations(fitted: Fitted, rows: FloatArray) -> None:
    """The roof touches the outliers only, so that the trained function stays what it was."""
    roofed = fitted.network
    free = network_of(roofed.sizes, {**roofed.arrays(), "ceilings": np.full(2, np.inf, np.float32)})
    with torch.inference_mode():
        x = torch.from_numpy(rows)
        assert float((roofed(x) - free(x)).abs().mean()) < 1e-3
    assert np.isfinite(roofed.arrays()["ceilings"]).all()


def test_dead_layers_get_a_ceiling() -> None:
    """A layer without one positive activation still has a finite range."""
    network = Network()
    arrays = network.arrays()
    for layer in ("hidden.0", "hidden.1"):
        arrays[f"{layer}.weight"][:] = 0
        arrays[f"{layer}.bias"][:] = -1
    network = network_of(network.sizes, arrays)
    network.learn_ceilings(np.zeros((4, COLUMNS), np.float32))
    assert network.ceilings.tolist() == [1.0, 1.0]


def test_arrays_carry_everything(fitted: Fitted, rows: FloatArray) -> None:
    """A network rebuilt from its arrays computes the same."""
    again = network_of(fitted.network.sizes, fitted.network.arrays())
    with torch.inference_mode():
        torch.testing.assert_close(
            again(torch.from_numpy(rows)), fitted.network(torch.from_numpy(rows)), rtol=0, atol=0
        )
