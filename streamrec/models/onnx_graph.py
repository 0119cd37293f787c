"""The network as an ONNX graph of standard operators: features (N, COLUMNS) -> logit (N,), float32.

    fp32    Gather, Sub, Div, Clip, then Gemm and Clip for each stage
    int8    the same head, then QuantizeLinear, DequantizeLinear, Gemm for each stage ("QDQ" form), scales fixed

ONNX Runtime folds each quantize-dequantize-Gemm into one integer kernel; another runtime that does not computes the
same numbers in float. Not DynamicQuantizeLinear: it takes its scale from the call, so that a row's score would depend
on its neighbours (measured on 3,000 rows: up to 0.1 in the logit), and fixed scales are also a pass cheaper.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..engine.scores import COLUMNS
from .fixed_point import stages_of
from .network import INPUT_RANGE, Network

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

OPSET, IR_VERSION = 17, 8  # of 2022: read by every runtime in use
FEATURES, LOGIT = "features", "logit"


class Graph:
    """A graph as it grows: nodes in order, constants by name."""

    def __init__(self) -> None:
        from onnx import helper, numpy_helper  # noqa: PLC0415 - an extra

        self._make, self._tensor_of = helper, numpy_helper.from_array
        self._nodes: list[NodeProto] = []
        self._constants: dict[str, NDArray[np.generic]] = {}

    def node(self, operator: str, *inputs: str, to: str, **attributes: Any) -> str:
        """Append a node with one output; answers the output's name."""
        self._nodes.append(self._make.make_node(operator, list(inputs), [to], **attributes))
        return to

    def constant(self, name: str, value: ArrayLike, dtype: type[np.generic] = np.float32) -> str:
        """Add a constant to the graph; answers its name."""
        self._constants[name] = np.ascontiguousarray(value, dtype).reshape(np.shape(value))
        return name

    def model(self, outputs: tuple[str, ...]) -> "ModelProto":
        """The graph as a checked ONNX model; each output is (N,) float32."""
        import onnx  # noqa: PLC0415 - an extra

        info, float32 = self._make.make_tensor_value_info, onnx.TensorProto.FLOAT
        graph = self._make.make_graph(
            self._nodes,
            "ranker",
            [info(FEATURES, float32, ["N", COLUMNS])],
            [info(name, float32, ["N"]) for name in outputs],
            [self._tensor_of(array, name) for name, array in self._constants.items()],
        )
        model = self._make.make_model(graph, opset_imports=[self._make.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        return model


def graph_of(network: Network, *, int8: bool) -> Graph:
    """The network as a graph from features (N, COLUMNS) to LOGIT (N,), to which a caller may add outputs."""
    graph = Graph()
    h = _standardised(graph, network)
    h = _int8_stages(graph, network, h) if int8 else _fp32_stages(graph, network, h)
    graph.node("Squeeze", h, graph.constant("last_axis", [1], np.int64), to=LOGIT)
    return graph


def _standardised(graph: Graph, network: Network) -> str:
    x = FEATURES
    if network.sizes[0] != COLUMNS:
        x = graph.node("Gather", x, graph.constant("columns", network.columns, np.int64), to="chosen", axis=1)
    centred = graph.node("Sub", x, graph.constant("mean", network.mean), to="centred")
    scaled = graph.node("Div", centred, graph.constant("std", network.std), to="scaled")
    ends = graph.constant("input_low", -INPUT_RANGE), graph.constant("input_high", INPUT_RANGE)
    return graph.node("Clip", scaled, *ends, to="input")


def _fp32_stages(graph: Graph, network: Network, h: str) -> str:
    bounds = [*network.bounds(), None]  # the last stage has none
    for i, (stage, bound) in enumerate(zip(network.linears(), bounds, strict=True)):
        weight = graph.constant(f"weight{i}", stage.weight.detach().T)
        h = graph.node("Gemm", h, weight, graph.constant(f"bias{i}", stage.bias.detach()), to=f"sum{i}")
        if bound:
            ends = graph.constant(f"low{i}", bound[0]), graph.constant(f"high{i}", bound[1])
            h = graph.node("Clip", h, *ends, to=f"hidden{i}")
    return h


def _int8_stages(graph: Graph, network: Network, h: str) -> str:
    for i, stage in enumerate(stages_of(network)):
        of_input = graph.constant(f"scale{i}", stage.scale), graph.constant(f"zero{i}", stage.zero, np.uint8)
        steps = graph.node("QuantizeLinear", h, *of_input, to=f"steps{i}")  # also the clamp to [low, high]
        a = graph.node("DequantizeLinear", steps, *of_input, to=f"input{i}")
        zeros = np.zeros(len(stage.weight))
        weight = graph.node(
            "DequantizeLinear",
            graph.constant(f"weight_steps{i}", stage.weight.T, np.int8),
            graph.constant(f"weight_scale{i}", stage.weight_scale),
            graph.constant(f"weight_zero{i}", zeros, np.int8),
            to=f"weight{i}",
            axis=1,
        )
        bias = graph.node(
            "DequantizeLinear",
            graph.constant(f"bias_steps{i}", stage.bias_steps, np.int32),
            graph.constant(f"bias_scale{i}", stage.weight_scale * np.float32(stage.scale)),
            graph.constant(f"bias_zero{i}", zeros, np.int32),
            to=f"bias{i}",
            axis=0,
        )
        h = graph.node("Gemm", a, weight, bias, to=f"sum{i}")
    return h
