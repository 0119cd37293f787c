"""The network as an ONNX graph of standard operators: features (N, COLUMNS) -> logit (N,), float32.

    fp32    Gather, Sub, Div, Clip, then Gemm and Clip for each stage
    int8    the same head, then QuantizeLinear, DequantizeLinear, Gemm for each stage ("QDQ" form), scales fixed

ONNX Runtime folds each quantize-dequantize-Gemm into one integer kernel; another runtime that does not computes the
same numbers in float. Not DynamicQuantizeLinear: it takes its scale from the call, so that a row's score would depend
on its neighbours (measured on 3,000 rows: up to 0.1 in the logit), and fixed scales are also a pass cheaper.
"""

import numpy as np

from ..engine.predictor import COLUMNS
from ..onnx_models import Graph, Shapes
from .fixed_point import stages_of
from .network import INPUT_RANGE, Network

FEATURES, LOGIT = "features", "logit"
INPUTS: Shapes = {FEATURES: ["N", COLUMNS]}


def graph_of(network: Network, *, int8: bool, width: int = COLUMNS) -> Graph:
    """The network as a graph from features (N, width) to LOGIT (N,), to which a caller may add outputs."""
    graph = Graph()
    h = _standardised(graph, network, width)
    h = _int8_stages(graph, network, h) if int8 else _fp32_stages(graph, network, h)
    graph.node("Squeeze", h, graph.constant([1], np.int64, name="last_axis"), out=LOGIT)
    return graph


def _standardised(graph: Graph, network: Network, width: int) -> str:
    x = FEATURES
    if network.sizes[0] != width:
        x = graph.node("Gather", x, graph.constant(network.columns, np.int64, name="columns"), out="chosen", axis=1)
    centred = graph.node("Sub", x, graph.constant(network.mean, name="mean"), out="centred")
    scaled = graph.node("Div", centred, graph.constant(network.std, name="std"), out="scaled")
    ends = graph.constant(-INPUT_RANGE, name="input_low"), graph.constant(INPUT_RANGE, name="input_high")
    return graph.node("Clip", scaled, *ends, out="input")


def _fp32_stages(graph: Graph, network: Network, h: str) -> str:
    bounds = [*network.bounds(), None]  # the last stage has none
    for i, (stage, bound) in enumerate(zip(network.linears(), bounds, strict=True)):
        weight = graph.constant(stage.weight.detach().T, name=f"weight{i}")
        h = graph.node("Gemm", h, weight, graph.constant(stage.bias.detach(), name=f"bias{i}"), out=f"sum{i}")
        if bound:
            ends = graph.constant(bound[0], name=f"low{i}"), graph.constant(bound[1], name=f"high{i}")
            h = graph.node("Clip", h, *ends, out=f"hidden{i}")
    return h


def _int8_stages(graph: Graph, network: Network, h: str) -> str:
    for i, stage in enumerate(stages_of(network)):
        of_input = graph.constant(stage.scale, name=f"scale{i}"), graph.constant(stage.zero, np.uint8, name=f"zero{i}")
        steps = graph.node("QuantizeLinear", h, *of_input, out=f"steps{i}")  # also the clamp to [low, high]
        a = graph.node("DequantizeLinear", steps, *of_input, out=f"input{i}")
        zeros = np.zeros(len(stage.weight))
        weight = graph.node(
            "DequantizeLinear",
            graph.constant(stage.weight.T, np.int8, name=f"weight_steps{i}"),
            graph.constant(stage.weight_scale, name=f"weight_scale{i}"),
            graph.constant(zeros, np.int8, name=f"weight_zero{i}"),
            out=f"weight{i}",
            axis=1,
        )
        bias = graph.node(
            "DequantizeLinear",
            graph.constant(stage.bias_steps, np.int32, name=f"bias_steps{i}"),
            graph.constant(stage.weight_scale * np.float32(stage.scale), name=f"bias_scale{i}"),
            graph.constant(zeros, np.int32, name=f"bias_zero{i}"),
            out=f"bias{i}",
            axis=0,
        )
        h = graph.node("Gemm", a, weight, bias, out=f"sum{i}")
    return h
