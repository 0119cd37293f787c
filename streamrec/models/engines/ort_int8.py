"""ONNX Runtime, int8 with fixed scales: 8-bit activations, 7-bit weights with a scale for each output.

The graph carries the scales (fixed_point.py, onnx_graph.py), so a row never sees its neighbours, and integer sums are
exact. With 8-bit weights this kernel saturates on AVX2; 7 bits are what its tools call `reduce_range`.
"""

from ..network import Network
from .contract import EngineName
from .onnx_session import Session


class OrtInt8(Session):
    """The network in whole numbers, as fixed_point.py makes it, in ONNX Runtime; one thread."""

    name: EngineName = "ort_int8"

    def __init__(self, network: Network) -> None:
        super().__init__(network, int8=True)
