"""What a threshold lets through on later impressions, and the one that lets through a wanted number a reader and day.

    share       candidates that reach the threshold, of all shown
    reaching    candidates that reach it a reader and day, of the days (UTC) on which the reader was shown anything
    impressions share of the impressions with at least one of them: a push was due there, whatever caps say

The one recommended is the largest that `wanted` candidates a reader and day reach. It is an estimate from what was
shown: caps and intervals push less, and a worker meets readers with articles that nobody showed them. What then leaves
a replay counts (`streamrec replay`).
"""

from typing import NamedTuple

import msgspec
import numpy as np

from ..arrays import FloatArray
from ..contracts.inputs import DAY_MS
from ..models.manifest import Manifest
from .rows import Rows

WANTED = 2.0  # candidates a reader and day


class Wanted(NamedTuple):
    """The threshold that is asked for: itself, or by how many candidates a reader and day should reach it."""

    min_score: float | None = None
    reaching: float = WANTED

    def threshold(self, p: FloatArray, earlier: Rows) -> float:
        """The one asked for, or the one that the wanted share of (N,) probabilities reaches, of held-out candidates.

        How many candidates a reader is shown a day the earlier rows say: held-out ones may be of a few hours.
        """
        return self.min_score if self.min_score is not None else threshold_for(self.reaching, p, earlier)


class Threshold(msgspec.Struct, frozen=True):
    """A threshold on P(click), and what of the test window reaches it."""

    min_score: float
    share: float
    reaching: float
    impressions: float

    def says(self) -> str:
        """In a sentence; that nothing is decided by it, too."""
        if not self.share:
            return f"threshold {self.min_score:.4g}: no candidate reaches it, so nothing would be pushed"
        return (
            f"threshold {self.min_score:.4g}: {self.share:.2%} of the candidates reach it, {self.reaching:.2f} a reader"
            f" and day, in {self.impressions:.1%} of the impressions"
        )


def threshold_at(min_score: float, p: FloatArray, rows: Rows) -> Threshold:
    """What (N,) probabilities of rows say of a threshold."""
    reach = p >= np.float32(min_score)
    with_one, all_of_them = (len(np.unique(found)) for found in (rows.impression[reach], rows.impression))
    return Threshold(min_score, float(reach.mean()), float(reach.sum() / _reader_days(rows)), with_one / all_of_them)


def threshold_of(manifest: Manifest, logits: FloatArray, rows: Rows) -> Threshold:
    """What (N,) logits of rows say of the threshold in their model's manifest."""
    return threshold_at(manifest.min_score, manifest.calibration.probability(logits), rows)


def threshold_for(wanted: float, p: FloatArray, rows: Rows) -> float:
    """The largest that the share of (N,) probabilities reaches which makes so many a reader and day of the rows."""
    count = min(len(p), max(1, round(wanted * _reader_days(rows) / len(rows.x) * len(p))))
    return float(np.partition(p, len(p) - count)[len(p) - count])


def _reader_days(rows: Rows) -> int:
    """How many days each reader was shown anything, summed over readers."""
    return len(np.unique(np.stack([rows.user, rows.at_ms // DAY_MS]), axis=1).T)
