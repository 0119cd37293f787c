"""What readers want decides what they get: mutes, levels, languages, what they follow, and no profile."""

from typing import Any

import numpy as np
import pytest
from making import DAY, T0, Feed, article, click, partition

from streamrec.contracts.event import UserEvent
from streamrec.contracts.preferences import Patch
from streamrec.engine.profiles.history import LEARNED
from streamrec.engine.profiles.layout import PUSHED

CLOSE: dict[str, Any] = {"topic": "a", "category": "politics", "source": "The Desk", "story_id": "s1", "language": "en"}
NOW = T0 + DAY  # when patches are appended


def fed(**changed: Any) -> Feed:
    """A reader who likes the topic, and one who never did anything but state a preference."""
    feed = Feed(partition(**changed))
    feed.articles(article("read", topic="a", story_id="s0"))
    feed.events(click("ann", "read"))
    return feed


def pushed(feed: Feed, **changed: Any) -> dict[str, str]:
    """Who gets a fresh article, and why not, if one reason kept anybody back."""
    fields = {
        "keywords": ("iran", "oil"),
        "tags": ("storm watch",),
        "known_at_ms": NOW,
        "published_at_ms": NOW,
        "expires_at_ms": NOW + DAY,
    }
    changes = feed.articles(article("new", **(CLOSE | fields | changed)), now_ms=NOW)
    return {push.user_id: push.priority for push in changes.pushes} | {f"!{name}": "" for name in changes.suppressed}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"categories/politics": "mute"}, "muted_category"),
        ({"sources/the desk": "mute"}, "muted_source"),
        ({"stories/s1": "mute"}, "muted_story"),
        ({"tags/oil": "mute"}, "muted_tag"),
        ({"tags/storm watch": "mute"}, "muted_tag"),
        ({"languages": ["da", "de"]}, "language"),
        ({"level": "breaking"}, "level"),
        ({"level": "none"}, "level"),
        ({"profiling": False}, "low_affinity"),
        ({"consent": False}, "opt_out"),
        ({"daily_cap": 0}, "daily_cap"),
        ({"quiet_hours": "10:00-14:00", "zone": "UTC"}, "quiet_hours"),
    ],
)
def test_a_no_keeps_a_push_back_and_says_why(said: dict[str, Any], reason: str) -> None:
    """Taken back, it keeps nothing back; another reader is not concerned."""
    feed = fed()
    feed.events(click("bob", "read"))
    feed.of([Patch("ann", T0, said)])
    assert pushed(feed) == {"bob": "normal", f"!{reason}": ""}
    feed = fed()
    back: dict[str, Any] = {"consent": True} if "consent" in said else dict.fromkeys(said)
    feed.of([Patch("ann", T0, said), Patch("ann", T0 + 1, back)])
    feed.events(click("ann", "read", at_ms=T0 + 2))
    assert set(pushed(feed)) == {"ann"}


@pytest.mark.parametrize(
    "said",
    [{"languages": ["en"]}, {"level": "all"}, {"categories/sports": "mute"}, {"sources/another": "mute"},
     {"stories/s2": "mute"}, {"tags/gas": "mute"}, {"daily_cap": 1}, {"quiet_hours": "13:00-14:00", "zone": "UTC"}],
)  # fmt: skip
def test_what_is_not_meant_is_not_kept_back(said: dict[str, Any]) -> None:
    """Mutes of other names, and limits that are not reached."""
    feed = fed()
    feed.of([Patch("ann", T0, said)])
    assert set(pushed(feed)) == {"ann"}


def test_an_article_of_an_unknown_language_is_in_no_wrong_one() -> None:
    """`und` is not held against anybody."""
    feed = fed()
    feed.of([Patch("ann", T0, {"languages": ["da"]})])
    assert set(pushed(feed, language="und")) == {"ann"}


