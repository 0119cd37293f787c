"""Standardisation, bounds, columns, and that state survives the way through arrays."""

import numpy as np
import pytest
import torch

from streamrec.arrays import FloatArray
from streamrec.engine.predictor import COLUMNS
from streamrec.models.network import INPUT_RANGE, Network, network_of
from streamrec.training.fit import Fitted


def test_inputs_are_standardised_and_bounded(fitted: Fitted, rows: FloatArray) -> None:
    """Columns come out centred with unit spread, and nothing leaves the range int8 is told of."""
    inputs = fitted.network.standardised(torch.from_numpy(rows)).numpy()
    np.testing.assert_allclose(inputs[:, :64].mean(axis=0), 0, atol=0.1)
    np.testing.assert_allclose(inputs[:, :64].std(axis=0), 1, atol=0.1)
    assert np.abs(inputs).max() <= INPUT_RANGE
    extreme = fitted.network.standardised(torch.full((1, COLUMNS), 1e30))
    assert float(extreme.max()) == INPUT_RANGE


def test_a_constant_column_reads_as_nothing() -> None:
    """A feature that never varied in training gives zero, not infinity, and stays there when it does vary."""
    network = Network()
    network.learn_standardisation(np.full((50, COLUMNS), 3, np.float32))
    assert float(network.standardised(torch.full((1, COLUMNS), 3.0)).abs().max()) == 0
    assert float(network.standardised(torch.full((1, COLUMNS), 9.0)).abs().max()) < 1e-20


def test_bounds_hold_nearly_all_activations(fitted: Fitted, rows: FloatArray) -> None:
    """The roof touches the outliers only, so that the trained function stays what it was."""
    roofed = fitted.network
    free = network_of(roofed.sizes, {**roofed.arrays(), "high": np.full(2, np.inf, np.float32)})
    with torch.inference_mode():
        x = torch.from_numpy(rows)
        assert float((roofed(x) - free(x)).abs().mean()) < 1e-3
    assert np.isfinite(roofed.arrays()["high"]).all()


def test_dead_stages_get_a_bound() -> None:
    """A stage without one positive activation still has a finite range."""
    network = Network()
    arrays = network.arrays()
    for stage in ("stages.0", "stages.1"):
        arrays[f"{stage}.weight"][:] = 0
        arrays[f"{stage}.bias"][:] = -1
    network = network_of(network.sizes, arrays)
    network.learn_bounds(np.zeros((4, COLUMNS), np.float32))
    assert network.bounds() == [(0.0, 1.0), (0.0, 1.0)]


def test_the_inside_of_a_pair_has_symmetric_bounds(rows: FloatArray) -> None:
    """Where `low` is negative nothing is rectified, and both bounds hold nearly all activations."""
    torch.manual_seed(1)
    network = Network((COLUMNS, 8, 32, 1)).eval()
    network.low[0] = -float("inf")
    with torch.inference_mode():
        inside = network.linears()[0](network.standardised(torch.from_numpy(rows)))
        network.learn_bounds(rows)
    (low, high), (rectified, roof) = network.bounds()
    assert low == -high
    assert float((inside.abs() <= high).float().mean()) > 0.999
    assert float((inside < 0).float().mean()) > 0.3
    assert (rectified, roof > 0) == (0, True)


def test_only_the_columns_named_are_read(rows: FloatArray) -> None:
    """A network of four columns gives what one of all columns gives whose other weights are zero."""
    columns = [0, 5, 66, 95]
    narrow = Network((4, 1), columns).eval()
    narrow.learn_standardisation(rows)
    wide = Network((COLUMNS, 1)).eval()
    wide.learn_standardisation(rows)
    with torch.inference_mode():
        (of_wide,), (of_narrow,) = wide.linears(), narrow.linears()
        of_wide.weight.zero_()
        of_wide.weight[:, columns] = of_narrow.weight
        of_wide.bias.copy_(of_narrow.bias)
        x = torch.from_numpy(rows)
        torch.testing.assert_close(narrow(x), wide(x))


@pytest.mark.parametrize("columns", [[1, 1], [3, 2], [1], [1, 2, 3]])
def test_columns_are_ascending(columns: list[int]) -> None:
    """Two networks of the same columns must be the same network, and a column is read once."""
    with pytest.raises(ValueError, match="expected 2 different ones in ascending order"):
        Network((2, 1), columns)


def test_arrays_carry_everything(fitted: Fitted, rows: FloatArray) -> None:
    """A network rebuilt from its arrays computes the same."""
    again = network_of(fitted.network.sizes, fitted.network.arrays())
    with torch.inference_mode():
        torch.testing.assert_close(
            again(torch.from_numpy(rows)), fitted.network(torch.from_numpy(rows)), rtol=0, atol=0
        )
