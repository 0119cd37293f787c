"""What the test window has been asked, in the search's folder: who asks again shares the 5 % with it.

    looks/<trial>-<engine>.safetensors      impressions, and the model's AUC and nDCG@10 of each

A look is written down before anything is concluded from it.
"""

from collections.abc import Sequence

import numpy as np
from safetensors.numpy import load, save

from ...training.evaluate import Quality
from .trial import Folder, Key


class Looks:
    """All models of a folder that were ever judged."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def keep(self, key: Key, engine: str, seen: Quality) -> str:
        """Write a look down; its name."""
        name = f"{key.hash()}-{engine}.safetensors"
        self._folder.write(f"looks/{name}", save({field: np.asarray(of) for field, of in seen._asdict().items()}))
        return name

    def others(self, names: Sequence[str], impressions: object) -> list[Quality]:
        """Looks of earlier searches at the same impressions, but for those of these names."""
        paths = sorted(path for path in (self._folder.path / "looks").glob("*.safetensors") if path.name not in names)
        found = [Quality(**load(path.read_bytes())) for path in paths]
        return [seen for seen in found if np.array_equal(seen.impressions, np.asarray(impressions))]
