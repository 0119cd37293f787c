"""How far int8 is from fp32, in the unit that decides: calibrated probability.

The distance is recorded on K probe rows when an artifact is saved and measured again on the machine that serves it.
Integer arithmetic is exact, so a healthy machine finds what was recorded up to float rounding; a saturating kernel
(u8 x s8 products clipped to 16 bits on AVX2) or an altered library does not.
"""

from typing import NamedTuple

import numpy as np

from ..arrays import FloatArray
from .artifact import Probe
from .calibration import Calibration
from .engines import engine_of, missing
from .engines.contract import Engine, EngineName
from .network import Network
from .saturation import clipped

PROBE_ROWS = 256
LARGEST = float(np.finfo(np.float16).max)
MEASURED: tuple[EngineName, ...] = ("torch_int8", "onednn_int8")
HEADROOM = 2.0  # times the recorded distance, for other rounding on other machines
SLACK = 0.001
FP32_TOLERANCE = 1e-4  # probability; float rounding of another processor stays far below it
TOLERANCE_LIMIT = 0.05  # an int8 further away than this must not serve, whatever was recorded


class Parity(NamedTuple):
    """Two answers for the same rows, compared."""

    max_delta: float  # of P(click)
    agreement: float  # share of rows on the same side of the threshold
    decided: int  # rows that reach it in either; 0: all agree because nothing is decided


def compare(left: FloatArray, right: FloatArray, calibration: Calibration, min_score: float) -> Parity:
    """Compare (K,) logits; anything not finite counts as infinitely far."""
    p_left, p_right = calibration.probability(left), calibration.probability(right)
    delta = float(np.abs(p_left - p_right).max())
    left_reaches, right_reaches = p_left >= min_score, p_right >= min_score
    same, decided = float((left_reaches == right_reaches).mean()), int((left_reaches | right_reaches).sum())
    return Parity(delta if np.isfinite(delta) else float("inf"), same, decided)


def record_probe(network: Network, calibration: Calibration, rows: FloatArray) -> Probe:
    """Up to PROBE_ROWS of `rows` spread evenly, rounded to float16, their fp32 logits and the tolerance for int8.

    Measured on the int8 engines that every torch has, whatever extras are installed, so that the same training gives
    the same artifact; not on one whose sums are clipped here, which would set its own tolerance. Where none is left
    the tolerance is 0: an int8 nobody has measured does not serve anywhere.
    """
    chosen = rows[np.linspace(0, len(rows) - 1, min(PROBE_ROWS, len(rows))).astype(int)]
    chosen = np.clip(chosen, -LARGEST, LARGEST).astype(np.float16).astype(np.float32)
    logits = engine_of("torch_fp32", network).logits(chosen)
    right = [name for name in MEASURED if not missing(name) and not clipped(name, network.sizes, engine_of)]
    engines = [engine_of(name, network) for name in right]
    if not engines:
        return Probe(chosen, logits, 0.0)
    measured = max(compare(engine.logits(chosen), logits, calibration, 0.5).max_delta for engine in engines)
    return Probe(chosen, logits, min(HEADROOM * measured + SLACK, TOLERANCE_LIMIT))


def tolerance_of(probe: Probe) -> float:
    """How far int8 may be from fp32: what was recorded, and never more than the limit, whoever wrote it."""
    return min(probe.tolerance, TOLERANCE_LIMIT)


def batch_drift(engine: Engine, rows: FloatArray) -> float:
    """Largest change of a logit when (K, COLUMNS) rows are split into calls of 1, 2, 3, ... rows; 0 is the contract."""
    whole = engine.logits(rows)
    start, size, worst = 0, 1, 0.0
    while start < len(rows):
        part = engine.logits(rows[start : start + size])
        worst = max(worst, float(np.abs(part - whole[start : start + size]).max()))
        start, size = start + size, size + 1
    return worst
