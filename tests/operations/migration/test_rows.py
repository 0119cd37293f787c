"""What of a row goes into another space, and what does not."""

import numpy as np
import pytest
from making import DAY, HOUR, T0, Feed, article, click, partition

from streamrec.contracts.event import UserEvent
from streamrec.contracts.ids import key_of
from streamrec.engine.profiles.layout import ROW
from streamrec.engine.profiles.store import ProfileStore
from streamrec.operations.migration.rows import carried, without_interest
from streamrec.partition.partition import Partition

HALF_LIFE_MS = 168.0 * HOUR


def read(vector_of: str, events: int = 3) -> Partition:
    """A partition in which u1 and u2 read articles whose vectors follow from `vector_of`."""
    state = partition(daily_cap=0)
    feed = Feed(state)
    feed.articles(*(article(f"a{n}", topic=f"{vector_of}{n}") for n in range(events)))
    feed.events(
        *(click("u1", f"a{n}", at_ms=T0 - (10 - n) * HOUR) for n in range(events)),
        click("u2", "a0", at_ms=T0 - 10 * HOUR),
    )
    return state


def rows_of(state: Partition) -> dict[bytes, bytes]:
    """All rows."""
    return state.profiles.rows()


def no_keys() -> "np.ndarray[tuple[int], np.dtype[np.uint32]]":
    """No article is known."""
    return np.empty(0, np.uint32)


def test_interest_is_learned_anew_and_all_else_is_the_old_row() -> None:
    """To the bit, field by field."""
    old, new = read("old"), read("new")
    made = carried(rows_of(old), new.profiles, no_keys(), HALF_LIFE_MS)
    for key, row in made.items():
        was, learned = np.frombuffer(rows_of(old)[key], ROW)[0], np.frombuffer(rows_of(new)[key], ROW)[0]
        now = np.frombuffer(row, ROW)[0]
        assert np.array_equal(now["interest"], learned["interest"])
        assert not np.array_equal(now["interest"], was["interest"])
        for name in set(ROW.names or ()) - {"interest"}:
            assert np.array_equal(now[name], was[name]), name


def test_what_is_kept_by_slot_is_learned_anew_where_slots_are_others() -> None:
    """Affinities and cooldowns of categories; a reader whose events are gone has none, rather than another's."""
    old, new = read("x"), read("x")
    dislike = UserEvent(user_id="u1", action="dislike", at_ms=T0 - 8 * HOUR, article_id="a0")
    Feed(old).events(dislike)
    Feed(new).articles(article("a0", version=2, category="sports"))
    Feed(new).events(dislike)
    for state in (old, new):
        state.profiles["muted"][:] = 1 << 4
    rows = rows_of(old)
    made = carried(rows | {b"silent": rows[b"u1"]}, new.profiles, no_keys(), HALF_LIFE_MS, slots_stay=False)
    for name in ("category_affinity", "negatives", "muted"):
        was, now, silent = (np.frombuffer(row, ROW)[0][name] for row in (rows[b"u1"], made[b"u1"], made[b"silent"]))
        assert np.array_equal(now, new.profiles[name][0])
        assert np.array_equal(now, was) == (name == "muted")
        assert not any(silent.tobytes())
    assert carried(rows, new.profiles, no_keys(), HALF_LIFE_MS) != made


def test_an_interest_learned_from_less_is_valued_at_the_old_rows_time() -> None:
    """A reader's newest event may be on an article the topic no longer holds: what is left has decayed until then."""
    old, new = read("x", events=3), read("x", events=1)
    made = carried(rows_of(old), new.profiles, no_keys(), HALF_LIFE_MS)
    now, learned = np.frombuffer(made[b"u1"], ROW)[0], np.frombuffer(rows_of(new)[b"u1"], ROW)[0]
    expected = learned["interest"].astype(np.float32) * 0.5 ** (2 * HOUR / HALF_LIFE_MS)
    np.testing.assert_allclose(now["interest"].astype(np.float32), expected, atol=1e-3)
    assert now["interest_at_ms"] == T0 - 8 * HOUR


def test_users_are_those_of_the_old_deployment() -> None:
    """Whoever was erased or evicted there does not come back; whose events are gone has a row without interest."""
    old, new = read("x"), read("x")
    Feed(new).events(click("erased", "a0"))
    rows = rows_of(old)
    made = carried(rows | {b"silent": rows[b"u2"]}, new.profiles, no_keys(), HALF_LIFE_MS)
    assert set(made) == {b"u1", b"u2", b"silent"}
    assert without_interest(made) == 1
    assert carried({}, new.profiles, no_keys(), HALF_LIFE_MS) == {}
    assert carried(rows, ProfileStore(), no_keys(), HALF_LIFE_MS).keys() == rows.keys()


def test_an_event_that_waited_is_counted_once() -> None:
    """It is in the learned interest if the new catalog knows its article; otherwise it goes on waiting."""
    state = partition()
    Feed(state).events(click("u1", "known"), click("u1", "unknown"), now_ms=T0)
    made = carried(rows_of(state), ProfileStore(), np.array([key_of("known")], np.uint32), HALF_LIFE_MS)
    waiting = np.frombuffer(made[b"u1"], ROW)[0]["waiting"]["article"]
    assert waiting[waiting > 0].tolist() == [key_of("unknown")]


@pytest.mark.parametrize("days", [0, 30])
def test_rows_stay_rows(days: int) -> None:
    """What is written can be restored as it is."""
    old = read("x")
    Feed(old).events(click("u1", "a0", at_ms=T0 + days * DAY), now_ms=T0 + days * DAY)
    made = carried(rows_of(old), read("y").profiles, no_keys(), HALF_LIFE_MS)
    store = ProfileStore()
    store.restore(made.items())
    assert dict(store.encode(np.arange(len(store)))) == made
