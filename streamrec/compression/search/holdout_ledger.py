"""What the test window has been asked, in the search's folder: who asks again shares the 5 % with it.

    looks/<model>.safetensors      impressions, and the model's AUC and nDCG@10 of each

A model is written down before anything is concluded from it. A model judged again, perhaps in another engine, which
moves its scores by less than the verdict can see, is one model still.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save

from ...errors import DataError
from ...training.evaluate import Quality
from .outcome import Outcome
from .trial import Folder, Key


class HoldoutLedger:
    """The models of a search's folder that were ever judged on the test window."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def keep(self, key: Key, seen: Quality) -> str:
        """Write down that a model is judged on the test window, before it is; answers the file's name."""
        name = f"{key.hash()}.safetensors"
        self._folder.write(f"looks/{name}", save({field: np.asarray(of) for field, of in seen._asdict().items()}))
        return name

    def others(self, names: Sequence[str], impressions: object) -> list[Quality]:
        """What earlier searches saw at the same impressions, except in the files of these names."""
        paths = sorted(path for path in (self._folder.path / "looks").glob("*.safetensors") if path.name not in names)
        found = [Quality(**load(path.read_bytes())) for path in paths]
        return [seen for seen in found if np.array_equal(seen.impressions, np.asarray(impressions))]


class EarlierSearch:
    """A search that has ended, and what it has judged. DataError for a folder that holds none."""

    def __init__(self, path: Path) -> None:
        self._folder = Folder.held(path)
        outcome = self._folder.read("search.json", Outcome)
        if outcome is None or "test" not in outcome.spans_ms:
            raise DataError(f"{path}: the search has not ended; expected its search.json: `compress search --resume`")
        self.test_from_ms = outcome.spans_ms["test"][0]

    def beside(self, key: Key, seen: Quality) -> list[Quality]:
        """Write one more judged model down; those judged before it. DataError where they saw other impressions."""
        ledger = HoldoutLedger(self._folder)
        others = ledger.others([f"{key.hash()}.safetensors"], seen.impressions)
        if not others:
            raise DataError(
                f"{self._folder.path}: what the search has judged are other impressions; expected the same log, and for"
                " what is simulated or sampled the same --seed and --users"
            )
        ledger.keep(key, seen)
        return others
