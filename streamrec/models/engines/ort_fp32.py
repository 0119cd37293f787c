"""ONNX Runtime, float32: the network without torch's overhead of some 30 us a layer.

Its matrix product adds up each row in the same order in a call of any size, so nothing is padded.
"""

from ..network import Network
from .contract import EngineName
from .onnx_session import Session


class OrtFp32(Session):
    """The network in ONNX Runtime, float32, one thread."""

    name: EngineName = "ort_fp32"

    def __init__(self, network: Network) -> None:
        super().__init__(network, int8=False)
