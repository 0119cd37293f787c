"""The sentence encoder's network as an ONNX graph, in fp32 or int8, for one text of T tokens.

    rows (T, 512) -> three branches of two n-gram layers each (n = 2, 3, 5) beside the rows (T, 1280)
                  -> layer norm -> sum over tokens / sqrt(T) -> dense layers with a shortcut -> tanh (1, 512)

Architecture: Universal Sentence Encoder multilingual v3, CNN variant (Yang et al. 2020), as the package's numpy code
has it; fp32 agrees with that code to 1e-5 (a test asserts it).

int8: weights per output channel, symmetric, in 7 bits (`reduce_range`), activations uint8 per text:

    w = scale_j * q + e,   q in -63..63,   scale_j = max_i |w_ij| / 63,   |e| <= scale_j / 2

AVX2 without VNNI adds two products in 16 bits and clips: 2 * 255 * 127 is above 32,767, but 2 * 255 * 63 is below. A
run takes one text, so the activation scale of a text does not depend on its neighbours.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..arrays import AnyArray, FloatArray
from ..onnx_models import Graph

LEVELS = 63
ORDERS = ((2, 0), (3, 1), (5, 2))  # n of the n-gram, tokens to the left
BRANCH_DIMS = 256
END = np.iinfo(np.int64).max


def quantized(weight: FloatArray) -> tuple[npt.NDArray[np.int8], FloatArray]:
    """Weights (K, N) in -63..63 and their scales (N,)."""
    scale = np.maximum(np.abs(weight).max(0), np.finfo(np.float32).tiny * LEVELS) / LEVELS
    return np.rint(weight / scale).astype(np.int8), scale.astype(np.float32)


def graph_of(weights: Mapping[str, AnyArray], precision: Literal["int8", "fp32"]) -> bytes:
    """The sentence encoder's network with these weights, as the bytes of an ONNX file."""
    graph = _Layers(int8=precision == "int8")
    last = _dense(graph, _tokens(graph, weights), weights)
    return bytes(graph.model("sentence", {"rows": ["T", 512], "tokens": [1]}, {last: [1, 512]}).SerializeToString())


class _Layers(Graph):
    """A graph that grows by the layers of this network."""

    def __init__(self, *, int8: bool) -> None:
        super().__init__()
        self._int8 = int8

    def ints(self, *values: int) -> str:
        return self.constant(values, np.int64)

    def times(self, x: str, weight: FloatArray) -> str:
        """Name of the product x @ weight; in int8, x is quantized by its range at run time."""
        if not self._int8:
            return self.node("MatMul", x, self.constant(weight))
        q, scale = quantized(weight)
        steps = self.node("DynamicQuantizeLinear", x, outputs=3)  # and their scale and zero
        product = self.node("MatMulInteger", steps, self.constant(q, np.int8), f"{steps}.2")
        both = self.node("Mul", f"{steps}.1", self.constant(scale))
        return self.node("Mul", self.node("Cast", product, to=1), both)

    def affine(self, x: str, weight: AnyArray, bias: AnyArray) -> str:
        return self.node("Add", self.times(x, weight), self.constant(bias))

    def norm(self, x: str, gain: AnyArray, bias: AnyArray, epsilon: float) -> str:
        return self.node("LayerNormalization", x, self.constant(gain), self.constant(bias), epsilon=epsilon)

    def columns(self, x: str, start: int, end: int) -> str:
        return self.node("Slice", x, self.ints(start), self.ints(end), self.ints(1))

    def windows(self, x: str, n: int, left: int) -> str:
        """(T, D) -> (T, n * D): each token with its neighbours, zeros beyond the ends."""
        padded = self.node("Pad", x, self.ints(left, 0, n - 1 - left, 0))
        ends = [*range(1 - n, 0), END]
        parts = [
            self.node("Slice", padded, self.ints(start), self.ints(end), self.ints(0)) for start, end in enumerate(ends)
        ]
        return self.node("Concat", *parts, axis=1)


def _tokens(graph: _Layers, weights: Mapping[str, AnyArray]) -> str:
    """(T, 512) rows -> (1, 1280) sum over tokens of rows and n-gram features."""

    def all_orders(name: str) -> AnyArray:
        return np.concatenate([weights[f"{name}{n}"] for n, _ in ORDERS], axis=-1)

    epsilon = float(weights["eps"])
    projected = graph.affine("rows", all_orders("proj"), all_orders("proj_b"))
    projected = graph.norm(projected, all_orders("ln_g"), all_orders("ln_b"), epsilon)
    features = ["rows"]
    for branch, (n, left) in enumerate(ORDERS):
        x = graph.columns(projected, branch * BRANCH_DIMS, (branch + 1) * BRANCH_DIMS)
        for layer in (1, 2):
            weight, bias = weights[f"w{layer}_{n}"], weights[f"b{layer}_{n}"]
            x = graph.node("Add", graph.node("Relu", graph.affine(graph.windows(x, n, left), weight, bias)), x)
        features.append(x)
    normed = graph.norm(graph.node("Concat", *features, axis=1), weights["ln_g"], weights["ln_b"], epsilon)
    return graph.node("ReduceSum", normed, graph.ints(0), keepdims=1)


def _dense(graph: _Layers, total: str, weights: Mapping[str, AnyArray]) -> str:
    bias = graph.node("Mul", "tokens", graph.constant(weights["cnn_b"]))
    summed = graph.node("Add", graph.times(total, weights["cnn_W"]), bias)
    mean = graph.node("Div", summed, graph.node("Sqrt", "tokens"))
    y0 = graph.node("Relu", graph.times(mean, weights["d0"]))
    y1 = graph.node("Relu", graph.node("Add", graph.times(mean, weights["p1"]), graph.times(y0, weights["d1"])))
    y2 = graph.node("Relu", graph.times(y1, weights["d2"]))
    return graph.node("Tanh", graph.node("Add", graph.times(y1, weights["p3"]), graph.times(y2, weights["d3"])))
