"""Rows of the second layout, which remembered more articles by name: nobody gets what was read or pushed."""

import numpy as np
import orjson
from engine.profiles.layout_v2 import ROW_V2, descr_v2
from hypothesis import given
from hypothesis import strategies as st
from making import T0, Feed, article, partition, pushes

from streamrec.contracts.decode import Typed
from streamrec.contracts.event import CODE, UserEvent
from streamrec.contracts.ids import key_of
from streamrec.engine.catalog import Catalog
from streamrec.engine.profiles.layout import LAYOUT_VERSION, PUSHED, READ, ROW, SEEN
from streamrec.partition.changelog_meta import LAYOUT_KEY, Meta, layout_record, rows_and_meta
from streamrec.partition.partition import Partition

SAME = np.eye(64, dtype="<f4")[0].tobytes()
KEEP_MS, SHARED = 3_600_000, 64  # a bit of `seen_acts` that is neither a read nor a push
DEALT_WITH = st.lists(
    st.tuples(st.integers(0, 29), st.sampled_from([READ, PUSHED, READ | PUSHED, SHARED])),
    max_size=22,
    unique_by=lambda one: one[0],
)
TIMES = st.lists(st.integers(0, 50), min_size=30, max_size=30)  # s before T0 at which articles became known; 0: not yet


def described() -> tuple[bytes, bytes]:
    """The record that release wrote beside its rows."""
    return LAYOUT_KEY + b"-2", orjson.dumps({"layout": 2, "partitions": 4, "descr": descr_v2()})


def old_row(dealt_with: list[tuple[int, int]], waited: list[int]) -> bytes:
    """A row with these articles, of which some are not known yet."""
    row = np.zeros(1, ROW_V2)
    row["layout"], row["daily_cap"] = 2, 255
    row["quiet_from_min"] = row["quiet_to_min"] = 0xFFFF
    for place, (number, acts) in enumerate(dealt_with):
        row["seen"][0, place], row["seen_acts"][0, place] = key_of(f"a{number}"), acts
    for place, number in enumerate(waited[:4]):
        row["waiting"][0, place] = key_of(f"a{number}"), T0 // 1000, CODE["click"]
    row["interest"][0, 0] = 1.0
    row["first_seen_s"], row["floor_s"] = T0 // 1000 - 100, T0 // 1000 - 60
    return row.tobytes()


@given(DEALT_WITH, TIMES)
def test_never_twice_and_never_what_was_read(dealt_with: list[tuple[int, int]], before_s: list[int]) -> None:
    """What leaves the row lies under its floor; so everybody gets any article but these, and what the floor costs."""
    waited = [number for number, acts in dealt_with if acts & READ and not before_s[number]][:4]
    articles = [
        article(f"a{number}", known_at_ms=T0 - 1000 * ago, published_at_ms=T0 - 60_000, vector=SAME)
        for number, ago in enumerate(before_s)
    ]
    catalog = Catalog(keep_ms=KEEP_MS)
    known = [each for each, ago in zip(articles, before_s, strict=True) if ago]
    for each in known:
        catalog.apply(each, T0)
    rows, _ = rows_and_meta([described(), (b"ann", old_row(dealt_with, waited)), layout_record(4)], 4, catalog)
    row = np.frombuffer(rows[b"ann"], ROW)[0]
    assert row["layout"] == LAYOUT_VERSION
    kept = {int(key) for key in row["seen"] if key}
    assert len(kept) == min(len(dealt_with), SEEN)
    for number, acts in dealt_with:
        is_history, ago = acts & (READ | PUSHED), before_s[number]
        if is_history and ago:
            assert key_of(f"a{number}") in kept or row["floor_s"] >= T0 // 1000 - ago
        if number in waited:
            assert key_of(f"a{number}") in kept
    gone_s = [T0 // 1000 - before_s[number] for number, acts in dealt_with if acts != SHARED and before_s[number]]
    assert row["floor_s"] <= max([T0 // 1000 - 60, *sorted(gone_s)[: max(0, len(dealt_with) - SEEN)]])
    state: Partition = partition(min_affinity=0, min_score=0)
    state.restore(rows.items(), Meta({}, T0 - 1), [Typed(0, T0, each) for each in known])
    feed, got = Feed(state), set[str]()
    feed.articles(*(each for number, each in enumerate(articles) if number in waited))
    for minute in range(1, 8):
        now_ms = T0 + 60_000 * minute
        feed.events(UserEvent("ann", "impression", now_ms, "other"), now_ms=now_ms)
        got |= {push.article_id for push in pushes(state.look(now_ms + 1000))}
    dealt = {f"a{number}" for number, acts in dealt_with if acts & (READ | PUSHED)}
    assert not got & {name for name in dealt if before_s[int(name[1:])] or int(name[1:]) in waited}


def test_a_row_with_few_articles_keeps_them_all_and_its_floor() -> None:
    """Nothing is lost that fits."""
    rows, _ = rows_and_meta([described(), (b"ann", old_row([(n, READ) for n in range(SEEN)], [])), layout_record(4)], 4)
    row = np.frombuffer(rows[b"ann"], ROW)[0]
    assert {*row["seen"].tolist()} == {key_of(f"a{number}") for number in range(SEEN)}
    assert row["floor_s"] == T0 // 1000 - 60
    assert row["interest"][0] == 1.0
    assert not row["searched"].any()


def test_what_the_catalog_has_forgotten_leaves_first() -> None:
    """It costs nobody anything: the floor rises to where its memory ends."""
    catalog = Catalog(SEEN)
    for number in range(22):
        catalog.apply(article(f"a{number}", known_at_ms=T0 - 1000 * (30 - number)), T0)
    log = [described(), (b"ann", old_row([(n, READ) for n in range(22)], [])), layout_record(4)]
    rows, _ = rows_and_meta(log, 4, catalog)
    row = np.frombuffer(rows[b"ann"], ROW)[0]
    assert {*row["seen"].tolist()} == {key_of(f"a{number}") for number in range(4, 22)}
    assert row["floor_s"] == T0 // 1000 - 27
