"""From a compressed model to a folder: a ranker's artifact for what can be served, else the compressed file.

    a ranker's artifact       models/artifact.py, its weights in the fewest bytes (store.py), with the recipe
    compressed.safetensors    the same weights alone, of a model that no worker serves: one of the teacher's shape

Calibration is fitted on the held-out rows with the compressed model's own logits: pruning and distillation move them.
users(...) changes nothing in the folder: it measures another way to keep user vectors, and workers keep float16.
"""

import logging
from collections.abc import Callable
from pathlib import Path

from ..errors import DataError, RecipeError
from ..models.admission import chosen
from ..models.artifact import Artifact, replace_folder, save
from ..models.manifest import ChosenEngine, Manifest
from ..models.network import Network
from ..training.fit import Fitted, fitted
from ..training.threshold import Wanted
from .methods.method import Workbench
from .recipe import Recipe
from .result import Compressed
from .source import Source
from .store import FILE, encode

log = logging.getLogger(__name__)


def publish_compressed(
    folder: Path,
    made: Compressed,
    recipe: Recipe,
    source: Source,
    bench: Workbench,
    *,
    fingerprint: str,
    wanted: Wanted,
    created_at: str,
    choose: Callable[[Artifact], ChosenEngine | None] = chosen,
) -> Manifest | None:
    """Write the folder, replacing one of that name; its manifest, or None of what cannot be served.

    `choose` says which engine is recorded: unless a search has chosen one, what a worker would take on this machine.
    RecipeError for a model that has learned nothing.
    """
    raw = encode(made.model)
    if not isinstance(made.model, Network):
        replace_folder(folder, {FILE: raw})
        return None
    learned_ms = max(int(part.at_ms.max()) + 1 for part in (bench.rows, bench.held_out))
    calibrated = _fitted(made.model, bench)
    manifest = save(
        folder,
        **calibrated.parts(bench.rows.x),
        name=f"compressed-{recipe.key()[:8]}",
        space_id=source.space_id,
        encoder=source.encoder,
        fingerprint=fingerprint,
        min_score=wanted.threshold(calibrated.held_out, bench.rows),
        created_at=created_at,
        recipe=recipe.json(),
        log=source.log,
        test_from_ms=max(source.test_from_ms or 0, learned_ms),
        half_life_h=source.half_life_h,
        packed=raw,
        choose=choose,
    )
    if made.users != "fp32":
        log.warning("users(%s) was measured, but no worker does it: it keeps user vectors in float16", made.users)
    return manifest


def _fitted(network: Network, bench: Workbench) -> Fitted:
    try:
        return fitted(network, bench.held_out, bench.seed)
    except DataError:
        raise RecipeError(
            "the compressed model's order does not hold on the held-out impressions; nothing was written:"
            " compress less, or give it more epochs"
        ) from None
