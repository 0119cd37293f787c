"""Does an int8 engine still add up where every number is as large as it can be? A kernel that saturates does not.

A network of the model's own shape is put in its place: every input and activation at the upper end of its range, every
weight of a stage the same, w = 1 / K, so that each lies at the end of the integers' grid. Half of the units have all
weights +w; in the others every third group of four is -w, for clipping at the lower end. Its answer is known, whatever
the model's own rows would have touched: K products of the largest integers, which a 16-bit sum of two of them (AVX2
with 8 bits on both sides) or a short accumulator clips to about half. Asked in calls of CALLS rows each: libraries
have other kernels for a single row, a few and many.

    off = max |logit - exact logit| / max |exact logit|      rounding: below 2 %; clipped pairs: about 40 %
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from ..arrays import FloatArray
from ..engine.predictor import COLUMNS
from .engines.contract import Engine, EngineName
from .network import INPUT_RANGE, Network

CALLS = (1, 4, 8, 32, 256, 1024)  # rows; engines take more in blocks of 1024
LIMIT = 0.05
GROUP = 4  # weights that one instruction multiplies for one sum


def clipped(name: EngineName, sizes: Sequence[int], build: Callable[[EngineName, Network], Engine]) -> str:
    """What is wrong with this engine's sums, for people; empty if nothing is."""
    network, rows = largest(sizes), extreme_rows()
    with torch.inference_mode():
        exact = network(torch.from_numpy(rows)).numpy()
    engine = build(name, network)
    found = np.concatenate([_in_calls(engine, rows, size) for size in CALLS]).reshape(-1, len(rows))
    off = np.where(np.isfinite(found), np.abs(found - exact), np.inf)
    worst = np.unravel_index(np.argmax(off), off.shape)
    share = float(off[worst] / np.abs(exact).max())
    if share <= LIMIT:
        return ""
    logit = f"a logit of {exact[worst[1]]:.3f} comes out as {found[worst]:.3f}"
    return f"its largest sums are clipped: {logit}, {share:.0%} off"


def _in_calls(engine: Engine, rows: FloatArray, size: int) -> FloatArray:
    """Logits of all rows, over and over where `size` is larger, in calls of so many; (N,), rows in their order."""
    repeated = rows[np.arange(max(size, len(rows))) % len(rows)]
    return np.concatenate([engine.logits(repeated[start : start + size]) for start in range(0, len(repeated), size)])


def largest(sizes: Sequence[int]) -> Network:
    """A network of these sizes whose sums are as large as its number formats allow, by the module's construction."""
    network = Network(sizes).eval().requires_grad_(requires_grad=False)
    for stage in network.linears():
        out, k = stage.weight.shape
        weight = np.full((out, k), 1 / k, np.float32)
        weight[1::2, np.arange(k) // GROUP % 3 == 2] *= -1
        stage.weight.copy_(torch.from_numpy(weight))
        stage.bias.zero_()
    network.high.fill_(INPUT_RANGE)
    return network


def extreme_rows() -> FloatArray:
    """(4, COLUMNS): all inputs at the upper end, at the lower one, at 0, and groups of four at either end in turn."""
    group = np.arange(COLUMNS) // GROUP
    rows = np.stack([np.ones(COLUMNS), -np.ones(COLUMNS), np.zeros(COLUMNS), np.where(group % 3 == 2, -1, 1)])
    return (INPUT_RANGE * rows).astype(np.float32)
