"""The largest sums: every engine adds them up, and real kernels that saturate are found on the processor at hand."""

from typing import Any

import numpy as np
import pytest
import torch
from saturating import Saturating
from torch import Tensor, nn

from streamrec.arrays import FloatArray
from streamrec.models import fixed_point
from streamrec.models.engines import ENGINES, engine_of
from streamrec.models.engines.contract import Engine, EngineName, precision_of
from streamrec.models.engines.torch_int8 import TorchInt8
from streamrec.models.machine import this_machine
from streamrec.models.network import Network
from streamrec.models.saturation import clipped

SHAPES = ((96, 512, 256, 1), (96, 64, 32, 1), (96, 16, 1), (3, 1, 1))
MACHINE = this_machine()
only_avx2 = pytest.mark.skipif(
    "avx2" not in MACHINE.flags or MACHINE.vnni, reason="this processor adds int8 products in 32 bits: nothing clips"
)


@pytest.mark.parametrize("sizes", SHAPES)
@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_adds_up_its_largest_sums(name: EngineName, sizes: tuple[int, ...]) -> None:
    """Whatever the model's shape."""
    assert not clipped(name, sizes, engine_of)


class FullRange(nn.Module):
    """A dynamically quantized stage with 8-bit activations in place of 7: `reduce_range` off."""

    def __init__(self, stage: Any) -> None:
        super().__init__()
        self._packed = stage._packed_params._packed_params

    def forward(self, x: Tensor) -> Tensor:
        """(N, in) -> (N, out)."""
        result: Tensor = torch.ops.quantized.linear_dynamic(x, self._packed, reduce_range=False)
        return result


def full_range(name: EngineName, network: Network) -> Engine:
    """The engine with 8 bits on both sides of its products: too many for AVX2."""
    engine = engine_of(name, network)
    if isinstance(engine, TorchInt8):
        engine._hidden = [FullRange(stage) for stage in engine._hidden]
        engine._last = FullRange(engine._last)
    return engine


@only_avx2
@pytest.mark.parametrize("name", [name for name in ENGINES if precision_of(name) == "int8"])
def test_a_real_kernel_that_saturates_is_found(name: EngineName, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those are torch without `reduce_range`, oneDNN and ONNX Runtime with 8-bit weights."""
    monkeypatch.setattr(fixed_point, "WEIGHT_STEPS", 127)
    assert "its largest sums are clipped: a logit of 1.792 comes out as" in clipped(name, SHAPES[0], full_range)


@pytest.mark.parametrize("sizes", SHAPES[:3])
def test_a_simulated_one_is_found_anywhere(sizes: tuple[int, ...]) -> None:
    """With the processor out of it; the same sums unclipped are right."""
    assert "% off" in clipped("ort_int8", sizes, lambda name, network: Saturating(network, name))
    assert not clipped("ort_int8", sizes, lambda name, network: Saturating(network, name, clips=False))


class ByCall(Saturating):
    """Another kernel for calls of some sizes, and only that one clips."""

    at_least, at_most = 0, 0

    def logits(self, features: FloatArray) -> FloatArray:
        """(N, COLUMNS) -> (N,)."""
        self._clips = self.at_least <= len(features) <= self.at_most
        return super().logits(features)


@pytest.mark.parametrize(("at_least", "at_most"), [(1, 1), (5, 8192), (33, 8192), (257, 8192), (16, 64)])
def test_one_that_clips_in_calls_of_some_sizes_is_found(
    at_least: int, at_most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Libraries multiply one row, a few and many by different kernels; calls of four rows show the one for few."""
    monkeypatch.setattr(ByCall, "at_least", at_least)
    monkeypatch.setattr(ByCall, "at_most", at_most)
    assert "% off" in clipped("ort_int8", SHAPES[1], lambda name, network: ByCall(network, name))


class NoNumbers:
    """An engine whose logits are none."""

    name: EngineName = "numpy_fp32"

    def logits(self, features: FloatArray) -> FloatArray:
        """All NaN."""
        return np.full(len(features), np.nan, np.float32)


def test_what_is_no_number_is_off() -> None:
    """A comparison with NaN must not pass."""
    assert "nan" in clipped("numpy_fp32", SHAPES[2], lambda *_: NoNumbers())
