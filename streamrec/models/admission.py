"""The admission check: which engine may serve this artifact on this machine.

Asked at load:
1. Is it right?   int8: its largest sums are not clipped (saturation.py), and max |P int8 - recorded P fp32| on the
                  probe rows is within the recorded tolerance; float32: within float rounding of it. And a row's score
                  does not depend on the rows beside it. Hard: it never serves otherwise, and asking for it by name is
                  an ArtifactError; torch fp32 alone, which is what is left, serves with its drift told.
2. Is it fast?    Asked under `auto` only, of every engine that is right: its speed beside torch fp32 at the batch
                  sizes in use (engine_speed.py). One that is slower at any of them does not serve.

`auto` goes through the engines in the order of ENGINES, dynamic int8 first, and leaves the one it has for a later one
only if that is at least MARGIN times as fast (geometric mean over the batch sizes). So small differences, which
another start would measure the other way round, do not change the engine, and the one chosen is never slower than
1 / MARGIN of the fastest.

A named engine that torch has dropped is served by its successor, with a warning; what was right for it is asked of
that one as well.

torch fp32 itself is held against the recorded logits first: weights that do not say what they said are refused.
"""

import logging
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..errors import ArtifactError
from ..settings import EngineChoice as Choice
from .artifact import Artifact
from .engine_speed import REFERENCE, Pace, speedups
from .engines import ENGINES, available, engine_of, int8_name, missing, or_successor
from .engines.contract import Engine, EngineName, precision_of
from .machine import this_machine
from .manifest import ChosenEngine
from .network import Network, network_of
from .parity import FP32_TOLERANCE, Parity, batch_drift, compare, tolerance_of
from .saturation import clipped

BATCH_SIZES = (256, 1024)  # engines take more rows in blocks of 1024 at most: larger calls have the ratio of these
MARGIN = 1.2

Build = Callable[[EngineName, Network], Engine]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trial:
    """An engine that can run here, beside what was recorded."""

    engine: Engine
    parity: Parity
    tolerance: float
    clipped: str  # what is wrong with its largest sums; empty if nothing
    batch_drift: float

    @property
    def is_right(self) -> bool:
        """Whether an engine computes what fp32 does, within tolerance and without saturating."""
        return not self.clipped and self.parity.max_delta <= self.tolerance

    @property
    def summary(self) -> str:
        """How far an engine's probabilities are from fp32's, in words."""
        delta, agreement, decided = self.parity
        same = f"{agreement:.1%} same decisions" if decided else "no decisions to compare: no row reaches the threshold"
        distance = f"max |dP| {delta:.4f} (tolerance {self.tolerance:.4f}), {same}"
        return f"{self.clipped}; {distance}" if self.clipped else distance

    @property
    def drift(self) -> str:
        """How much its scores depend on the batch, in words; empty if not at all."""
        if not self.batch_drift:
            return ""
        return f"scores depend on the batch here by up to {self.batch_drift:.1e} in the logit"


@dataclass(frozen=True)
class Admission:
    """The engine that may serve an artifact on this machine, and the measurements behind that."""

    engine: Engine
    verdict: str  # one sentence for people
    parity: Parity | None  # of int8: the serving one, else the first; None if none can run here
    speedup: Mapping[int, float]  # torch fp32's time / the engine's by rows per call; empty if not measured
    batch_drift: float  # of the serving engine's logits; 0 = a row's score ignores its neighbours
    faults: Mapping[EngineName, str] = field(default_factory=dict)  # engines that may not serve, and why


def admit(artifact: Artifact, choice: Choice = "auto", pace: Pace = speedups, build: Build = engine_of) -> Admission:
    """Choose the engine; ArtifactError if fp32 is not what was recorded, or the one asked for cannot or may not run."""
    manifest, rows = artifact.manifest, artifact.probe.rows
    network, model = network_of(manifest.sizes, artifact.weights), f"model {manifest.name} {manifest.version}"

    def trial(name: EngineName) -> Trial:
        return _trial(artifact, build(name, network), build)

    def speed(trials: Mapping[EngineName, Trial]) -> Mapping[EngineName, Mapping[int, float]]:
        return pace({name: each.engine for name, each in trials.items()}, rows, BATCH_SIZES)

    reference = trial(REFERENCE)
    if not reference.is_right:
        raise ArtifactError(
            f"{model}: fp32 is {reference.parity.max_delta:.4f} from its recorded probabilities,"
            f" expected at most {FP32_TOLERANCE:g}; check the torch installation, or train again"
        )
    if choice == "auto":
        trials, faults = _trials(reference, trial)
        return _fastest(trials, faults, speed(trials))
    name = int8_name() if choice == "int8" else REFERENCE if choice == "fp32" else _named(choice, model)
    chosen = reference if name == REFERENCE else _usable(trial(name), model)
    serves = f"{name} serves because it was asked for"
    if precision_of(name) == "int8":
        speedup = speed({name: chosen, REFERENCE: reference})[name]
        return _serve(chosen, f"{serves}: {chosen.summary}, {_paced(speedup)}", chosen.parity, speedup)
    try:
        int8 = trial(int8_name())
    except ArtifactError as error:
        return _serve(chosen, f"{serves}; {error}", None)
    return _serve(chosen, f"{serves}; {int8.engine.name} would have {int8.summary}", int8.parity)


