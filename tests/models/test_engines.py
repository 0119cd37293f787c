"""The contract all engines share, what each of them promises beside it, and what happens where one cannot run."""

import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from dropped import drop_dynamic_quantization
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from streamrec import onnx_models
from streamrec.arrays import FloatArray
from streamrec.compression.methods.prune_structured import reading
from streamrec.engine.predictor import COLUMNS
from streamrec.errors import ArtifactError
from streamrec.models.engines import ENGINES, available, engine_of, int8_name
from streamrec.models.engines.contract import BLOCK_ROWS, Engine, EngineName, precision_of
from streamrec.models.engines.torch_int8 import TorchInt8
from streamrec.models.network import Network
from streamrec.models.parity import compare, record_probe
from streamrec.settings import EngineChoice
from streamrec.training.fit import Fitted

SIZES = [1, 2, 31, 64, 65, 257, BLOCK_ROWS, BLOCK_ROWS + 1]
KINDS = ["trained", "low-rank and narrow", "one wide", "linear"]

every_engine = pytest.mark.parametrize("name", ENGINES)
every_kind = pytest.mark.parametrize("kind", KINDS)


@cache
def drawn(kind: str) -> Network:
    """A network with drawn weights: few columns and a pair inside, a stage of width 1, or a single stage."""
    sizes, columns, pairs = {
        "low-rank and narrow": ((40, 8, 32, 1), range(3, 83, 2), [0]),
        "one wide": ((COLUMNS, 1, 16, 1), None, [0]),
        "linear": ((COLUMNS, 1), None, []),
    }[kind]
    rows: FloatArray = np.random.default_rng(5).normal(size=(2000, COLUMNS)).astype(np.float32)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(6)
        network = Network(sizes, columns).eval().requires_grad_(requires_grad=False)
    network.low[pairs] = -float("inf")
    network.learn_standardisation(rows)
    network.learn_bounds(rows)
    return network


@pytest.fixture
def engine(name: EngineName, kind: str, fitted: Fitted) -> Engine:
    """Each engine in turn, on each kind of network."""
    return engine_of(name, fitted.network if kind == "trained" else drawn(kind))


@every_engine
@every_kind
@given(
    start=st.integers(0, 1500),
    size=st.one_of(st.integers(1, 300), st.sampled_from(SIZES)),
    outlier=st.floats(-1e6, 1e6, width=32),
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_row_scores_the_same_in_any_company(
    engine: Engine, rows: FloatArray, start: int, size: int, outlier: float
) -> None:
    """A logit is equal to the last bit alone, at any place of a batch of any size, and beside an extreme row."""
    batch = rows[start : start + size].copy()
    batch[-1] = outlier
    together = engine.logits(batch)
    assert together.shape == (len(batch),)
    assert together.dtype == np.float32
    assert np.isfinite(together).all()
    cut = size // 3
    split = np.concatenate([engine.logits(batch[:cut]), engine.logits(batch[cut:])])
    np.testing.assert_array_equal(split, together)
    np.testing.assert_array_equal(engine.logits(batch[:1]), together[:1])
    np.testing.assert_array_equal(engine.logits(batch[::-1].copy()), together[::-1])


@every_engine
@every_kind
def test_infinite_features_are_outliers_like_others(engine: Engine, rows: FloatArray) -> None:
    """The clamp of the input meets an infinity as it meets a million."""
    infinite, large = rows[:2].copy(), rows[:2].copy()
    infinite[0, 5], infinite[1, 7] = np.inf, -np.inf
    large[0, 5], large[1, 7] = 1e6, -1e6
    np.testing.assert_array_equal(engine.logits(infinite), engine.logits(large))


@every_engine
@every_kind
def test_engines_agree_with_fp32(name: EngineName, kind: str, engine: Engine, fitted: Fitted, rows: FloatArray) -> None:
    """float32 engines up to rounding; int8 within the tolerance that is recorded in an artifact, and in its order."""
    network = fitted.network if kind == "trained" else drawn(kind)
    expected = engine_of("torch_fp32", network).logits(rows)
    found = engine.logits(rows)
    if precision_of(name) == "fp32":
        np.testing.assert_allclose(found, expected, atol=2e-5 * float(expected.std()))
        return
    probe = record_probe(network, fitted.calibration, rows)
    parity = compare(engine.logits(probe.rows), probe.logits, fitted.calibration, 0.2)
    assert 0 < parity.max_delta <= probe.tolerance
    if kind != "one wide":  # through a stage of one unit pass 128 or 256 values in all
        assert np.abs(found - expected).mean() < 0.05 * expected.std()
        assert np.corrcoef(found, expected)[0, 1] > 0.998


@every_engine
@given(value=st.floats(-1e6, 1e6, width=32), narrow=st.booleans())
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_never_varied_moves_nothing(
    name: EngineName, fitted: Fitted, rows: FloatArray, value: float, *, narrow: bool
) -> None:
    """A column that was constant in training changes no logit when it is not so any more: its weights are untrained."""
    constant = int(rows.std(axis=0).argmin())
    network = reading(fitted.network, torch.arange(60, 80)) if narrow else fitted.network
    engine = engine_of(name, network)
    live = rows[:200].copy()
    live[:, constant] = value
    assert np.abs(network.linears()[0].weight.numpy()[:, constant - 60 * narrow]).max() > 0
    np.testing.assert_array_equal(engine.logits(live), engine.logits(rows[:200]))


@every_engine
def test_no_rows_are_no_logits(name: EngineName, fitted: Fitted) -> None:
    """An empty batch is an answer, not an error."""
    assert engine_of(name, fitted.network).logits(np.empty((0, COLUMNS), np.float32)).shape == (0,)


@every_engine
def test_an_engine_bears_its_name(name: EngineName, fitted: Fitted) -> None:
    """Stamps and verdicts say what ran."""
    assert engine_of(name, fitted.network).name == name


@every_engine
def test_building_an_engine_is_quiet(name: EngineName, fitted: Fitted) -> None:
    """The known deprecation notices do not reach the log of a worker."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        engine_of(name, fitted.network)


@pytest.mark.parametrize("name", ["torch_int8", "onednn_int8", "torch_fp32", "numpy_fp32"])
def test_one_thread(name: EngineName, fitted: Fitted) -> None:
    """An engine leaves torch and numpy's BLAS with one thread: one process per core."""
    torch.set_num_threads(2)
    engine_of(name, fitted.network)
    assert torch.get_num_threads() == 1
    assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} <= {1}


