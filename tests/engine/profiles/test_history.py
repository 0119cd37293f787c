"""Never a push twice, never a push of what was read, whatever happens to the articles: 200 of them, not 8."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import DAY, HOUR, T0, Feed, article, click, partition, pushes

from streamrec.contracts.article import AnalysedArticle
from streamrec.contracts.decode import Typed
from streamrec.contracts.event import UserEvent
from streamrec.contracts.ids import key_of
from streamrec.engine.profiles.layout import SEEN
from streamrec.partition.changelog_meta import rows_and_meta
from streamrec.partition.partition import Partition

ARTICLES = 200
READERS = ("ann", "bo")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["publish", "publish", "read", "read", "update", "look", "restart"]),
        st.integers(0, ARTICLES - 1),
        st.sampled_from(READERS),
        st.sampled_from([0, 4 * DAY, 60 * DAY]),
        st.integers(1, 9 * HOUR),
    ),
    min_size=60,
    max_size=300,
)


class Newsroom:
    """A partition, what its readers did, and the catalog's log as compaction leaves it."""

    def __init__(self) -> None:
        self.now_ms = T0
        self.feed = Feed(partition(daily_cap=8, min_affinity=0, min_score=0))
        self.log: dict[str, AnalysedArticle] = {}
        self.first_ms: dict[str, int] = {}
        self.read: set[tuple[str, str]] = set()
        self.pushed: list[tuple[str, str]] = []

    def publish(self, name: str, lasts_ms: int) -> None:
        """A new article, or a version that moves publication and expiry of a known one."""
        before = self.log.pop(name, None)  # compaction keeps the last record of a key, where that lies
        self.first_ms.setdefault(name, self.now_ms)
        version = article(
            name,
            topic="one",
            story_id=name,
            version=before.version + 1 if before else 1,
            published_at_ms=self.now_ms,
            known_at_ms=self.now_ms,
            first_known_at_ms=self.first_ms[name],
            expires_at_ms=self.now_ms + (lasts_ms or DAY),
        )
        self.log[name] = version
        self.took(self.feed.articles(version, now_ms=self.now_ms))

    def reads(self, user: str, name: str) -> None:
        """A click now."""
        if name in self.log:
            self.took(self.feed.events(UserEvent(user, "click", self.now_ms, name), now_ms=self.now_ms))
            self.read.add((user, name))

    def took(self, changes: object) -> None:
        """Nothing that leaves may have been read or pushed before."""
        for push in pushes(changes):  # type: ignore[arg-type]
            told = push.user_id, push.article_id
            assert told not in self.read
            assert told not in self.pushed
            self.pushed.append(told)

    def restart(self) -> None:
        """A new owner reads the changelog and the catalog."""
        state = self.feed.to
        rows, meta = rows_and_meta(state.encode(np.arange(len(state.profiles))), partitions=24)
        fresh = Partition(state.context)
        fresh.restore(rows.items(), meta, [Typed(0, version.known_at_ms, version) for version in self.log.values()])
        self.feed.to = fresh


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_never_twice_and_never_what_was_read(steps: list[tuple[str, int, str, int, int]]) -> None:
    """However articles are published, updated, read and pushed, and however often the owner changes."""
    room = Newsroom()
    for user in READERS:
        room.feed.events(UserEvent(user, "subscribe", T0), now_ms=T0)
    for what, number, user, lasts_ms, later_ms in steps:
        room.now_ms += later_ms
        name = f"a{number}"
        if what == "read":
            room.reads(user, name)
        elif what == "restart":
            room.restart()
        elif what == "look":
            room.took(room.feed.to.look(room.now_ms))
        elif (what == "update") == (name in room.log):
            room.publish(name, lasts_ms)


def test_a_heavy_reader_of_long_lived_articles() -> None:
    """Two hundred articles of 60 days, all pushed, updated or read: none comes again, and new ones still come."""
    room = Newsroom()
    room.reads("ann", "a0")
    room.feed.events(UserEvent("ann", "subscribe", T0), now_ms=T0)
    for number in range(ARTICLES):
        room.now_ms += 3 * HOUR
        room.publish(f"a{number}", 60 * DAY)
        room.publish(f"a{number // 2}", 60 * DAY)
        room.reads("ann", f"a{max(number - 30, 0)}")
        room.took(room.feed.to.look(room.now_ms))
        if number % 20 == 0:
            room.restart()
    assert len(room.pushed) == ARTICLES


def test_what_waits_for_its_article_stays_remembered() -> None:
    """A read of an article not yet known holds when other articles need the row's places."""
    feed = Feed(partition(min_affinity=0, min_score=0))
    feed.events(UserEvent("ann", "click", T0, "later"))
    for number in range(2 * SEEN):
        feed.articles(article(f"a{number}", topic="one", known_at_ms=T0 + number * 1000), now_ms=T0 + number * 1000)
        feed.events(UserEvent("ann", "click", T0, f"a{number}"))
    at_ms = T0 + 26 * HOUR  # the cap is open again
    told = feed.articles(article("later", topic="one", known_at_ms=at_ms, expires_at_ms=at_ms + DAY), now_ms=at_ms)
    assert told.suppressed["already_read"] == 1
    assert not pushes(told)


