"""follower/audience.py: how far an article has come, from the log alone."""

from typing import Any

import msgspec
import pytest
from making import HOUR, T0, Feed, article, click, partition

from streamrec.cli.audience import line
from streamrec.contracts.article import AnalysedArticle
from streamrec.contracts.audience import Audience, Ramp
from streamrec.contracts.decode import Origin, decode_catalog
from streamrec.contracts.records import RawRecord
from streamrec.follower.audience import Progress, pace, progress, under_way
from streamrec.partition.changelog_meta import CURSOR_KEY, rows_and_meta
from streamrec.partition.following import after_catalog, after_changelog
from streamrec.partition.partition import Partition

READERS = 100
OLD = article("old", topic="football")


def scene(audience: Audience | None, widens_at_ms: int = 0) -> tuple[Partition, AnalysedArticle]:
    """An owner whose hundred readers have yet to meet the article."""
    state = partition(chunk_users=30)
    feed = Feed(state)
    feed.articles(OLD)
    feed.events(*[click(f"u{number}", "old") for number in range(READERS)])
    state.look(T0)
    state.at_once = False
    storm = article("storm", topic="storm", audience=audience, widens_at_ms=widens_at_ms)
    feed.articles(storm)
    return state, storm


def copy_of(state: Partition, storm: AnalysedArticle) -> Partition:
    """What a follower knows of it."""
    followed = Partition(state.context)
    _, meta = rows_and_meta([state.encode(state.profiles.everybody(0, 0).indices())[-1]], 1)
    after_changelog(followed, dict(state.profiles.rows()), meta)
    raw = [RawRecord(number, T0, None, msgspec.json.encode(one)) for number, one in enumerate((OLD, storm))]
    after_catalog(followed, decode_catalog(raw, Origin("catalog", 0)))
    return followed


def look(state: Partition, storm: AnalysedArticle, at_ms: int = T0) -> Progress:
    """A look through a copy."""
    found = progress([copy_of(state, storm)], "storm", at_ms)
    assert found is not None
    return found


def test_an_audience_is_seen_on_its_way() -> None:
    """Met, left and pushed after each chunk, and the pace between two looks; in the end all have it."""
    state, storm = scene(Audience(everybody=True))
    looks = [look(state, storm)]
    while (meeting := state.article_meeting(T0)) is not None:
        state.meet(meeting)
        looks.append(look(state, storm, looks[-1].at_ms + 1000))
    assert [(one.met, one.left, one.pushed) for one in looks] == [
        (0, 100, 0), (30, 70, 30), (60, 40, 60), (90, 10, 90), (100, 0, 100)
    ]  # fmt: skip
    assert [one.state for one in looks] == ["under way"] * 4 + ["met"]
    went = pace(looks[1], looks[2])
    assert (went.pushes_per_s, went.readers_per_s, round(went.eta_s or 0, 3)) == (30.0, 30.0, round(40 / 30, 3))
    assert pace(looks[2], msgspec.structs.replace(looks[2], at_ms=T0 + HOUR)).eta_s is None
    assert line(looks[2], went) == (
        "under way: 60 pushed, 100 of 100 readers are in its audience; 40 left to meet; 30 pushes/s, 1 s to go"
    )


def test_a_ramp_says_what_is_still_to_come() -> None:
    """Its first step is met; the rest is due at a time."""
    state, storm = scene(Audience(True, ramp=Ramp(0.0, 30)), widens_at_ms=T0 + HOUR)
    while (meeting := state.article_meeting(T0)) is not None:
        state.meet(meeting)
    now = look(state, storm)
    assert (now.state, now.inside, now.pushed, now.share, now.widens_at_ms) == ("met", 0, 0, 0.0, T0 + HOUR)
    assert line(now, None).endswith("0% of it until 2025-11-25T13:00+00:00")
    later = look(state, storm, T0 + HOUR)
    assert (later.inside, later.share, later.widens_at_ms) == (READERS, 1.0, 0)


def test_all_that_are_under_way_are_named() -> None:
    """While they meet readers, and while a ramp waits; then no more."""
    audience = Audience(True, ramp=Ramp(0.5, 30))
    state, storm = scene(audience, widens_at_ms=T0 + HOUR)
    assert [one.state for one in under_way([copy_of(state, storm)], T0)] == ["under way"]
    while (meeting := state.article_meeting(T0)) is not None:
        state.meet(meeting)
    assert [one.state for one in under_way([copy_of(state, storm)], T0)] == ["met"]
    assert under_way([copy_of(state, storm)], T0 + HOUR) == []


def test_an_owner_logs_no_progress_of_articles_without_an_audience() -> None:
    """The cursor record of such a log is what it ever was."""
    state, _ = scene(None)
    key, value = state.encode(state.profiles.everybody(0, 0).indices())[-1]
    assert (key, b"audiences" in (value or b"")) == (CURSOR_KEY, False)


def test_an_unknown_article_and_one_that_is_over() -> None:
    """There is none, or nobody is to get it any more."""
    state, storm = scene(Audience(share=0.0))
    assert progress([copy_of(state, storm)], "nothing", T0) is None
    assert look(state, storm, T0 + 48 * HOUR).state == "over"
    assert look(state, storm).inside == 0


@pytest.mark.parametrize(("field", "state"), [("held", "held"), ("stopped", "held"), ("retracted", "over")])
def test_what_commands_do_is_seen(field: str, state: str) -> None:
    """Readers it has yet to meet are left while it is held, and none once it is taken back."""
    owner, storm = scene(Audience(everybody=True))
    followed = copy_of(owner, storm)
    followed.catalog[field][followed.catalog.slot("storm")] = True
    found = progress([followed], "storm", T0)
    assert found is not None
    assert (found.state, found.left) == (state, READERS * (state == "held"))


def test_a_stop_of_everything_holds_it() -> None:
    """Until it ends."""
    owner, storm = scene(Audience(everybody=True))
    followed = copy_of(owner, storm)
    followed.steering.policy = followed.steering.policy._replace(stopped_until_s=T0 // 1000 + 60)
    for at_ms, state in ((T0, "held"), (T0 + HOUR, "under way")):
        found = progress([followed], "storm", at_ms)
        assert found is not None
        assert (found.state, found.left) == (state, READERS)


def test_audiences_of_late_are_named_too_if_asked_for() -> None:
    """The latest first, as many as asked for; not what was taken back, nor what has no audience."""
    state, storm = scene(Audience(everybody=True))
    while (meeting := state.article_meeting(T0)) is not None:
        state.meet(meeting)
    followed = copy_of(state, storm)
    everybody = Audience(everybody=True)
    several: tuple[dict[str, Any], ...] = ({}, {"embargo_until_ms": T0 + HOUR}, {"status": "withdrawn"})
    for number, more in enumerate(several):
        fields: dict[str, Any] = {"published_at_ms": T0 + 1 + number, "audience": everybody, **more}
        followed.catalog.apply(article(f"late{number}", **fields), T0)
    assert under_way([followed], T0) == []
    named = [one.article_id for one in under_way([followed], T0, HOUR)]
    assert named == ["late1", "late0", "storm"]
    assert [one.article_id for one in under_way([followed], T0, HOUR, 1)] == ["late1"]
    assert [one.article_id for one in under_way([followed], T0 + HOUR + 5, HOUR)] == ["late1"]
