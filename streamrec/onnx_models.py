"""ONNX models: built node by node, and run by ONNX Runtime. Needs the packages of EXTRA.

    graph = Graph()
    h = graph.node("Gemm", "features", graph.constant(weight), graph.constant(bias))
    model = graph.model("name", {"features": ["N", 96]}, {h: ["N", 1]})        inputs and outputs are float32
    session_of(model).run(...)

Standard operators only, of an opset that every runtime in use can read.

The packages of ONNX Runtime (1.32 does, on Linux) report to their maker, and keep an id for that in the home folder.
That is switched off here, before any of it is loaded: so nothing else may import it.
"""

import os
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

os.putenv("ORT_DISABLE_TELEMETRY", "1")
OPSET, IR_VERSION = 17, 8  # of 2022
EXTRA = ("onnx", "onnxruntime")

Shapes = Mapping[str, Sequence[int | str]]  # by name of a value; a dimension with a name is free


def missing() -> str:
    """Why no model can be built or run here; empty if one can."""
    absent = [name for name in EXTRA if find_spec(name) is None]
    if absent:
        return f"{' and '.join(absent)} not installed: pip install 'streamrec[onnx]'"
    return next(filter(None, map(_fault, EXTRA)), "")


@cache
def _fault(name: str) -> str:
    """What its import says: a package that is there may be one of another Python, numpy or C library."""
    try:
        import_module(name)
    except Exception as error:  # noqa: BLE001 - whatever it is, what needs no ONNX can serve
        said = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        return f"{name} is installed but cannot be imported ({said}): install it again, or take it away"
    return ""


def session_of(model: bytes) -> Any:
    """An `onnxruntime.InferenceSession` on one thread: one core is a worker's share, and a second one spins."""
    import onnxruntime  # noqa: PLC0415 - an extra

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors; a warning of its optimizer says nothing to who runs a worker
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class Graph:
    """A graph as it grows: nodes in order, constants by name. A value is known by its name."""

    def __init__(self) -> None:
        from onnx import helper, numpy_helper  # noqa: PLC0415 - an extra

        self._make, self._tensor_of = helper, numpy_helper.from_array
        self._nodes: list[NodeProto] = []
        self._constants: dict[str, NDArray[np.generic]] = {}

    def constant(self, value: ArrayLike, dtype: type[np.generic] = np.float32, *, name: str = "") -> str:
        """Add a constant; answers its name."""
        name = name or f"c{len(self._constants)}"
        self._constants[name] = np.ascontiguousarray(value, dtype).reshape(np.shape(value))
        return name

    def node(self, operator: str, *inputs: str, out: str = "", outputs: int = 1, **attributes: Any) -> str:
        """Append a node; answers the name of its first output. The others are that name with ".1", ".2", ..."""
        out = out or f"n{len(self._nodes)}"
        names = [out, *(f"{out}.{number}" for number in range(1, outputs))]
        self._nodes.append(self._make.make_node(operator, list(inputs), names, **attributes))
        return out

    def model(self, name: str, inputs: Shapes, outputs: Shapes) -> "ModelProto":
        """The graph as a checked ONNX model."""
        import onnx  # noqa: PLC0415 - an extra

        given, found = (
            [self._make.make_tensor_value_info(value, onnx.TensorProto.FLOAT, shape) for value, shape in shapes.items()]
            for shapes in (inputs, outputs)
        )
        constants = [self._tensor_of(array, constant) for constant, array in self._constants.items()]
        graph = self._make.make_graph(self._nodes, name, given, found, constants)
        model = self._make.make_model(graph, opset_imports=[self._make.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        return model
