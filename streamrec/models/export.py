"""A ranker outside this program: one ONNX file with its calibration inside and its contract beside it.

    features (N, COLUMNS) float32  ->  p_click (N,) calibrated P(click), logit (N,)

Row i of `features` is one candidate; its columns are named, in order, in the file's metadata, so that an app can fill
them from JSON without this program. The metadata, all text:

    features             the names of all columns, JSON list: "product_0".."product_63", then the scalar features
    feature_fingerprint  of the functions that compute them (engine/features/features.py): another: other numbers
    space_id, encoder    of the article vectors the products are made of
    name, version        of the artifact, as pushes carry them
    precision            int8 (fixed scales) or fp32
    calibration          {"a": .., "b": ..}, already applied in p_click
    min_score            the threshold suggested with the model
    recipe               how it was compressed, JSON, or empty

Standard operators of opset 17 only. What is written has been run on the artifact's recorded rows and found within the
tolerance of the admission check. ArtifactError where it is not, where the extra `onnx` is missing, or where the file
cannot be written.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..engine.predictor import COLUMN_NAMES, COLUMNS
from ..errors import ArtifactError
from ..onnx_models import missing, session_of
from .artifact import Artifact
from .calibration import Calibration
from .manifest import Manifest
from .network import Network, network_of
from .onnx_graph import FEATURES as FEATURES_INPUT
from .onnx_graph import LOGIT, graph_of
from .parity import FP32_TOLERANCE, tolerance_of

P_CLICK = "p_click"


def export(artifact: Artifact, file: Path, *, int8: bool) -> dict[str, str]:
    """Write the file; answers the metadata that stands in it."""
    if reason := missing():
        raise ArtifactError(f"an ONNX file cannot be written: {reason}")
    manifest = artifact.manifest
    told = contract(manifest, int8=int8)
    raw = encoded(network_of(manifest.sizes, artifact.weights), manifest.calibration, told, int8=int8)
    _check(raw, artifact, int8=int8)
    try:
        file.write_bytes(raw)
    except OSError as error:
        raise ArtifactError(f"{file}: cannot be written ({error.strerror}); choose another file") from None
    return told


def encoded(
    network: Network, calibration: Calibration, told: Mapping[str, str], *, int8: bool, width: int = COLUMNS
) -> bytes:
    """The bytes of the file: the network of features (N, width) with its calibration, and what is told beside it."""
    graph = graph_of(network, int8=int8, width=width)
    scaled = graph.node("Mul", LOGIT, graph.constant(calibration.a, name="a"), out="scaled_logit")
    shifted = graph.node("Add", scaled, graph.constant(calibration.b, name="b"), out="shifted_logit")
    graph.node("Sigmoid", shifted, out=P_CLICK)
    model = graph.model("ranker", {FEATURES_INPUT: ["N", width]}, {P_CLICK: ["N"], LOGIT: ["N"]})
    for key, value in told.items():
        model.metadata_props.add(key=key, value=value)
    return bytes(model.SerializeToString())


def _check(raw: bytes, artifact: Artifact, *, int8: bool) -> None:
    probe, calibration = artifact.probe, artifact.manifest.calibration
    (p_click,) = session_of(raw).run([P_CLICK], {FEATURES_INPUT: probe.rows})
    delta = float(np.abs(p_click - calibration.probability(probe.logits)).max())
    limit = tolerance_of(probe) if int8 else FP32_TOLERANCE
    if not delta <= limit:
        raise ArtifactError(
            f"the exported model is {delta:.4f} in P(click) from what was recorded, expected at most {limit:.4f};"
            " export it without --int8"
        )


def contract(manifest: Manifest, *, int8: bool) -> dict[str, str]:
    """Metadata of an exported ONNX file: the columns it expects, and which artifact it was made from."""
    return {
        "features": json.dumps(COLUMN_NAMES),
        "feature_fingerprint": manifest.feature_fingerprint,
        "space_id": manifest.space_id,
        "encoder": manifest.encoder,
        "name": manifest.name,
        "version": manifest.version,
        "precision": "int8" if int8 else "fp32",
        "calibration": json.dumps({"a": manifest.calibration.a, "b": manifest.calibration.b}),
        "min_score": str(manifest.min_score),
        "recipe": manifest.recipe,
    }
