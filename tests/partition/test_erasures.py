"""Erased readers: nothing of them is left, and nothing older than that brings them back."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import DAY, T0, Feed, article, click, partition, patch_record

from streamrec.contracts.event import UserEvent
from streamrec.contracts.partitioner import partition_of
from streamrec.contracts.preferences import Patch
from streamrec.contracts.records import REROUTED_HEADER, RawRecord
from streamrec.engine.profiles.statements import PREFIX
from streamrec.partition.changelog_meta import ChangelogContent
from streamrec.partition.changes import Changes
from streamrec.partition.erasures import KEPT_MS, Receipt, key_of_erased
from streamrec.partition.intake import Batch
from streamrec.partition.partition import Partition

ANN = key_of_erased("ann")


def erase(feed: Feed, user_id: str, at_ms: int = T0 + 1000) -> dict[bytes, bytes | None]:
    """Apply an erasure; answers with what is logged of it."""
    record = RawRecord(feed.offsets.setdefault("erasure", 0), T0 + DAY, user_id.encode(), b'{"at_ms":%d}' % at_ms)
    feed.offsets["erasure"] += 1
    return logged(feed, Batch("erasure", [record], record.offset + 1))


def logged(feed: Feed, batch: Batch) -> dict[bytes, bytes | None]:
    """What a transaction with this batch writes into the changelog, without the cursor."""
    changes = Changes()
    for step in feed.to.apply(batch, T0 + DAY):
        changes.merge(step)
    return dict(feed.to.encode(changes.unique_rows())[:-1])


def known() -> Feed:
    """A reader with reads, an event that waits, and preferences; and another one."""
    feed = Feed(partition())
    feed.articles(article("a1"))
    feed.events(click("ann", "a1"), click("ann", "unknown"), click("bob", "a1"))
    feed.of([Patch("ann", T0, {"stories/s1": "mute", "daily_cap": 3})])
    feed.to.encode(np.arange(2))
    return feed


def test_nothing_is_left_but_a_receipt_that_names_nobody() -> None:
    """Tombstones for row and preferences, and a hash; others are as they were."""
    feed = known()
    before = feed.to.profiles.rows()[b"bob"]
    log = erase(feed, "ann")
    assert (log[b"ann"], log[PREFIX + b"ann"]) == (None, None)
    assert feed.to.erasures.of("ann") == Receipt(T0 + 1000, row=True, preferences=True, waiting_events=1)
    assert b"ann" not in ANN
    assert feed.to.profiles.rows() == {b"bob": before}
    assert (len(feed.to.profiles.preferences), feed.to.catalog["readers"].tolist()) == (0, [1])


def test_who_is_unknown_can_be_erased_and_twice() -> None:
    """Their late events count no more either; the later request holds."""
    feed = Feed(partition())
    assert erase(feed, "ann") == {ANN: b'{"at_ms":%d,"row":false,"preferences":false,"waiting_events":0}' % (T0 + 1000)}
    erase(feed, "ann", T0)
    receipt = feed.to.erasures.of("ann")
    assert receipt is not None
    assert receipt.at_ms == T0 + 1000


times = st.integers(0, 20).map(lambda second: T0 + second * 100)
said = st.one_of(
    st.builds(lambda at_ms: click("ann", "a1", at_ms=at_ms), times),
    st.builds(lambda at_ms: UserEvent("ann", "unsubscribe", at_ms), times),
    st.builds(lambda at_ms: Patch("ann", at_ms, {"daily_cap": 1}), times),
)


def test_a_tombstone_takes_back_what_came_just_before_it() -> None:
    """Of a reader who is back by a patch: also where both are applied together."""
    patch, tombstone = Patch("ann", T0 + 2000, {"daily_cap": 1}), Patch("ann", T0 + 3000, {}, resets=True)
    for batches in ([[patch], [tombstone]], [[patch, tombstone]]):
        feed = known()
        erase(feed, "ann")
        for batch in batches:
            feed.of(batch)
        row = feed.to.profiles.row("ann")
        assert row is not None
        assert not feed.to.profiles.said(row).asks_anything


early = said.filter(lambda each: each.at_ms <= T0 + 1000)
of_will = st.one_of(
    st.tuples(st.just("consent"), st.booleans()),
    st.tuples(st.sampled_from(["daily_cap", "level", "tags/war"]), st.none()),
    st.just(("daily_cap", 2)),
    st.just(("level", "none")),
    st.just(("tags/war", "mute")),
)


def test_a_no_that_is_later_than_a_late_erasure_holds() -> None:
    """It keeps a row in which there is nothing else, and whoever is back by a click gets no push."""
    feed = known()
    feed.of([UserEvent("ann", "unsubscribe", T0 + 2000)])
    assert erase(feed, "ann")[b"ann"] is not None
    row = feed.to.profiles.row("ann")
    assert row is not None
    columns = feed.to.profiles.columns
    assert (columns["consent"][row], columns["n_reads"][row], columns["first_seen_s"][row]) == (2, 0, T0 // 1000 + 1)
    assert not columns["waiting"]["article"][row].any()
    assert not feed.to.profiles.said(row).asks_anything
    feed.events(click("ann", "a1", at_ms=T0 + 3000))
    changes = feed.articles(article("a2", topic="a1"))
    assert ([push.user_id for push in changes.pushes], changes.suppressed) == (["bob"], {"opt_out": 1})


def test_a_mute_that_is_later_than_a_late_erasure_holds() -> None:
    """What was said before it does not, and nothing of a row that only clicked is left."""
    feed = known()
    feed.of([Patch("ann", T0 + 2000, {"tags/war": "mute"})])
    erase(feed, "ann")
    row = feed.to.profiles.row("ann")
    assert row is not None
    assert feed.to.profiles.said(row).statements.keys() == {"tags/war"}
    feed.events(click("bob", "a1", at_ms=T0 + 3000))
    assert erase(feed, "bob")[b"bob"] is None


@given(st.lists(st.tuples(of_will, st.integers(0, 20)), max_size=8, unique_by=lambda each: each[1]), st.data())
def test_what_was_said_later_holds_in_any_order(statements: list[Any], data: Any) -> None:
    """Of will and consent: as if all had come in the order in which it was said."""
    patches = [Patch("ann", T0 + second * 100 + 1, {name: value}) for (name, value), second in statements]
    found = []
    for order in (sorted([*patches, None], key=_when), data.draw(st.permutations([*patches, None]))):
        feed = Feed(partition())
        for each in order:
            erase(feed, "ann") if each is None else feed.of([each])
        row = feed.to.profiles.row("ann")
        nothing: tuple[Any, ...] = (0, 0, {})
        of = feed.to.profiles.columns
        held = {} if row is None else dict(feed.to.profiles.said(row).statements)
        found.append(nothing if row is None else (int(of["consent"][row]), int(of["consent_at_ms"][row]), held))
    assert found[0] == found[1]


def _when(each: Patch | None) -> int:
    return T0 + 1000 if each is None else each.at_ms


@given(st.lists(early, max_size=6), st.lists(said, max_size=6), st.booleans())
def test_only_what_is_later_brings_a_reader_back(before: list[Any], after: list[Any], owner_changes: bool) -> None:
    """As if nothing older had ever been said; also for a next owner, who reads the log."""
    erased, fresh = Feed(partition()), Feed(partition())
    for feed in (erased, fresh):
        feed.articles(article("a1"))
    log: dict[bytes, bytes | None] = {}
    for each in before:
        log |= dict(erased.to.encode(erased.of([each]).unique_rows())[:-1])
    log |= erase(erased, "ann")
    if owner_changes:
        content = ChangelogContent(24)
        content.take(log.items())
        state = partition()
        state.restore([*content.rows(state.catalog, 0).items(), *content.said.items()], content.meta, [])
        erased = Feed(state)
        erased.articles(article("a1"))
    for each in after:
        erased.of([each])
        if each.at_ms > T0 + 1000:
            fresh.of([each])
    rows = erased.to.profiles.rows(), fresh.to.profiles.rows()
    assert rows[0] == rows[1]
    states = erased.to, fresh.to
    assert len({tuple(map(str, map(state.profiles.said, range(len(state.profiles.rows()))))) for state in states}) == 1


def test_a_receipt_is_kept_as_long_as_records_of_then_may_come() -> None:
    """Then it goes, from the log too."""
    feed = known()
    erase(feed, "ann")
    assert not feed.to.forget_silent(T0 + KEPT_MS)
    changes = feed.to.forget_silent(T0 + 1001 + KEPT_MS)
    assert changes
    assert dict(feed.to.encode(changes.unique_rows())[:-1])[ANN] is None


@pytest.mark.parametrize("name", ["erasure", "preferences"])
def test_what_came_to_another_partition_is_sent_on_and_read_there(name: Any) -> None:
    """Through `rerouted`, where its header says what it is."""
    user = next(f"u{i}" for i in range(50) if partition_of(f"u{i}", 4) == 1)
    feed = known()
    raw = (
        patch_record(Patch(user, T0, {"daily_cap": 2}))
        if name == "preferences"
        else RawRecord(0, T0, user.encode(), b"{}")
    )
    context = feed.to.context
    here, there = (Partition(context._replace(number=number, partitions=4)) for number in (0, 1))
    (step,) = here.apply(Batch(name, [raw], 1), T0 + DAY)
    (stray,) = step.strays
    assert (stray.partition, dict(stray.headers)[REROUTED_HEADER]) == (1, f"{name}/0/0".encode())
    sent = RawRecord(0, stray.timestamp, stray.user_id.encode(), stray.value, stray.headers)
    list(there.apply(Batch("rerouted", [sent], 1), T0 + DAY))
    row = there.profiles.row(user)
    found = (
        there.erasures.of(user)
        if name == "erasure"
        else row is not None and there.profiles.said(row).value("daily_cap")
    )
    assert found == (Receipt(T0) if name == "erasure" else 2)


def test_a_request_that_can_hardly_be_read_counts() -> None:
    """The key is enough; a time ahead of the append is the append's."""
    feed = known()
    for raw in (None, b"{}", b'{"at_ms":%d}' % (T0 + 9 * DAY)):
        record = RawRecord(feed.offsets.setdefault("erasure", 0), T0 + 5, b'"ann"', raw)
        feed.offsets["erasure"] += 1
        logged(feed, Batch("erasure", [record], record.offset + 1))
        assert feed.to.erasures.of("ann") is not None
        assert feed.to.erasures.forgets("ann", T0 + 5)
        assert not feed.to.erasures.forgets("ann", T0 + 6)
