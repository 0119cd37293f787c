"""From a fitted network to a model folder: record the probe rows, suggest nothing that was not measured, save."""

from pathlib import Path

from ..arrays import FloatArray
from ..models.artifact import save
from ..models.manifest import Manifest
from ..models.parity import record_probe
from .fit import Fitted


def publish(
    folder: Path,
    fitted: Fitted,
    rows: FloatArray,
    *,
    name: str,
    space_id: str,
    encoder: str,
    fingerprint: str,
    min_score: float,
    created_at: str,
    recipe: str = "",
    log: str = "",
    test_from_ms: int | None = None,
    half_life_h: float | None = None,
    packed: bytes | None = None,
) -> Manifest:
    """Save the artifact; `rows` (N, COLUMNS) are training rows, of which 256 are recorded as the probe.

    `packed`: the network's weights in fewer bytes, if somebody has found a way.
    """
    return save(
        folder,
        name=name,
        space_id=space_id,
        encoder=encoder,
        fingerprint=fingerprint,
        sizes=fitted.network.sizes,
        weights=fitted.network.arrays(),
        calibration=fitted.calibration,
        min_score=min_score,
        metrics=fitted.metrics,
        probe=record_probe(fitted.network, fitted.calibration, rows),
        created_at=created_at,
        recipe=recipe,
        log=log,
        test_from_ms=test_from_ms,
        half_life_h=half_life_h,
        packed=packed,
    )
