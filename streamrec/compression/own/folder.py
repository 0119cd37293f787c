"""The folder of a compressed module of one's own. No worker serves it: its columns are not those of a worker.

compressed.safetensors   weights in the fewest bytes that give them back to the bit: store.load_model(path, build())
model.onnx               of a student: features (N, F) float32 -> p_click (N,), logit (N,)
manifest.json            OwnManifest: columns in their order, recipe, calibration, verdict
"""

import hashlib
import json
from pathlib import Path

from torch import nn

from ...clock import now_iso
from ...models.artifact import MANIFEST, replace_folder
from ...models.calibration import Calibration, fit_calibration
from ...models.export import encoded
from ...models.manifest import Sealed, encode
from ...models.network import Network
from ...onnx_models import missing
from ...training.model import logits_of
from ...training.rows import Rows
from ..store import FILE
from ..store import encode as weights_of
from ..verdict import Verdict

FORMAT = "own-1"
ONNX = "model.onnx"


class OwnManifest(Sealed, frozen=True):
    """manifest.json: what a program needs that fills the columns."""

    format: str
    columns: list[str]
    recipe: str
    calibration: Calibration
    verdict: Verdict
    files: dict[str, str]  # SHA-256 by file name


def write(
    folder: Path, model: nn.Module, columns: list[str], recipe: str, held_out: Rows, verdict: Verdict
) -> OwnManifest:
    """Write it, calibrated on held-out rows, replacing one of that name."""
    calibration = fit_calibration(logits_of(model, held_out), held_out.clicked)
    files = {FILE: weights_of(model)}
    if isinstance(model, Network) and not missing():
        told = {"features": json.dumps(columns), "recipe": recipe}
        files[ONNX] = encoded(model, calibration, told, int8=False, width=len(columns))
    manifest = OwnManifest(
        version="",
        created_at=now_iso(),
        format=FORMAT,
        columns=columns,
        recipe=recipe,
        calibration=calibration,
        verdict=verdict,
        files={name: hashlib.sha256(raw).hexdigest() for name, raw in files.items()},
    ).sealed()
    replace_folder(folder, files | {MANIFEST: encode(manifest)})
    return manifest
