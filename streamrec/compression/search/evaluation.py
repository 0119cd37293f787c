"""Evaluation on the test window: verdicts, slices and everything the comparison page shows of each finalist."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypedDict

import msgspec
import numpy as np
from torch import nn

from ...arrays import FloatArray
from ...models.calibration import Calibration, fit_calibration
from ...models.network import Network
from ...training.evaluate import Quality, quality, users_of
from ...training.history import HISTORY
from ...training.model import logits_of
from ...training.rows import Rows
from ..recipe import parse
from ..result import LayerChange
from ..verdict import Verdict, judge, verdicts
from .final_selection import FP32, Contender, Speeds
from .holdout_ledger import HoldoutLedger
from .importance import importance
from .outcome import Agreement, Bin, Layer, Metrics, Pace, Point, Sizes
from .pareto import front
from .recipe_evaluator import OfRecipes
from .score_statistics import agreement, by_slice, calibration_curve, metrics
from .slices import slices
from .splits import usable_impressions
from .trial import Fidelity, Key, Request

ID_BYTES = 8  # of an article in a history
Scoring = Callable[[Rows], FloatArray]


class Judged(NamedTuple):
    """The points of the teacher and of all finalists, in order of preference."""

    teacher: Point
    points: list[Point]
    slice_impressions: dict[str, int]


class Seen(TypedDict):
    """Fields of a point that depend on scores alone."""

    quality: Metrics
    slices: dict[str, Metrics]
    calibration: list[Bin]
    importance: dict[str, float]


class Judging:
    """Judges models on the test window: holds the teacher's scores of it and puts models beside them."""

    def __init__(self, of: OfRecipes, request: Request, ledger: HoldoutLedger) -> None:
        self._of, self._request, self._ledger, self._test = of, request, ledger, of.cut.test
        self._budget, self._seed = request.max_loss, request.seed
        self._masks = slices(self._test, of.cut.train)
        self._logits = logits_of(of.teacher, self._test)
        self._quality = self._seen_in(self._logits)
        self._users = users_of(self._quality, self._test.impression, self._test.user)

    def all(self, contenders: Sequence[Contender], progress: Callable[[str], object] = lambda _: None) -> Judged:
        """Points in the order of the contenders; verdicts hold for all of them, and all judged before, together."""
        scored = [contender.logits(self._test) for contender in contenders]
        seen, found = [self._seen_in(logits) for logits in scored], list[Point]()
        for of, logits, ours, judged in zip(contenders, scored, seen, self._verdicts(contenders, seen), strict=True):
            progress(of.recipe)
            found.append(self._point(of, logits, ours, judged))
        costs = [[-p.size_ratio, -p.speed[256].ratio, -p.quality["auc"].value] for p in found]
        on_front = front(np.array(costs).reshape(-1, 3)).tolist()
        points = [msgspec.structs.replace(point, on_front=on) for point, on in zip(found, on_front, strict=True)]
        counts = {name: usable_impressions(self._test.take(mask)) for name, mask in self._masks.items()}
        return Judged(self._teacher(), points, counts)

    def _teacher(self) -> Point:
        size = self._of.compressed("teacher", Fidelity(0, 1.0)).size()
        return Point(
            recipe="",
            engine=FP32,
            sizes=Sizes(size.file_bytes, size.resident_bytes, HISTORY * ID_BYTES),
            size_ratio=1.0,
            speed={},
            layers=_layers(self._of.changes("teacher", Fidelity(0, 1.0))),
            **self._seen(
                lambda rows: logits_of(self._of.teacher, rows), self._logits, self._calibrated(self._of.teacher)
            ),
        )

    def _verdicts(self, contenders: Sequence[Contender], ours: Sequence[Quality]) -> list[dict[str, Verdict]]:
        names = list[str]()
        for of, seen in zip(contenders, ours, strict=True):
            key = Key(of.recipe, of.fidelity, self._seed, self._request.data)
            names.append(self._ledger.keep(key, seen))
        earlier = self._ledger.others(names, self._quality.impressions)
        return verdicts(self._quality, [*ours, *earlier], self._users, self._budget, self._seed)[: len(ours)]

    def _seen_in(self, logits: FloatArray) -> Quality:
        return quality(logits, self._test.clicked, self._test.impression)

    def _point(self, of: Contender, logits: FloatArray, ours: Quality, found: dict[str, Verdict]) -> Point:
        size = of.compressed.size()
        alone = judge(self._quality.auc, ours.auc, self._users, self._budget, self._seed)
        resident = size.resident_int8_bytes if of.engine.endswith("int8") else size.resident_bytes
        is_network = isinstance(of.compressed.model, Network)
        return Point(
            recipe=of.recipe,
            recipe_json=parse(of.recipe).json(),
            engine=of.engine,
            sizes=Sizes(size.file_bytes, resident, size.per_user_bytes if is_network else HISTORY * ID_BYTES),
            size_ratio=of.size_ratio,
            speed=paces(of.speeds[of.engine]),
            engines={name: paces(speeds) for name, speeds in of.speeds.items()},
            engines_refused=of.refused,
            servable=is_network,
            verdict=found["auc"],
            verdict_ndcg_10=found["ndcg_10"],
            upper_one_look=alone.upper_95,
            validation=of.validation,
            fidelity=of.fidelity,
            agreement=self._agreement(of),
            layers=_layers(self._of.changes(of.recipe, of.fidelity)),
            log=[
                f"{s.step}: {s.file_bytes:,} bytes, {s.nonzero:,} of {s.parameters:,} numbers"
                for s in of.compressed.log
            ],
            **self._seen(of.logits, logits, self._calibrated(of.compressed.model)),
        )

    def _calibrated(self, model: nn.Module) -> Calibration:
        """As its artifact is: on the held-out rows, in torch fp32 (publish.py)."""
        held_out = self._of.cut.held_out
        return fit_calibration(logits_of(model, held_out), held_out.clicked)

    def _seen(self, score: Scoring, logits: FloatArray, calibrated: Calibration) -> Seen:
        """What a model's scores on the test window tell: quality, also by slice, calibration, and what they rest on."""
        return Seen(
            quality=metrics(logits, self._test, self._seed),
            slices=by_slice(logits, self._test, self._masks, self._seed),
            calibration=calibration_curve(logits, self._test, calibrated),
            importance=importance(score, self._test, self._seed),
        )

    def _agreement(self, of: Contender) -> list[Agreement]:
        fp32 = of.logits(self._test, FP32)
        return [agreement(name, of.logits(self._test, name), fp32) for name in of.engines if name.endswith("int8")]


def _layers(changes: Sequence[LayerChange]) -> list[Layer]:
    return [Layer(change.name, int(np.prod(change.shape)), change.sparsity, change.error) for change in changes]


def paces(speeds: Speeds) -> dict[int, Pace]:
    """Speeds by batch size in the form in which search.json has them."""
    return {batch: Pace(*speed) for batch, speed in speeds.items()}
