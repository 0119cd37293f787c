"""Golden scores: what each engine says of one small network on any processor, and how far one may be from that.

    network()    (COLUMNS, 64, 32, 1): a ReLU, then the inside of a low-rank pair; weights, ranges and scaling are whole
                 numbers over powers of two, made of PCG64's raw bits: the same everywhere
    rows()       (K, COLUMNS), likewise
    GOLDEN       of each engine: the logits in golden_scores.json that it has to give, how closely, and why so closely

The rows were chosen so that no value of theirs lies near a boundary of a grid (tests/models/test_golden.py computes
all of it in whole numbers of its own, and holds the distances). Float rounding, which differs between processors, then
moves no value to another step, and int8 needs no more room than float32. A kernel that clips, or takes another scale or
rounding, is off by steps, of which the smallest before the last stage moves a logit by 0.002. The largest weight of
each stage is positive: torch_int8 puts a negative one half-way between two steps, where float rounding decides.

Two processors that pass score alike, but for a value that lies by chance within float rounding of a boundary.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from ..arrays import FloatArray
from ..engine.predictor import COLUMNS
from .engines import ENGINES, available, engine_of
from .engines.contract import EngineName
from .network import Network

SIZES = (COLUMNS, 64, 32, 1)
DRAWN_ROWS = 64
CHOSEN = (0, 3, 6, 16, 18, 19, 24, 26, 33, 34, 40, 59)  # of the rows drawn
SCORES = Path(__file__).with_name("golden_scores.json")


class Golden(NamedTuple):
    """What is asked of an engine."""

    scores: str  # name in golden_scores.json
    tolerance: float  # of a logit; those of the rows are between -4 and 4
    reason: str


_SUMS = "float32 sums of a hundred products, in any order"
_SCALED = "sums are whole and exact; scaling them is float32"

GOLDEN: Mapping[EngineName, Golden] = {
    "torch_int8": Golden("torch_int8", 1e-5, _SCALED),
    "onednn_int8": Golden("onednn_int8", 1e-5, _SCALED),
    "ort_int8": Golden("ort_int8", 1e-5, _SCALED),  # apart from onednn_int8 by its biases, which are whole numbers too
    "ort_fp32": Golden("fp32", 1e-5, _SUMS),
    "numpy_fp32": Golden("fp32", 1e-5, "exact sums of numbers with float32's precision"),
    "torch_fp32": Golden("fp32", 1e-5, _SUMS),
}


class Distance(NamedTuple):
    """An engine beside its golden scores."""

    worst: float  # max |logit - golden|; infinite where a logit is no number
    golden: Golden

    @property
    def is_right(self) -> bool:
        """Whether the engine computes here what it computes elsewhere."""
        return self.worst <= self.golden.tolerance


def distances() -> tuple[dict[EngineName, Distance], dict[EngineName, str]]:
    """Every engine that can run here beside its golden scores, and why the others cannot."""
    given, model, expected = rows(), network(), scores()
    absent = {name: reason for name, reason in available().items() if reason != "ok"}
    found: dict[EngineName, Distance] = {}
    for name in ENGINES:
        if name not in absent:
            off = np.abs(engine_of(name, model).logits(given) - expected[GOLDEN[name].scores])
            found[name] = Distance(float(off.max()) if np.isfinite(off).all() else float("inf"), GOLDEN[name])
    return found, absent


def scores() -> dict[str, FloatArray]:
    """The golden logits (K,) by their name."""
    return {name: np.array(logits, np.float32) for name, logits in json.loads(SCORES.read_text()).items()}


def rows() -> FloatArray:
    """(K, COLUMNS) between -4 and 4."""
    return _whole(1, DRAWN_ROWS, COLUMNS)[list(CHOSEN)] / np.float32(32)


def network() -> Network:
    """The network, within whose ranges `rows` stay, but for the ReLU's lower end."""
    made = Network(SIZES).eval().requires_grad_(requires_grad=False)
    for stage, seed, share in zip(made.linears(), (2, 3, 12), (2048, 1024, 64), strict=True):
        stage.weight.copy_(torch.from_numpy(_whole(seed, *stage.weight.shape) / np.float32(share)))
        stage.bias.copy_(torch.from_numpy(_whole(seed + 2, *stage.bias.shape) / np.float32(512)))
    made.mean.copy_(torch.from_numpy(_whole(8, COLUMNS) / np.float32(256)))
    made.std.copy_(torch.from_numpy(_whole(9, COLUMNS) / np.float32(256) + np.float32(1.75)))
    made.low.copy_(torch.tensor([0.0, -2.0]))
    made.high.copy_(torch.tensor([3.0, 2.0]))
    return made


def _whole(seed: int, *shape: int) -> FloatArray:
    """Whole numbers -127 to 128: numpy keeps a generator's raw bits as they are, not what it makes of them."""
    raw = np.random.PCG64(seed).random_raw(int(np.prod(shape))) >> np.uint64(56)
    return (np.float32(128) - raw.astype(np.float32)).reshape(shape)
