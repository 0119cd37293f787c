"""Which engine serves: being right is hard, speed is measured, and the verdict says so."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from dropped import drop_dynamic_quantization
from saturating import Saturating

from streamrec import onnx_models
from streamrec.arrays import FloatArray
from streamrec.errors import ArtifactError
from streamrec.models.admission import Build, admit
from streamrec.models.artifact import Artifact
from streamrec.models.engine_speed import Pace, Speedups
from streamrec.models.engines import ENGINES, engine_of
from streamrec.models.engines.contract import Engine, EngineName, precision_of
from streamrec.models.network import INPUT_RANGE, Network, network_of
from streamrec.models.parity import compare, record_probe
from streamrec.training.fit import Fitted

INT8 = [name for name in ENGINES if precision_of(name) == "int8"]


def paced(**speed: float) -> Pace:
    """A machine on which engines have these speeds at every batch size, and others half of fp32's."""

    def pace(engines: Mapping[EngineName, Engine], _: FloatArray, batch_sizes: Sequence[int]) -> Speedups:
        return {
            name: dict.fromkeys(batch_sizes, 1.0 if name == "torch_fp32" else speed.get(name, 0.5)) for name in engines
        }

    return pace


def with_one(artifact: Artifact, name: EngineName, engine: Engine) -> Build:
    """The engines as they are, but for one; what is asked of it with another network, it answers as it should."""
    own = artifact.weights["stages.0.weight"]

    def build(asked: EngineName, network: Network) -> Engine:
        is_own = np.array_equal(network.arrays()["stages.0.weight"], own)
        return engine if asked == name and is_own else engine_of(asked, network)

    return build


def saturated(artifact: Artifact, name: EngineName) -> Build:
    """That engine as a kernel computes it that clips its products."""
    return with_one(artifact, name, Saturating(network_of(artifact.manifest.sizes, artifact.weights), name))


def clipping(name: EngineName) -> Build:
    """That engine wrong at the largest sums only, as if the model's own rows never came near them."""

    def build(asked: EngineName, network: Network) -> Engine:
        is_extreme = asked == name and float(network.high[0]) == INPUT_RANGE
        return Saturating(network, name) if is_extreme else engine_of(asked, network)

    return build


def test_dynamic_int8_serves_where_it_is_right_and_faster(artifact: Artifact) -> None:
    """The default; the verdict carries parity and the ratio at each batch size."""
    admission = admit(artifact, "auto", paced(torch_int8=1.5))
    assert admission.engine.name == "torch_int8"
    assert admission.parity is not None
    assert admission.parity.max_delta <= artifact.probe.tolerance
    assert admission.parity.agreement > 0.97
    assert admission.speedup == {256: 1.5, 1024: 1.5}
    assert admission.verdict.startswith("torch_int8 serves: max |dP|")
    assert "1.50/1.50 times as fast as fp32 at 256/1024 rows" in admission.verdict
    assert "slower than fp32 here: onednn_int8 0.50, ort_int8 0.50" in admission.verdict


def test_slow_engines_do_not_serve_under_auto(artifact: Artifact) -> None:
    """Right but slower: fp32 serves and the verdict says why."""
    admission = admit(artifact, "auto", paced())
    assert admission.engine.name == "torch_fp32"
    assert "slower than fp32 here: torch_int8 0.50" in admission.verdict
    assert admission.parity is not None, "what int8 would have said is still told"


@pytest.mark.parametrize(
    ("speed", "chosen"),
    [
        ({"torch_int8": 1.5, "ort_int8": 1.75}, "torch_int8"),
        ({"torch_int8": 1.5, "ort_int8": 1.81}, "ort_int8"),
        ({"torch_int8": 1.5, "onednn_int8": 1.81, "ort_int8": 2.1}, "onednn_int8"),
        ({"torch_int8": 0.9, "ort_fp32": 1.1}, "ort_fp32"),
        ({"torch_int8": 1.0, "onednn_int8": 1.0, "ort_int8": 1.0, "ort_fp32": 1.0, "numpy_fp32": 1.0}, "torch_int8"),
        ({"ort_int8": 2.0, "ort_fp32": 2.3}, "ort_int8"),
        ({"ort_int8": 2.0, "ort_fp32": 2.5}, "ort_fp32"),
    ],
)
def test_another_engine_must_be_clearly_faster(artifact: Artifact, speed: dict[str, float], chosen: str) -> None:
    """The earlier in the list stays unless a later one is 1.2 times as fast; ties go to the earlier."""
    assert admit(artifact, "auto", paced(**speed)).engine.name == chosen


