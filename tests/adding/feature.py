"""Run in a copy of the package with a feature `withheld`, with the fingerprint before it as argument: it is a column,
models are as wide, and those trained before are refused.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from making import T0, Feed, article, click, partition
from trained import publish_small

from streamrec.content.encoder import HashedEncoder
from streamrec.engine.features.features import FEATURES, features
from streamrec.engine.features.fingerprint import fingerprint
from streamrec.engine.pairs import Pairs
from streamrec.engine.predictor import COLUMNS
from streamrec.engine.profiles.store import Users
from streamrec.errors import ArtifactError
from streamrec.models.artifact import Artifact, load
from streamrec.models.network import SIZES


def loaded(folder: Path) -> Artifact:
    """As a worker of this copy loads it."""
    return load(folder, expected_space_id=HashedEncoder().space_id, expected_fingerprint=fingerprint())


assert FEATURES[-1].__name__ == "withheld"
assert SIZES[0] == COLUMNS == 64 + len(FEATURES)
feed = Feed(partition())
feed.articles(article("a1"), article("a2", embargo_until_ms=T0 + 1))
feed.events(click("u1", "a1"))
pairs = Pairs(
    Users(feed.to.profiles, np.zeros(2, np.intp)), feed.to.catalog, np.arange(2, dtype=np.intp), np.zeros(2, np.float32)
)
x = features(pairs, T0, 3_600_000.0)
assert x.shape == (2, COLUMNS)
assert x[:, -1].tolist() == [0, 1]
assert fingerprint() != sys.argv[1]
with tempfile.TemporaryDirectory() as folder:
    publish_small(Path(folder) / "new", 1)
    assert loaded(Path(folder) / "new").probe.rows.shape[1] == COLUMNS
    publish_small(Path(folder) / "old", 1, fingerprint=sys.argv[1])
    try:
        loaded(Path(folder) / "old")
    except ArtifactError as error:
        assert "the features have changed since" in str(error)  # noqa: PT017 - no test runs here
    else:
        raise AssertionError("a model of other features was loaded")
