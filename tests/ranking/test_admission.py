"""Which engine serves: parity is hard, speed is measured, and the verdict says so."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from streamrec.errors import ArtifactError
from streamrec.ranking.admission import Build, Timer, admit
from streamrec.ranking.artifact import Artifact
from streamrec.ranking.engines import Engine, EngineName, Fp32Engine, Int8Engine
from streamrec.ranking.network import network_of
from streamrec.ranking.parity import compare, record_probe
from streamrec.ranking.scores import FloatArray
from streamrec.training.fit import Fitted


def timer(fp32_s: float, int8_s: float) -> Timer:
    """A clock on which each engine takes a fixed time."""
    return itertools.accumulate(itertools.cycle([0.0, fp32_s, 0.0, int8_s])).__next__


INT8_WINS, INT8_LOSES = (3.0, 2.0), (2.0, 3.0)


def saturated(artifact: Artifact) -> Build:
    """Int8 as a kernel computes it that clips its products: the large weights of a layer count less."""
    good = network_of(artifact.manifest.sizes, artifact.weights)
    limit = np.float32(np.abs(artifact.weights["hidden.1.weight"]).max() / 3)
    clipped = {**artifact.weights, "hidden.1.weight": artifact.weights["hidden.1.weight"].clip(-limit, limit)}
    bad = network_of(artifact.manifest.sizes, clipped)

    def build(name: EngineName) -> Engine:
        return Int8Engine(bad) if name == "int8" else Fp32Engine(good)

    return build


def test_int8_serves_where_it_is_right_and_faster(artifact: Artifact) -> None:
    """The verdict carries parity and the ratio at each batch size."""
    admission = admit(artifact, "auto", (256, 512), timer(*INT8_WINS))
    assert admission.engine.name == "int8"
    assert admission.parity is not None
    assert admission.parity.max_delta <= artifact.probe.tolerance
    assert admission.parity.agreement > 0.97
    assert admission.speedup == {256: pytest.approx(1.5), 512: pytest.approx(1.5)}
    assert admission.verdict.startswith("int8 serves: max |dP|")
    assert "1.50/1.50 times as fast as fp32 at 256/512 rows" in admission.verdict


def test_slow_int8_does_not_serve_under_auto(artifact: Artifact) -> None:
    """Right but slower: fp32 serves and the verdict says why."""
    admission = admit(artifact, "auto", (256,), timer(*INT8_LOSES))
    assert admission.engine.name == "fp32"
    assert "slower here, 0.67 times as fast" in admission.verdict


def test_slow_int8_serves_when_asked_for(artifact: Artifact) -> None:
    """Speed is a preference, and a named engine overrules it."""
    assert admit(artifact, "int8", (256,), timer(*INT8_LOSES)).engine.name == "int8"


def test_one_slow_batch_size_is_enough(artifact: Artifact) -> None:
    """Int8 must not lose at any batch size in use."""
    rounds = [0.0, 3.0, 0.0, 2.0] * 9 + [0.0, 2.0, 0.0, 3.0] * 9
    admission = admit(artifact, "auto", (256, 512), itertools.accumulate(rounds).__next__)
    assert admission.engine.name == "fp32"
    assert admission.speedup == {256: pytest.approx(1.5), 512: pytest.approx(2 / 3)}


def test_saturated_int8_never_serves_under_auto(artifact: Artifact) -> None:
    """However fast it is."""
    admission = admit(artifact, "auto", (256,), timer(9.0, 1.0), saturated(artifact))
    assert admission.engine.name == "fp32"
    assert admission.parity is not None
    assert admission.parity.max_delta > artifact.probe.tolerance
    assert "int8 disagrees" in admission.verdict


def test_saturated_int8_asked_for_is_an_error(artifact: Artifact) -> None:
    """Wrong numbers are not a preference."""
    with pytest.raises(ArtifactError, match=r"int8 disagrees with fp32.*STREAMREC_ENGINE=auto or fp32"):
        admit(artifact, "int8", (256,), timer(9.0, 1.0), saturated(artifact))


def test_fp32_serves_when_asked_for(artifact: Artifact) -> None:
    """Parity of int8 is still told; nothing is timed."""
    admission = admit(artifact, "fp32")
    assert admission.engine.name == "fp32"
    assert admission.speedup == {}
    assert "asked for" in admission.verdict


def test_a_torch_that_cannot_quantize_serves_fp32(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    """Auto goes on with fp32 and says why; int8 by name is an error."""
    monkeypatch.delattr(torch.ao.quantization, "quantize_dynamic")
    admission = admit(artifact)
    assert admission.engine.name == "fp32"
    assert admission.parity is None
    assert "has no torch.ao.quantization.quantize_dynamic" in admission.verdict
    with pytest.raises(ArtifactError, match="quantize_dynamic"):
        admit(artifact, "int8")


def test_an_int8_nobody_measured_never_serves(
    artifact: Artifact, fitted: Fitted, rows: FloatArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model saved where torch could not quantize carries tolerance 0."""
    with monkeypatch.context() as without:
        without.delattr(torch.ao.quantization, "quantize_dynamic")
        probe = record_probe(fitted.network, fitted.calibration, rows)
    assert probe.tolerance == 0
    admission = admit(replace(artifact, probe=probe), "auto", (256,), timer(*INT8_WINS))
    assert admission.engine.name == "fp32"


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

    name: EngineName = "fp32"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def logits(self, features: FloatArray) -> FloatArray:
        """The right logits plus a little of the batch size."""
        return np.asarray(self._engine.logits(features) + np.float32(2e-7 * len(features)))


def test_scores_that_depend_on_the_batch_are_told(artifact: Artifact) -> None:
    """The property replay rests on is measured on the machine at hand, and its loss stands in the verdict."""
    network = network_of(artifact.manifest.sizes, artifact.weights)
    assert admit(artifact, "fp32").batch_drift == 0
    admission = admit(
        artifact, "fp32", build=lambda name: Leaky(Fp32Engine(network)) if name == "fp32" else Int8Engine(network)
    )
    assert admission.batch_drift > 0
    assert "scores depend on the batch" in admission.verdict