def test_one_slow_batch_size_is_enough(artifact: Artifact) -> None:
    """An engine must not lose at any batch size in use."""

    def pace(engines: Mapping[EngineName, Engine], _: FloatArray, __: Sequence[int]) -> Speedups:
        return {name: {256: 3.0, 512: 0.9} if name == "torch_int8" else {256: 1.0, 512: 1.0} for name in engines}

    assert admit(artifact, "auto", pace).engine.name == "onednn_int8"


@pytest.mark.parametrize("name", ENGINES)
def test_a_named_engine_serves_at_any_speed(artifact: Artifact, name: EngineName) -> None:
    """Speed is a preference, and a name overrules it."""
    assert admit(artifact, name, paced()).engine.name == name


def test_precisions_are_names_too(artifact: Artifact) -> None:
    """`int8` and `fp32` stand for the first engine of each; with fp32 int8's parity is told and nothing is timed."""
    assert admit(artifact, "int8", paced()).engine.name == "torch_int8"
    admission = admit(artifact, "fp32")
    assert (admission.engine.name, admission.speedup) == ("torch_fp32", {})
    assert "because it was asked for; torch_int8 would have max |dP|" in admission.verdict
    assert admission.parity is not None


def test_the_simulated_kernel_is_right_until_it_clips(artifact: Artifact) -> None:
    """What the next tests put in differs from a good int8 by the clipping alone."""
    network = network_of(artifact.manifest.sizes, artifact.weights)
    good = with_one(artifact, "ort_int8", Saturating(network, "ort_int8", clips=False))
    assert admit(artifact, "ort_int8", paced(), good).engine.name == "ort_int8"


@pytest.mark.parametrize("name", INT8)
def test_saturated_int8_never_serves_under_auto(artifact: Artifact, name: EngineName) -> None:
    """However fast it is; the verdict names it."""
    admission = admit(artifact, "auto", paced(**{name: 9.0}), saturated(artifact, name))
    assert admission.engine.name != name
    assert f"refused: {name} (disagrees with fp32 here, max |dP|" in admission.verdict
    assert admission.faults[name].startswith("disagrees with fp32")


@pytest.mark.parametrize("name", INT8)
def test_saturated_int8_asked_for_is_an_error(artifact: Artifact, name: EngineName) -> None:
    """Wrong numbers are not a preference."""
    with pytest.raises(ArtifactError, match=rf"{name} disagrees with fp32.*STREAMREC_ENGINE=auto or fp32"):
        admit(artifact, name, paced(), saturated(artifact, name))


@pytest.mark.parametrize("name", INT8)
def test_an_engine_that_would_saturate_is_refused_though_no_recorded_row_shows_it(
    artifact: Artifact, name: EngineName
) -> None:
    """Tomorrow's rows may; the message names the engine, the sum it clips and by how much, and its parity."""
    admission = admit(artifact, "auto", paced(**{name: 9.0}), clipping(name))
    assert admission.engine.name != name
    assert f"refused: {name} (disagrees with fp32 here, its largest sums are clipped" in admission.verdict
    with pytest.raises(ArtifactError, match=rf"{name} disagrees with fp32, its largest sums.*% off; max \|dP\|"):
        admit(artifact, name, paced(), clipping(name))


