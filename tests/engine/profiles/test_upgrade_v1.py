"""Rows of the first release keep all they say: who has read and was pushed what, when, and who left."""

import numpy as np
import orjson
from engine.profiles.layout_v1 import ROW_V1, descr_v1
from hypothesis import example, given
from hypothesis import strategies as st
from making import T0, Feed, article, click, partition, pushes

from streamrec.contracts.decode import Typed
from streamrec.contracts.event import CODE, UserEvent
from streamrec.contracts.ids import key_of
from streamrec.engine.profiles.layout import CONSENT_OUT, LAYOUT_VERSION, PUSHED, READ, ROW, SEEN
from streamrec.partition.changelog_meta import LAYOUT_KEY, Meta, layout_record, rows_and_meta
from streamrec.partition.partition import Partition

KEYS = st.lists(st.integers(1, 30), max_size=40)
T0_S = T0 // 1000


def described() -> tuple[bytes, bytes]:
    """The record that release wrote beside its rows."""
    return LAYOUT_KEY + b"-1", orjson.dumps({"layout": 1, "partitions": 4, "descr": descr_v1()})


def old_row(reads: list[int], pushed: list[int]) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    """A row in which these articles were read and pushed, in this order, as that release filled its rings."""
    row = np.zeros(1, ROW_V1)
    row["layout"], row["daily_cap"] = 1, 255
    row["quiet_from_min"] = row["quiet_to_min"] = 0xFFFF
    for number, key in enumerate(reads):
        row["reads"][0, number % 16] = key
    for number, key in enumerate(pushed):
        row["pushed"][0, number % 8] = key, key + 100, T0_S + number
    row["n_reads"], row["n_pushes"] = len(reads), len(pushed)
    row["first_seen_s"] = row["last_active_s"] = T0_S
    return row


def upgraded_row(row: np.ndarray[tuple[int], np.dtype[np.void]]) -> np.void:
    """The same, read by this release."""
    rows, _ = rows_and_meta([described(), (b"ann", row.tobytes()), layout_record(4)], 4)
    new: np.void = np.frombuffer(rows[b"ann"], ROW)[0]
    return new


@given(KEYS, KEYS)
@example(list(range(1, 17)), list(range(17, 25)))  # full rings that lost nothing hold more than a row of now
def test_rings_become_keys_and_a_floor(reads: list[int], pushed: list[int]) -> None:
    """What the rings held is remembered by name; if they had lost anything, all known by then counts as seen."""
    row = upgraded_row(old_row(reads, pushed))
    acts = {int(key): int(act) for key, act in zip(row["seen"], row["seen_acts"], strict=True) if key}
    held = dict.fromkeys(reads[-16:], READ)
    for key in pushed[-8:]:
        held[key] = held.get(key, 0) | PUSHED
    assert row["layout"] == LAYOUT_VERSION
    assert acts.items() <= held.items()
    assert len(acts) == min(len(held), SEEN)
    lost = len(reads) > 16 or len(pushed) > 8
    assert row["floor_s"] == (max([T0_S, *(T0_S + number for number in range(len(pushed)))]) if lost else 0)
    assert sorted(set(row["pushed_story"]) - {0}) == sorted({key + 100 for key in pushed[-8:]})
    assert row["pushed_at_s"].max() == (T0_S + len(pushed) - 1 if pushed else 0)
    assert (row["n_reads"], row["n_pushes"]) == (len(reads), len(pushed))
    assert (row["consent_at_ms"], row["zone_at_s"]) == (0, 0)  # nothing was said: whatever is said first holds


@given(st.lists(st.tuples(KEYS, KEYS), min_size=2, max_size=5))
def test_rows_are_read_one_by_one(users: list[tuple[list[int], list[int]]]) -> None:
    """Of however many old rows in a log each becomes what it would have become alone."""
    old = {f"u{number}".encode(): old_row(*rings) for number, rings in enumerate(users)}
    rows, _ = rows_and_meta([described(), *((key, row.tobytes()) for key, row in old.items()), layout_record(4)], 4)
    assert rows == {key: upgraded_row(row).tobytes() for key, row in old.items()}


def test_an_old_opt_out_holds_against_an_older_subscribe() -> None:
    """When it was said is not known; not after the last activity."""
    old = old_row([key_of("read"), key_of("later")], [key_of("told")])
    old["consent"], old["zone"] = CONSENT_OUT, key_of("Asia/Tokyo")
    old["waiting"][0, 0] = key_of("later"), T0_S, CODE["click"]
    rows, _ = rows_and_meta([described(), (b"ann", old.tobytes()), layout_record(4)], 4)
    state: Partition = partition(min_affinity=0, min_score=0)
    known = [article("read"), article("told", topic="read")]
    state.restore(rows.items(), Meta({}, T0), [Typed(0, T0, each) for each in known])
    feed = Feed(state)
    feed.events(UserEvent("ann", "subscribe", T0 - 1), click("ann", "read", at_ms=T0 - 1, tz="Europe/Oslo"))
    assert state.profiles["consent"].tolist() == [CONSENT_OUT]
    assert state.profiles["zone"].tolist() == [key_of("Asia/Tokyo")]
    feed.articles(article("later", topic="read"))
    assert state.profiles["interest"].any()
    feed.events(UserEvent("ann", "subscribe", T0 + 60_000), now_ms=T0 + 60_000)
    changes = state.look(T0 + 120_000)
    assert not pushes(changes)
    assert changes.suppressed["already_read"] == 2
    assert changes.suppressed["already_pushed_article"] == 1
