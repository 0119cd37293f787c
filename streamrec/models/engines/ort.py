"""ONNX Runtime, float32 or int8: the network without torch's overhead of some 30 us a layer, on one thread.

Its fp32 matrix product adds up each row in the same order in a call of any size, so nothing is padded. In int8 the
graph carries fixed scales (fixed_point.py, onnx_graph.py), so a row never sees its neighbours, and integer sums are
exact: 8-bit activations, 7-bit weights with a scale for each output. With 8-bit weights this kernel saturates on AVX2;
7 bits are what its tools call `reduce_range`.
"""

import numpy as np

from ...arrays import FloatArray
from ...onnx_models import session_of
from ..network import Network
from ..onnx_graph import FEATURES, INPUTS, LOGIT, graph_of
from .contract import EngineName, in_blocks


class _Ort:
    name: EngineName

    def __init__(self, network: Network) -> None:
        graph = graph_of(network, int8=self.name == "ort_int8")
        self._session = session_of(graph.model("ranker", INPUTS, {LOGIT: ["N"]}).SerializeToString())

    def logits(self, features: FloatArray) -> FloatArray:
        """Logits (N,) float32 of feature rows (N, COLUMNS) float32."""
        return in_blocks(features, self._block)

    def _block(self, x: FloatArray) -> FloatArray:
        logits: FloatArray
        (logits,) = self._session.run((LOGIT,), {FEATURES: np.ascontiguousarray(x)})
        return logits


class OrtFp32(_Ort):
    """The network in ONNX Runtime, float32."""

    name = "ort_fp32"


class OrtInt8(_Ort):
    """The network in whole numbers, as fixed_point.py makes it, in ONNX Runtime."""

    name = "ort_int8"
