"""Why, or why not: one reader, or one reader and one article, as the owner of the partition would decide it now.

    explain_reader(partitions, "u1", now_ms)         gates, profile, and the nearest fresh articles
    explain_pair(partitions, "u1", "a17", now_ms)    each gate and rule, features, score, and what would have changed it

The verdict is `decide`'s. A pair is met as when the article is published, alone: it is then that breaking news passes
gates. A reader is met as when they are due, with all fresh articles.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from ..contracts.partitioner import partition_of
from ..decide import decide
from ..engine.policy.tally import Tally
from ..engine.profiles.preferences import names_of
from ..engine.profiles.store import Users
from ..engine.retrieve import affinities
from ..errors import DataError
from ..models.serving import lineup_of
from ..partition.partition import Partition
from .answers import Answer, gate_answers, pair_answers, scalar_features
from .counterfactual import Change, changes_together, single_changes
from .profile import Profile, profile_of
from .world import World, policy_of, world_of

NEAREST = 20  # articles of a reader that are shown


class PairExplained(msgspec.Struct, frozen=True):
    """One reader and one article."""

    user_id: str
    article_id: str
    title: str
    at_ms: int
    verdict: str  # push, or the first reason that said no
    answers: list[Answer]  # all of them, in the order of asking
    names: dict[str, str]  # of the article that the reader follows or has muted, as in {"tags/volcano": "mute"}
    relevance: float
    model: str
    features: dict[str, float]  # by name, without the 64 products of interest and article vector
    changes: list[Change]  # each alone would push it
    together: list[Change]  # where none does: these, made together, would


class Candidate(msgspec.Struct, frozen=True):
    """A fresh article a reader would meet."""

    article_id: str
    title: str
    affinity: float
    relevance: float
    verdict: str  # push, or the first reason but the gates
    chosen: bool  # the one that the reader would get


class ReaderExplained(msgspec.Struct, frozen=True):
    """One reader who meets all fresh articles."""

    user_id: str
    partition: int
    at_ms: int
    verdict: str  # push, or the first reason that left nothing over
    gates: list[Answer]
    profile: Profile
    fresh: int  # articles that may be pushed now
    candidates: list[Candidate]  # the nearest of them


def explain_pair(partitions: Sequence[Partition], user_id: str, article_id: str, now_ms: int) -> PairExplained:
    """DataError for a reader without a profile, or an article that their partition does not know."""
    partition, row = find(partitions, user_id)
    slot = partition.catalog.slot(article_id)
    if slot is None:
        raise DataError(f"article '{article_id}' is not in the catalog: never published, or out of its window by now")
    return pair_explained(world_of(partition, row, slot, now_ms), user_id)


def pair_explained(world: World, user_id: str) -> PairExplained:
    """The same of any world: of a draft, or as of a moment that is over."""
    article = world.catalog.articles[world.slot]
    assert article is not None
    named, relevance = scalar_features(world.pair(), world)
    verdict, changes = world.met().verdict, single_changes(world)
    stamp = world.predictor.stamp
    gates = gate_answers(world.users, world.slots, world.catalog, world.now_ms, world.policy)
    said = world.profiles.preferences.said(int(world.users["side"][0]))
    return PairExplained(
        user_id, article.article_id, article.title, world.now_ms, verdict or "push",
        [*gates, *pair_answers(world, relevance)],
        {name: str(stance) for name in names_of(article) if (stance := said.value(name))},
        relevance, f"{stamp.name} {stamp.version} {stamp.engine}", named, changes,
        [] if changes or verdict is None else changes_together(world),
    )  # fmt: skip


def explain_reader(partitions: Sequence[Partition], user_id: str, now_ms: int, most: int = NEAREST) -> ReaderExplained:
    """DataError for a reader without a profile."""
    partition, row = find(partitions, user_id)
    users, catalog, policy = Users(partition.profiles, np.array([row])), partition.catalog, policy_of(partition)
    ((predictor, _),) = lineup_of(partition.context.ranker).shares(users)
    fresh, tally = catalog.fresh(now_ms), Tally()
    decision = decide(users, catalog, fresh, now_ms, predictor, policy, tally=tally)
    near = affinities(users, catalog["vector"][fresh], now_ms, policy.half_life_ms)[0]
    worlds = [world_of(partition, row, int(fresh[at]), now_ms) for at in np.argsort(-near, kind="stable")[:most]]
    got = set(decision.slots.tolist())
    candidates = [_candidate(world, rank < policy.candidates_per_user, got) for rank, world in enumerate(worlds)]
    gates = gate_answers(users, fresh, catalog, now_ms, policy)
    verdict = "push" if got else next(reversed(tally), "no_fresh_article")
    profile = profile_of(partition, row, now_ms)
    return ReaderExplained(user_id, partition.context.number, now_ms, verdict, gates, profile, len(fresh), candidates)


def _candidate(world: World, near_enough: bool, got: set[int]) -> Candidate:
    article = world.catalog.articles[world.slot]
    assert article is not None
    _, relevance = scalar_features(world.pair(), world)
    answers = pair_answers(world, relevance)
    reason = next((answer.name for answer in answers if not answer.passed), "")
    if not near_enough:
        reason = "low_affinity"  # others are nearer, and the ranker sees so many of a reader's
    elif not reason and got and world.slot not in got:
        reason = "other_article_better"
    affinity = answers[0].value or 0.0
    return Candidate(article.article_id, article.title, affinity, relevance, reason or "push", world.slot in got)


def find(partitions: Sequence[Partition], user_id: str) -> tuple[Partition, int]:
    """The partition and row of a reader; DataError where none of these partitions has a profile of them."""
    count = partitions[0].context.partitions
    home = [p for p in partitions if count is None or p.context.number == partition_of(user_id, count)]
    if not home:
        raise DataError("this reader lives in a partition that is not followed")
    for partition in home:
        row = partition.profiles.row(user_id)
        if row is not None:
            return partition, row
    raise DataError("no profile: no event of this reader was applied, or it is longer ago than STREAMREC_PROFILE_DAYS")
