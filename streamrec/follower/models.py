"""The models that a follower scores with: those the workers' store names, looked at now and then.

A follower changes nothing: it judges no canary, and what it cannot load it leaves; the model before goes on.
"""

import logging
from pathlib import Path

from ..contracts.push import ModelStamp
from ..engine.predictor import Predictor
from ..errors import ArtifactError
from ..models.load import load_model
from ..models.prior import Prior
from ..models.serving import Lineup, Serving
from ..models.store import Wanted, wanted
from ..settings import Settings

log = logging.getLogger(__name__)


class FollowedModels:
    """What the workers serve, as their store says: `serving` is what partitions are given."""

    def __init__(self, settings: Settings, space_id: str) -> None:
        """Loads the stable model; ArtifactError if it cannot be trusted."""
        self._settings, self._space_id = settings.changed(shadow_share=0.0), space_id
        self._refused: set[tuple[str, str]] = set()  # versions, and when the store was changed
        self._loaded: dict[str, Predictor] = {}
        self.serving = Serving(Prior())
        if settings.model_dir is not None:
            now = wanted(settings.model_dir)
            self._loaded[now.stable] = self._load(now, now.stable)
            self.serving.lineup = Lineup(self._loaded[now.stable])
            self.look(settings.model_dir)

    def look(self, folder: Path) -> None:
        """Serve what the store says now; to be called in a thread, for loading takes seconds."""
        try:
            now = wanted(folder)
        except ArtifactError as error:
            log.warning("the model store cannot be read, its last models stay: %s", error)
            return
        stable = self._ready(now, now.stable) or self.serving.lineup.stable
        canary = self._ready(now, now.canary) if now.canary else None
        self._loaded = {
            version: model for version, model in self._loaded.items() if version in (now.stable, now.canary)
        }
        self.serving.lineup = Lineup(stable, canary, now.percent if canary else 0)

    def _ready(self, now: Wanted, version: str) -> Predictor | None:
        if version not in self._loaded and (version, now.changed_at) not in self._refused:
            try:
                self._loaded[version] = self._load(now, version)
            except ArtifactError as error:
                self._refused.add((version, now.changed_at))
                log.warning("model refused, the one before goes on: %s", error)
        return self._loaded.get(version)

    def _load(self, now: Wanted, version: str) -> Predictor:
        return load_model(self._settings, self._space_id, now.path(version), version).bare


def model_of(settings: Settings, space_id: str, stamp: ModelStamp) -> tuple[Predictor, list[str]]:
    """The model of a stamp, from the store if it is kept there; else the present one, and why it is another."""
    prior = Prior()
    if settings.model_dir is None:
        told = (
            [] if stamp.version == prior.stamp.version else [f"{_named(stamp)} scored it, and no model folder is set"]
        )
        return prior, told
    now = wanted(settings.model_dir)
    quiet = settings.changed(shadow_share=0.0)
    try:
        found = load_model(quiet, space_id, now.path(stamp.version), stamp.version).bare
    except ArtifactError:
        if stamp.version == prior.stamp.version:
            return prior, []
        found = load_model(quiet, space_id, now.path(now.stable), now.stable).bare
        return found, [f"{_named(stamp)} scored it, which is not in {settings.model_dir} any more"]
    same = found.stamp.engine == stamp.engine
    return found, [] if same else [
        f"{_named(stamp)} scored it; here {found.stamp.engine} serves, as the admission says"
    ]


def _named(stamp: ModelStamp) -> str:
    return f"model {stamp.name} {stamp.version} in {stamp.engine}"
