"""Before the demo goes live: two days of simulated history, a ranker trained on it in seconds, topics that hold it."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ...clock import now_iso, now_ms
from ...content.encoders import encoder_of
from ...contracts.event import UserEvent
from ...datasets.records import Step
from ...datasets.simulated.log import OPENING_H, SimulatedLog
from ...datasets.simulated.newsroom import Newsroom
from ...datasets.simulated.readers import Readers
from ...settings import Settings

HISTORY_H = 30.0
EPOCHS = 3
MIN_SCORE = 0.25


class Prepared(NamedTuple):
    """The newsroom and the readers of the demo, and what has happened in their world so far."""

    newsroom: Newsroom
    readers: Readers
    history: list[Step]


def history(users: int, seed: int) -> Prepared:
    """A simulated log of two days that ends now, with the newsroom that goes on from there."""
    start_ms = now_ms() - round((HISTORY_H + OPENING_H) * 3_600_000)
    log = SimulatedLog(seed, users, HISTORY_H, start_ms=start_ms, articles_per_hour=12, visits_per_user_day=3)
    newsroom = Newsroom(seed)
    return Prepared(newsroom, log.readers, list(log.play(newsroom)))


def train(prepared: Prepared, settings: Settings, folder: Path, seed: int, told: Callable[[str], None]) -> str:
    """Train on the history and save the artifact; answers with its quality in a sentence."""
    from ...engine.features.fingerprint import fingerprint  # noqa: PLC0415 - torch takes seconds to import: not before it is needed
    from ...models.artifact import save  # noqa: PLC0415
    from ...training.fit import fit  # noqa: PLC0415
    from ...training.rows import rows_of  # noqa: PLC0415

    encoder = encoder_of(settings.encoder)
    total = len(prepared.history)
    rows = rows_of(
        prepared.history, settings, encoder, lambda done: told(f"features of the history: {done / total:.0%}")
    )
    fitted = fit(rows, seed, EPOCHS, progress=lambda at: told(f"training: epoch {at.epoch} of {EPOCHS}"))
    save(
        folder,
        **fitted.parts(rows.x),
        name="demo-ranker",
        space_id=encoder.space_id,
        encoder=settings.encoder,
        fingerprint=fingerprint(),
        min_score=MIN_SCORE,
        created_at=now_iso(),
        half_life_h=settings.interest_half_life_h,
    )
    auc = fitted.metrics["auc"]
    quality = f"AUC {auc.value:.3f} ({auc.low:.3f} to {auc.high:.3f})"
    return f"trained on {len(rows.x):,} candidates: {quality}"


def worth_sending(step: Step) -> bool:
    """Articles and clicks of the history; what was only seen teaches the profiles nothing."""
    return not isinstance(step.record, UserEvent) or step.record.action == "click"