def test_static_engines_compute_the_same_numbers(fitted: Fitted, rows: FloatArray) -> None:
    """Two libraries on the same whole numbers differ by float rounding only, where a step of a grid is crossed."""
    one, other = (engine_of(name, fitted.network).logits(rows) for name in ("onednn_int8", "ort_int8"))
    assert np.abs(one - other).max() < 0.02 * one.std()
    assert np.median(np.abs(one - other)) < 1e-4 * one.std()


def test_plain_dynamic_quantization_depends_on_the_company(fitted: Fitted, rows: FloatArray) -> None:
    """Without the sentinel rows the company matters: the reason they are there."""
    quantized = TorchInt8(fitted.network)._network
    with torch.inference_mode():
        together = quantized(torch.from_numpy(rows[:300])).numpy()
        alone = np.concatenate([quantized(torch.from_numpy(row[None])).numpy() for row in rows[:300]])
    assert np.abs(together - alone).max() > 1e-3


def test_int8_runs_quantized_kernels(fitted: Fitted) -> None:
    """Every linear stage is replaced, and the network given stays as it was."""
    kinds = {type(layer).__name__ for layer in TorchInt8(fitted.network)._network.modules()}
    assert not any(type(layer) is torch.nn.Linear for layer in TorchInt8(fitted.network)._network.modules())
    assert "Linear" in kinds, "torch's dynamically quantized layer bears the same name"
    assert type(fitted.network.stages[-1]) is torch.nn.Linear


def test_other_warnings_are_heard(fitted: Fitted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the known notices are hushed."""
    real = torch.ao.quantization.quantize_dynamic

    def warning(*args: object, **options: object) -> object:
        warnings.warn("something new", UserWarning, stacklevel=2)
        return real(*args, **options)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(torch.ao.quantization, "quantize_dynamic", warning)
    with pytest.warns(UserWarning, match="something new"):
        TorchInt8(fitted.network)


def test_every_engine_can_run_here() -> None:
    """With the test extra installed none is left untested in silence."""
    assert available() == dict.fromkeys(ENGINES, "ok")


def test_int8_survives_the_removal_of_quantize_dynamic(fitted: Fitted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its removal, announced by torch, leaves a reason for who asks by name, and `int8` means the second engine."""
    assert int8_name() == "torch_int8"
    drop_dynamic_quantization(monkeypatch)
    assert int8_name() == "onednn_int8"
    assert "has no torch.ao.quantization.quantize_dynamic" in available()["torch_int8"]
    with pytest.raises(ArtifactError, match=r"torch_int8 cannot run here.*quantize_dynamic.*STREAMREC_ENGINE=auto"):
        engine_of("torch_int8", fitted.network)


def test_a_missing_extra_is_a_reason(fitted: Fitted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ONNX Runtime its engines say what to install, and nothing else changes."""
    monkeypatch.setattr(onnx_models, "EXTRA", ("onnx", "no_such_package"))
    assert available()["ort_int8"] == "no_such_package not installed: pip install 'streamrec[onnx]'"
    with pytest.raises(ArtifactError, match=r"engine ort_fp32 cannot run here: no_such_package not installed"):
        engine_of("ort_fp32", fitted.network)


def test_a_package_that_cannot_be_imported_is_a_reason(
    fitted: Fitted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one made for another C library: its engines say so, and the others are there as ever."""
    (tmp_path / "broken_runtime.py").write_text("raise ImportError('GLIBCXX_3.4.32 not found\\nand more')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(onnx_models, "EXTRA", ("onnx", "broken_runtime"))
    found = available()
    reason = "broken_runtime is installed but cannot be imported (ImportError: GLIBCXX_3.4.32 not found)"
    assert found["ort_int8"].startswith(reason)
    assert found["torch_int8"] == found["numpy_fp32"] == "ok"
    with pytest.raises(ArtifactError, match=r"engine ort_fp32 cannot run here: broken_runtime is installed but"):
        engine_of("ort_fp32", fitted.network)


def test_one_engine_does_not_import_the_library_of_another() -> None:
    """A worker of torch fp32 starts without ONNX Runtime in memory."""
    code = (
        "import sys\nfrom streamrec.models.engines import engine_of, int8_name\n"
        "from streamrec.models.network import Network\n"
        "engine_of('torch_fp32', Network((96, 16, 1)))\nint8_name()\nsys.exit('onnxruntime' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_int8_at_all_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each one's reason stands in the message, and the cure."""
    drop_dynamic_quantization(monkeypatch)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    monkeypatch.setattr(onnx_models, "EXTRA", ("no_such_package",))
    with pytest.raises(ArtifactError, match=r"no int8 engine.*torch_int8: .*onednn_int8: .*ort_int8: .*=fp32"):
        int8_name()


def test_settings_know_every_engine() -> None:
    """STREAMREC_ENGINE takes each name, and no name that is none."""
    assert (
        set(get_args(EngineChoice))
        == {"auto", "int8", "fp32", *ENGINES}
        == {"auto", "int8", "fp32", *get_args(EngineName)}
    )
