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

torch fp32 itself is held against the recorded logits first: weights that do not say what they said are refused.
"""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from ..errors import ArtifactError
from ..settings import EngineChoice as Choice
from .artifact import Artifact
from .engine_speed import REFERENCE, Pace, speedups
from .engines import ENGINES, available, engine_of, int8_name
from .engines.contract import Engine, EngineName, precision_of
from .network import Network, network_of
from .parity import FP32_TOLERANCE, Parity, batch_drift, compare, tolerance_of
from .saturation import clipped

BATCH_SIZES = (256, 1024)  # engines take more rows in blocks of 1024 at most: larger calls have the ratio of these
MARGIN = 1.2

Build = Callable[[EngineName, Network], Engine]


@dataclass(frozen=True)
class Trial:
    """An engine that can run here, beside what was recorded."""

    engine: Engine
    parity: Parity
    tolerance: float
    clipped: str  # what is wrong with its largest sums; empty if nothing

    @property
    def is_right(self) -> bool:
        """Whether an engine computes what fp32 does, within tolerance and without saturating."""
        return not self.clipped and self.parity.max_delta <= self.tolerance

    @property
    def told(self) -> str:
        """How far an engine's probabilities are from fp32's, in words."""
        delta, agreement = self.parity
        told = f"max |dP| {delta:.4f} (tolerance {self.tolerance:.4f}), {agreement:.1%} same decisions"
        return f"{self.clipped}; {told}" if self.clipped else told


Try = Callable[[EngineName], Trial]


@dataclass(frozen=True)
class Admission:
    """The engine that may serve an artifact on this machine, and the measurements behind that."""

    engine: Engine
    verdict: str  # one sentence for people
    parity: Parity | None  # of int8: the serving one, else the first; None if none can run here
    speedup: Mapping[int, float]  # torch fp32's time / the engine's by rows per call; empty if not measured
    batch_drift: float  # of the serving engine's logits; 0 = a row's score ignores its neighbours
    faults: Mapping[EngineName, str] = field(default_factory=dict)  # engines that may not serve, and why


def admit(
    artifact: Artifact,
    choice: Choice = "auto",
    batch_sizes: tuple[int, ...] = BATCH_SIZES,
    pace: Pace = speedups,
    build: Build = engine_of,
) -> Admission:
    """Choose the engine; ArtifactError if fp32 is not what was recorded, or the one asked for cannot or may not run."""
    tried = partial(_tried, artifact, network_of(artifact.manifest.sizes, artifact.weights), build)
    reference = tried(REFERENCE)
    if not reference.is_right:
        raise ArtifactError(
            f"{_model(artifact)}: fp32 is {reference.parity.max_delta:.4f} from its recorded probabilities,"
            f" expected at most {FP32_TOLERANCE:g}; check the torch installation, or train again"
        )
    if choice == "auto":
        return _fastest(artifact, reference, batch_sizes, pace, tried)
    return _asked_for(artifact, _name(choice), reference, batch_sizes, pace, tried)


def _asked_for(
    artifact: Artifact, name: EngineName, reference: Trial, batch_sizes: tuple[int, ...], pace: Pace, tried: Try
) -> Admission:
    trial = reference if name == REFERENCE else tried(name)
    if not trial.is_right:
        raise ArtifactError(
            f"{_model(artifact)}: {name} disagrees with fp32, {trial.told}; this processor or library computes it"
            " wrongly: set STREAMREC_ENGINE=auto or fp32"
        )
    if name != REFERENCE and (drifts := _drifts(artifact, trial)):
        raise ArtifactError(
            f"{_model(artifact)}: {name} cannot serve, {drifts}: a replay or a recovery would not decide as the worker"
            " did; set STREAMREC_ENGINE=auto or fp32"
        )
    if precision_of(name) == "int8":
        speedup = pace({name: trial.engine, REFERENCE: reference.engine}, artifact.probe.rows, batch_sizes)[name]
        verdict = f"{name} serves because it was asked for: {trial.told}, {_paced(speedup)}"
        return _serve(artifact, trial, verdict, trial.parity, speedup, {})
    try:
        int8 = tried(int8_name())
    except ArtifactError as error:
        return _serve(artifact, trial, f"{name} serves because it was asked for; {error}", None, {}, {})
    verdict = f"{name} serves because it was asked for; {int8.engine.name} would have {int8.told}"
    return _serve(artifact, trial, verdict, int8.parity, {}, {})


def _fastest(artifact: Artifact, reference: Trial, batch_sizes: tuple[int, ...], pace: Pace, tried: Try) -> Admission:
    trials, faults = _trials(artifact, reference, tried)
    engines = {name: trial.engine for name, trial in trials.items()}
    speed = pace(engines, artifact.probe.rows, batch_sizes)
    chosen = _chosen(speed)
    int8 = [trial for name, trial in trials.items() if precision_of(name) == "int8"]
    trial = trials[chosen]
    verdict = f"{chosen} serves: {trial.told}, {_paced(speed[chosen])}"
    if slower := [f"{name} {min(speed[name].values()):.2f}" for name in trials if min(speed[name].values()) < 1]:
        verdict += f"; slower than fp32 here: {', '.join(slower)}"
    if wrong := [f"{name} ({fault})" for name, fault in faults.items() if fault.startswith("disagrees")]:
        verdict += f"; refused: {', '.join(wrong)}"
    parity = trial.parity if precision_of(chosen) == "int8" else int8[0].parity if int8 else None
    return _serve(artifact, trial, verdict, parity, speed[chosen], faults)


def _trials(artifact: Artifact, reference: Trial, tried: Try) -> tuple[dict[EngineName, Trial], dict[EngineName, str]]:
    """The engines that are right, in the order of preference, and what is wrong with the others."""
    trials: dict[EngineName, Trial] = {}
    faults: dict[EngineName, str] = {name: reason for name, reason in available().items() if reason != "ok"}
    for name in ENGINES:
        if name == REFERENCE:
            trials[name] = reference
        elif name not in faults:
            trial = tried(name)
            if not trial.is_right:
                faults[name] = f"disagrees with fp32 here, {trial.told}"
            elif drifts := _drifts(artifact, trial):
                faults[name] = drifts
            else:
                trials[name] = trial
    return trials, faults


def _drifts(artifact: Artifact, trial: Trial) -> str:
    """How much its scores depend on the batch, for people; empty if not at all."""
    drift = batch_drift(trial.engine, artifact.probe.rows)
    return f"its scores depend on the batch here by up to {drift:.1e} in the logit" if drift else ""


def _chosen(speed: Mapping[EngineName, Mapping[int, float]]) -> EngineName:
    chosen, pace_of_chosen = REFERENCE, 0.0
    for name, ratios in speed.items():
        mean = statistics.geometric_mean(ratios.values())
        if name == REFERENCE or min(ratios.values()) < 1 or mean < MARGIN * pace_of_chosen:
            continue
        chosen, pace_of_chosen = name, mean
    return chosen


def _tried(artifact: Artifact, network: Network, build: Build, name: EngineName) -> Trial:
    manifest, probe = artifact.manifest, artifact.probe
    engine = build(name, network)
    parity = compare(engine.logits(probe.rows), probe.logits, manifest.calibration, manifest.min_score)
    if precision_of(name) == "fp32":
        return Trial(engine, parity, FP32_TOLERANCE, "")
    return Trial(engine, parity, tolerance_of(probe), clipped(name, manifest.sizes, build))


def _serve(
    artifact: Artifact,
    trial: Trial,
    verdict: str,
    parity: Parity | None,
    speedup: Mapping[int, float],
    faults: Mapping[EngineName, str],
) -> Admission:
    drift = batch_drift(trial.engine, artifact.probe.rows)
    if drift:
        verdict += f"; scores depend on the batch by up to {drift:.1e} in the logit"
    return Admission(trial.engine, verdict, parity, speedup, drift, faults)


def _name(choice: Choice) -> EngineName:
    names: dict[str, EngineName] = {name: name for name in ENGINES}
    return int8_name() if choice == "int8" else REFERENCE if choice == "fp32" else names[choice]


def _model(artifact: Artifact) -> str:
    return f"model {artifact.manifest.name} {artifact.manifest.version}"


def _paced(speedup: Mapping[int, float]) -> str:
    pace = "/".join(f"{ratio:.2f}" for ratio in speedup.values())
    return f"{pace} times as fast as fp32 at {'/'.join(map(str, speedup))} rows"
