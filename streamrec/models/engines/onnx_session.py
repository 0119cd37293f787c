"""A graph in ONNX Runtime, one thread, as an engine's `logits`: what ort_fp32.py and ort_int8.py share."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec

import numpy as np

from ...arrays import FloatArray
from ..network import Network
from ..onnx_graph import FEATURES, LOGIT, graph_of
from .contract import in_blocks

EXTRA = ("onnx", "onnxruntime")


def missing() -> str:
    """Why no session can be made here; empty if one can."""
    absent = [name for name in EXTRA if find_spec(name) is None]
    if absent:
        return f"{' and '.join(absent)} not installed: pip install 'streamrec[onnx]'"
    return next(filter(None, map(_fault, EXTRA)), "")


@cache
def _fault(name: str) -> str:
    """What its import says: a package that is there may be one of another Python, numpy or C library."""
    try:
        import_module(name)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other engines can serve
        said = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        return f"{name} is installed but cannot be imported ({said}): install it again, or take it away"
    return ""


class Session:
    """A compiled graph; rows go through in blocks."""

    def __init__(self, network: Network, *, int8: bool) -> None:
        import onnxruntime  # noqa: PLC0415 - an extra

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors; a warning of its optimizer says nothing to who runs a worker
        graph = graph_of(network, int8=int8).model((LOGIT,))
        self._session = onnxruntime.InferenceSession(
            graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def logits(self, features: FloatArray) -> FloatArray:
        """Logits (N,) float32 of feature rows (N, COLUMNS) float32."""
        return in_blocks(features, self._block)

    def _block(self, x: FloatArray) -> FloatArray:
        logits: FloatArray
        (logits,) = self._session.run((LOGIT,), {FEATURES: np.ascontiguousarray(x)})
        return logits
