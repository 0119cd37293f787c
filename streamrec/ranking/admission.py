"""The admission check: which engine may serve this artifact on this machine.

Two questions, asked at load:
1. Is int8 right?      max |P int8 - recorded P fp32| on the probe rows within the recorded tolerance. Hard: it never
                       serves otherwise, and asking for it by name is an ArtifactError.
2. Is int8 not slower? median fp32 time / median int8 time at each batch size in use, rounds interleaved so that other
                       load on the machine meets both. Asked under `auto` only: a named engine serves at any speed.

fp32 itself is held against the recorded logits too: weights that do not say what they said are refused.
"""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..clock import monotonic_s
from ..errors import ArtifactError
from .artifact import Artifact
from .engines import Engine, EngineName, engine_of
from .network import network_of
from .parity import Parity, batch_drift, compare
from .scores import FloatArray

Choice = Literal["auto", "int8", "fp32"]
BATCH_SIZES = (256, 1024, 4096)
ROUNDS = 9
FP32_TOLERANCE = 1e-4  # probability; float rounding of another processor stays far below it

Build = Callable[[EngineName], Engine]
Timer = Callable[[], float]


@dataclass(frozen=True)
class Admission:
    """The engine that serves, and why."""

    engine: Engine
    verdict: str  # one sentence for people
    parity: Parity | None  # of int8; None if this torch cannot quantize
    speedup: Mapping[int, float]  # fp32 time / int8 time by rows per call; empty if not measured
    batch_drift: float  # of the serving engine's logits; 0 = a row's score ignores its neighbours


def admit(
    artifact: Artifact,
    choice: Choice = "auto",
    batch_sizes: tuple[int, ...] = BATCH_SIZES,
    timer: Timer = monotonic_s,
    build: Build | None = None,
) -> Admission:
    """Choose the engine; ArtifactError if fp32 is not what was recorded, or int8 was asked for and is not right."""
    build = build or _builder(artifact)
    fp32 = build("fp32")
    _check_fp32(fp32, artifact)
    try:
        int8 = build("int8")
    except ArtifactError as error:
        if choice == "int8":
            raise
        return _serve(fp32, artifact, f"fp32 serves: {error}", None, {})
    parity = _parity(int8, artifact)
    told = f"max |dP| {parity.max_delta:.4f} (tolerance {artifact.probe.tolerance:.4f})"
    told += f", {parity.agreement:.1%} same decisions"
    if choice == "fp32":
        return _serve(fp32, artifact, f"fp32 serves because it was asked for; int8 would have {told}", parity, {})
    if parity.max_delta > artifact.probe.tolerance:
        return _disagreement(choice, fp32, artifact, parity, told)
    speedup = _speedup(fp32, int8, artifact.probe.rows, batch_sizes, timer)
    pace = "/".join(f"{ratio:.2f}" for ratio in speedup.values()) + " times as fast as fp32 at "
    pace += "/".join(map(str, speedup)) + " rows"
    if choice == "int8":
        return _serve(int8, artifact, f"int8 serves because it was asked for: {told}, {pace}", parity, speedup)
    if min(speedup.values()) < 1:
        return _serve(fp32, artifact, f"fp32 serves: int8 is right ({told}) but slower here, {pace}", parity, speedup)
    return _serve(int8, artifact, f"int8 serves: {told}, {pace}", parity, speedup)


def _builder(artifact: Artifact) -> Build:
    network = network_of(artifact.manifest.sizes, artifact.weights)
    return lambda name: engine_of(name, network)


def _parity(engine: Engine, artifact: Artifact) -> Parity:
    manifest, probe = artifact.manifest, artifact.probe
    return compare(engine.logits(probe.rows), probe.logits, manifest.calibration, manifest.min_score)


def _check_fp32(fp32: Engine, artifact: Artifact) -> None:
    delta = _parity(fp32, artifact).max_delta
    if delta > FP32_TOLERANCE:
        raise ArtifactError(
            f"model {artifact.manifest.name} {artifact.manifest.version}: fp32 is {delta:.4f} from its recorded"
            f" probabilities, expected at most {FP32_TOLERANCE:g}; check the torch installation, or train again"
        )


def _disagreement(choice: Choice, fp32: Engine, artifact: Artifact, parity: Parity, told: str) -> Admission:
    if choice == "int8":
        raise ArtifactError(
            f"model {artifact.manifest.name} {artifact.manifest.version}: int8 disagrees with fp32, {told};"
            " this processor or torch computes int8 wrongly: set STREAMREC_ENGINE=auto or fp32"
        )
    return _serve(fp32, artifact, f"fp32 serves: int8 disagrees with it here, {told}", parity, {})


def _serve(
    engine: Engine, artifact: Artifact, verdict: str, parity: Parity | None, speedup: Mapping[int, float]
) -> Admission:
    drift = batch_drift(engine, artifact.probe.rows)
    if drift:
        verdict += f"; scores depend on the batch by up to {drift:.1e} in the logit"
    return Admission(engine, verdict, parity, speedup, drift)


def _speedup(
    fp32: Engine, int8: Engine, rows: FloatArray, batch_sizes: tuple[int, ...], timer: Timer
) -> dict[int, float]:
    ratios = {}
    for size in batch_sizes:
        batch = rows[np.arange(size) % len(rows)]  # (size, COLUMNS)
        seconds: dict[EngineName, list[float]] = {"fp32": [], "int8": []}
        for _ in range(ROUNDS):
            for engine in (fp32, int8):
                started_s = timer()
                engine.logits(batch)
                seconds[engine.name].append(timer() - started_s)
        # the first round warms up caches and allocators
        medians = {name: statistics.median(values[1:]) for name, values in seconds.items()}
        ratios[size] = medians["fp32"] / max(medians["int8"], 1e-9)
    return ratios
