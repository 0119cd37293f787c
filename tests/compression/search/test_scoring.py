"""What is timed is what scores, and each engine scores what the model does."""

import sys

import numpy as np
import pytest
from compression.search.finished import taught
from dropped import drop_dynamic_quantization

from streamrec import onnx_models
from streamrec.compression.search import scoring
from streamrec.compression.search.scoring import TEACHER_BLOCK, head, scorers
from streamrec.compression.search.trial import Fidelity
from streamrec.models.engines import ENGINES
from streamrec.training.model import logits_of
from streamrec.training.teacher import Teacher


def test_a_network_runs_in_every_engine() -> None:
    """All that this machine has, each close to the network itself."""
    of = taught()
    network = of.compressed("student(width=8) > distil(alpha=.3)", Fidelity(1, 0.25)).model
    expected = logits_of(network, of.cut.test)
    found = scorers(network, of.cut.test).able
    assert {"torch_fp32", "numpy_fp32"} <= set(found)
    for name, scorer in found.items():
        assert np.abs(scorer.logits(of.cut.test) - expected).max() < (0.5 if name.endswith("int8") else 1e-4)


def test_a_teacher_runs_in_torch_alone() -> None:
    """fp32, and int8 where torch can still quantize; one user a row gives the logits that shared users give."""
    of = taught()
    found = scorers(of.teacher, of.cut.test).able
    assert next(iter(found)) == "torch_fp32"
    expected = logits_of(of.teacher, of.cut.test)
    for scorer in found.values():
        assert np.abs(scorer.logits(of.cut.test) - expected).max() < 0.3


@pytest.mark.parametrize("count", [1, TEACHER_BLOCK + 1])
def test_any_number_of_rows_can_be_timed(count: int) -> None:
    """More than a block, more than there are."""
    of = taught()
    assert isinstance(of.teacher, Teacher)
    head(of.teacher, of.cut.test)(count)
    for scorer in scorers(of.teacher, of.cut.test).able.values():
        scorer.run(count)


@pytest.fixture
def without_onnx(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which the extra is not installed: it is neither found nor imported."""
    monkeypatch.setattr(onnx_models, "EXTRA", ("onnx_that_is_not_installed",))
    for name in ("onnx", "onnxruntime"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.usefixtures("without_onnx")
def test_an_engine_that_is_not_installed_is_left_out_with_the_reason() -> None:
    """The end of a search is no place for an import error."""
    network = taught().compressed("student(width=8) > distil(alpha=.3)", Fidelity(1, 0.25)).model
    found = scorers(network, taught().cut.test)
    assert set(found.able) | set(found.refused) == set(ENGINES)
    assert "torch_fp32" in found.able
    for name in ("ort_int8", "ort_fp32"):
        assert "pip install 'streamrec[onnx]'" in found.refused[name]


def test_a_torch_that_no_longer_quantizes_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a network nor a teacher fails for it; a teacher has no other int8, and what has one is named."""
    drop_dynamic_quantization(monkeypatch)
    network = taught().compressed("student(width=8) > distil(alpha=.3)", Fidelity(1, 0.25)).model
    served, offline = (scorers(model, taught().cut.test) for model in (network, taught().teacher))
    assert "has no torch.ao.quantization.quantize_dynamic" in served.refused["torch_int8"]
    assert "onednn_int8" in served.able
    assert list(offline.able) == ["torch_fp32"]
    assert "for an int8 of this torch begin the recipe with a student" in offline.refused["torch_int8"]


def test_an_int8_that_saturates_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker here would admit it, and who reads the figures learns why it is not among them."""
    monkeypatch.setattr(scoring, "clipped", lambda name, *_: "its largest sums are clipped" if "ort" in name else "")
    network = taught().compressed("student(width=8) > distil(alpha=.3)", Fidelity(1, 0.25)).model
    found = scorers(network, taught().cut.test)
    assert "ort_int8" not in found.able
    assert "its largest sums are clipped" in found.refused["ort_int8"]
