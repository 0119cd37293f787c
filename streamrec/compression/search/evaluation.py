"""Evaluation on the test window: verdicts, slices and everything the comparison page shows of each finalist."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypedDict

import msgspec
import numpy as np
from torch import nn

from ...arrays import FloatArray
from ...models.calibration import fit_calibration
from ...models.network import Network
from ...training.evaluate import Quality, quality, users_of
from ...training.history import HISTORY
from ...training.model import logits_of
from ...training.rows import Rows
from ..recipe import parse
from ..verdict import Verdict, judge, verdicts
from .final_selection import FP32, Contender
from .holdout_ledger import HoldoutLedger
from .outcome import Bin, Layer, Metrics, Point, Sizes
from .pareto import front
from .recipe_evaluator import RecipeEvaluator
from .score_statistics import agreement, by_slice, calibration_curve, importance, metrics, slices
from .splits import usable_impressions
from .trial import Fidelity, Key, Request

HISTORY_BYTES = 8 * HISTORY  # ids of the articles a teacher reads of each user


class JudgedPoints(NamedTuple):
    """The points of the teacher and of all finalists, in order of preference."""

    teacher: Point
    points: list[Point]
    slice_impressions: dict[str, int]


class Scored(TypedDict):
    """Fields that a point has of the teacher and of finalists alike."""

    quality: Metrics
    slices: dict[str, Metrics]
    calibration: list[Bin]
    importance: dict[str, float]
    layers: list[Layer]


class Judging:
    """Judges models on the test window: holds the teacher's scores of it and puts models beside them."""

    def __init__(self, evaluator: RecipeEvaluator, request: Request, ledger: HoldoutLedger) -> None:
        self._evaluator, self._request, self._ledger, self._test = evaluator, request, ledger, evaluator.cut.test
        self._budget, self._seed = request.max_loss, request.seed
        self._masks = slices(self._test, evaluator.cut.train)
        self._logits = logits_of(evaluator.teacher, self._test)
        self._quality = self._quality_of(self._logits)
        self._users = users_of(self._quality, self._test.impression, self._test.user)

    def all(self, contenders: Sequence[Contender], progress: Callable[[str], object] = lambda _: None) -> JudgedPoints:
        """Points in the order of the contenders; verdicts hold for all of them, and all judged before, together."""
        scored = [contender.logits(self._test) for contender in contenders]
        measured, points = [self._quality_of(logits) for logits in scored], list[Point]()
        together = self._verdicts(contenders, measured)
        for contender, logits, ours, found in zip(contenders, scored, measured, together, strict=True):
            progress(contender.recipe)
            points.append(self._point(contender, logits, ours, found))
        costs = [[-p.size_ratio, -p.speed[256].ratio, -p.quality["auc"].value] for p in points]
        on_front = front(np.array(costs).reshape(-1, 3)).tolist()
        points = [msgspec.structs.replace(point, on_front=on) for point, on in zip(points, on_front, strict=True)]
        counts = {name: usable_impressions(self._test.take(mask)) for name, mask in self._masks.items()}
        return JudgedPoints(self._teacher(), points, counts)

    def _teacher(self) -> Point:
        model = self._evaluator.teacher
        size = self._evaluator.compressed("teacher", Fidelity(0, 1.0)).size()
        return Point(
            recipe="",
            engine=FP32,
            sizes=Sizes(size.file_bytes, size.resident_bytes, HISTORY_BYTES),
            size_ratio=1.0,
            speed={},
            **self._scored("teacher", Fidelity(0, 1.0), model, lambda rows: logits_of(model, rows), self._logits),
        )

    def _verdicts(self, contenders: Sequence[Contender], ours: Sequence[Quality]) -> list[dict[str, Verdict]]:
        names = list[str]()
        for contender, measured in zip(contenders, ours, strict=True):
            key = Key(contender.recipe, contender.fidelity, self._seed, self._request.data)
            names.append(self._ledger.keep(key, measured))
        earlier = self._ledger.others(names, self._quality.impressions)
        return verdicts(self._quality, [*ours, *earlier], self._users, self._budget, self._seed)[: len(ours)]

    def _quality_of(self, logits: FloatArray) -> Quality:
        return quality(logits, self._test.clicked, self._test.impression)

    def _point(self, of: Contender, logits: FloatArray, ours: Quality, found: dict[str, Verdict]) -> Point:
        size, model = of.compressed.size(), of.compressed.model
        alone = judge(self._quality.auc, ours.auc, self._users, self._budget, self._seed)
        resident = size.resident_int8_bytes if of.engine.endswith("int8") else size.resident_bytes
        is_network = isinstance(model, Network)
        fp32 = of.logits(self._test, FP32)
        int8 = [name for name in of.engines if name.endswith("int8")]
        return Point(
            recipe=of.recipe,
            recipe_json=parse(of.recipe).json(),
            engine=of.engine,
            sizes=Sizes(size.file_bytes, resident, size.per_user_bytes if is_network else HISTORY_BYTES),
            size_ratio=of.size_ratio,
            speed=of.speeds[of.engine],
            engines=of.speeds,
            engines_refused=of.refused,
            servable=is_network,
            verdict=found["auc"],
            verdict_ndcg_10=found["ndcg_10"],
            upper_one_look=alone.upper_95,
            validation=of.validation,
            fidelity=of.fidelity,
            agreement=[agreement(name, of.logits(self._test, name), fp32) for name in int8],
            log=[
                f"{s.step}: {s.file_bytes:,} bytes, {s.nonzero:,} of {s.parameters:,} numbers"
                for s in of.compressed.log
            ],
            **self._scored(of.recipe, of.fidelity, model, of.logits, logits),
        )

    def _scored(
        self,
        recipe: str,
        fidelity: Fidelity,
        model: nn.Module,
        score: Callable[[Rows], FloatArray],
        logits: FloatArray,  # (N,) that `score` gives of the test window
    ) -> Scored:
        """What scores and weights tell; calibrated as its artifact is: on held-out rows, in torch fp32 (publish.py)."""
        held_out = self._evaluator.cut.held_out
        calibration = fit_calibration(logits_of(model, held_out), held_out.clicked)
        changes = self._evaluator.changes(recipe, fidelity)
        return Scored(
            quality=metrics(logits, self._test, self._seed),
            slices=by_slice(logits, self._test, self._masks, self._seed),
            calibration=calibration_curve(logits, self._test, calibration),
            importance=importance(score, self._test, self._seed),
            layers=[Layer(at.name, int(np.prod(at.shape)), at.sparsity, at.error) for at in changes],
        )
