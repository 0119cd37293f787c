"""The program is read here: which of these users get which of these articles, now, and why the others do not.

    gate      rules that need only the user                         -> who may be pushed to, and when the others may
    retrieve  exact int8 scan of profiles against articles           -> candidate pairs
    rules     rules on the pair                                      -> pairs that may be pushed
    rank      the ranker on all remaining pairs at once              -> calibrated P(click)
    budget    absolute threshold, then at most one push per user     -> pushes

Pure: no clock, no broker, no randomness; state is read, never changed. An absolute threshold and not a top-K over
users: after a crash the rest of a top-K would be another K.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import numpy as np

from .arrays import AnyArray, BoolArray, FloatArray, IndexArray, UIntArray
from .engine.catalog import Catalog
from .engine.features.features import features
from .engine.lifted import lifted_pairs
from .engine.pairs import Pairs
from .engine.policy.config import NEVER, Policy
from .engine.policy.gates import GATES
from .engine.policy.own import OWN
from .engine.policy.rules import RULES
from .engine.policy.tally import Tally
from .engine.policy.types import Gate
from .engine.predictor import Predictor
from .engine.profiles.store import Users
from .engine.retrieve import retrieve

NOTHING: FloatArray = np.empty(0, np.float32)
NO_PAIRS: IndexArray = np.empty(0, np.intp)
Stage = Callable[[str], AbstractContextManager[object]]


class Decision(NamedTuple):
    """What `decide` answers; users and pairs count into the arrays given to it."""

    rows: IndexArray  # (K,) users who get a push, each once
    slots: IndexArray  # (K,) and which article
    relevance: FloatArray  # (K,) calibrated P(click)
    suppressed: Tally  # gates count users, rules and budget count pairs
    opens_s: UIntArray  # (N,) when a gated user may be pushed to; 0 = not gated


def decide(
    users: Users,
    catalog: Catalog,
    slots: IndexArray,
    now_ms: int,
    predictor: Predictor,
    policy: Policy,
    stage: Stage = nullcontext,
    tally: Tally | None = None,
) -> Decision:
    """Meet N users with M articles at the policy time `now_ms`; `tally` is told of each suppression."""
    suppressed = Tally() if tally is None else tally
    with stage("retrieve"):
        opens_s = gate(users, now_ms // 1000, policy, bypassed_by(catalog, slots, policy), suppressed)
        open_users = users.take(np.flatnonzero(opens_s == 0))
        pairs = retrieve(
            open_users,
            catalog,
            slots,
            now_ms,
            half_life_ms=policy.half_life_ms,
            floor=policy.min_affinity,
            keep=policy.candidates_per_user,
            lifted=lifted_pairs(open_users, catalog, slots),
        )
        suppressed.users("low_affinity", open_users, _without_pair(open_users, pairs))
        pairs = rules(pairs, now_ms, policy, suppressed)
    with stage("rank"):
        relevance = predictor.probability(features(pairs, now_ms, policy.half_life_ms)) if len(pairs) else NOTHING
        suppressed.scored(pairs, relevance)
    chosen = budget(pairs, relevance, policy, suppressed)
    return Decision(pairs.users.indices()[chosen], pairs.slots[chosen], relevance[chosen], suppressed, opens_s)


def gate(users: Users, now_s: int, policy: Policy, bypassed: frozenset[str], suppressed: Tally) -> UIntArray:
    """When each user may be pushed to, (N,) seconds; 0 = now. The first closed gate names the reason."""
    opens_s = np.zeros(len(users), np.uint32)
    for asked in GATES:
        until_s = closed_until(asked, users, now_s, policy, bypassed)
        suppressed.users(asked.reason, users, (until_s > 0) & (opens_s == 0))
        np.maximum(opens_s, until_s, out=opens_s)
    return opens_s


def closed_until(asked: Gate, users: Users, now_s: int, policy: Policy, bypassed: frozenset[str]) -> UIntArray:
    """When one gate opens for each user, (N,) seconds; 0 = it is open, or it is bypassed and not the user's own."""
    if asked.reason not in bypassed:
        return asked.opens_at(users, now_s, policy)
    if asked.reason not in OWN:
        return np.zeros(len(users), np.uint32)
    return np.where(OWN[asked.reason](users), asked.opens_at(users, now_s, policy), np.uint32(0))


def rules(pairs: Pairs, now_ms: int, policy: Policy, suppressed: Tally) -> Pairs:
    """Pairs no rule suppresses; the first rule that does names the reason."""
    for reason, suppresses in RULES:
        if not len(pairs):
            break
        against = suppresses(pairs, now_ms, policy)
        if against.any():
            suppressed.pairs(reason, pairs, against)
            pairs = pairs.take(np.flatnonzero(~against))
    return pairs


def budget(pairs: Pairs, relevance: FloatArray, policy: Policy, suppressed: Tally) -> IndexArray:
    """Positions of the pairs to push: likely enough, and the best one of each user (the earlier slot of equals).

    An article with an audience needs no score, and goes before those without. Nor does a reader without a profile.
    """
    if not len(pairs):
        return NO_PAIRS
    addressed = pairs.article("addressed")
    reaches = (relevance >= policy.min_score) | addressed | _unscored(pairs)
    suppressed.pairs("low_score", pairs, ~reaches)
    likely = np.flatnonzero(reaches)
    rows = pairs.users.indices()[likely]
    order: list[AnyArray] = [pairs.slots[likely], -relevance[likely], rows]
    if addressed.any():
        order.insert(2, ~addressed[likely])
    best_first = np.lexsort(order)
    first_of_user = np.ones(len(likely), np.bool_)
    first_of_user[1:] = np.diff(rows[best_first]) != 0
    second = np.zeros(len(pairs), np.bool_)
    second[likely[best_first[~first_of_user]]] = True
    suppressed.pairs("other_article_better", pairs, second)
    return likely[best_first[first_of_user]]


def waiting_s(opens_s: UIntArray) -> UIntArray:
    """When to look again at users who met a closed gate; 0 where no waiting helps."""
    return np.where(opens_s == NEVER, np.uint32(0), opens_s)


def bypassed_by(catalog: Catalog, slots: IndexArray, policy: Policy) -> frozenset[str]:
    """Gates that are not asked: those that settings name, where one article is met and it is breaking news."""
    breaking = len(slots) == 1 and catalog["breaking"][slots[0]] > 0
    return policy.breaking_bypasses if breaking else frozenset()


def _unscored(pairs: Pairs) -> BoolArray:
    """Pairs of readers of whom no profile is kept: no score says anything of them; rules left what they asked for."""
    return np.asarray(pairs.users.store.preferences.columns["unprofiled"][pairs.user("side")])


def _without_pair(users: Users, pairs: Pairs) -> BoolArray:
    found = np.zeros(len(users.store), np.bool_)
    found[pairs.users.indices()] = True
    return ~found[users.indices()]
