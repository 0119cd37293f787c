"""Each gate and rule asked about one pair, also behind the first that said no: what `decide` would have asked next.

The functions are those of GATES and RULES; which of them counts is what `decide` says (tests/follower/test_explain.py:
the first answer that is a no names the same reason, for any reader and article).
"""

import msgspec
import numpy as np

from ..arrays import IndexArray
from ..decide import budget, bypassed_by, closed_until
from ..engine.catalog import Catalog
from ..engine.features.features import FEATURES, features
from ..engine.lifted import lifted_pairs
from ..engine.pairs import Pairs
from ..engine.policy.config import NEVER, Policy
from ..engine.policy.gates import GATES
from ..engine.policy.rules import RULES
from ..engine.policy.tally import Tally
from ..engine.profiles.store import Users
from .world import World


class Answer(msgspec.Struct, frozen=True):
    """What one gate, rule or threshold says of a pair."""

    name: str  # of the reason, as in streamrec_suppressions_total
    stage: str  # gate, retrieve, rules or budget
    passed: bool
    bypassed: bool = False  # it would say no, but does not count: breaking news, an audience
    opens_ms: int | None = None  # of a closed gate: when it opens; None: not by waiting
    value: float | None = None  # of a threshold: what the pair has
    limit: float | None = None  # and what it needs


def gate_answers(users: Users, slots: IndexArray, catalog: Catalog, now_ms: int, policy: Policy) -> list[Answer]:
    """What each gate says of one reader who meets these articles, in the order of asking."""
    bypassed, found = bypassed_by(catalog, slots, policy), []
    for gate in GATES:
        closed_s = int(gate.opens_at(users, now_ms // 1000, policy)[0])
        passes = not closed_until(gate, users, now_ms // 1000, policy, bypassed)[0]
        opens_ms = closed_s * 1000 if closed_s and closed_s != NEVER else None
        found.append(Answer(gate.reason, "gate", passes, bool(closed_s) and passes, opens_ms))
    return found


def pair_answers(world: World, relevance: float) -> list[Answer]:
    """What affinity floor, rules and threshold say of the pair, in the order of asking."""
    pair, policy = world.pair(), world.policy
    affinity, needed = float(pair.affinity[0]), policy.min_affinity
    lifted = lifted_pairs(world.users, world.catalog, world.slots)
    is_lifted = affinity < needed and lifted is not None and bool(lifted[0, 0])
    near = Answer("low_affinity", "retrieve", affinity >= needed or is_lifted, is_lifted, value=affinity, limit=needed)
    rules = [
        Answer(reason, "rules", not bool(suppresses(pair, world.now_ms, policy)[0])) for reason, suppresses in RULES
    ]
    likely = len(budget(pair, np.array([relevance], np.float32), policy, Tally())) > 0
    enough = Answer(
        "low_score", "budget", likely, likely and relevance < policy.min_score, None, relevance, policy.min_score
    )
    return [near, *rules, enough]


def scalar_features(pair: Pairs, world: World) -> tuple[dict[str, float], float]:
    """The features by name, without the 64 products; and the score that the model gives all of them."""
    rows = features(pair, world.now_ms, world.policy.half_life_ms)
    named = {
        function.__name__: round(float(x), 4) for function, x in zip(FEATURES, rows[0, -len(FEATURES) :], strict=True)
    }
    return named, float(world.predictor.probability(rows)[0])
