"""Candidate pairs of a user and an article: what rules judge, features describe and the ranker scores."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .catalog import Catalog
from .profiles.store import Users
from .slot_index import SlotArray


class Pairs(NamedTuple):
    """Candidate (user, article) pairs; users, slots and affinity have one entry a pair."""

    users: Users
    catalog: Catalog
    slots: SlotArray
    affinity: npt.NDArray[np.float32]  # decayed recent reads, by similarity; what retrieval found

    def __len__(self) -> int:
        return len(self.slots)

    def user(self, field: str) -> npt.NDArray[Any]:
        """A profile column, (N, ...)."""
        return self.users[field]

    def article(self, field: str) -> npt.NDArray[Any]:
        """A catalog column, (N, ...)."""
        column: npt.NDArray[Any] = self.catalog[field][self.slots]
        return column

    def take(self, chosen: npt.NDArray[np.intp]) -> "Pairs":
        """These pairs only."""
        return Pairs(self.users.take(chosen), self.catalog, self.slots[chosen], self.affinity[chosen])
