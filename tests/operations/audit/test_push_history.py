"""Rules on a user's pushes among themselves."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from operations.audit.audited import HOUR, SETTINGS, T0, Cluster, clean, push, row

from streamrec.contracts.push import Push
from streamrec.settings import load


def at(*hours: float, **more: Any) -> list[Push]:
    """Pushes of different articles at these hours."""
    return [push(article=f"a{n}", at_ms=T0 + round(hour * HOUR), **more) for n, hour in enumerate(hours)]


def test_pushes_a_cap_and_interval_allow_are_not_reported() -> None:
    """Three within a day, an hour apart to the second, and a fourth when the first is a day old."""
    assert clean(*at(-2, -1, 0, 22)).broken() == {}


def test_the_same_push_twice_is_found() -> None:
    """An id is used once, whatever else differs."""
    first = push()
    cluster = clean(first, msgspec.structs.replace(first, created_at_ms=T0 + 2 * HOUR, expires_at_ms=T0 + 9 * HOUR))
    assert cluster.broken() == {"duplicate_push": 1, "already_pushed": 1}


def test_one_more_than_the_cap_is_found() -> None:
    """The fourth push within 24 hours where the cap is three."""
    assert clean(*at(-3, -2, -1, 0)).broken() == {"daily_cap": 1}


def test_a_row_with_a_higher_cap_of_its_own_allows_more() -> None:
    """The user's own cap stands in the row."""
    assert clean(*at(-3, -2, -1, 0), daily_cap=4).broken() == {}
    assert clean(*at(-4, -3, -2, -1, 0), daily_cap=4).broken() == {"daily_cap": 1}


def test_a_lower_cap_of_the_users_own_is_no_alarm() -> None:
    """It may be newer than the pushes."""
    assert clean(*at(-2, -1, 0), daily_cap=1).broken() == {}


def test_a_push_too_soon_is_found() -> None:
    """One second less than the interval."""
    assert clean(*at(0, 3599 / 3600)).broken() == {"min_interval": 1}


def test_breaking_news_may_bypass_the_interval_but_not_the_cap() -> None:
    """Only the rules named in the settings are bypassed."""
    assert clean(*at(0, 0.1, 0.2, priority="breaking")).broken() == {}
    assert clean(*at(0, 0.1, 0.2, 0.3, priority="breaking")).broken() == {"daily_cap": 1}
    strict = SETTINGS.changed(breaking_bypasses="")
    assert clean(*at(0, 0.1, priority="breaking")).broken(strict) == {"min_interval": 1}


def test_two_pushes_of_one_moment_are_found() -> None:
    """Same user and millisecond, two articles: the interval would have stopped a second decision."""
    assert clean(*at(0, 0)).broken() == {"two_pushes_one_decision": 1, "min_interval": 1}


def test_two_breaking_articles_of_one_moment_are_two_decisions() -> None:
    """Each may meet the user in the same millisecond."""
    assert clean(*at(0, 0, priority="breaking")).broken() == {}


def test_without_an_interval_one_moment_tells_nothing_in_wall_time() -> None:
    """Users who are due may be looked for twice in a millisecond; in a replay once a tick."""
    loose = SETTINGS.changed(min_interval_s=0)
    assert clean(*at(0, 0, trigger="due")).broken(loose) == {}
    replay = loose.changed(policy_time="event")
    assert clean(*at(0, 0, trigger="due")).broken(replay) == {"two_pushes_one_decision": 1}
    assert clean(*at(0, 0, trigger="article")).broken(replay) == {}


def test_a_story_told_twice_is_found() -> None:
    """Another article of the same story is the same news."""
    told = push(article="a1", story_id="s"), push(article="a2", story_id="s", at_ms=T0 + 2 * HOUR)
    assert clean(*told).broken() == {"already_pushed": 1}


def test_an_article_told_again_is_found_however_long_after() -> None:
    """Ten others lie between, and the second is another version, so another push."""
    others = [push(article=f"b{number}", at_ms=T0 + number * 24 * HOUR) for number in range(1, 11)]
    again = push(article="a1", at_ms=T0 + 264 * HOUR, push_id="again", article_version=1)
    assert clean(push(article="a1"), *others, again).broken() == {"already_pushed": 1}


def test_pushes_from_before_an_erasure_do_not_count() -> None:
    """A user who was erased and came back starts anew: the row was born after the first push."""
    first, second = push(at_ms=T0), push(at_ms=T0 + HOUR // 2)
    cluster = Cluster()
    cluster.row("ann", row(second, seen_ms=T0 + 10_000))
    cluster.applied(T0)
    cluster.pushes(first, second)
    assert cluster.broken() == {}


@given(st.lists(st.tuples(st.integers(-3 * HOUR, 30 * HOUR), st.booleans()), max_size=14))
def test_the_gates_own_answers_are_never_an_alarm(tries: list[tuple[int, bool]]) -> None:
    """Whatever the clock does, a push the worker's gates let through breaks no rule, and one they refuse does."""
    settings = load({}, partitions=4, daily_cap=3, min_interval_s=3600, quiet_from="00:00", quiet_to="00:00")
    ring: list[int] = []
    made, refused = [], None
    for number, (offset_ms, breaking) in enumerate(tries):
        one = push(article=f"a{number}", at_ms=T0 + offset_ms, priority="breaking" if breaking else "normal")
        now_s = one.created_at_ms // 1000
        last_8 = ring[-8:]
        soon = not breaking and bool(last_8) and max(last_8) + 3600 > now_s
        if sum(at_s > now_s - 86_400 for at_s in last_8) >= 3 or soon:
            refused = one
            continue
        ring.append(now_s)
        made.append(one)
    assert clean(*made).broken(settings) == {}
    if refused is not None and refused.created_at_ms >= max((m.created_at_ms for m in made), default=0):
        assert set(clean(*made, refused).broken(settings)) & {"daily_cap", "min_interval"}
