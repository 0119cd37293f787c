"""Golden scores: computed here in whole numbers, by another way than the engines', and met by each engine."""

import os
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest
from saturating import Saturating

from streamrec.arrays import DoubleArray, FloatArray
from streamrec.models import golden
from streamrec.models.engines import ENGINES, engine_of
from streamrec.models.engines.contract import Engine, EngineName
from streamrec.models.golden import GOLDEN, distances, network, rows, scores
from streamrec.models.network import INPUT_RANGE, Network

NEAR = 0.002  # steps; float32 of a value within 255 steps is right to 0.00003


class Computed(NamedTuple):
    """Logits, and how near any value of a row came to where it would have been rounded otherwise."""

    logits: DoubleArray  # (K,)
    nearest: DoubleArray  # (K,), steps


def by_hand(x: FloatArray, scheme: str) -> Computed:
    """The network as `scheme` defines it, in float64: fp32, torch's dynamic int8, or fixed_point.py with its biases."""
    made = network()
    ends = [(-INPUT_RANGE, INPUT_RANGE), *made.bounds()]
    h = (x.astype(np.float64) - made.mean.numpy()) / made.std.numpy()
    nearest = np.ones(len(x))
    for (low, high), stage in zip(ends, made.linears(), strict=True):
        weight, bias = stage.weight.numpy().astype(np.float64), stage.bias.numpy().astype(np.float64)
        h = h.clip(low, high)
        if scheme != "fp32":
            s, t = scales(low, high, weight, scheme)
            weight = np.rint((weight / t).astype(np.float32)).clip(-128, 127) * t
            if scheme == "ort_int8":
                bias = np.rint(bias / (s * t[:, 0])) * (s * t[:, 0])
            nearest = np.minimum(nearest, (0.5 - np.abs(h / s - np.rint(h / s))).min(axis=1))
            h = np.rint(h / s) * s
        h = h @ weight.T + bias
    return Computed(h[:, 0], nearest)


def scales(low: float, high: float, weight: DoubleArray, scheme: str) -> tuple[float, DoubleArray]:
    """A step of the inputs, and of the weights (out, 1), both as float32 has them."""
    if scheme == "torch_int8":  # 7 bits from end to end; 8 bits for the whole matrix
        s, t = (high - low) / 127, np.full((len(weight), 1), np.abs(weight).max() / 127.5)
    else:
        s = high / 255 if low == 0 else max(-low / 128, high / 127)
        t = np.abs(weight).max(axis=1, keepdims=True) / 64
    return float(np.float32(s)), t.astype(np.float32).astype(np.float64)


@pytest.mark.parametrize("scheme", ["fp32", "torch_int8", "onednn_int8", "ort_int8"])
def test_golden_scores_are_what_the_arithmetic_says(scheme: str) -> None:
    """No engine was asked for them, and no value lies where float rounding would decide."""
    computed = by_hand(rows(), scheme)
    np.testing.assert_allclose(scores()[scheme], computed.logits, atol=1e-6)
    assert computed.nearest.min() > NEAR


def test_schemes_differ_by_much_more_than_is_allowed() -> None:
    """Or the scores of one would pass for those of another; but for ONNX Runtime's biases, which move little."""
    found = scores()
    assert found.keys() == {each.scores for each in GOLDEN.values()}
    for one, other in (("fp32", "torch_int8"), ("fp32", "ort_int8"), ("torch_int8", "onednn_int8")):
        assert np.abs(found[one] - found[other]).max() > 1000 * GOLDEN["torch_int8"].tolerance


@pytest.mark.parametrize("name", ENGINES)
def test_each_engine_meets_its_scores(name: EngineName) -> None:
    """On the processor at hand, whichever it is."""
    found, absent = distances()
    assert not absent
    assert found[name].is_right, f"{name} is {found[name].worst:g} off"


def test_a_wrong_kernel_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """One activation a step aside, weights of 8 bits for 7, and what is no number."""

    def stepped(name: EngineName, model: Network) -> Engine:
        stage = model.linears()[2]
        stage.bias.add_(float(model.high[1]) / 127 * float(stage.weight.abs().min()))
        return engine_of(name, model)

    monkeypatch.setattr(golden, "engine_of", stepped)
    assert not any(each.is_right for each in distances()[0].values())
    monkeypatch.setattr(golden, "engine_of", lambda name, model: Saturating(model, name, clips=False))
    assert not distances()[0]["ort_int8"].is_right
    nothing = np.full(len(rows()), np.nan, np.float32)
    monkeypatch.setattr(golden, "scores", lambda: dict.fromkeys(scores(), nothing))
    assert distances()[0]["torch_fp32"].worst == float("inf")


OLDER = {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "FBGEMM_ENABLE_INSTRUCTIONS": "AVX2"}


@pytest.mark.slow
def test_an_older_processor_scores_alike() -> None:
    """The kernels that the libraries choose where there is no AVX-512 or, for oneDNN and torch, no AVX2."""
    command = [sys.executable, "-m", "streamrec", "model", "check"]
    done = subprocess.run(command, env=os.environ | OLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
