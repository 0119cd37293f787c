"""Nothing grows for ever: who is silent leaves memory and log; an opt-out stays."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import DAY, HOUR, T0, Feed, article, click, partition, pushes

from streamrec.contracts.event import UserEvent
from streamrec.engine.profiles import eviction as silence
from streamrec.engine.profiles.layout import CONSENT_OUT, ROW
from streamrec.partition.changelog_meta import rows_and_meta
from streamrec.partition.partition import Partition
from streamrec.settings import load

LONG = 400 * DAY
USERS = [f"u{number}" for number in range(8)]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["click", "click", "unsubscribe", "subscribe", "look", "commit", "restart"]),
        st.sampled_from(USERS),
        st.sampled_from([HOUR, 30 * DAY, 150 * DAY]),
    ),
    max_size=60,
)


class Log:
    """What a partition's changelog says, and who was seen when."""

    def __init__(self) -> None:
        self.feed, self.now_ms = Feed(partition()), T0
        self.log: list[tuple[bytes, bytes | None]] = []
        self.pending: list[np.ndarray[tuple[int], np.dtype[np.intp]]] = []
        self.seen_ms: dict[str, int] = {}
        self.out: set[str] = set()
        self.forgotten = 0

    def took(self, changes: object) -> None:
        """Rows to be written, and how many users left."""
        self.pending += changes.rows  # type: ignore[attr-defined]
        self.forgotten += changes.forgotten  # type: ignore[attr-defined]

    def commit(self) -> None:
        """As a writer does: each changed row once, in order."""
        rows = np.unique(np.concatenate(self.pending)) if self.pending else np.empty(0, np.intp)
        self.log += self.feed.to.encode(rows)
        self.pending = []

    def restart(self) -> None:
        """A new owner reads the log."""
        self.commit()
        rows, meta = rows_and_meta(self.log, partitions=24)
        fresh = Partition(self.feed.to.context)
        fresh.restore(rows.items(), meta, [])
        assert columns_of_users(fresh) == columns_of_users(self.feed.to)
        self.feed.to = fresh


def columns_of_users(state: Partition) -> dict[str, bytes]:
    """Rows by user."""
    encoded = Partition.encode(
        state, np.array([row for user in state.profiles if (row := state.profiles.row(user)) is not None], np.intp)
    )
    return {key.decode(): value for key, value in encoded[:-1] if value is not None}


@given(STEPS)
def test_who_is_silent_leaves_memory_and_log(steps: list[tuple[str, str, int]]) -> None:
    """However users come, leave, come back and share rows, and whenever it is committed or read back."""
    log = Log()
    log.feed.to.look(T0)
    for what, user, later_ms in steps:
        log.now_ms += later_ms
        if what in ("click", "subscribe", "unsubscribe"):
            event = UserEvent(user, what, log.now_ms, "a1" if what == "click" else "")
            log.took(log.feed.events(event, now_ms=log.now_ms))
            log.seen_ms[user] = log.now_ms
            if what != "click":
                (log.out.add if what == "unsubscribe" else log.out.discard)(user)
        elif what == "look":
            log.took(log.feed.to.look(log.now_ms))
            due = {name for name, at_ms in log.seen_ms.items() if at_ms + LONG < log.now_ms} - log.out
            assert due.isdisjoint(log.feed.to.profiles)
        elif what == "commit":
            log.commit()
        else:
            log.restart()
        profiles = log.feed.to.profiles
        for name in log.out | {name for name, at_ms in log.seen_ms.items() if at_ms + LONG >= log.now_ms}:
            row = profiles.row(name)
            assert row is not None
            assert profiles.users[row] == name
            assert profiles["salt"][row] == zlib.crc32(name.encode())
            assert (profiles["consent"][row] == CONSENT_OUT) == (name in log.out)
    log.restart()
    assert len(log.feed.to.profiles) == log.feed.to.profiles.count()


