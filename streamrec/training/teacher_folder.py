"""A teacher on disk: what `streamrec train --teacher` writes and `streamrec compress` reads. Never pickle.

    teacher.safetensors   weights, float32
    manifest.json         TeacherManifest

The same promises as the served artifact's (models/artifact.py): written whole or not at all; hashes, format, version,
vector space, features and numbers are checked before anything of it runs; ArtifactError names the file, what was
expected and what came, and the cure. A teacher cannot be served: a worker refuses its format.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.numpy import save as bytes_of

from ..clock import now_iso
from ..engine.features.fingerprint import fingerprint
from ..engine.predictor import Arrays
from ..errors import ArtifactError
from ..models.artifact import MANIFEST, check_finite, check_shapes, replace_folder, tensors_in
from ..models.manifest import Interval, Sealed, encode, unsealed
from ..settings import Settings
from .teacher import Teacher

FORMAT = "teacher-1"
WEIGHTS = "teacher.safetensors"
RETRAIN = "train the teacher again: streamrec train ... --teacher"


class TeacherManifest(Sealed, frozen=True, omit_defaults=True):
    """manifest.json: what a teacher was trained on and with, by which it is known whether it fits a command."""

    format: str
    log: str  # what it was trained on
    test_from_ms: int  # trained on impressions before this time only; judge it, and what comes of it, on later ones
    seed: int
    width: int
    heads: int
    encoder: str
    space_id: str  # the vector space of its articles
    feature_fingerprint: str
    metrics: dict[str, Interval]  # on the impressions that stopped the training
    files: dict[str, str]  # SHA-256 by file name
    half_life_h: float | None = None  # STREAMREC_INTEREST_HALF_LIFE_H of the profiles it saw; None: not recorded


class Saved(NamedTuple):
    """A folder that passed every check; the teacher is in evaluation mode."""

    manifest: TeacherManifest
    teacher: Teacher


def save(
    folder: Path,
    teacher: Teacher,
    *,
    log: str,
    test_from_ms: int,
    seed: int,
    settings: Settings,
    space_id: str,
    metrics: Mapping[str, Interval],
) -> TeacherManifest:
    """Write the folder, replacing one of that name; ArtifactError for numbers nobody can use.

    Of the settings the encoder and the half-life are recorded, by which its rows were made.
    """
    weights = {name: tensor.detach().cpu().numpy().copy() for name, tensor in teacher.state_dict().items()}
    check_finite(weights, str(folder / WEIGHTS))
    raw = bytes_of(weights)
    manifest = TeacherManifest(
        format=FORMAT,
        version="",
        log=log,
        test_from_ms=test_from_ms,
        seed=seed,
        width=teacher.width,
        heads=teacher.heads,
        encoder=settings.encoder,
        space_id=space_id,
        feature_fingerprint=fingerprint(),
        metrics=dict(metrics),
        files={WEIGHTS: hashlib.sha256(raw).hexdigest()},
        created_at=now_iso(),
        half_life_h=settings.interest_half_life_h,
    ).sealed()
    replace_folder(folder, {WEIGHTS: raw, MANIFEST: encode(manifest)})
    return manifest


def load(folder: Path, *, expected_space_id: str, expected_fingerprint: str) -> Saved:
    """Read and check the folder; ArtifactError names the first thing that is wrong with it."""
    manifest = read_manifest(folder)
    path = folder / MANIFEST
    if manifest.space_id != expected_space_id:
        raise ArtifactError(
            f"{path}: space_id is {manifest.space_id!r}, expected {expected_space_id!r}; the teacher was trained on"
            f" another encoder's vectors ({manifest.encoder}): use that one, or {RETRAIN}"
        )
    if manifest.feature_fingerprint != expected_fingerprint:
        raise ArtifactError(
            f"{path}: feature_fingerprint is {manifest.feature_fingerprint!r}, expected {expected_fingerprint!r}; the"
            f" features have changed since: {RETRAIN}"
        )
    path = folder / WEIGHTS
    weights = tensors_in(_read(path), path, manifest.files, RETRAIN)
    check_finite(weights, str(path))
    return Saved(manifest, _teacher(manifest, weights, str(path)))


def read_manifest(folder: Path) -> TeacherManifest:
    """The manifest alone, so that a command knows which encoder to take before it loads the rest."""
    path = folder / MANIFEST
    return unsealed(TeacherManifest, _read(path), str(path), FORMAT, RETRAIN)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtifactError(
            f"{path}: cannot be read ({error.strerror}); expected a teacher's folder holding {MANIFEST} and {WEIGHTS}:"
            f" {RETRAIN}"
        ) from None


def _teacher(manifest: TeacherManifest, weights: Arrays, path: str) -> Teacher:
    width, heads = manifest.width, manifest.heads
    if not (0 < heads <= width <= 4096 and width % heads == 0 and width % 2 == 0):
        raise ArtifactError(f"{path}: width {width} and {heads} heads make no teacher; {RETRAIN}")
    teacher = Teacher(width, heads)
    expected = {name: tuple(tensor.shape) for name, tensor in teacher.state_dict().items()}
    check_shapes(weights, expected, path, RETRAIN)
    teacher.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in weights.items()})
    return teacher.eval()
