"""A stable model and canaries that each leave one limit, made for the pairs a load really leads to.

They share one drawn network, so that they differ in what is meant to differ and in nothing else. `x` in the calibration
is its logit; the threshold T is where four in ten of the pairs lie above it.

    good          the same, within a hair
    send_rate     every logit is higher: more pairs over T
    score_shift   the same pairs over T, all others further away from it: sends as much, says something else
    latency       the same answers from a network many times as large
    parity        the same answers in fp32; in int8 one large weight on a column that is always the same leaves the
                  others a coarse grid, within what admission allows
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from streamrec.arrays import FloatArray
from streamrec.content.encoder import HashedEncoder
from streamrec.engine.features.fingerprint import fingerprint
from streamrec.engine.predictor import COLUMNS
from streamrec.models.artifact import save
from streamrec.models.calibration import Calibration
from streamrec.models.engines.torch_fp32 import TorchFp32
from streamrec.models.network import Network, use_one_thread
from streamrec.training.fit import Fitted

THRESHOLD = 0.2
AT_THRESHOLD = float(np.log(THRESHOLD / (1 - THRESHOLD)))
SPREAD = 0.2  # of calibrated logits
WIDE = (COLUMNS, 2048, 256, 1)
OUTLIER = 60.0  # times the largest weight


def publish_all(home: Path, rows: FloatArray) -> Mapping[str, Path]:
    """Folders by name, for (N, COLUMNS) rows as they are met."""
    use_one_thread()
    torch.manual_seed(1)
    base = Network((COLUMNS, 64, 32, 1)).eval().requires_grad_(requires_grad=False)
    base.learn_standardisation(rows)
    base.learn_bounds(rows)
    x = TorchFp32(base).logits(rows)
    a = SPREAD / float(x.std())
    usual = Calibration(a, AT_THRESHOLD - a * float(np.quantile(x, 0.6)))
    made = {
        "stable": (base, usual),
        "good": (base, Calibration(a * 1.001, usual.b)),
        "send_rate": (base, Calibration(a, usual.b + 2 * SPREAD)),
        "score_shift": (base, Calibration(3 * a, 3 * usual.b - 2 * AT_THRESHOLD)),
        "latency": (_wide(base), usual),
        "parity": (_coarse(base, rows), usual),
    }
    for name, (network, calibration) in made.items():
        save(
            home / name,
            **Fitted(network, calibration, {}).parts(rows),
            name=name,
            space_id=HashedEncoder().space_id,
            encoder="hashed",
            fingerprint=fingerprint(),
            min_score=THRESHOLD,
            created_at="2026-01-05T09:00:00Z",
        )
    return {name: home / name for name in made}


def _copy(base: Network, sizes: tuple[int, ...]) -> Network:
    network = Network(sizes).eval().requires_grad_(requires_grad=False)
    for name in ("mean", "std", "low", "high"):
        getattr(network, name).copy_(getattr(base, name))
    return network


def _wide(base: Network) -> Network:
    """Units that say nothing beside those that do."""
    network = _copy(base, WIDE)
    for stage, own in zip(network.linears(), base.linears(), strict=True):
        out, k = own.weight.shape
        stage.weight.zero_()
        stage.bias.zero_()
        stage.weight[:out, :k], stage.bias[:out] = own.weight, own.bias
    return network


def _coarse(base: Network, rows: FloatArray) -> Network:
    """A large weight where standardised inputs are 0."""
    network = _copy(base, base.sizes)
    network.load_state_dict(base.state_dict())
    first = network.linears()[0].weight
    first[0, int(np.argmin(rows.std(axis=0)))] = OUTLIER * float(first.abs().max())
    return network
