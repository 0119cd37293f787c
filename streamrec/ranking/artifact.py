"""The model artifact: a folder that can be trusted or refused before anything of it runs. Free of torch and of pickle.

    ranker.safetensors   weights, float32
    probe.safetensors    rows (K, COLUMNS) and the fp32 logits (K,) recorded for them when the folder was saved
    manifest.json        manifest.py

`save` writes a new folder beside the target and renames it; a reader never sees half of one. `load` checks existence,
hashes, format, version, vector space, features and numbers, and raises ArtifactError with the file, what was expected
and what came, and the cure.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as tensors_of
from safetensors.numpy import save as bytes_of

from ..errors import ArtifactError
from .calibration import Calibration
from .manifest import FORMAT, RETRAIN, Interval, Manifest, decode, encode
from .scores import COLUMNS, FloatArray

MANIFEST, WEIGHTS, PROBE = "manifest.json", "ranker.safetensors", "probe.safetensors"
COPY_AGAIN = "copy the folder again from where it was trained"


@dataclass(frozen=True)
class Probe:
    """Rows recorded at training, what fp32 said of them, and how far int8 may be from that."""

    rows: FloatArray  # (K, COLUMNS)
    logits: FloatArray  # (K,)
    tolerance: float  # probability


@dataclass(frozen=True)
class Artifact:
    """A folder that passed every check."""

    manifest: Manifest
    weights: dict[str, FloatArray]
    probe: Probe


def save(
    folder: Path,
    *,
    name: str,
    space_id: str,
    fingerprint: str,
    sizes: tuple[int, ...],
    weights: Mapping[str, FloatArray],
    calibration: Calibration,
    min_score: float,
    metrics: Mapping[str, Interval],
    probe: Probe,
    created_at: str,
) -> Manifest:
    """Write the folder, replacing one of that name; ArtifactError for numbers that must never be served."""
    _check_shapes(weights, sizes, str(folder / WEIGHTS))
    _check_finite(weights, str(folder / WEIGHTS))
    files = {WEIGHTS: bytes_of(dict(weights)), PROBE: bytes_of({"rows": probe.rows, "logits": probe.logits})}
    manifest = Manifest(
        format=FORMAT,
        name=name,
        version="",
        space_id=space_id,
        feature_fingerprint=fingerprint,
        sizes=sizes,
        calibration=calibration,
        min_score=min_score,
        metrics=dict(metrics),
        int8_tolerance=probe.tolerance,
        files={name: hashlib.sha256(raw).hexdigest() for name, raw in files.items()},
        created_at=created_at,
    ).sealed()
    files[MANIFEST] = encode(manifest)
    decode(files[MANIFEST], str(folder / MANIFEST))  # what cannot be loaded is not saved
    _replace_folder(folder, files)
    return manifest


def load(folder: Path, *, expected_space_id: str, expected_fingerprint: str) -> Artifact:
    """Read and check the folder; ArtifactError names the first thing that is wrong with it."""
    manifest = decode(_read(folder / MANIFEST), str(folder / MANIFEST))
    if manifest.space_id != expected_space_id:
        raise ArtifactError(
            f"{folder / MANIFEST}: space_id is {manifest.space_id!r}, expected {expected_space_id!r};"
            " the model was trained on another encoder's vectors: train it on this one's"
        )
    if manifest.feature_fingerprint != expected_fingerprint:
        raise ArtifactError(
            f"{folder / MANIFEST}: feature_fingerprint is {manifest.feature_fingerprint!r}, expected"
            f" {expected_fingerprint!r}; the features have changed since: {RETRAIN}"
        )
    weights = _tensors(folder / WEIGHTS, manifest)
    _check_shapes(weights, manifest.sizes, str(folder / WEIGHTS))
    _check_finite(weights, str(folder / WEIGHTS))
    recorded = _tensors(folder / PROBE, manifest)
    rows, logits = recorded.get("rows"), recorded.get("logits")
    if rows is None or logits is None or rows.shape != (len(logits), COLUMNS) or not len(logits):
        raise ArtifactError(f"{folder / PROBE}: expected rows (K, {COLUMNS}) and logits (K,), K > 0; {RETRAIN}")
    _check_finite(recorded, str(folder / PROBE))
    return Artifact(manifest, weights, Probe(rows, logits, manifest.int8_tolerance))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtifactError(
            f"{path}: cannot be read ({error.strerror}); expected a model folder holding {MANIFEST}, {WEIGHTS} and"
            f" {PROBE}: check STREAMREC_MODEL_DIR, or {COPY_AGAIN}"
        ) from None


def _tensors(path: Path, manifest: Manifest) -> dict[str, NDArray[np.float32]]:
    raw = _read(path)
    expected, got = manifest.files.get(path.name, "none"), hashlib.sha256(raw).hexdigest()
    if got != expected:
        raise ArtifactError(
            f"{path}: sha256 is {got[:12]}, expected {expected[:12]}; truncated or altered: {COPY_AGAIN}"
        )
    try:
        tensors: dict[str, NDArray[np.float32]] = tensors_of(raw)
    except SafetensorError as error:
        raise ArtifactError(f"{path}: not a safetensors file ({error}); {RETRAIN}") from None
    return tensors


def _check_shapes(weights: Mapping[str, FloatArray], sizes: tuple[int, ...], path: str) -> None:
    if sizes[0] != COLUMNS:
        raise ArtifactError(f"{path}: the network takes {sizes[0]} columns, expected {COLUMNS}; {RETRAIN}")
    last = len(sizes) - 2
    expected: dict[str, tuple[int, ...]] = {"mean": sizes[:1], "std": sizes[:1], "ceilings": (last,)}
    for number in range(last + 1):
        layer = f"hidden.{number}" if number < last else "output"
        expected |= {f"{layer}.weight": (sizes[number + 1], sizes[number]), f"{layer}.bias": (sizes[number + 1],)}
    for name in sorted(expected.keys() | weights.keys()):
        got = weights[name].shape if name in weights else "missing"
        if got != expected.get(name):
            raise ArtifactError(f"{path}: tensor {name!r} is {got}, expected {expected.get(name, 'none')}; {RETRAIN}")


def _check_finite(tensors: Mapping[str, FloatArray], path: str) -> None:
    for name, array in tensors.items():
        if array.dtype != np.float32:
            raise ArtifactError(f"{path}: tensor {name!r} is {array.dtype}, expected float32; {RETRAIN}")
        if not np.isfinite(array).all():
            raise ArtifactError(
                f"{path}: tensor {name!r} holds NaN or infinity, expected finite numbers; training diverged: {RETRAIN}"
            )


def _replace_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists() and not (folder / MANIFEST).exists() and any(folder.iterdir()):
        raise ArtifactError(f"{folder}: exists and is no model folder; expected a free name: choose another one")
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, raw in files.items():
            (scratch / name).write_bytes(raw)
        scratch.chmod(0o755)  # mkdtemp makes it private, but the worker may run as another user
        old = scratch.with_name(f"{scratch.name}-old")
        if folder.exists():
            folder.rename(old)  # a full folder cannot be renamed over; a reader in between finds none and says so
        try:
            scratch.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
