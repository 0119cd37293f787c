"""Keys to slots, and two articles with one key."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from making import DAY, T0, Feed, article, click, partition

from streamrec.contracts.ids import key_of
from streamrec.engine.catalog import Catalog
from streamrec.engine.profiles.layout import READ
from streamrec.engine.slot_index import SlotIndex

TWINS = "a29685295", "a32060020"  # ids with the same CRC-32
OPS = st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=60)
COLLIDING = [1, 75026, 150051, 7, 8, 1]  # four of them lie in one bucket


@given(OPS)
def test_slots_agree_with_a_dict(ops: list[tuple[bool, int]]) -> None:
    """Whatever lies in one bucket, and whatever left it."""
    slots, held = SlotIndex(), dict[int, int]()
    for adds, slot in ops:
        if adds and slot not in held:
            slots.add(COLLIDING[slot], slot)
            held[slot] = COLLIDING[slot]
        elif not adds and slot in held:
            slots.remove(held.pop(slot), slot)
        found = slots.find(np.array([COLLIDING, [3] * 6], np.uint32)).tolist()
        for key, slot_found in zip(COLLIDING, found[0], strict=True):
            assert slot_found in ([other for other, has in held.items() if has == key] or [-1])
        assert found[1] == [-1] * 6
        assert slots._of_key.keys() == set(held.values())  # keys that left cost nothing


def test_a_key_alone_in_its_bucket_needs_no_dict() -> None:
    """One gather answers it, also after another key came and left; only shared buckets ask."""
    slots = SlotIndex()
    slots.add(COLLIDING[0], 0)
    slots.add(COLLIDING[3], 1)
    slots._of_key.clear()
    assert slots.find(np.array([COLLIDING[0], COLLIDING[3], 3], np.uint32)).tolist() == [0, 1, -1]


def test_two_articles_with_one_key_both_live() -> None:
    """One that leaves takes nothing from the other, and readers are never fewer than none."""
    assert key_of(TWINS[0]) == key_of(TWINS[1])
    feed = Feed(partition())
    catalog = feed.to.catalog
    for name, user in zip(TWINS, ("ann", "bo"), strict=True):
        feed.articles(article(name))
        feed.events(click(user, name), click("cy", name))
    slots = [slot for name in TWINS if (slot := catalog.slot(name)) is not None]
    assert len(slots) == 2
    assert catalog["readers"][slots].tolist() == [3, 3]
    catalog.max_articles = 2
    feed.articles(article("new", published_at_ms=T0 + 1, known_at_ms=T0 + 1), now_ms=T0 + 1)
    assert catalog.slot(TWINS[0]) is None
    assert catalog.slots_of(np.array([key_of(TWINS[1])], np.uint32)).tolist() == [slots[1]]
    assert catalog["readers"][slots[1]] == 3
    for number in range(30):
        feed.events(*(click(user, f"other{number}", at_ms=T0 + 2) for user in ("ann", "bo", "cy")))
    assert (catalog["readers"] >= 0).all()


READS = st.lists(
    st.tuples(st.sampled_from(["read", "publish", "look"]), st.integers(0, 60), st.sampled_from(["ann", "bo"])),
    max_size=200,
)


@given(READS)
def test_readers_are_those_whose_rows_remember_the_read(steps: list[tuple[str, int, str]]) -> None:
    """Of every article, in the catalog or not: nothing is counted that no row holds, nothing stays."""
    feed = Feed(partition(min_affinity=0, min_score=0))
    catalog: Catalog = feed.to.catalog
    catalog.max_articles = 30
    for at, (what, number, user) in enumerate(steps):
        now_ms = T0 + at * DAY // 8
        if what == "publish":
            feed.articles(article(f"a{number}", known_at_ms=now_ms, version=at, digest=at), now_ms=now_ms)
        elif what == "read":
            feed.events(click(user, f"a{number}", at_ms=now_ms), now_ms=now_ms)
        else:
            feed.to.look(now_ms)
    profiles = feed.to.profiles
    read = profiles["seen"][(profiles["seen_acts"] & READ) > 0].tolist()
    held = {key: read.count(key) for key in read}
    known = {int(key): int(n) for key, n in zip(catalog["key"], catalog["readers"], strict=True)}
    live = {int(key) for key in catalog["key"][catalog["live"]]}
    assert {key: n for key, n in known.items() if key in live and n} == {k: n for k, n in held.items() if k in live}
    assert catalog._unknown_readers == {key: n for key, n in held.items() if key not in live}
