"""A replica is what its owner has committed, however the log comes in."""

from typing import Any

import msgspec
import numpy as np
import pytest
from following import Owner, followed, replica_of
from hypothesis import example, given, settings
from hypothesis import strategies as st
from making import DAY, HOUR, T0, article, click, partition

from streamrec.contracts.erasure import Erasure
from streamrec.contracts.event import UserEvent
from streamrec.contracts.preferences import Patch
from streamrec.contracts.records import RawRecord
from streamrec.errors import SettingsError, StateError
from streamrec.partition.changelog_meta import BESIDE_ROWS, LAYOUT_KEY, SPACE_KEY, moved_record

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("article"), st.integers(0, 5), st.integers(1, 3)),
        st.tuples(st.sampled_from(["click", "dismiss", "share", "unsubscribe"]), st.integers(0, 4), st.integers(0, 5)),
        st.tuples(st.just("look"), st.integers(0, 2), st.just(0)),
        st.tuples(st.sampled_from(["prefer", "erase"]), st.integers(0, 4), st.integers(0, 2)),
    ),
    max_size=30,
)


def drive(owner: Owner, steps: list[tuple[str, int, int]]) -> None:
    """Let the owner live through these steps, one a minute."""
    for minute, (what, a, b) in enumerate(steps):
        now_ms = T0 + minute * 60_000
        if what == "article":
            owner.articles(article(f"a{a}", version=b, topic="ab"[a % 2]), now_ms=now_ms)
        elif what == "look":
            owner.look(now_ms)
        elif what == "prefer":
            owner.of([Patch(f"u{a}", now_ms, {"stories/s1": "mute", "daily_cap": b})], now_ms=now_ms)
        elif what == "erase":  # and back within the same transaction, or not
            back = click(f"u{a}", "a1", now_ms), Patch(f"u{a}", now_ms, {"tags/volcano": "mute"})
            owner.of([Erasure(f"u{a}", now_ms - 1)], *([each] for each in back[b - 1 : b]), now_ms=now_ms)
        else:
            owner.events(UserEvent(f"u{a}", what, now_ms, article_id=f"a{b}"), now_ms=now_ms)


@settings(max_examples=60)
@given(STEPS, st.lists(st.integers(1, 100), max_size=6))
@example([("prefer", 0, 1), ("erase", 0, 1)], [5])
def test_rows_cursor_and_catalog_are_the_owners(steps: list[tuple[str, int, int]], pieces: list[int]) -> None:
    """Rows to the byte, the cursor, the articles and how many read each; and pieces of any size make no difference."""
    owner = Owner(partition())
    owner.events(click("u0", "a0"))
    drive(owner, steps)
    replica = followed(owner, replica_of(partition()), [at for at in pieces if at < len(owner.changelog)])
    state, copy = owner.partition, replica.partition
    logged = {key: value for key, value in ((r.key or b"", r.value) for r in owner.changelog) if key < BESIDE_ROWS}
    assert copy.profiles.rows() == {key: value for key, value in logged.items() if value is not None}
    assert copy.cursor == state.cursor
    for user in state.profiles:
        mine, its = state.profiles.row(user), copy.profiles.row(user)
        assert mine is not None
        assert its is not None
        assert copy.profiles.said(its) == state.profiles.said(mine)
        assert copy.erasures.of(user) == state.erasures.of(user)
    for found in state.catalog.articles:
        assert found is not None
        slot, mine = copy.catalog.slot(found.article_id), state.catalog.slot(found.article_id)
        assert slot is not None
        assert copy.catalog["readers"][slot] == state.catalog["readers"][mine]
        assert copy.catalog["first_known_s"][slot] == state.catalog["first_known_s"][mine]
        assert copy.catalog.articles[slot] == found
    scales = [np.sort(each.profiles["scale"][each.profiles["layout"] > 0]) for each in (state, copy)]
    assert np.array_equal(scales[0], scales[1])


def test_nothing_of_a_transaction_is_seen_before_its_end() -> None:
    """Rows count with the cursor record behind them."""
    owner, replica = Owner(partition()), replica_of(partition())
    owner.events(click("u1", "a1"), click("u2", "a1"))
    replica.take_changelog(owner.changelog[:-1])
    assert not replica.partition.profiles.count()
    replica.take_changelog(owner.changelog[-1:])
    assert replica.partition.profiles.count() == 2
    assert replica.applied_ms == T0


def test_an_article_counts_when_its_owner_has_it() -> None:
    """The catalog may be read before the changelog or after it."""
    owner, replica = Owner(partition()), replica_of(partition())
    owner.articles(article("a1"))
    replica.take_catalog(owner.catalog)
    assert len(replica.partition.catalog) == 0
    replica.take_changelog(owner.changelog)
    assert len(replica.partition.catalog) == 1


def test_who_is_forgotten_is_gone() -> None:
    """A tombstone frees the row, and what was read is counted no more."""
    owner, replica = Owner(partition(profile_days=90)), replica_of(partition())
    owner.articles(article("a1"))
    owner.events(click("u1", "a1"), click("u2", "a1"))
    later = T0 + 89 * DAY
    owner.articles(article("a2", published_at_ms=later, known_at_ms=later), now_ms=later)
    owner.events(click("u2", "a2", at_ms=later), now_ms=later)
    for hour in range(1, 60):
        owner.look(later + hour * HOUR)
    assert owner.partition.profiles.count() == 1
    followed(owner, replica)
    assert list(replica.partition.profiles) == ["u2"]


def test_what_cannot_be_followed_ends_it() -> None:
    """A later layout, another number of partitions, another space, and profiles that were moved away."""
    told: list[tuple[tuple[bytes, Any], type[Exception], str]] = [
        ((LAYOUT_KEY + b"-99", {"layout": 99, "partitions": 1, "descr": []}), StateError, "layout 99"),
        ((LAYOUT_KEY + b"-3", {"layout": 3, "partitions": 7, "descr": []}), StateError, "7 partitions"),
    ]
    for (key, value), kind, words in told:
        with pytest.raises(kind, match=words):
            replica_of(partition()).take_changelog([RawRecord(0, T0, key, msgspec.json.encode(value))])
    with pytest.raises(SettingsError, match="moved these profiles to other"):
        replica_of(partition()).take_changelog([RawRecord(0, T0, *moved_record("other"))])
    owner = Owner(partition())
    owner.events(click("u1", "a1"))
    moved = RawRecord(9, T0, SPACE_KEY, b'{"space": "another"}')
    ours = partition()
    ours.context = ours.context._replace(space_id="ours")
    with pytest.raises(SettingsError, match="another"):
        replica_of(ours).take_changelog([moved, *owner.changelog])


def test_what_was_set_aside_is_no_article() -> None:
    """A dead letter in time keeps it out; one that is late asks for another restore."""
    owner = Owner(partition())
    owner.articles(article("a1"), article("a2"))
    headers = [("streamrec-offset", b"1"), ("streamrec-reason", b"processing_error")]
    letter = RawRecord(0, T0, owner.catalog[1].key, owner.catalog[1].value, headers)
    early, late = replica_of(partition()), replica_of(partition())
    early.take_letters([letter])
    followed(owner, early)
    assert early.partition.catalog.slot("a2") is None
    assert not early.is_stale
    followed(owner, late).take_letters([letter])
    assert late.is_stale
