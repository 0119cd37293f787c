"""The engines side by side on one network: speed beside torch fp32 at each batch size, and how right each one is.

Rounds are interleaved in one process, one thread (models/engine_speed.py). `max_delta` is in P(click), on rows
the network was not shown; `batch_drift` is the largest change of a logit when the same rows are split otherwise, and
must be 0.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from ...arrays import FloatArray
from ...engine.features.fingerprint import fingerprint
from ...engine.predictor import COLUMNS
from ...models.artifact import load
from ...models.calibration import Calibration
from ...models.engine_speed import REFERENCE, speedups
from ...models.engines import ENGINES, available, engine_of
from ...models.network import Network, network_of, use_one_thread
from ...models.parity import batch_drift, compare

ROWS = 1024


class Subject(NamedTuple):
    """A network with its calibration, its threshold and rows: what all engines compute."""

    network: Network
    calibration: Calibration
    min_score: float
    rows: FloatArray  # (K, COLUMNS)


class Measured(NamedTuple):
    """Speed and correctness of one engine beside torch fp32."""

    speedup: dict[int, float]  # torch fp32's time / its time, by rows of a call
    max_delta: float
    agreement: float  # share of rows on the same side of min_score
    batch_drift: float


def of_folder(folder: Path) -> Subject:
    """A trained artifact and its recorded rows."""
    artifact = load(folder, expected_fingerprint=fingerprint())
    manifest = artifact.manifest
    network = network_of(manifest.sizes, artifact.weights)
    return Subject(network, manifest.calibration, manifest.min_score, artifact.probe.rows)


def drawn(sizes: Sequence[int], seed: int = 1) -> Subject:
    """A drawn network of these sizes on the first columns, calibrated to a spread of 1.5 around P(click) near 0.1."""
    use_one_thread()
    rng = np.random.default_rng(seed)
    learned, rows = (rng.normal(size=(ROWS, COLUMNS)).astype(np.float32) for _ in range(2))
    network = Network(sizes, range(sizes[0])).eval().requires_grad_(requires_grad=False)
    for stage in network.linears():
        width = stage.in_features
        stage.weight.copy_(torch.from_numpy(rng.normal(0, width**-0.5, stage.weight.shape).astype(np.float32)))
        stage.bias.zero_()
    network.learn_standardisation(learned)
    network.learn_bounds(learned)
    logits = engine_of(REFERENCE, network).logits(learned)
    a = 1.5 / float(logits.std())
    return Subject(network, Calibration(a, -2.2 - a * float(logits.mean())), 0.2, rows)


def measure(subject: Subject, batch_sizes: Sequence[int], rounds: int) -> tuple[dict[str, Measured], dict[str, str]]:
    """The engines that can run here, and why the others cannot."""
    found = available()
    engines = {name: engine_of(name, subject.network) for name in ENGINES if found[name] == "ok"}
    expected = engines[REFERENCE].logits(subject.rows)
    speed = speedups(engines, subject.rows, batch_sizes, rounds=rounds)
    measured: dict[str, Measured] = {}
    for name, engine in engines.items():
        parity = compare(engine.logits(subject.rows), expected, subject.calibration, subject.min_score)
        measured[name] = Measured(speed[name], parity.max_delta, parity.agreement, batch_drift(engine, subject.rows))
    return measured, {name: reason for name, reason in found.items() if reason != "ok"}