def test_the_floor_never_sinks() -> None:
    """An old article that is read late leaves again without opening what lies between."""
    feed = Feed(partition(min_score=1))
    names = [f"a{number}" for number in range(SEEN + 4)]
    feed.articles(*(article(name, known_at_ms=T0 + number * 1000) for number, name in enumerate(names)))
    feed.articles(article("old", known_at_ms=T0 - HOUR))
    for name in [*names[:-1], "old"]:
        feed.events(UserEvent("ann", "click", T0, name))
    before_s = int(feed.to.profiles["floor_s"][0])
    assert before_s == T0 // 1000 + 3
    feed.events(UserEvent("ann", "click", T0, names[-1]))
    assert int(feed.to.profiles["floor_s"][0]) == before_s
    assert key_of("old") not in feed.to.profiles["seen"][0]


def test_the_floor_is_a_reason() -> None:
    """An article older than all that is remembered counts as seen, also by somebody who has not seen it."""
    feed = Feed(partition(min_affinity=0, min_score=0))
    feed.articles(article("old", topic="one", known_at_ms=T0 - HOUR, expires_at_ms=T0 + 3 * DAY))
    for number in range(SEEN + 1):
        feed.articles(article(f"a{number}", topic="one", known_at_ms=T0 + number * 1000))
        feed.events(UserEvent("ann", "click", T0, f"a{number}"))
    state = feed.to
    feed.events(UserEvent("ann", "subscribe", T0 + 26 * HOUR), now_ms=T0 + 26 * HOUR)
    assert T0 // 1000 <= int(state.profiles["floor_s"][0]) <= T0 // 1000 + SEEN
    assert state.look(T0 + 26 * HOUR).suppressed["history_floor"] == 1


@pytest.mark.parametrize("max_articles", [10, 1000])
def test_first_known_survives_updates_and_leaving(max_articles: int) -> None:
    """An update does not make an article new, and one that left the catalog raises the floor of who forgets it."""
    feed = Feed(partition())
    feed.to.catalog.max_articles = max_articles
    first = article("a", known_at_ms=T0, first_known_at_ms=T0)
    feed.articles(first)
    feed.events(UserEvent("ann", "click", T0, "a"))
    for number in range(SEEN):
        at_ms = T0 + HOUR + number * 1000
        feed.articles(article(f"b{number}", known_at_ms=at_ms), now_ms=at_ms)
        feed.events(UserEvent("ann", "click", at_ms, f"b{number}"), now_ms=at_ms)
    carried = T0 if max_articles == 10 else 0  # a record of an earlier release does not say; the catalog has it
    update = msgspec.structs.replace(
        first, version=2, known_at_ms=T0 + DAY, first_known_at_ms=carried, expires_at_ms=T0 + 9 * DAY, digest=1
    )
    feed.articles(update, now_ms=T0 + DAY)
    slot = feed.to.catalog.slot("a")
    assert slot is not None
    assert int(feed.to.catalog["first_known_s"][slot]) == T0 // 1000
    assert feed.to.profiles["floor_s"][0] >= T0 // 1000


def test_the_floor_of_who_forgets_what_left_the_catalog_ends_where_its_memory_does() -> None:
    """Nothing newer counts as seen: what left by age became known a week ago at most, what left for room is known."""
    feed = Feed(partition())
    keep_s = feed.to.catalog.keep_ms // 1000
    feed.events(*(click("ann", f"never known {number}", at_ms=T0 + number) for number in range(SEEN + 1)))
    assert feed.to.profiles["floor_s"].tolist() == [T0 // 1000 - keep_s]
    feed.to.catalog.max_articles = 1
    for number in range(2):
        at_ms = T0 + number * 1000
        feed.articles(article(f"b{number}", known_at_ms=at_ms), now_ms=at_ms)
    feed.events(click("ann", "never known", at_ms=T0 + 2000), now_ms=T0 + 2000)
    assert feed.to.profiles["floor_s"].tolist() == [T0 // 1000]


def test_readers_of_an_article_are_those_whose_rows_hold_it() -> None:
    """Also when rows are full and keys have left them: what leaves is counted off once."""
    room = Newsroom()
    names = [f"a{number}" for number in range(2 * SEEN)]
    for reader in READERS:
        for name in names:
            if name not in room.log:
                room.publish(name, 4 * DAY)
            room.feed.events(click(reader, name, at_ms=room.now_ms))
            room.now_ms += 1000
    store, catalog = room.feed.to.profiles, room.feed.to.catalog
    for name in names:
        holding = int(((store["seen"] == key_of(name)).any(axis=1)).sum())
        assert catalog["readers"][catalog.slot(name)] == holding
    assert catalog.first_known_s(np.array([key_of("nowhere"), key_of(names[0])], np.uint32)).tolist() == [
        0,
        room.first_ms[names[0]] // 1000,
    ]
