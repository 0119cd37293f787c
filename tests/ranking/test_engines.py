"""The contract both engines share, and what happens when torch can no longer quantize."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamrec.errors import ArtifactError
from streamrec.ranking.engines import BLOCK_ROWS, Engine, EngineName, Fp32Engine, Int8Engine, engine_of
from streamrec.ranking.scores import COLUMNS, FloatArray
from streamrec.training.fit import Fitted

SIZES = [1, 2, 31, 64, 65, 257, BLOCK_ROWS, BLOCK_ROWS + 1]


@pytest.fixture(params=["int8", "fp32"])
def engine(request: pytest.FixtureRequest, fitted: Fitted) -> Engine:
    """Each engine in turn."""
    name: EngineName = request.param
    return engine_of(name, fitted.network)


@given(
    start=st.integers(0, 1500),
    size=st.one_of(st.integers(1, 300), st.sampled_from(SIZES)),
    outlier=st.floats(-1e6, 1e6, width=32),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_row_scores_the_same_in_any_company(
    engine: Engine, rows: FloatArray, start: int, size: int, outlier: float
) -> None:
    """A logit is equal to the last bit alone, in a batch of any size, and beside an extreme row."""
    batch = rows[start : start + size].copy()
    batch[-1] = outlier
    together = engine.logits(batch)
    cut = size // 3
    split = np.concatenate([engine.logits(batch[:cut]), engine.logits(batch[cut:])])
    np.testing.assert_array_equal(split, together)
    np.testing.assert_array_equal(engine.logits(batch[:1]), together[:1])


def test_plain_dynamic_quantization_lacks_that_property(fitted: Fitted, rows: FloatArray) -> None:
    """Without the sentinel row the company matters: the reason it is there."""
    quantized = Int8Engine(fitted.network)._network
    with torch.inference_mode():
        together = quantized(torch.from_numpy(rows[:300])).numpy()
        alone = np.concatenate([quantized(torch.from_numpy(row[None])).numpy() for row in rows[:300]])
    assert np.abs(together - alone).max() > 1e-3


def test_fp32_is_the_network_itself(fitted: Fitted, rows: FloatArray) -> None:
    """Padding and blocks add nothing but rounding."""
    with torch.inference_mode():
        expected = fitted.network(torch.from_numpy(rows)).numpy()
    np.testing.assert_allclose(Fp32Engine(fitted.network).logits(rows), expected, atol=1e-5)


def test_int8_follows_fp32(fitted: Fitted, rows: FloatArray) -> None:
    """Quantization moves logits by a small part of their spread, and hardly their order."""
    fp32, int8 = Fp32Engine(fitted.network).logits(rows), Int8Engine(fitted.network).logits(rows)
    assert np.abs(fp32 - int8).mean() < 0.05 * fp32.std()
    assert np.corrcoef(fp32, int8)[0, 1] > 0.998


def test_int8_runs_quantized_kernels(fitted: Fitted) -> None:
    """Every linear layer is replaced, and the network given stays as it was."""
    kinds = {type(layer).__name__ for layer in Int8Engine(fitted.network)._network.modules()}
    assert not any(type(layer) is torch.nn.Linear for layer in Int8Engine(fitted.network)._network.modules())
    assert "Linear" in kinds, "torch's dynamically quantized layer bears the same name"
    assert type(fitted.network.output) is torch.nn.Linear


def test_no_rows_are_no_logits(engine: Engine) -> None:
    """An empty batch is an answer, not an error."""
    assert engine.logits(np.empty((0, COLUMNS), np.float32)).shape == (0,)


def test_quantizing_is_quiet(fitted: Fitted) -> None:
    """The known deprecation notices do not reach the log of a worker."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Int8Engine(fitted.network)


def test_other_warnings_are_heard(fitted: Fitted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the known notices are hushed."""
    real = torch.ao.quantization.quantize_dynamic

    def warning(*args: object, **options: object) -> object:
        warnings.warn("something new", UserWarning, stacklevel=2)
        return real(*args, **options)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(torch.ao.quantization, "quantize_dynamic", warning)
    with pytest.warns(UserWarning, match="something new"):
        Int8Engine(fitted.network)


def test_a_torch_without_quantize_dynamic_is_named(fitted: Fitted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its removal, announced by torch, is one readable error with the cure."""
    monkeypatch.delattr(torch.ao.quantization, "quantize_dynamic")
    with pytest.raises(ArtifactError, match=r"quantize_dynamic.*STREAMREC_ENGINE=fp32"):
        engine_of("int8", fitted.network)


def test_one_thread(fitted: Fitted) -> None:
    """An engine leaves torch with one thread: one process per core."""
    torch.set_num_threads(2)
    Int8Engine(fitted.network)
    assert torch.get_num_threads() == 1