def test_rows_are_used_again_and_nobody_gets_nothing() -> None:
    """A year's worth of one-day visitors needs the rows of one generation; an article meets users only."""
    feed = Feed(partition(min_affinity=0, min_score=0))
    feed.to.look(T0)
    for generation in range(5):
        now_ms = T0 + generation * 401 * DAY
        gone = feed.to.look(now_ms)
        assert gone.forgotten == (20 if generation else 0)
        records = feed.to.encode(np.concatenate([*gone.rows, np.empty(0, np.intp)]))
        assert [value for _, value in records[:-1]] == [None] * gone.forgotten
        feed.events(*(click(f"g{generation}-{n}", "a", at_ms=now_ms) for n in range(20)), now_ms=now_ms)
        assert (len(feed.to.profiles), feed.to.profiles.count()) == (20, 20)
    gone = feed.to.look(T0 + 2500 * DAY)
    at_ms = T0 + 2500 * DAY
    changes = feed.articles(
        article("new", published_at_ms=at_ms, known_at_ms=at_ms, expires_at_ms=at_ms + DAY), now_ms=at_ms
    )
    assert not pushes(changes)
    assert not changes.suppressed


def test_an_opt_out_is_kept_and_nothing_else_of_its_reader() -> None:
    """The row says who left and when; a late word from before changes nothing."""
    feed = Feed(partition())
    feed.articles(article("a1"))
    feed.events(click("ann", "a1", tz="Asia/Tokyo"), UserEvent("ann", "unsubscribe", T0))
    feed.to.look(T0)
    assert feed.to.catalog["readers"].tolist() == [1]
    changes = feed.to.look(T0 + LONG + HOUR)
    assert changes.forgotten == 1
    assert feed.to.catalog["readers"].tolist() == [0]
    ((key, value), _) = feed.to.encode(changes.rows[0])
    assert key == b"ann"
    row, fresh = np.frombuffer(value or b"", ROW)[0], np.zeros(1, ROW)[0]
    kept = {name for name in ROW.names or () if not np.array_equal(row[name], fresh[name])}
    assert kept == {"layout", "quiet_from_min", "quiet_to_min", "daily_cap", "consent", "consent_at_ms", "first_seen_s"}
    assert (row["consent"], row["consent_at_ms"]) == (CONSENT_OUT, T0)
    feed.events(UserEvent("ann", "subscribe", T0), now_ms=T0 + LONG + HOUR)
    assert feed.to.profiles["consent"].tolist() == [CONSENT_OUT]


def test_who_came_with_a_history_alone_is_not_silent() -> None:
    """Events that are late wake nobody, but they were seen."""
    feed = Feed(partition())
    feed.events(click("ann", "a1", at_ms=T0 - 5 * DAY), now_ms=T0)
    assert feed.to.look(T0 + HOUR).forgotten == 0
    assert feed.to.look(T0 + LONG + HOUR).forgotten == 1


def test_a_look_forgets_some_and_the_next_ones_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step stays short, whoever is silent."""
    monkeypatch.setattr(silence, "AT_ONCE", 3)
    feed = Feed(partition())
    feed.events(*(click(user, "a1") for user in USERS))
    assert [feed.to.look(T0 + LONG + HOUR + n * 1000).forgotten for n in range(4)] == [3, 3, 2, 0]


def test_who_is_silent_is_asked_once_an_hour() -> None:
    """By the hours of the policy clock, and after exactly so many days: a second more, not a second less."""
    feed = Feed(partition())
    feed.events(click("ann", "a1"))
    looks = [feed.to.look(T0 + LONG + after_s * 1000).forgotten for after_s in (-1, 0, 1, 3599, 3600, 3601)]
    assert looks == [0, 0, 0, 0, 1, 0]
    feed = Feed(partition())
    feed.events(click("ann", "a1"))
    feed.to.look(T0 + LONG - HOUR)
    assert feed.to.look(T0 + LONG + 1000).forgotten == 1


def test_awaited_articles_are_bounded_by_what_waits() -> None:
    """A reader who names unknown articles for ever holds four keys, not a hundred thousand."""
    feed = Feed(partition())
    for start in range(0, 20_000, 1000):
        feed.events(*(click("ann", f"x{start + n}", at_ms=T0 + start + n) for n in range(1000)), now_ms=T0 + 60_000)
        assert len(feed.to._unknown) <= 2 * 1024
    assert len(feed.to.catalog._unknown_readers) <= len(feed.to.profiles["seen"][0])
    feed.articles(article("x19999", topic="x"))
    assert feed.to.profiles["interest"].any()


def test_the_days_of_silence_are_a_setting() -> None:
    """Longer than any article lives, so that nobody comes back to what was pushed before."""
    assert load({}).profile_days == 400
    assert partition(profile_days=90).context.policy.forget_after_s == 90 * 86_400
