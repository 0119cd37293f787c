"""A tiny model folder, made in a moment: weights drawn, not learned, under this release's features and space."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from making_rows import normal_rows

from streamrec.content.encoder import HashedEncoder
from streamrec.engine.features.fingerprint import fingerprint as features_now
from streamrec.engine.predictor import COLUMNS
from streamrec.models.artifact import Artifact, save
from streamrec.models.calibration import Calibration
from streamrec.models.engines.torch_fp32 import TorchFp32
from streamrec.models.manifest import ChosenEngine, Manifest
from streamrec.models.network import Network, use_one_thread
from streamrec.training.fit import Fitted


def publish_small(
    folder: Path,
    seed: int,
    *,
    space_id: str | None = None,
    encoder: str = "hashed",
    fingerprint: str | None = None,
    spread: float = 1.5,
    middle: float = -2.5,
    name: str = "small",
    half_life_h: float | None = None,
    recipe: str = "",
    choose: Callable[[Artifact], ChosenEngine | None] = lambda _: None,
) -> Manifest:
    """Save it. The calibrated logits of standard normal rows have this middle and spread."""
    import torch

    use_one_thread()
    torch.manual_seed(seed)
    rows = normal_rows(np.random.default_rng(seed), 512)
    network = Network((COLUMNS, 64, 32, 1)).eval()
    network.learn_bounds(rows)
    logits = TorchFp32(network).logits(rows)
    calibration = Calibration(a=spread / float(logits.std()), b=middle - spread * float(logits.mean() / logits.std()))
    return save(
        folder,
        **Fitted(network, calibration, {}).parts(rows),
        name=name,
        space_id=space_id or HashedEncoder().space_id,
        encoder=encoder,
        fingerprint=fingerprint or features_now(),
        min_score=0.2,
        created_at=f"2026-01-0{seed}T09:00:00Z",
        half_life_h=half_life_h,
        recipe=recipe,
        choose=choose,
    )


def publish_three(home: Path) -> dict[str, Path]:
    """Folders by name: two that a worker takes, and one of another space."""
    publish_small(home / "one", 1)
    publish_small(home / "two", 2)
    publish_small(home / "elsewhere", 3, space_id="another-space")
    return {name: home / name for name in ("one", "two", "elsewhere")}
