"""A preview names whom `decide` would push to, groups them, and leaves everything as it was."""

import itertools
from typing import Any

import msgspec
import numpy as np
import pytest
from following import under
from hypothesis import given, settings
from hypothesis import strategies as st
from making import HOUR, T0, Feed, article, click, partition, pushes

from streamrec.content.encoder import HashedEncoder
from streamrec.contracts.preferences import Patch
from streamrec.errors import DataError
from streamrec.follower.clicks import EXACT, distribution, expected_clicks
from streamrec.follower.drafts import Drafts
from streamrec.follower.preview import compare, preview
from streamrec.partition.partition import Partition
from streamrec.settings import load

NOW = T0 + HOUR


def audience(**changed: Any) -> Partition:
    """Readers of two topics, of whom some are German and one has opted out."""
    state = partition(daily_cap=0)
    feed = Feed(state)
    feed.articles(
        article("old", topic="quantum"), article("alt", topic="quantum", language="de"), article("far", topic="f")
    )
    feed.events(click("u1", "old"), click("u2", "old", tz="Asia/Tokyo"), click("u3", "alt"), click("u4", "far"))
    return under(state, partition(**({"min_affinity": 0.4} | changed)).context.policy)


def test_who_is_named_is_pushed_to() -> None:
    """Counts, scores and names are those of the pushes that come of it; the preview changes nothing."""
    state, draft = audience(), article("new", topic="quantum")
    before = state.profiles.rows(), len(state.catalog)
    told = preview([state], draft, NOW)
    assert (state.profiles.rows(), len(state.catalog)) == before
    made = pushes(Feed.articles(_feed(state), draft, now_ms=NOW))
    assert told.pushes == len(made) == 3
    assert {named.user_id: named.relevance for named in told.sample} == {push.user_id: push.relevance for push in made}
    assert told.readers == 4
    assert told.reasons == {"low_affinity": 1}
    assert told.clicks.expected == pytest.approx(sum(push.relevance for push in made), abs=0.1)


def _feed(state: Partition) -> Feed:
    feed = Feed(state)
    feed.offsets |= state.cursor
    return feed


def test_groups_add_up() -> None:
    """Each dimension holds every reader once."""
    groups = preview([audience(), audience()], article("new", topic="quantum"), NOW).groups
    assert list(groups) == ["language", "zone", "hour", "segment"]
    for found in groups.values():
        assert sum(group.readers for group in found.values()) == 8
        assert sum(group.pushes for group in found.values()) == 6
    assert {name: group.pushes for name, group in groups["language"].items()} == {"en": 4, "de": 2}
    assert groups["zone"]["Asia/Tokyo"].pushes == 2
    assert groups["hour"].keys() == {"13", "22"}


def test_tags_of_a_draft_reach_who_follows_them() -> None:
    """Those who mute one are counted by that reason, and the preview says which tags were read."""
    state = audience(min_score=0.0)
    for user_id, stance in (("u4", "follow"), ("u1", "mute")):
        _feed(state).of([Patch(user_id, T0, {"tags/storm watch": stance})])
    draft = Drafts(load({}), HashedEncoder()).analyse({"title": "Storm", "tags": ["Storm Watch", 5.5]}, NOW)
    told = preview([state], draft, NOW)
    assert told.tags == ("storm watch",)
    assert "u4" in [named.user_id for named in told.sample]
    assert told.reasons.get("muted_tag", 0) + told.reasons.get("low_affinity", 0) == told.readers - told.pushes


def test_two_drafts_side_by_side() -> None:
    """Whom both reach, and whom only one."""
    state = audience()
    told = compare([state], (article("a", topic="quantum"), NOW, None), (article("b", topic="f"), NOW, None))
    assert (told.both, told.only_first, told.only_second) == (0, 3, 1)
    same = article("a", topic="quantum")
    strict = compare([state], (same, NOW, None), (same, NOW, 1.0))
    assert strict.only_first + strict.both == 3
    assert strict.second.min_score == 1.0


def test_an_update_is_previewed_with_the_readers_it_has() -> None:
    """Who read it is not offered it again."""
    told = preview([audience()], article("old", topic="quantum", version=2), NOW)
    assert told.reasons["already_read"] == 2


def test_what_a_push_costs() -> None:
    """The last push of the day is said, and an article under embargo that its readers then do not get."""
    state = audience(daily_cap=1, min_interval_s=4 * 3600.0)
    later = article("later", topic="quantum", embargo_until_ms=NOW + HOUR)
    _feed(state).articles(later, now_ms=NOW)
    told = preview([state], article("new", topic="quantum"), NOW).displaced
    assert told.last_of_the_day == 3
    assert told.articles["later"] == 3


@settings(max_examples=40)
@given(st.lists(st.floats(0, 1), max_size=9))
def test_the_distribution_is_that_of_all_outcomes(p: list[float]) -> None:
    """Against the sum over every combination of clicks."""
    chances = np.zeros(len(p) + 1)
    for clicks in itertools.product((0, 1), repeat=len(p)):
        chances[sum(clicks)] += np.prod([each if click else 1 - each for each, click in zip(p, clicks, strict=True)])
    np.testing.assert_allclose(distribution(np.array(p)), chances, atol=1e-12)


@pytest.mark.parametrize("count", [0, 1, 30, EXACT, EXACT + 1, 50_000])
def test_the_interval_holds_what_it_promises(count: int) -> None:
    """Clicks that are drawn lie within it as often as it says, exact or approximated."""
    rng = np.random.default_rng(count)
    p = rng.beta(2, 6, count).astype(np.float32)
    told = expected_clicks(p)
    drawn = np.array([(rng.random(count) < p).sum() for _ in range(400)])
    assert ((told.low <= drawn) & (drawn <= told.high)).mean() > 0.92
    assert told.low <= told.expected + 0.5
    assert told.high >= told.expected - 0.5


def drafts() -> Drafts:
    """Of a deployment without articles."""
    return Drafts(load({}), HashedEncoder())


def test_a_draft_is_remembered_nowhere() -> None:
    """Asked twice, it is the same; its id and time may be left out."""
    of = drafts()
    first, second = (of.analyse({"title": "Volcano in Iceland", "category": "travel"}, NOW) for _ in range(2))
    assert first == second
    assert (first.published_at_ms, first.category) == (NOW, "travel")
    assert msgspec.json.decode(msgspec.json.encode(first), type=type(first)) == first


@pytest.mark.parametrize("said", [{}, {"title": ""}, {"title": "t", "status": "nonsense"}, {"title": {1, 2}}])
def test_a_draft_that_is_no_article_says_why(said: dict[str, object]) -> None:
    """What a producer would find in the dead letters."""
    with pytest.raises(DataError, match="draft"):
        drafts().analyse(said, NOW)