@pytest.mark.parametrize(
    "name", ["categories/politics", "sources/the desk", "stories/s1", "tags/iran", "tags/storm watch"]
)
def test_what_is_followed_needs_no_affinity(name: str) -> None:
    """It is found for a stranger, and then the threshold of the score decides, as it does for all."""
    feed = fed(min_score=0.0)
    feed.of([Patch("cat", T0, {name: "follow"}), Patch("dan", T0, {"daily_cap": 3})])
    assert set(pushed(feed)) == {"ann", "cat", "!low_affinity"}
    strict = fed(min_score=0.01)
    strict.of([Patch("cat", T0, {name: "follow"})])
    assert set(pushed(strict)) == {"ann", "!low_score"}


@pytest.mark.parametrize("followed", ["stories/s1", "tags/storm watch"])
@pytest.mark.parametrize(
    ("no", "reason"),
    [({"consent": False}, "opt_out"), ({"daily_cap": 0}, "daily_cap"), ({"quiet_hours": "11:00-13:00"}, "quiet_hours"),
     ({"categories/politics": "mute"}, "muted_category"), ({"level": "none"}, "level")],
)  # fmt: skip
def test_following_lifts_no_no(no: dict[str, Any], reason: str, followed: str) -> None:
    """Neither consent, nor caps, nor quiet hours, nor another mute."""
    feed = Feed(partition(min_score=0.0))
    feed.of([Patch("cat", T0, {followed: "follow", **no})])
    assert pushed(feed) == {f"!{reason}": ""}


@pytest.mark.parametrize("said", [{"daily_cap": 0}, {"quiet_hours": "11:00-13:00"}])
def test_breaking_news_passes_the_settings_and_not_what_a_reader_has_set(said: dict[str, Any]) -> None:
    """Quiet hours of the deployment are passed, those of the reader are not."""
    feed = fed(breaking_bypasses="quiet_hours,daily_cap", quiet_from="11:00", quiet_to="13:00", quiet_jitter_s=0)
    feed.events(click("bob", "read"))
    feed.of([Patch("ann", T0, said)])
    assert set(pushed(feed, breaking=3)) - {"!daily_cap", "!quiet_hours"} == {"bob"}


def test_who_refuses_profiling_loses_what_was_learned_and_teaches_nothing() -> None:
    """Whether clicks come before or after; pushes are remembered, so that none comes twice."""
    feed = fed()
    assert set(pushed(feed)) == {"ann"}
    feed.of([Patch("ann", T0, {"profiling": False})])
    feed.events(click("ann", "read"), click("ann", "unknown"), UserEvent("ann", "dislike", T0, "new", tz="Asia/Tokyo"))
    columns = feed.to.profiles.columns
    assert not any(columns[name][0].tobytes().strip(b"\0") for name in LEARNED)
    assert np.count_nonzero(columns["seen"][0]) == 1
    assert set(columns["seen_acts"][0].tolist()) == {0, PUSHED}
    assert columns["zone"][0] > 0
    assert not feed.to.catalog["readers"].any()


def test_who_refuses_profiling_gets_what_they_follow_and_breaking_news() -> None:
    """At any score; nothing else reaches the score at all."""
    for said, changed, gets in (
        ({"stories/s1": "follow"}, {}, True),
        ({}, {"breaking": 2}, True),
        ({"stories/s2": "follow"}, {}, False),
    ):
        feed = Feed(partition(min_score=0.9))
        feed.of([Patch("ann", T0, {"profiling": False, **said})])
        assert ("ann" in pushed(feed, **changed)) == gets


def test_profiling_may_be_allowed_again() -> None:
    """From then on events teach."""
    feed = fed()
    feed.of([Patch("ann", T0, {"profiling": False}), Patch("ann", T0 + 1, {"profiling": True})])
    assert not feed.to.profiles["interest"].any()
    feed.events(click("ann", "read", at_ms=T0 + 2))
    assert feed.to.profiles["interest"].any()
