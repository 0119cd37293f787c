"""Explanations say what `decide` does, and each change they name would have pushed it."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from following import under
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from making import DAY, HOUR, T0, AffinityScores, Feed, article, click, partition

from streamrec.contracts.audience import Audience
from streamrec.contracts.event import UserEvent
from streamrec.contracts.preferences import Patch
from streamrec.decide import decide
from streamrec.engine.profiles.layout import CONSENT_OUT
from streamrec.engine.profiles.store import Users
from streamrec.errors import DataError
from streamrec.follower.counterfactual import KINDS
from streamrec.follower.explain import PairExplained, explain_pair, explain_reader
from streamrec.follower.funnel import funnel
from streamrec.follower.world import world_of
from streamrec.partition.partition import Partition

USERS, ARTICLES = [f"u{number}" for number in range(6)], [f"a{number}" for number in range(8)]
WISHES: tuple[dict[str, Any], ...] = (
    {"daily_cap": 1}, {"quiet_hours": "12:00-13:00"}, {"level": "breaking"}, {"languages": ["da"]},
    {"categories/x": "mute"}, {"categories/y": "follow"}, {"profiling": False}, {"stories/a1": "follow"},
)  # fmt: skip


@cache  # nothing below changes it, and a test says so
def scene(seed: int) -> Partition:
    """A partition with some history, and a policy of which every part has something to say; the same for a seed."""
    rng = np.random.default_rng(seed)
    state = partition(
        daily_cap=int(rng.integers(1, 4)), min_interval_s=float(rng.integers(0, 3)) * 1800, session_gap_s=900.0,
        quiet_from="12:30", quiet_to=["12:30", "13:10"][int(rng.integers(2))], quiet_jitter_s=60.0,
        min_affinity=float(rng.choice([0.05, 0.3])), min_score=float(rng.choice([0.1, 0.4])),
    )  # fmt: skip
    feed, now_ms = Feed(state), T0
    for _ in range(40):
        now_ms += int(rng.integers(1, 10)) * 60_000
        user, about = str(rng.choice(USERS)), int(rng.integers(8))
        roll = rng.random()
        if roll < 0.35:
            more: dict[str, Any] = {"embargo_until_ms": now_ms + 2 * HOUR} if rng.random() < 0.2 else {}
            more |= {"audience": Audience()} if rng.random() < 0.1 else {}
            more |= {"breaking": 2} if rng.random() < 0.2 else {}
            more |= {"status": "withdrawn"} if rng.random() < 0.1 else {}
            times = {
                "published_at_ms": now_ms,
                "known_at_ms": now_ms,
                "expires_at_ms": now_ms + int(rng.integers(1, 9)) * HOUR,
            }
            topic, version = "xyz"[about % 3], int(rng.integers(1, 4))
            feed.articles(
                article(f"a{about}", topic=topic, category=topic, version=version, **times, **more), now_ms=now_ms
            )
        elif roll < 0.45:
            said = WISHES[int(rng.integers(len(WISHES)))]
            feed.of([Patch(user, now_ms, dict(said))], now_ms=now_ms)
        elif roll < 0.9:
            action = str(rng.choice(["click", "click", "click", "dismiss", "unsubscribe", "subscribe"]))
            feed.events(UserEvent(user, action, now_ms, article_id=f"a{about}"), now_ms=now_ms)
        else:
            state.look(now_ms)
    muted = rng.integers(0, 4, len(state.profiles))
    state.profiles["muted"][:] = muted
    return state


def known_pair(state: Partition, user: int, about: int) -> tuple[str, str]:
    """Ids of a reader and an article that are known, or the example is none."""
    user_id, article_id = USERS[user], ARTICLES[about]
    assume(state.profiles.row(user_id) is not None and state.catalog.slot(article_id) is not None)
    return user_id, article_id


@settings(max_examples=150)
@given(st.integers(0, 15), st.integers(0, 5), st.integers(0, 7), st.integers(0, 30 * 60))
def test_the_verdict_is_decides_and_each_change_would_push(seed: int, user: int, about: int, minutes: int) -> None:
    """For any reader, article and time; the first answer that is a no is the reason; state is as it was."""
    state = scene(seed)
    user_id, article_id = known_pair(state, user, about)
    before = {name: column.tobytes() for name, column in state.profiles.columns.items()}
    now_ms = T0 + minutes * 60_000
    told = explain_pair([state], user_id, article_id, now_ms)
    row, slot = state.profiles.row(user_id), state.catalog.slot(article_id)
    users = Users(state.profiles, np.array([row]))
    said = decide(users, state.catalog, np.array([slot]), now_ms, AffinityScores(), state.context.policy)
    reason = next(iter(said.suppressed), "push")
    assert told.verdict == reason
    assert next((answer.name for answer in told.answers if not answer.passed), "push") == reason
    if len(said.rows):
        assert told.relevance == pytest.approx(float(said.relevance[0]))
    assert bool(told.changes) <= (reason != "push")
    assert not (told.changes and told.together)
    assert row is not None
    assert slot is not None
    check_changes(state, told, row, slot)
    assert {name: column.tobytes() for name, column in state.profiles.columns.items()} == before


def check_changes(state: Partition, told: PairExplained, row: int, slot: int) -> None:
    """Each change alone, or those told together, make `decide` push."""
    for change in told.changes:
        kinds = list(dict.fromkeys(KINDS.values()))
        made = [
            found for kind in kinds if (found := kind(world_of(state, row, slot, told.at_ms))) and found[0] == change
        ]
        assert made[0][1].met().verdict is None
    if told.together:
        world = world_of(state, row, slot, told.at_ms)
        for change in told.together:
            reason = world.met().verdict
            assert reason is not None
            found = KINDS[reason](world)
            assert found is not None
            assert found[0] == change
            world = found[1]
        assert world.met().verdict is None


@settings(max_examples=60)
@given(st.integers(0, 15), st.integers(0, 7), st.integers(0, 30 * 60))
def test_a_funnel_counts_every_reader_once(seed: int, about: int, minutes: int) -> None:
    """Its reasons are those that each reader is explained."""
    state, now_ms = scene(seed), T0 + minutes * 60_000
    _, article_id = known_pair(state, 0, about)
    told = funnel([state], article_id, now_ms)
    each = [explain_pair([state], user_id, article_id, now_ms).verdict for user_id in state.profiles]
    counted = told.reasons | ({"push": told.would_push} if told.would_push else {})
    assert counted == {verdict: each.count(verdict) for verdict in each}
    assert told.readers == len(each)


@settings(max_examples=60)
@given(st.integers(0, 15), st.integers(0, 5), st.integers(0, 30 * 60))
def test_a_reader_who_is_due_gets_what_is_told(seed: int, user: int, minutes: int) -> None:
    """The article that is chosen is the one that a due reader is pushed; gates are those of such a meeting."""
    state, now_ms = scene(seed), T0 + minutes * 60_000
    user_id, _ = known_pair(state, user, 0)
    told = explain_reader([state], user_id, now_ms)
    users = Users(state.profiles, np.array([state.profiles.row(user_id)]))
    said = decide(users, state.catalog, state.catalog.fresh(now_ms), now_ms, AffinityScores(), state.context.policy)
    chosen = [candidate.article_id for candidate in told.candidates if candidate.chosen]
    assert chosen == [found.article_id for slot in said.slots if (found := state.catalog.articles[slot])]
    assert (told.verdict == "push") == bool(chosen)
    if told.verdict in {answer.name for answer in told.gates}:
        assert told.verdict == next(answer.name for answer in told.gates if not answer.passed)
    assert all(candidate.verdict == "push" for candidate in told.candidates if candidate.chosen)


def one_reader(**changed: Any) -> Partition:
    """A reader of `quantum`, and a fresh article on it."""
    state = partition(daily_cap=0)
    feed = Feed(state)
    feed.articles(article("old", topic="quantum"), article("new", topic="quantum"))
    feed.events(click("u1", "old"))
    return under(state, partition(**changed).context.policy)


def changes_of(state: Partition, now_ms: int = T0 + HOUR) -> dict[str, float]:
    """What would push `new` to the reader, by name."""
    return {change.what: change.value for change in explain_pair([state], "u1", "new", now_ms).changes}


def test_a_change_is_the_smallest_of_its_kind() -> None:
    """A cap of one more; the moment the session is over; the score that was missing."""
    assert changes_of(one_reader(daily_cap=0)) == {"daily_cap": 1}
    session = changes_of(one_reader(session_gap_s=2 * 3600.0))
    assert session == {"later": T0 + 2 * HOUR, "session_gap_s": 3600, "breaking": 3}
    (threshold,) = changes_of(one_reader(min_score=1.0)).values()
    assert threshold == pytest.approx(explain_pair([one_reader()], "u1", "new", T0 + HOUR).relevance, abs=1e-4)


def test_several_obstacles_are_named_together() -> None:
    """None alone would do; who opted out and has a cap of none needs both."""
    state = one_reader(daily_cap=0)
    state.profiles["consent"][0] = CONSENT_OUT
    told = explain_pair([state], "u1", "new", T0 + HOUR)
    assert not told.changes
    assert [change.what for change in told.together] == ["consent", "daily_cap"]


def test_nothing_helps_who_has_read_it() -> None:
    """No change is invented."""
    told = explain_pair([one_reader()], "u1", "old", T0 + HOUR)
    assert (told.verdict, told.changes, told.together) == ("already_read", [], [])


def test_a_tag_that_lifts_or_mutes_is_named() -> None:
    """The newsroom's tags as well as words of the text; what is not said of the article is not."""
    for stance, verdict in (("follow", "push"), ("mute", "muted_tag")):
        state = partition(min_score=0.0)
        feed = Feed(state)
        feed.articles(article("new", tags=("storm watch",), keywords=("coast",)))
        feed.of([Patch("u1", T0, {"tags/storm watch": stance, "tags/coast": "follow", "tags/oil": "follow"})])
        told = explain_pair([state], "u1", "new", T0 + HOUR)
        assert (told.verdict, told.names) == (verdict, {"tags/storm watch": stance, "tags/coast": "follow"})
        (near,) = [answer for answer in told.answers if answer.name == "low_affinity"]
        assert (near.passed, near.bypassed) == (True, True)


def test_a_profile_in_words() -> None:
    """What a person asks of a reader."""
    told = explain_reader([one_reader()], "u1", T0 + HOUR)
    assert told.profile.reads == 1
    assert list(told.profile.interests) == ["science"]
    assert told.profile.recent == ["old"]
    assert told.profile.zone == "UTC"


@pytest.mark.parametrize(("user_id", "article_id"), [("nobody", "new"), ("u1", "nothing")])
def test_unknown_readers_and_articles_are_said_to_be_so(user_id: str, article_id: str) -> None:
    """One sentence, and nothing of it is the reader's id."""
    with pytest.raises(DataError) as told:
        explain_pair([one_reader()], user_id, article_id, T0 + DAY)
    assert "nobody" not in str(told.value)
