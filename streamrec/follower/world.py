"""All that a decision on one reader and one article depends on, so that any of it can be supposed to be otherwise.

world.met()                              what `decide` says of the pair, and the score
world.supposing_row(daily_cap=6)         the same, were this field of the reader's row another
world._replace(policy=..., now_ms=...)   the same, were this setting, or the time, another
"""

from copy import copy
from typing import NamedTuple

import numpy as np

from ..arrays import FloatArray
from ..decide import decide
from ..engine.catalog import Catalog
from ..engine.pairs import Pairs
from ..engine.policy.config import Policy
from ..engine.policy.tally import Tally
from ..engine.predictor import Predictor
from ..engine.profiles.store import ProfileStore, Users
from ..engine.retrieve import affinities
from ..models.serving import lineup_of
from ..partition.partition import Partition
from .verdicts import Verdict


class Met(NamedTuple):
    """What came of a meeting of one reader and one article."""

    verdict: Verdict  # None: a push
    relevance: float | None  # calibrated P(click); None: it was not asked for


class World(NamedTuple):
    """One reader, one article, a time, a policy and a model."""

    profiles: ProfileStore
    row: int
    catalog: Catalog
    slot: int
    now_ms: int
    policy: Policy
    predictor: Predictor

    @property
    def users(self) -> Users:
        """The reader, as rules and gates see one."""
        return Users(self.profiles, np.array([self.row]))

    @property
    def slots(self) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
        """The article's slot, as an array of one."""
        return np.array([self.slot], np.intp)

    def pair(self) -> Pairs:
        """The pair, with its affinity."""
        policy = self.policy
        found = affinities(self.users, self.catalog["vector"][self.slots], self.now_ms, policy.half_life_ms)
        return Pairs(self.users, self.catalog, self.slots, found[:, 0])

    def met(self) -> Met:
        """Ask `decide`: the one source of what happens."""
        tally = _Scored()
        decision = decide(self.users, self.catalog, self.slots, self.now_ms, self.predictor, self.policy, tally=tally)
        return Met(None if len(decision.rows) else next(iter(tally)), tally.relevance)

    def supposing_row(self, **fields: object) -> "World":
        """The same with other values in the reader's row; what is there stays as it is."""
        profiles = copy(self.profiles)
        profiles.columns = dict(profiles.columns)
        for name, value in fields.items():
            column = profiles.columns[name].copy()
            column[self.row] = value
            profiles.columns[name] = column
        return self._replace(profiles=profiles)

    def supposing_article(self, **fields: object) -> "World":
        """The same with other values in the article's columns."""
        article = self.catalog.articles[self.slot]
        assert article is not None
        catalog = self.catalog.alone(article, self.now_ms)
        for name, value in fields.items():
            catalog[name][0] = value
        return self._replace(catalog=catalog, slot=0)


def policy_of(partition: Partition) -> Policy:
    """The policy by which the partition's owner decides now: settings, and what was commanded."""
    return partition.steering.policy


def world_of(partition: Partition, row: int, slot: int, now_ms: int) -> World:
    """The pair as its partition's owner would meet it now, with the model that scores this reader."""
    users = Users(partition.profiles, np.array([row]))
    ((predictor, _),) = lineup_of(partition.context.ranker).shares(users)
    return World(partition.profiles, row, partition.catalog, slot, now_ms, policy_of(partition), predictor)


class _Scored(Tally):
    relevance: float | None = None

    def scored(self, pairs: Pairs, relevance: FloatArray) -> None:
        self.relevance = float(relevance[0]) if len(relevance) else None
