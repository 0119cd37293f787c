"""The models of a running worker: looked for in the store, made ready aside, taken over between two batches.

    look   -> read the store -> judge the canary -> load what is new -> one assignment to `serving.lineup`

Loading, verifying, admission and warm-up happen in a thread of lower priority, while batches are applied and committed
as ever. What cannot be loaded changes nothing: it is counted, the log says why, and the model before goes on. A
canary that is judged badly (models/canary.py), or whose artifact is bad, is not served any more, and the store is
told, so that the other workers drop it, too; promoted again, it gets another chance. What else goes wrong at a load
(memory, a bug) is this worker's own affair: it does without the canary, and the store is left alone. A worker that
never looks again would not judge: it serves no canary.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from ..clock import now_iso
from ..errors import ArtifactError, StreamrecError
from ..models.canary import Compared, Verdict
from ..models.load import Model, load_model
from ..models.prior import Prior
from ..models.rollout import Rollout, roll_back
from ..models.serving import Lineup, Serving
from ..models.store import Attempt, ModelStore, Wanted, wanted
from ..observability.metrics import Metrics
from ..settings import Settings
from .process.supervision import step_back

log = logging.getLogger(__name__)

STORE = Attempt("", "", "")  # to read rollout.json, in place of a version
T = TypeVar("T")


class ModelLoader:
    """What this worker serves, and what it has refused."""

    def __init__(self, settings: Settings, space_id: str, metrics: Metrics) -> None:
        """Loads the stable model; ArtifactError if neither it nor the one before it can serve."""
        self._settings, self._space_id, self._metrics = settings, space_id, metrics
        self._condemned: set[tuple[str, str]] = set()  # canaries not served any more, as (version, changed_at)
        self._refused: dict[Attempt, bool] = {}  # told once each; is it the artifact's fault?
        self._since = ""  # when the canary that is compared was promoted
        self._aside = ThreadPoolExecutor(1, "models", initializer=step_back)
        self._stable = self._first()
        self._canary: Model | None = None
        self._compared: Compared | None = None
        self.serving = Serving(self._stable.watched)
        self._tell()

    def _first(self) -> Model:
        if self._settings.model_dir is None:
            ranker = Prior()
            return Model(ranker, ranker, "no model folder: the built-in prior ranks (set STREAMREC_MODEL_DIR)")
        now = wanted(self._settings.model_dir)
        attempt = now.attempt(now.stable)
        try:
            return self._load(now, now.stable)
        except ArtifactError as error:
            if not now.previous:
                raise
            self._refuse(attempt, error)
            self._metrics.model_behind.set(1)
            return self._load(now, now.previous)

    def _load(self, now: Wanted, version: str) -> Model:
        return load_model(self._settings, self._space_id, now.path(version), version)

    # --- in a running worker ------------------------------------------------------------------------------------------

    async def watch(self) -> None:
        """Look at once and then every `model_poll_s`; ends at once where there is nothing to look for."""
        folder, poll_s = self._settings.model_dir, self._settings.model_poll_s
        while folder is not None:
            await self.look(folder)
            if not poll_s:
                return
            await asyncio.sleep(poll_s)

    async def look(self, folder: Path) -> None:
        """Judge the canary and serve what the store says now."""
        self.observe()
        try:
            now = await self._in_thread(lambda: wanted(folder))
        except ArtifactError as error:
            self._refuse(STORE, error)
            self._metrics.model_behind.set(1)
            return
        self._refused.pop(STORE, None)  # the next time it cannot be read is told again
        await self._judge(folder, now)
        stable = await self._ready(now, now.stable) or self._stable
        self._metrics.model_behind.set(stable.bare.stamp.version != now.stable)
        self._take_over(stable, await self._canary_of(folder, now), now)

    async def _judge(self, folder: Path, now: Wanted) -> None:
        """By what was seen of it since it was promoted; one taken back and tried again since is loaded afresh."""
        if self._compared is None or self._compared.stamp.version != now.canary:
            return
        if self._since != now.canary_since:
            self._canary = self._compared = None
        elif (verdict := self._compared.comparison.verdict()) is not None:
            await self._drop_canary(folder, now, verdict)

    async def _canary_of(self, folder: Path, now: Wanted) -> Model | None:
        """The canary the store wants, loaded; None where there is none, or none this worker can serve."""
        if not now.canary or (now.canary, now.changed_at) in self._condemned:
            return None
        if not self._settings.model_poll_s:
            log.warning("canary %s is not served: STREAMREC_MODEL_POLL_S is 0, nobody would judge it", now.canary)
            return None
        canary = await self._ready(now, now.canary)
        if canary is None and self._refused.get(now.attempt(now.canary)):
            await self._drop_canary(folder, now, Verdict("load", "it was refused at load"))
        return canary

    async def _ready(self, now: Wanted, version: str) -> Model | None:
        """The model of this version, loaded if it is not already; None if it is refused."""
        for model in (self._stable, self._canary):
            if model is not None and model.bare.stamp.version == version:
                return model
        attempt = await self._in_thread(lambda: now.attempt(version))
        if attempt in self._refused:
            return None
        try:
            return await self._in_thread(lambda: self._load(now, version))
        except Exception as error:  # noqa: BLE001 - whatever a new model does, the old one goes on
            self._refuse(attempt, error)
            return None

    def _take_over(self, stable: Model, canary: Model | None, now: Wanted) -> None:
        """Between two batches: this runs in the event loop, and a batch is decided with the lineup it began with."""
        before, percent, self._since = self.serving.lineup, now.percent, now.canary_since
        if canary is None or canary.bare is stable.bare:
            self._compared, canary, percent = None, None, 0
        elif canary is not self._canary or stable is not self._stable or self._compared is None:
            self._compared = Compared(canary.watched, stable.bare, self._settings)
        self._stable, self._canary = stable, canary
        self.serving.lineup = after = Lineup(stable.watched, self._compared, percent)
        if after != before:
            self._metrics.model_reloads["taken_over"].inc()
            self._tell(
                f" (taken over, canary {canary.bare.stamp.version} for {percent} %)" if canary else " (taken over)"
            )

    async def _drop_canary(self, folder: Path, now: Wanted, verdict: Verdict) -> None:
        """Not again until it is promoted again; the store is told if that has not happened yet."""
        version, promoted = now.canary, (now.canary, now.canary_since)
        self._condemned.add((version, now.changed_at))
        self._metrics.canary_rollbacks[verdict.reason].inc()
        log.error("canary rolled back: %s", verdict.sentence, extra={"version": version, "reason": verdict.reason})
        reason = f"canary {version} rolled back by a worker, {verdict.reason}: {verdict.sentence}"
        at = now_iso()

        def without(rollout: Rollout) -> Rollout:
            is_it = (rollout.canary, rollout.canary_since) == promoted
            return roll_back(rollout, at, reason) if is_it else rollout

        try:
            await self._in_thread(lambda: ModelStore(folder).change(without))
        except ArtifactError as error:
            # expected where the store is read-only
            log.error("canary %s is not served here until it is promoted again; %s", version, error)  # noqa: TRY400

    def _refuse(self, attempt: Attempt, error: Exception) -> None:
        if attempt in self._refused:
            return
        self._refused[attempt] = isinstance(error, ArtifactError)
        self._metrics.model_reloads["refused"].inc()
        known = isinstance(error, StreamrecError)
        log.error("model refused, the one before goes on: %s", error, exc_info=None if known else error)

    # --- what is told -------------------------------------------------------------------------------------------------

    def _tell(self, more: str = "") -> None:
        stamp, verdict = self._stable.bare.stamp, self._stable.verdict
        log.info("%s%s", verdict, more, extra={"model": stamp.name, "version": stamp.version, "engine": stamp.engine})
        self._metrics.serve_model(stamp.name, stamp.version, stamp.engine, verdict)
        if self._stable.probe_agreement is not None:
            self._metrics.engine_agreement.set(self._stable.probe_agreement)
        self.observe()

    def observe(self) -> None:
        """Set the gauges of shadow and canary: how far int8 agrees with fp32, and what was seen of the canary."""
        metrics, agreement = self._metrics, self._stable.agreement
        metrics.shadow_rows.set(agreement.rows if agreement else 0)
        metrics.shadow_agreement.set(agreement.share if agreement else float("nan"))
        metrics.shadow_max_delta.set(agreement.max_delta if agreement else float("nan"))
        lineup, compared = self.serving.lineup, self._compared
        metrics.canary_percent.set(lineup.percent)
        metrics.canary_pairs.set(compared.comparison.rows if compared else 0)
        metrics.canary_psi.set(compared.comparison.psi if compared else float("nan"))
        metrics.canary_send_ratio.set(compared.comparison.send_ratio if compared else float("nan"))
        metrics.canary_latency_ratio.set(compared.comparison.latency_ratio if compared else float("nan"))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._aside, work)
