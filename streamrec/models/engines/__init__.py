"""The engines by name, and which of them this machine can build.

    torch_int8    quantize_dynamic, the default          ort_int8    ONNX Runtime, fixed scales (extra `onnx`)
    onednn_int8   its successor: torch, fixed scales     ort_fp32    ONNX Runtime (extra `onnx`)
    torch_fp32    the reference                          numpy_fp32  numpy

Speed beside torch_fp32: `streamrec bench engines`.
"""

from collections.abc import Callable, Mapping

from ... import onnx_models
from ...errors import ArtifactError
from ..network import Network
from . import onednn_int8, torch_int8
from .contract import Engine, EngineName, precision_of
from .numpy_fp32 import NumpyFp32
from .onednn_int8 import OnednnInt8
from .ort import OrtFp32, OrtInt8
from .torch_fp32 import TorchFp32
from .torch_int8 import TorchInt8

ENGINES: Mapping[EngineName, Callable[[Network], Engine]] = {
    "torch_int8": TorchInt8,
    "onednn_int8": OnednnInt8,
    "ort_int8": OrtInt8,
    "ort_fp32": OrtFp32,
    "numpy_fp32": NumpyFp32,
    "torch_fp32": TorchFp32,
}

SUCCESSORS: Mapping[EngineName, EngineName] = {"torch_int8": "onednn_int8"}  # the same weights, another arithmetic

_MISSING: Mapping[EngineName, Callable[[], str]] = {
    "torch_int8": torch_int8.missing,
    "onednn_int8": onednn_int8.missing,
    "ort_int8": onnx_models.missing,
    "ort_fp32": onnx_models.missing,
}


def available() -> dict[EngineName, str]:
    """Every engine with "ok", or the reason why it cannot be built here."""
    return {name: missing(name) or "ok" for name in ENGINES}


def missing(name: EngineName) -> str:
    """Why this engine cannot be built here; empty if it can. The libraries of the others are not imported for it."""
    return _MISSING[name]() if name in _MISSING else ""


def engine_of(name: EngineName, network: Network) -> Engine:
    """The engine of that name; ArtifactError with the reason if it cannot be built here."""
    if reason := missing(name):
        raise ArtifactError(f"engine {name} cannot run here: {reason}; set STREAMREC_ENGINE=auto, or one that can")
    return ENGINES[name](network)


def or_successor(name: EngineName) -> EngineName:
    """That engine, or the one that takes its place where a library has dropped what it was made of."""
    after = SUCCESSORS.get(name)
    return after if after and missing(name) and not missing(after) else name


def int8_name() -> EngineName:
    """What `int8` means here: the first int8 engine that can be built; ArtifactError if there is none."""
    reasons: list[str] = []
    for name in ENGINES:
        if precision_of(name) == "int8":
            if not (reason := missing(name)):
                return name
            reasons.append(f"{name}: {reason}")
    raise ArtifactError(f"no int8 engine can run here ({'; '.join(reasons)}); set STREAMREC_ENGINE=fp32 or auto")
