"""decide(): who gets what, and why the others do not."""

from collections import Counter

import numpy as np
from making import HOUR, T0, AffinityScores, Feed, article, click, partition, policy

from streamrec.arrays import BoolArray, FloatArray
from streamrec.contracts.event import UserEvent
from streamrec.decide import Decision, decide, waiting_s
from streamrec.engine.pairs import Pairs
from streamrec.engine.policy.config import NEVER, Policy
from streamrec.engine.policy.suppression_reasons import SuppressionReason
from streamrec.engine.policy.tally import Tally
from streamrec.engine.profiles.layout import CONSENT_OUT
from streamrec.engine.profiles.store import Users
from streamrec.partition.partition import Partition


def reader(user_id: str = "u1") -> Partition:
    """A partition with one reader of the topic `quantum`, and two fresh articles, one of them on it."""
    state = partition(daily_cap=0)  # so that nothing is pushed while the scene is set
    feed = Feed(state)
    feed.articles(article("old", topic="quantum"), article("new", topic="quantum"), article("far", topic="football"))
    feed.events(click(user_id, "old"))
    return state


def decided(state: Partition, with_policy: Policy, now_ms: int = T0 + HOUR) -> Decision:
    """Everybody meets all fresh articles."""
    users = Users(state.profiles, slice(None))
    return decide(users, state.catalog, state.catalog.fresh(now_ms), now_ms, AffinityScores(), with_policy)


def test_the_similar_unread_article_wins() -> None:
    """A reader of a topic gets the new article on it, not the one read, not the unrelated one."""
    state = reader()
    decision = decided(state, policy()._replace(min_affinity=-1.0))
    assert [state.catalog.articles[slot].article_id for slot in decision.slots] == ["new"]
    assert decision.suppressed["already_read"] == 1
    assert decision.suppressed["low_score"] == 1


def test_at_most_one_push_per_user() -> None:
    """Of several likely articles the best one goes; the others say so."""
    state = reader()
    Feed(state).articles(article("new2", topic="quantum"))
    decision = decided(state, policy())
    assert len(decision.rows) == 1
    assert decision.suppressed["other_article_better"] == 1


def test_a_threshold_not_a_top_k() -> None:
    """Nobody is pushed to below the minimum score, however many there are."""
    assert len(decided(reader(), policy(min_score=0.999)).rows) == 0
    assert len(decided(reader(), policy(min_score=0.5)).rows) == 1


def test_a_closed_gate_names_its_time() -> None:
    """Gated users are not scored, and say when to look again."""
    state = reader()
    decision = decided(state, policy(session_gap_s=2 * 3600))
    assert len(decision.rows) == 0
    assert decision.suppressed == {"in_session": 1}
    assert decision.opens_s.tolist() == [(T0 + 2 * HOUR) // 1000]


def test_breaking_news_bypasses_named_gates_only() -> None:
    """A breaking article reaches a reader in session; nobody who opted out."""
    state = reader()
    Feed(state).articles(article("alarm", topic="quantum", breaking=3))
    slot = np.array([state.catalog.slot("alarm")])
    config = policy(session_gap_s=2 * 3600)
    users = Users(state.profiles, slice(None))
    assert len(decide(users, state.catalog, slot, T0 + HOUR, AffinityScores(), config).rows) == 1
    state.profiles.columns["consent"][0] = CONSENT_OUT
    assert len(decide(users, state.catalog, slot, T0 + HOUR, AffinityScores(), config).rows) == 0


def test_who_has_no_interest_in_anything_is_counted() -> None:
    """Of three readers two have read nothing like it: they are counted, and the one who has is not."""
    state = reader("fan")
    feed = Feed(state)
    feed.events(click("bo", "far"), click("cy", "far"))
    slots = np.array([state.catalog.slot("new")])
    users = Users(state.profiles, slice(None))
    decision = decide(users, state.catalog, slots, T0 + HOUR, AffinityScores(), policy(min_affinity=0.5))
    assert decision.suppressed["low_affinity"] == 2


def test_only_waiting_that_helps_is_waited_for() -> None:
    """A gate that never opens sets no time to look again."""
    assert waiting_s(np.array([0, 7, NEVER], np.uint32)).tolist() == [0, 7, 0]


def test_nothing_in_nothing_out() -> None:
    """No users, or no articles, is not an error."""
    empty = decided(partition(), policy())
    assert (len(empty.rows), empty.suppressed) == (0, {})
    state = partition()
    Feed(state).events(click("u", "unknown"))
    assert decided(state, policy()).suppressed == {"low_affinity": 1}


def test_deciding_changes_nothing() -> None:
    """decide() is pure: twice the same, and the columns are as before."""
    state = reader()
    before = {name: column.tobytes() for name, column in state.profiles.columns.items()}
    first, second = decided(state, policy()), decided(state, policy())
    assert first.relevance.tolist() == second.relevance.tolist()
    assert before == {name: column.tobytes() for name, column in state.profiles.columns.items()}


class Told(Tally):
    """Keeps the first reason that is told of each user, and of each pair."""

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[tuple[int | None, int | None], str] = {}
        self.scores: dict[tuple[int, int], float] = {}

    def users(self, reason: SuppressionReason, users: Users, against: BoolArray) -> None:
        """Of users alone the article is -1."""
        super().users(reason, users, against)
        for row in users.indices()[against].tolist():
            self.first.setdefault((row, -1), reason)

    def pairs(self, reason: SuppressionReason, pairs: Pairs, against: BoolArray) -> None:
        """A pair is suppressed once."""
        super().pairs(reason, pairs, against)
        told = zip(pairs.users.indices()[against].tolist(), pairs.slots[against].tolist(), strict=True)
        for pair in told:
            assert self.first.setdefault(pair, reason) == reason

    def scored(self, pairs: Pairs, relevance: FloatArray) -> None:
        """Of each pair that reached the ranker."""
        rows, slots = pairs.users.indices().tolist(), pairs.slots.tolist()
        self.scores |= dict(zip(zip(rows, slots, strict=True), relevance.tolist(), strict=True))


def test_a_tally_is_told_who_was_kept_back_and_by_what() -> None:
    """Each user or pair is told of once, counts are those of a decision without, and scores are those of the pushes."""
    state = partition(daily_cap=0)
    feed = Feed(state)
    feed.articles(article("old", topic="q"), article("new", topic="q"), article("new2", topic="q"), article("far"))
    feed.events(click("u1", "old"), click("u2", "far"), click("u3", "old"), UserEvent("u3", "unsubscribe", T0))
    users, now_ms = Users(state.profiles, slice(None)), T0 + HOUR
    fresh, asked = state.catalog.fresh(now_ms), policy(min_score=0.3)
    plain, told = decide(users, state.catalog, fresh, now_ms, AffinityScores(), asked), Told()
    decision = decide(users, state.catalog, fresh, now_ms, AffinityScores(), asked, tally=told)
    assert decision.suppressed == plain.suppressed == Counter(told.first.values())
    row, slot = state.profiles.row, state.catalog.slot
    assert told.first[row("u3"), -1] == "opt_out"
    assert told.first[row("u1"), slot("old")] == "already_read"
    assert told.first[row("u1"), slot("new2")] == "other_article_better"
    pushed = zip(decision.rows.tolist(), decision.slots.tolist(), strict=True)
    assert [told.scores[pair] for pair in pushed] == decision.relevance.tolist()
