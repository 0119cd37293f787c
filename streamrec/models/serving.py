"""The models in service: one for most users, perhaps a canary for some. A change is one assignment.

    serving.lineup = Lineup(stable, canary, percent)

Who is a canary's user depends on the user's hash and the canary's version alone: the same users on every worker and
after every restart, others for the next canary. A partition asks once a batch (`lineup_of`) and decides all of it with
the answer, so a change is seen between two batches, never within one.
"""

import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..arrays import AnyArray, FloatArray, UIntArray
from ..contracts.push import ModelStamp
from ..engine.predictor import Predictor
from ..engine.profiles.store import Users


class Lineup(NamedTuple):
    """Which model scores which users: the canary its percentage, the stable one the others."""

    stable: Predictor
    canary: Predictor | None = None
    percent: int = 0  # of the users, canary's

    def shares(self, users: Users) -> Iterator[tuple[Predictor, Users]]:
        """Each model with its users; users keep their order within a share."""
        if self.canary is None:
            yield self.stable, users
            return
        chosen = bucket(users["salt"], self.canary.stamp.version) < self.percent
        for scores, mine in ((self.stable, ~chosen), (self.canary, chosen)):
            if mine.any():
                yield scores, users.take(np.flatnonzero(mine))


class Serving:
    """Satisfies `Predictor` as its stable model; partitions ask for the whole lineup."""

    def __init__(self, stable: Predictor) -> None:
        self.lineup = Lineup(stable)

    @property
    def stamp(self) -> ModelStamp:
        """Name, version and precision of the stable model."""
        return self.lineup.stable.stamp

    def probability(self, features: FloatArray) -> FloatArray:
        """The stable model's P(click) of each row, (N,)."""
        return self.lineup.stable.probability(features)


def lineup_of(scores: Predictor) -> Lineup:
    """The lineup as it is now; a single model is one of its own."""
    return scores.lineup if isinstance(scores, Serving) else Lineup(scores)


def bucket(salt: UIntArray, version: str) -> AnyArray:
    """(N,) CRC-32 of user ids -> (N,) 0..99, as good as independent for two versions (MurmurHash3's finaliser)."""
    mixed = salt.astype(np.uint32) ^ np.uint32(zlib.crc32(version.encode()))
    mixed ^= mixed >> np.uint32(16)
    mixed *= np.uint32(0x85EBCA6B)
    mixed ^= mixed >> np.uint32(13)
    mixed *= np.uint32(0xC2B2AE35)
    mixed ^= mixed >> np.uint32(16)
    return mixed % np.uint32(100)
