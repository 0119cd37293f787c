"""Candidate pairs of a user and an article: what rules judge, features describe and the ranker scores."""

from typing import NamedTuple

from ..arrays import AnyArray, FloatArray, IndexArray
from .catalog import Catalog
from .profiles.store import Users


class Pairs(NamedTuple):
    """Candidate (user, article) pairs; users, slots and affinity have one entry a pair."""

    users: Users
    catalog: Catalog
    slots: IndexArray
    affinity: FloatArray  # decayed recent reads, by similarity; what retrieval found

    def __len__(self) -> int:
        return len(self.slots)

    def user(self, field: str) -> AnyArray:
        """A profile column of each pair's user, (N, ...)."""
        return self.users[field]

    def article(self, field: str) -> AnyArray:
        """A catalog column of each pair's article, (N, ...)."""
        column: AnyArray = self.catalog[field][self.slots]
        return column

    def take(self, chosen: IndexArray) -> "Pairs":
        """The pairs at these indices, in their order."""
        return Pairs(self.users.take(chosen), self.catalog, self.slots[chosen], self.affinity[chosen])
