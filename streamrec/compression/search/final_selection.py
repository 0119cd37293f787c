"""The finalists in all their engines: timed beside the teacher, given an engine, put in order of preference.

All of this looks at the validation window only. An engine is the fastest at 256 rows that loses at most a fifth of
the budget against the same weights in fp32. The order of preference, which decides who is best if several pass:

    1. the upper bound of the loss is within the budget     3. the others, by their loss
    2. the loss itself is                                   within 1 and 2: by size ratio x speed ratio at 256 rows
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ...arrays import FloatArray
from ...training.evaluate import Quality, quality, users_of
from ...training.model import logits_of
from ...training.rows import Rows
from ...training.teacher import Teacher
from ..methods.user_vectors import with_user_vectors
from ..result import Compressed
from ..verdict import Verdict, judge
from .latency import Run, Speed, measure
from .recipe_evaluator import RecipeEvaluator
from .scoring import Scorer, Scorers, head, scorers
from .trial import Fidelity, Request

ENGINE_SHARE = 0.2  # of the budget that an engine may lose on top
FP32 = "torch_fp32"
HEAD = "teacher, user vectors given"

Speeds = dict[int, Speed]


class Contender(NamedTuple):
    """A recipe carried out, in the engine chosen for it."""

    recipe: str
    fidelity: Fidelity
    compressed: Compressed
    engines: dict[str, Scorer]
    refused: dict[str, str]  # engines that are not among them, and why
    speeds: dict[str, Speeds]  # by engine
    engine: str  # the one chosen
    size_ratio: float
    validation: Verdict

    def logits(self, rows: Rows, engine: str | None = None) -> FloatArray:
        """(N,) of rows, with user vectors stored as the recipe says."""
        return self.engines[engine or self.engine].logits(with_user_vectors(rows, self.compressed.users))

    def merit(self) -> tuple[int, float]:
        """A key by which contenders are sorted, the preferred one first: the module's order of preference."""
        bounded = 0 if self.validation.outcome == "pass" else 1 if self.validation.loss <= self.validation.budget else 2
        return bounded, self.validation.loss if bounded == 2 else -self.size_ratio * self.speeds[self.engine][256].ratio


class FinalSelection(NamedTuple):
    """The contenders with their engines and speeds, the preferred one first."""

    contenders: list[Contender]
    head: Speeds


def final_selection(
    evaluator: RecipeEvaluator,
    chosen: Sequence[tuple[str, Fidelity]],
    request: Request,
    progress: Callable[[str], object] = lambda _: None,
) -> FinalSelection:
    """Carry out the chosen recipes at their fidelities, and time every engine of each."""
    made, runs = list[tuple[str, Fidelity, Compressed, Scorers]](), dict[str, Run]()
    for recipe, fidelity in chosen:
        progress(recipe)
        compressed = evaluator.compressed(recipe, fidelity)
        engines = scorers(compressed.model, evaluator.cut.validation)
        made.append((recipe, fidelity, compressed, engines))
        runs |= {f"{len(made)} {name}": scorer.run for name, scorer in engines.able.items()}
    if isinstance(evaluator.teacher, Teacher):
        runs[HEAD] = head(evaluator.teacher, evaluator.cut.validation)
    progress("timing")
    times = measure(scorers(evaluator.teacher, evaluator.cut.validation).able[FP32].run, runs)
    validation = _Validation(evaluator, request)
    teacher_bytes = evaluator.compressed("teacher", Fidelity(0, 1.0)).size().file_bytes
    found = list[Contender]()
    for number, (recipe, fidelity, compressed, engines) in enumerate(made, start=1):
        speeds = {name: times[f"{number} {name}"] for name in engines.able}
        engine, verdict = validation.engine(compressed, engines.able, speeds)
        ratio = teacher_bytes / compressed.size().file_bytes
        found.append(Contender(recipe, fidelity, compressed, *engines, speeds, engine, ratio, verdict))
    return FinalSelection(sorted(found, key=Contender.merit), times.get(HEAD, {}))


class _Validation:
    """Losses against the teacher over the validation window."""

    def __init__(self, evaluator: RecipeEvaluator, request: Request) -> None:
        self._rows, self._budget, self._seed = evaluator.cut.validation, request.max_loss, request.seed
        self._teacher = self._quality(logits_of(evaluator.teacher, self._rows))
        self._users = users_of(self._teacher, self._rows.impression, self._rows.user)

    def engine(
        self, compressed: Compressed, engines: Mapping[str, Scorer], speeds: Mapping[str, Speeds]
    ) -> tuple[str, Verdict]:
        """The fastest engine that is good enough, and what it loses."""
        rows = with_user_vectors(self._rows, compressed.users)
        verdicts = {name: self._verdict(scorer.logits(rows)) for name, scorer in engines.items()}
        allowed = verdicts[FP32].loss + ENGINE_SHARE * self._budget
        able = [name for name in engines if name == FP32 or verdicts[name].loss <= allowed]
        engine = max(able, key=lambda name: speeds[name][256].ratio)
        return engine, verdicts[engine]

    def _quality(self, scores: FloatArray) -> Quality:
        return quality(scores, self._rows.clicked, self._rows.impression)

    def _verdict(self, scores: FloatArray) -> Verdict:
        ours = self._quality(scores).auc
        return judge(self._teacher.auc, ours, self._users, self._budget, self._seed)
