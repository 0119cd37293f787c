"""What is compressed: a teacher's folder, or a served ranker's. The two are told apart by the file of weights.

Both know the encoder whose vectors they were trained on; a teacher also knows the time before which its training
impressions lie, so that nothing of it is judged on what it has learned by heart.
"""

from pathlib import Path
from typing import NamedTuple

from torch import nn

from ..content.encoders import encoder_of
from ..ranking.artifact import MANIFEST
from ..ranking.artifact import load as load_ranker
from ..ranking.features import fingerprint
from ..ranking.manifest import decode
from ..ranking.network import network_of
from ..training import teacher_folder


class Source(NamedTuple):
    """A trained model, and what has to be the same for what is made of it."""

    model: nn.Module
    version: str
    encoder: str
    space_id: str
    test_from_ms: int | None  # judge on impressions from here on; None: not recorded


def load_source(folder: Path) -> Source:
    """The model of a folder; ArtifactError if it cannot be trusted or was trained on other vectors or features."""
    if not (folder / MANIFEST).exists() or (folder / teacher_folder.WEIGHTS).exists():
        name = teacher_folder.read_manifest(folder).encoder
        space_id = encoder_of(name).space_id
        told, teacher = teacher_folder.load(folder, expected_space_id=space_id, expected_fingerprint=fingerprint())
        return Source(teacher, told.version, name, space_id, told.test_from_ms)
    name = decode((folder / MANIFEST).read_bytes(), str(folder / MANIFEST)).encoder
    space_id = encoder_of(name).space_id
    artifact = load_ranker(folder, expected_space_id=space_id, expected_fingerprint=fingerprint())
    network = network_of(artifact.manifest.sizes, artifact.weights)
    return Source(network, artifact.manifest.version, name, space_id, None)