def chosen(artifact: Artifact) -> ChosenEngine:
    """What `auto` takes on this machine, for the manifest."""
    admission = admit(artifact)
    ratio = admission.speedup[BATCH_SIZES[0]]
    return ChosenEngine(admission.engine.name, round(ratio, 2), this_machine().processor)


def _named(asked: EngineName, model: str) -> EngineName:
    name = or_successor(asked)
    if name != asked:
        log.warning(
            "%s: %s serves in place of %s: %s; its scores differ within the tolerance recorded with the model: set"
            " STREAMREC_ENGINE=%s to keep it, or auto",
            *(model, name, asked, missing(asked), name),
        )
    return name


def _trial(artifact: Artifact, engine: Engine, build: Build) -> Trial:
    manifest, probe = artifact.manifest, artifact.probe
    parity = compare(engine.logits(probe.rows), probe.logits, manifest.calibration, manifest.min_score)
    is_int8 = precision_of(engine.name) == "int8"
    tolerance = tolerance_of(probe) if is_int8 else FP32_TOLERANCE
    saturates = clipped(engine.name, manifest.sizes, build) if is_int8 else ""
    return Trial(engine, parity, tolerance, saturates, batch_drift(engine, probe.rows))


def _usable(trial: Trial, model: str) -> Trial:
    """The trial of an engine that was asked for; ArtifactError if it may not serve."""
    name = trial.engine.name
    if not trial.is_right:
        raise ArtifactError(
            f"{model}: {name} disagrees with fp32, {trial.summary}; this processor or library computes it wrongly: set"
            " STREAMREC_ENGINE=auto or fp32"
        )
    if trial.drift:
        raise ArtifactError(
            f"{model}: {name} cannot serve, its {trial.drift}: a replay or a recovery would not decide as the worker"
            " did; set STREAMREC_ENGINE=auto or fp32"
        )
    return trial


def _trials(
    reference: Trial, trial: Callable[[EngineName], Trial]
) -> tuple[dict[EngineName, Trial], dict[EngineName, str]]:
    """The engines that are right, in the order of preference, and what is wrong with the others."""
    trials: dict[EngineName, Trial] = {}
    faults: dict[EngineName, str] = {name: reason for name, reason in available().items() if reason != "ok"}
    for name in ENGINES:
        if name in faults:
            continue
        found = reference if name == REFERENCE else trial(name)
        if not found.is_right:
            faults[name] = f"disagrees with fp32 here, {found.summary}"
        elif found.drift and name != REFERENCE:
            faults[name] = f"its {found.drift}"
        else:
            trials[name] = found
    return trials, faults


def _fastest(
    trials: Mapping[EngineName, Trial],
    faults: Mapping[EngineName, str],
    speed: Mapping[EngineName, Mapping[int, float]],
) -> Admission:
    name = _preferred(speed)
    chosen = trials[name]
    verdict = f"{name} serves: {chosen.summary}, {_paced(speed[name])}"
    if slower := [f"{name} {min(speed[name].values()):.2f}" for name in trials if min(speed[name].values()) < 1]:
        verdict += f"; slower than fp32 here: {', '.join(slower)}"
    if wrong := [f"{name} ({fault})" for name, fault in faults.items() if fault.startswith("disagrees")]:
        verdict += f"; refused: {', '.join(wrong)}"
    int8 = [trials[each].parity for each in (name, *trials) if precision_of(each) == "int8"]
    return _serve(chosen, verdict, int8[0] if int8 else None, speed[name], faults)


def _preferred(speed: Mapping[EngineName, Mapping[int, float]]) -> EngineName:
    chosen, pace_of_chosen = REFERENCE, 0.0
    for name, ratios in speed.items():
        mean = statistics.geometric_mean(ratios.values())
        if name == REFERENCE or min(ratios.values()) < 1 or mean < MARGIN * pace_of_chosen:
            continue
        chosen, pace_of_chosen = name, mean
    return chosen


def _serve(
    trial: Trial,
    verdict: str,
    parity: Parity | None,
    speedup: Mapping[int, float] | None = None,
    faults: Mapping[EngineName, str] | None = None,
) -> Admission:
    if trial.drift:
        verdict += f"; {trial.drift}"
    return Admission(trial.engine, verdict, parity, speedup or {}, trial.batch_drift, faults or {})


def _paced(speedup: Mapping[int, float]) -> str:
    pace = "/".join(f"{ratio:.2f}" for ratio in speedup.values())
    return f"{pace} times as fast as fp32 at {'/'.join(map(str, speedup))} rows"
