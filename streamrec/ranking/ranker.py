"""The ranker a worker serves: an admitted artifact behind one method.

    probability(features)   (N, COLUMNS) float32, no NaN -> (N,) float32, calibrated P(click)

Scores are equal to the last bit however the rows are split over calls (engines.py; `admission.batch_drift` says if
this machine breaks that).
"""

from pathlib import Path

from ..contracts.push import ModelStamp
from .admission import Admission, Choice, admit
from .artifact import Artifact, load
from .scores import FloatArray, finite_rows


class Ranker:
    """Satisfies `Scores`."""

    def __init__(self, artifact: Artifact, admission: Admission) -> None:
        self.admission = admission
        self.manifest = artifact.manifest
        self.stamp = ModelStamp(artifact.manifest.name, artifact.manifest.version, admission.engine.name)

    def probability(self, features: FloatArray) -> FloatArray:
        """P(click) of each row; ValueError for NaN or another width."""
        return self.manifest.calibration.probability(self.admission.engine.logits(finite_rows(features)))


def load_ranker(folder: Path, engine: Choice, space_id: str, fingerprint: str) -> Ranker:
    """Load, check and admit the artifact; ArtifactError says what is wrong and what to do."""
    artifact = load(folder, expected_space_id=space_id, expected_fingerprint=fingerprint)
    return Ranker(artifact, admit(artifact, engine))
