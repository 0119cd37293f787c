"""The ranker a worker serves, as its settings say: an admitted artifact, or the built-in prior where there is none."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..engine.features.fingerprint import fingerprint
from ..engine.predictor import Predictor
from ..errors import ArtifactError
from ..settings import Settings
from .artifact import MANIFEST, manifest_of
from .manifest import check_half_life
from .prior import Prior
from .shadow import Agreement, Shadowed
from .store import wanted

if TYPE_CHECKING:
    from .ranker import Ranker


class Model(NamedTuple):
    """A model that is loaded, admitted and ready to serve."""

    bare: Predictor
    watched: Predictor  # the same; a sample of its calls is shadowed by fp32
    verdict: str  # of its admission, one sentence
    probe_agreement: float | None = None  # of int8 and fp32 on the recorded rows
    agreement: Agreement | None = None  # on live rows


def ranker_of(settings: Settings, space_id: str) -> "Ranker | Prior":
    """What serves by these settings; ArtifactError if the folder cannot be trusted."""
    if settings.model_dir is None:
        return Prior()
    now = wanted(settings.model_dir)
    return _ranker(settings, space_id, now.path(now.stable))


def as_served(settings: Settings) -> Settings:
    """The settings with the stable model's own threshold, unless they name one; another model's counts from a restart.

    Of a folder that cannot be read they stay as they are: whoever loads the model says what is wrong with it.
    """
    if settings.model_dir is None or "min_score" in settings.model_fields_set:
        return settings
    try:
        now = wanted(settings.model_dir)
        return settings.changed(min_score=manifest_of(now.path(now.stable)).min_score)
    except ArtifactError:
        return settings


def load_model(settings: Settings, space_id: str, folder: Path, version: str) -> Model:
    """An artifact checked, admitted and warm. ArtifactError if it cannot serve beside or after the one that does."""
    _fits(manifest_of(folder).version, folder, version)
    ranker = _ranker(settings, space_id, folder)
    _fits(ranker.manifest.version, folder, version)  # it may have been replaced in between
    ranker.warm_up()
    parity = ranker.admission.parity
    agrees = parity.agreement if parity else None
    if ranker.stamp.engine == "fp32" or not settings.shadow_share:
        return Model(ranker, ranker, ranker.admission.verdict, agrees)
    watched = Shadowed(ranker, ranker.in_fp32(), settings.shadow_share, settings.min_score)
    return Model(ranker, watched, ranker.admission.verdict, agrees, watched.agreement)


def _ranker(settings: Settings, space_id: str, folder: Path) -> "Ranker":
    from .ranker import load_ranker  # noqa: PLC0415 - torch, only where there is a model

    ranker = load_ranker(folder, settings.engine, space_id, fingerprint(), settings.model_public_key)
    check_half_life(ranker.manifest.half_life_h, str(folder / MANIFEST), settings.interest_half_life_h)
    return ranker


def _fits(found: str, folder: Path, version: str) -> None:
    if found != version:
        raise ArtifactError(f"{folder}: holds version {found}, expected {version}; add the artifact to the store again")
