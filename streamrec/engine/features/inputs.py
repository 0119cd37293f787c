"""What features are computed from: profile and catalog columns of candidate pairs, gathered once each, valued now."""

from functools import cached_property

import numpy as np

from ...arrays import FloatArray, UIntArray
from ...contracts.ids import SHARED_CATEGORY
from ..pairs import Pairs
from ..profiles.interest import decay

HOUR_MS = 3_600_000


class Inputs:
    """What features are computed from; each array is gathered once, when first asked for."""

    def __init__(self, pairs: Pairs, now_ms: int, half_life_ms: float) -> None:
        self.pairs = pairs
        self.now_ms = now_ms
        self.half_life_ms = half_life_ms

    @cached_property
    def worth(self) -> FloatArray:
        """Decay from the row's reference time to now, (N,)."""
        elapsed_ms = np.maximum(self.now_ms - self.pairs.user("interest_at_ms"), 0)
        return decay(elapsed_ms, self.half_life_ms)

    @cached_property
    def interest(self) -> FloatArray:
        """The reader's interest vector of each pair, decayed to now, (N, 64) float32."""
        return np.asarray(self.pairs.user("interest").astype(np.float32) * self.worth[:, None])

    @cached_property
    def norm(self) -> FloatArray:
        """Length of the decayed interest vector, (N,)."""
        return np.asarray(np.sqrt(np.square(self.interest).sum(axis=1)))

    @cached_property
    def product(self) -> FloatArray:
        """Interest times article vector, (N, 64)."""
        return np.asarray(self.interest * self.pairs.article("vector"))

    @cached_property
    def dot(self) -> FloatArray:
        """Interest times article vector, summed over the dimensions: affinity, (N,)."""
        return np.asarray(self.product.sum(axis=1))

    @cached_property
    def affinity(self) -> FloatArray:
        """The reader's reads by category, decayed to now, (N, 30) float32; never below 0."""
        return np.asarray(np.maximum(self.pairs.user("category_affinity").astype(np.float32), 0) * self.worth[:, None])

    @cached_property
    def category(self) -> FloatArray:
        """Decayed reads in the article's category, (N,); none where it shares its slot with others."""
        slots = self.pairs.article("category")
        reads = self.affinity[np.arange(len(self.pairs)), slots]
        return np.asarray(np.where(slots == SHARED_CATEGORY, 0, reads), np.float32)

    @cached_property
    def share(self) -> FloatArray:
        """Share of the article's category in all the user's reads, (N,)."""
        return np.asarray(self.category / (self.affinity.sum(axis=1) + 0.5))

    @cached_property
    def age_h(self) -> FloatArray:
        """Hours since publication, (N,)."""
        return np.maximum((self.now_ms - self.pairs.article("published_ms")) / HOUR_MS, 0).astype(np.float32)

    @cached_property
    def readers(self) -> FloatArray:
        """Users of the partition who recently read it, (N,)."""
        return np.asarray(self.pairs.article("readers"))

    @cached_property
    def reach(self) -> FloatArray:
        """Readers per user of the partition, so that the size of a partition does not matter, (N,)."""
        return np.asarray(self.readers / np.float32(max(self.pairs.users.store.count(), 1)))

    @cached_property
    def source(self) -> FloatArray:
        """Decayed reads from the article's source, (N,)."""
        affinity = np.maximum(self.pairs.user("source_affinity").astype(np.float32), 0) * self.worth[:, None]
        return np.asarray(affinity[np.arange(len(self.pairs)), self.pairs.article("source")])

    def since_h(self, seconds: UIntArray) -> FloatArray:
        """Hours since a time in seconds; a year for never, (N,)."""
        elapsed = (self.now_ms / 1000 - seconds.astype(np.float64)) / 3600
        return np.clip(elapsed, 0, 8760).astype(np.float32)
