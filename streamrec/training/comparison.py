"""The served ranker beside what it has to beat, on impressions later than everything it learned from.

Baselines: random, popularity (recent readers), category share, affinity (the retrieval score) and the ranker's own
fp32. Intervals are 95 % bootstraps over users; `int8 - fp32` is paired.
"""

import numpy as np

from ..contracts.limits import VECTOR_DIMS
from ..ranking.artifact import Artifact
from ..ranking.engines import Fp32Engine, Int8Engine
from ..ranking.features import FEATURES
from ..ranking.manifest import Interval
from ..ranking.network import network_of
from ..ranking.scores import FloatArray
from .evaluate import difference, quality, summary
from .rows import Rows

Table = dict[str, dict[str, Interval]]
BASELINES = {"popularity": "popularity", "category share": "category_share", "affinity": "affinity"}


def compare(rows: Rows, artifact: Artifact, seed: int) -> Table:
    """AUC, MRR, nDCG@5 and nDCG@10 of each ranking, and of int8 minus fp32."""
    network = network_of(artifact.manifest.sizes, artifact.weights)
    names = [function.__name__ for function in FEATURES]
    scores: dict[str, FloatArray] = {
        "random": np.random.default_rng(seed).random(len(rows.x)).astype(np.float32),
        **{name: rows.x[:, VECTOR_DIMS + names.index(column)] for name, column in BASELINES.items()},
        "ranker fp32": Fp32Engine(network).logits(rows.x),
        "ranker int8 (served)": Int8Engine(network).logits(rows.x),
    }
    measured = {name: quality(score, rows.clicked, rows.impression) for name, score in scores.items()}
    usable = measured["random"].impressions
    first = np.unique(rows.impression, return_index=True)
    users = rows.user[first[1][np.searchsorted(first[0], usable)]]
    table = {name: summary(values, seed, users) for name, values in measured.items()}
    table["int8 - fp32"] = difference(measured["ranker int8 (served)"], measured["ranker fp32"], seed, users)
    return table
