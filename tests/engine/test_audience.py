"""engine/audience.py: who is in an audience."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import DAY, HOUR, T0, article

from streamrec.contracts.article import AnalysedArticle
from streamrec.contracts.audience import Audience, Ramp
from streamrec.contracts.ids import key_of
from streamrec.contracts.preferences import Patch
from streamrec.engine.audience import draws, members, share_at
from streamrec.engine.catalog import Catalog
from streamrec.engine.prefer import after_preferences
from streamrec.engine.profiles.store import ProfileStore, Users
from streamrec.engine.profiles.zones import zone_slots

READERS = 20_000


def readers(count: int = READERS) -> Users:
    """Readers of whom nothing is known but their ids."""
    store = ProfileStore(4)
    store.rows_of([f"u{i}" for i in range(count)], [1] * count)
    return Users(store, slice(None))


ALL = readers()


def inside(
    users: Users, audience: Audience, now_ms: int = T0, zone: str = "UTC", **changed: Any
) -> np.ndarray[Any, Any]:
    """Which of these users are in the audience."""
    return members(article(audience=audience, **changed), users, now_ms, DAY, zone)


@given(st.floats(0, 1), st.floats(0, 1), st.text(min_size=1, max_size=9))
def test_a_larger_share_contains_a_smaller_one(first: float, second: float, article_id: str) -> None:
    """So a share can be raised, and nobody who was in is out; each has about as many readers as it says."""
    few, many = sorted((first, second))
    one, other = (
        members(
            msgspec.structs.replace(article(), article_id=article_id, audience=Audience(share=share)),
            ALL,
            T0,
            DAY,
            "UTC",
        )
        for share in (few, many)
    )
    assert not (one & ~other).any()
    for share, found in ((few, one), (many, other)):
        assert abs(found.mean() - share) < 5 * (share * (1 - share) / READERS) ** 0.5 + 1e-9


def test_each_article_has_another_part_of_the_readers() -> None:
    """The same tenth would otherwise be the test audience of every article."""
    one, other = (inside(ALL, Audience(share=0.1), article_id=name) for name in ("a1", "a2"))
    assert abs((one & other).mean() - 0.01) < 0.004


def test_the_draw_is_pinned() -> None:
    """It must be the same in every release, or a ramp would change its readers under way."""
    assert draws(np.array([0, 1, 2**32 - 1], np.uint32), key_of("a1")).tolist() == [2434482210, 1296262367, 2699313252]


def test_nothing_known_fits_nothing() -> None:
    """A reader who has said nothing is in no segment, but in everybody and in the default zone."""
    few = readers(3)
    assert inside(few, Audience(everybody=True)).all()
    for audience in (Audience(languages=("en",)), Audience(countries=("DK",)), Audience(zones=("Europe/Copenhagen",))):
        assert not inside(few, audience).any()
    assert not inside(few, Audience(categories=("science",)), audience_slots=(4,)).any()
    assert inside(few, Audience(countries=("DK",)), zone="Europe/Copenhagen").all()


def test_nobody_is_nobody() -> None:
    """Empty lists and a share of 0."""
    for audience in (Audience(True, zones=()), Audience(True, languages=()), Audience(True, share=0.0)):
        assert not inside(ALL, audience).any()
    assert not inside(ALL, Audience(True, categories=())).any()


def test_zones_and_countries() -> None:
    """An old name is the present one; a zone this process does not know is in no country, whatever the default."""
    users = readers(5)
    zones = ["Europe/Copenhagen", "Asia/Calcutta", "US/Eastern", "Europe/Berlin", "Mars/Olympus"]
    users.store.columns["zone"][:5] = [key_of(zone) for zone in zones]
    users.store.columns["zone_slot"][:5] = zone_slots(users["zone"])
    default = "Europe/Copenhagen"
    assert inside(users, Audience(countries=("DK", "US")), zone=default).tolist() == [True, False, True, False, False]
    assert inside(users, Audience(zones=("Asia/Kolkata",)), zone=default).tolist() == [False, True, False, False, False]
    both = Audience(zones=("Europe/Berlin", "Europe/Copenhagen"), countries=("DE",))
    assert inside(users, both, zone=default).tolist() == [False, False, False, True, False]


def test_languages_are_those_of_the_latest_read() -> None:
    """Two letters, as the row has them."""
    users = readers(3)
    users.store.columns["language"][:3] = [b"da", b"en", b""]
    assert inside(users, Audience(languages=("da", "sv"))).tolist() == [True, False, False]


def saying(users: Users, **said: Any) -> None:
    """The first of these users states preferences."""
    after_preferences(users.store, Catalog(), [Patch("u0", T0, said)], [T0])


def test_a_stated_language_comes_before_the_one_read() -> None:
    """Whoever stated some is addressed in these, whatever they read last; null takes the statement back."""
    users = readers(2)
    users.store.columns["language"][:2] = [b"da", b"da"]
    saying(users, languages=["en", "sv"])
    assert inside(users, Audience(languages=("da",))).tolist() == [False, True]
    assert inside(users, Audience(languages=("sv",))).tolist() == [True, False]
    after_preferences(users.store, Catalog(), [Patch("u0", T0 + 1, {"languages": None})], [T0])
    assert inside(users, Audience(languages=("da",))).all()


def test_followers_of_a_name() -> None:
    """Of a story, a tag, a section or a source; who mutes it does not follow it."""
    users = readers(3)
    saying(users, **{"stories/s17": "follow", "tags/volcano": "mute"})
    for names, expected in (
        (("stories/s17",), True),
        (("tags/volcano",), False),
        (("stories/s1", "stories/s17"), True),
    ):
        assert inside(users, Audience(followers=names)).tolist() == [expected, False, False]
    assert not inside(users, Audience(followers=())).any()


@pytest.mark.parametrize(
    ("reads", "age_ms", "fits"), [(1, 0, True), (1, DAY, True), (1, DAY + HOUR, False), (4, 3 * DAY, True)]
)
def test_categories_are_read_lately(reads: float, age_ms: int, fits: bool) -> None:
    """One read within a half-life, or more reads longer ago."""
    users = readers(2)
    users.store.columns["category_affinity"][0, 4] = reads
    users.store.columns["interest_at_ms"][0] = T0 - age_ms
    audience = Audience(categories=("science", "food"))
    assert inside(users, audience, audience_slots=(4, 9)).tolist() == [fits, False]


def test_a_ramp_is_a_share_of_the_audience_until_it_is_over() -> None:
    """And all of the first step are in the second."""
    audience = Audience(share=0.5, ramp=Ramp(0.2, 30))
    before, after = (inside(ALL, audience, now_ms=T0 + wait, widens_at_ms=T0 + HOUR) for wait in (HOUR - 1, HOUR))
    assert not (before & ~after).any()
    assert abs(before.mean() - 0.1) < 0.02
    assert abs(after.mean() - 0.5) < 0.02


def test_an_article_without_an_audience_is_for_all() -> None:
    """Interest decides then."""
    plain: AnalysedArticle = article()
    assert members(plain, ALL, T0, DAY, "UTC").all()
    assert share_at(plain, T0) == 1
