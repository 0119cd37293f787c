"""What is compressed: a teacher's folder, or a served ranker's. The two are told apart by the file of weights.

Both know the encoder whose vectors they were trained on, the log, and the time before which its impressions lie, so
that nothing is judged on what it has learned by heart. A ranker of an earlier release knows neither log nor time.
"""

import logging
from pathlib import Path
from typing import NamedTuple

from torch import nn

from ..content.encoders import encoder_of
from ..engine.features.fingerprint import fingerprint
from ..errors import DataError
from ..models.artifact import MANIFEST, manifest_of
from ..models.artifact import load as load_ranker
from ..models.manifest import Manifest
from ..models.network import network_of
from ..training import teacher_folder

log = logging.getLogger(__name__)


class Source(NamedTuple):
    """A trained model, and what has to be the same for what is made of it."""

    model: nn.Module
    version: str
    encoder: str
    space_id: str
    test_from_ms: int | None  # judge on impressions from here on; None: not recorded
    log: str = ""  # what it was trained on; empty: not recorded
    half_life_h: float | None = None  # of the profiles it saw; None: not recorded


def load_source(folder: Path) -> Source:
    """The model of a folder; ArtifactError if it cannot be trusted or was trained on other vectors or features."""
    if not (folder / MANIFEST).exists() or (folder / teacher_folder.WEIGHTS).exists():
        space_id = encoder_of(teacher_folder.read_manifest(folder).encoder).space_id
        saved = teacher_folder.load(folder, expected_space_id=space_id, expected_fingerprint=fingerprint())
        return source_of(saved.teacher, saved.manifest)
    space_id = encoder_of(manifest_of(folder).encoder).space_id
    artifact = load_ranker(folder, expected_space_id=space_id, expected_fingerprint=fingerprint())
    return source_of(network_of(artifact.manifest.sizes, artifact.weights), artifact.manifest)


def source_of(model: nn.Module, of: Manifest | teacher_folder.TeacherManifest) -> Source:
    """A model with what its manifest says of its training."""
    return Source(model, of.version, of.encoder, of.space_id, of.test_from_ms, of.log, of.half_life_h)


def check_log(trained_on: str, chosen: str) -> None:
    """DataError if what was trained on one log would be compressed and judged on another."""
    if trained_on not in {"", chosen}:
        raise DataError(
            f"--log is {chosen!r}, but the model was trained on {trained_on!r}: give that, or train on this"
        )


def check_unseen(trained_until_ms: int, test_from_ms: int | None) -> None:
    """DataError if the test window would hold what the model has learned from; None is wherever that ends."""
    if test_from_ms is not None and test_from_ms < trained_until_ms:
        raise DataError(
            f"the test window begins {(trained_until_ms - test_from_ms) / 3_600_000:.1f} h before the teacher stopped"
            " learning; expected it after: give a later --test-from, or train the teacher with this one"
        )


def judged_from(source: Source, first_ms: int, test_from_ms: int | None) -> int | None:
    """Where the test window of a log that begins at `first_ms` begins; None: anywhere. DataError as above."""
    if source.test_from_ms is None:
        log.warning(
            "the model does not say what it has learned from: it is of an earlier release. If the test window holds"
            " some of that, the losses found are wrong: give --test-from as it was trained with, or train it again"
        )
        return test_from_ms
    check_unseen(source.test_from_ms, test_from_ms)
    return source.test_from_ms if test_from_ms is None and first_ms < source.test_from_ms else test_from_ms
