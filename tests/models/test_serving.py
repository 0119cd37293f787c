"""Who scores whom."""

import msgspec
import numpy as np
import pytest
from making import T0, AffinityScores, Feed, article, click, partition, pushes

from streamrec.contracts.push import ModelStamp
from streamrec.contracts.records import RawRecord
from streamrec.engine.profiles.store import ProfileStore, Users
from streamrec.models.serving import Lineup, Serving, bucket, lineup_of
from streamrec.partition.changes import Changes
from streamrec.partition.intake import Batch

USERS = [f"u{number}" for number in range(20_000)]


class Named(AffinityScores):
    """Scores by affinity, under another version."""

    def __init__(self, version: str) -> None:
        super().__init__()
        self.stamp = ModelStamp("named", version, "fp32")


@pytest.fixture(scope="module")
def users() -> Users:
    """Many."""
    store = ProfileStore()
    store.rows_of(USERS, np.zeros(len(USERS), np.uint32))
    return Users(store, slice(None))


@pytest.mark.parametrize("percent", [1, 5, 50, 99])
def test_the_canary_gets_its_share_and_each_user_one_model(users: Users, percent: int) -> None:
    """Shares are disjoint, complete, in order, and as large as they should be."""
    lineup = Lineup(Named("a"), Named("b"), percent)
    shares = {scores.stamp.version: mine.indices() for scores, mine in lineup.shares(users)}
    together = np.concatenate(list(shares.values()))
    assert sorted(together.tolist()) == list(range(len(USERS)))
    assert all((np.diff(mine) > 0).all() for mine in shares.values())
    assert len(shares["b"]) / len(USERS) == pytest.approx(percent / 100, abs=0.015)


def test_a_user_stays_with_the_canary_as_it_grows(users: Users) -> None:
    """From 5 to 20 % nobody goes back to stable."""
    salt = users["salt"]
    small, large = bucket(salt, "b") < 5, bucket(salt, "b") < 20
    assert (large | ~small).all()


def test_another_canary_has_other_users(users: Users) -> None:
    """The same few readers are not every canary's; nor is it decided by what spreads them over time."""
    salt = users["salt"]
    one, other = bucket(salt, "a" * 12) < 10, bucket(salt, "b" * 12) < 10
    assert (one & other).mean() == pytest.approx(0.01, abs=0.004)
    by_jitter = [(bucket(salt, "a" * 12) < 10)[salt % 1800 < 900].mean(), one.mean()]
    assert by_jitter[0] == pytest.approx(by_jitter[1], abs=0.01)


def test_the_bucket_of_a_user_never_changes() -> None:
    """It is part of what makes a replay decide the same."""
    assert bucket(np.array([0, 1, 0xFFFFFFFF], np.uint32), "3f2a91c07b5e").tolist() == [39, 77, 95]


def test_a_single_model_is_a_lineup() -> None:
    """Tests, replay and chaos give one model and need not know of canaries."""
    scores = Named("a")
    assert lineup_of(scores) == Lineup(scores)
    serving = Serving(scores)
    assert lineup_of(serving) == Lineup(scores)
    assert serving.stamp.version == "a"


def readers(serving: Serving) -> Feed:
    """300 readers of one topic, and an article on it."""
    state = partition()
    state.context = state.context._replace(ranker=serving, chunk_users=64)
    feed = Feed(state)
    feed.articles(article("old", topic="quantum"))
    feed.events(*(click(f"u{number}", "old") for number in range(300)))
    return feed


def by_version(found: Changes) -> dict[str, set[str]]:
    """Users pushed to, by the version that stands in the push."""
    users: dict[str, set[str]] = {}
    for push in pushes(found):
        users.setdefault(push.model.version, set()).add(push.user_id)
    return users


def test_the_push_names_the_model_that_decided_it() -> None:
    """Users of both shares get what they would get anyway, each push with its own model's version."""
    alone, shared = Serving(Named("stable")), Serving(Named("stable"))
    shared.lineup = Lineup(Named("stable"), Named("canary"), 30)
    new = article("new", topic="quantum")
    everybody = by_version(readers(alone).articles(new))["stable"]
    found = by_version(readers(shared).articles(new))
    assert set(found) == {"stable", "canary"}
    assert found["stable"] | found["canary"] == everybody
    assert not found["stable"] & found["canary"]


def test_a_change_is_seen_between_two_batches() -> None:
    """An article on its way through the readers is decided by one model, whatever is promoted meanwhile."""
    serving = Serving(Named("before"))
    feed = readers(serving)
    record = RawRecord(1, T0, None, msgspec.json.encode(article("new", topic="quantum")))
    found, steps = Changes(), feed.to.apply(Batch("catalog", [record], 2), T0)
    found.merge(next(steps))
    serving.lineup = Lineup(Named("after"))
    for step in steps:
        found.merge(step)
    assert set(by_version(found)) == {"before"}
    feed.offsets["catalog"] = 2
    assert set(by_version(feed.articles(article("newer", topic="quantum")))) == {"after"}