def test_without_quantize_dynamic_the_second_engine_serves(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    """Auto and int8 go on with what is left."""
    drop_dynamic_quantization(monkeypatch)
    admission = admit(artifact, "auto", paced(onednn_int8=1.3))
    assert admission.engine.name == "onednn_int8"
    assert "has no torch.ao.quantization.quantize_dynamic" in admission.faults["torch_int8"]
    assert admit(artifact, "int8", paced()).engine.name == "onednn_int8"


def test_an_engine_that_torch_dropped_is_served_by_its_successor(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker that names it goes on with the same weights, within the recorded tolerance, and says so."""
    before = admit(artifact, "torch_int8", paced())
    assert not caplog.records
    drop_dynamic_quantization(monkeypatch)
    after = admit(artifact, "torch_int8", paced())
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "onednn_int8 serves in place of torch_int8: torch" in record.getMessage()
    assert "set STREAMREC_ENGINE=onednn_int8 to keep it, or auto" in record.getMessage()
    assert after.engine.name == "onednn_int8"
    rows, probability = artifact.probe.rows, artifact.manifest.calibration.probability
    found, expected = (probability(each.engine.logits(rows)) for each in (after, before))
    assert 0 < np.abs(found - expected).max() <= 2 * artifact.probe.tolerance  # each is within it of fp32


def test_a_successor_that_is_wrong_here_does_not_serve(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked what the one was asked that it stands in for."""
    drop_dynamic_quantization(monkeypatch)
    with pytest.raises(ArtifactError, match="onednn_int8 disagrees with fp32"):
        admit(artifact, "torch_int8", paced(), saturated(artifact, "onednn_int8"))
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    with pytest.raises(ArtifactError, match=r"engine torch_int8 cannot run here: .*STREAMREC_ENGINE=auto"):
        admit(artifact, "torch_int8", paced())


def without_int8(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which no int8 engine can be built."""
    drop_dynamic_quantization(monkeypatch)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    monkeypatch.setattr(onnx_models, "EXTRA", ("no_such_package",))


def test_a_machine_without_int8_serves_fp32(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    """Auto goes on; int8 by name is an error with every reason."""
    without_int8(monkeypatch)
    admission = admit(artifact, "auto", paced())
    assert admission.engine.name == "torch_fp32"
    assert admission.parity is None
    assert "no int8 engine can run here" in admit(artifact, "fp32").verdict
    with pytest.raises(ArtifactError, match="no int8 engine can run here"):
        admit(artifact, "int8")


def test_an_int8_nobody_measured_never_serves(
    artifact: Artifact, fitted: Fitted, rows: FloatArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model saved where nothing could quantize carries tolerance 0."""
    with monkeypatch.context() as without:
        without_int8(without)
        probe = record_probe(fitted.network, fitted.calibration, rows)
    assert probe.tolerance == 0
    fast = paced(torch_int8=3, onednn_int8=3, ort_int8=3)
    assert admit(replace(artifact, probe=probe), "auto", fast).engine.name == "torch_fp32"


def test_a_tolerance_above_the_limit_is_not_believed(artifact: Artifact) -> None:
    """Whoever wrote the manifest: an int8 that is further away than any release records does not serve."""
    loose = replace(artifact, probe=replace(artifact.probe, tolerance=1.0))
    network = network_of(artifact.manifest.sizes, artifact.weights)
    with torch.inference_mode():
        network.linears()[-1].bias.add_(1)
    build = with_one(artifact, "ort_int8", engine_of("ort_int8", network))
    with pytest.raises(ArtifactError, match=r"ort_int8 disagrees with fp32, max \|dP\| .* \(tolerance 0\.0500\)"):
        admit(loose, "ort_int8", paced(), build)
    assert "tolerance 0.0500" in admit(loose, "auto", paced(ort_int8=9.0), build).faults["ort_int8"]


def test_weights_that_contradict_their_record_are_refused(artifact: Artifact) -> None:
    """Fp32 too must give the probabilities written down at training."""
    probe = replace(artifact.probe, logits=artifact.probe.logits + np.float32(0.1))
    with pytest.raises(ArtifactError, match=r"fp32 is 0\.\d+ from its recorded probabilities"):
        admit(replace(artifact, probe=probe))


def test_logits_that_are_no_numbers_are_infinitely_far(artifact: Artifact) -> None:
    """NaN must not slip through a comparison that is false."""
    logits = artifact.probe.logits.copy()
    logits[5] = np.nan
    assert compare(logits, artifact.probe.logits, artifact.manifest.calibration, 0.2).max_delta == float("inf")


class Leaky:
    """An engine whose scores depend on the batch, as plain dynamic quantization's do."""

    def __init__(self, engine: Engine) -> None:
        self.name: EngineName = engine.name
        self._engine = engine

    def logits(self, features: FloatArray) -> FloatArray:
        """The right logits plus a little of the batch size."""
        return np.asarray(self._engine.logits(features) + np.float32(2e-7 * len(features)))


def test_scores_that_depend_on_the_batch_are_told(artifact: Artifact) -> None:
    """The property replay rests on is measured here: its loss stands in the verdict, and costs an engine its place."""
    network = network_of(artifact.manifest.sizes, artifact.weights)
    assert admit(artifact, "fp32").batch_drift == 0
    leaky = with_one(artifact, "torch_fp32", Leaky(engine_of("torch_fp32", network)))
    admission = admit(artifact, "fp32", build=leaky)
    assert admission.batch_drift > 0
    assert "scores depend on the batch" in admission.verdict
    leaky = with_one(artifact, "ort_int8", Leaky(engine_of("ort_int8", network)))
    admission = admit(artifact, "auto", paced(ort_int8=9.0), leaky)
    assert admission.engine.name == "torch_fp32"
    assert "depend on the batch" in admission.faults["ort_int8"]
    with pytest.raises(ArtifactError, match=r"ort_int8 cannot serve, its scores depend on the batch .* or fp32"):
        admit(artifact, "ort_int8", paced(), leaky)


def test_the_machine_at_hand_is_measured(artifact: Artifact) -> None:
    """With the real clock every engine that is right gets a ratio, and the one chosen is not slower than fp32."""
    admission = admit(artifact)
    assert min(admission.speedup.values()) >= 1
    assert set(admission.speedup) == {256, 1024}
    assert admission.batch_drift == 0
