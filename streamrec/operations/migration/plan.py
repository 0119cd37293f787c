"""From where to where: two deployments over the same inputs and the same `push` topic, each with its own space.

The new one is named after its space: `<app>-<tag>` for group, transactional ids and changelog, `catalog-<tag>` for the
articles. `events`, `articles`, `rerouted` and `push` are shared, so producers and gateways notice nothing. Only one of
the two runs workers at a time. The way back is the same move in the other direction, under the old names.
"""

from pathlib import Path
from typing import NamedTuple

from ...content.encoder import Encoder
from ...content.encoders import encoder_of
from ...errors import SettingsError
from ...models.artifact import manifest_of
from ...models.store import wanted
from ...settings import Settings, to_environ

TAG_CHARS = 8


class Side(NamedTuple):
    """One deployment and the space it works in; "" is the one its changelog names.

    The source's cannot be had from its settings: an encoder of the same name works in another space after a release.
    """

    settings: Settings
    space_id: str = ""


class Plan(NamedTuple):
    """From which deployment to which one profiles and articles move, and the target's encoder."""

    source: Side
    target: Side
    encoder: Encoder  # of the target

    def environ(self) -> dict[str, str]:
        """The variables in which the target's workers differ from the source's."""
        old, new = to_environ(self.source.settings), to_environ(self.target.settings)
        return {name: value for name, value in new.items() if old.get(name) != value}


def plan(settings: Settings, model: Path, encoder: str = "", app_id: str = "", catalog_topic: str = "") -> Plan:
    """The move from the deployment of `settings` to the space of `model`. SettingsError if that cannot be."""
    now = wanted(model)
    manifest = manifest_of(now.path(now.stable))
    name = encoder or manifest.encoder
    there = encoder_of(name)
    if manifest.space_id != there.space_id:
        raise SettingsError(
            f"{model}: the model's space is {manifest.space_id!r}, that of encoder {name} is {there.space_id!r};"
            " name the encoder whose vectors it was trained on with --encoder"
        )
    tag = there.space_id.rpartition("-")[2][:TAG_CHARS]
    target = settings.changed(
        app_id=app_id or f"{settings.app_id}-{tag}",
        catalog_topic=catalog_topic or f"catalog-{tag}",
        encoder=name,
        model_dir=model,
    )
    for field in ("app_id", "catalog_topic"):
        if getattr(target, field) == getattr(settings, field):
            raise SettingsError(f"{field} of the new deployment is that of the old one; each has its own: name another")
    return Plan(Side(settings), Side(target, there.space_id), there)
