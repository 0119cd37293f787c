"""The ranker a worker serves: an admitted artifact behind one method.

    probability(features)   (N, COLUMNS) float32, no NaN -> (N,) float32, calibrated P(click)

Scores are equal to the last bit however the rows are split over calls (engines/; `admission.batch_drift` says if
this machine breaks that).
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..arrays import FloatArray
from ..contracts.push import ModelStamp
from ..engine.predictor import finite_rows
from ..settings import EngineChoice as Choice
from .admission import Admission, admit
from .artifact import Artifact, load
from .engines import engine_of
from .engines.contract import precision_of
from .network import network_of

WARM_ROWS = (1, 32, 256, 1024)


class Ranker:
    """Scores feature rows with an artifact on the engine that was admitted for it. Satisfies `Predictor`."""

    def __init__(self, artifact: Artifact, admission: Admission) -> None:
        self.admission = admission
        self.probe_rows = artifact.probe.rows  # (K, COLUMNS)
        self._artifact = artifact
        self.manifest = artifact.manifest
        self.stamp = ModelStamp(artifact.manifest.name, artifact.manifest.version, precision_of(admission.engine.name))

    def probability(self, features: FloatArray) -> FloatArray:
        """P(click) of each row; ValueError for NaN or another width."""
        return self.manifest.calibration.probability(self.admission.engine.logits(finite_rows(features)))

    def warm_up(self) -> None:
        """Score recorded rows in calls of several sizes, so that the first live call pays for no first time."""
        for rows in WARM_ROWS:
            self.probability(self.probe_rows[np.arange(rows) % len(self.probe_rows)])

    def in_fp32(self) -> "Ranker":
        """The same artifact on the network as it was trained: what a live shadow compares with."""
        engine = engine_of("torch_fp32", network_of(self.manifest.sizes, self._artifact.weights))
        return Ranker(self._artifact, replace(self.admission, engine=engine))


def load_ranker(
    folder: Path, engine: Choice, space_id: str, fingerprint: str, public_keys: Path | None = None
) -> Ranker:
    """Load, check and admit the artifact; ArtifactError says what is wrong and what to do."""
    artifact = load(folder, expected_space_id=space_id, expected_fingerprint=fingerprint, public_keys=public_keys)
    return Ranker(artifact, admit(artifact, engine))
