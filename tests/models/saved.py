"""How the tests of artifacts save one: the same space, features and name."""

from pathlib import Path

from streamrec.arrays import FloatArray
from streamrec.models.artifact import save
from streamrec.models.manifest import Manifest
from streamrec.training.fit import Fitted

SPACE, FEATURES_HASH = "hashed64-test", "feedc0ffee00"


def publish_fitted(
    path: Path, fitted: Fitted, rows: FloatArray, min_score: float = 0.2, created_at: str = "2026-01-05T09:00:00Z"
) -> Manifest:
    """The artifact folder of a fitted network."""
    return save(
        path,
        **fitted.parts(rows),
        name="small",
        space_id=SPACE,
        encoder="hashed",
        fingerprint=FEATURES_HASH,
        min_score=min_score,
        created_at=created_at,
    )
