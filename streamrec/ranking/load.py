"""The ranker a worker serves, as its settings say: an admitted artifact, or the built-in prior where there is none."""

from typing import TYPE_CHECKING

import numpy as np

from ..contracts.limits import VECTOR_DIMS
from ..settings import Settings
from .features import FEATURES, fingerprint
from .prior import Prior
from .scores import COLUMNS

if TYPE_CHECKING:
    from .ranker import Ranker

# What anybody would guess: similar, fresh and widely read is likelier to be clicked.
GUESS = {"log_affinity": 1.2, "category_share": 2.0, "fresh_24h": 1.0, "reach": 0.3, "cooling_down": -2.0}
GUESS_BIAS = -3.5


def load_ranker(settings: Settings, space_id: str) -> "tuple[Ranker | Prior, str]":
    """The ranker and the verdict of its admission, one sentence. ArtifactError if the folder cannot be trusted."""
    if settings.model_dir is None:
        return prior(), "no model folder: the built-in prior ranks (set STREAMREC_MODEL_DIR)"
    from .ranker import load_ranker as load  # noqa: PLC0415 - torch, only where there is a model

    ranker = load(settings.model_dir, settings.engine, space_id, fingerprint())
    return ranker, ranker.admission.verdict


def prior() -> Prior:
    """The built-in prior on today's features."""
    weights = np.zeros(COLUMNS, np.float32)
    names = [function.__name__ for function in FEATURES]
    for name, weight in GUESS.items():
        weights[VECTOR_DIMS + names.index(name)] = weight
    return Prior(weights, GUESS_BIAS)
