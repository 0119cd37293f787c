"""What can go back, where to, and in which portions; without a broker."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from operations.dlq.letters_of import letter

from streamrec.contracts.limits import BATCH_BYTES
from streamrec.contracts.partitioner import partition_of
from streamrec.operations.dlq.letters import Letter, Origin
from streamrec.operations.dlq.redriving import chunks, message, partition, plan, redrives, refusal
from streamrec.settings import load

SETTINGS = load({}, partitions=8)


@given(st.sampled_from(["events", "rerouted"]), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_an_event_goes_to_where_its_user_lives(topic: str, key: str) -> None:
    """A producer that hashed the key otherwise does not decide twice."""
    one = letter(topic, key=key.encode(), origin=Origin(topic, 5, 0))
    assert partition(one, SETTINGS) == partition_of(key, 8)


@pytest.mark.parametrize(
    ("topic", "key", "at"),
    [("events", None, 5), ("events", b"\xff", 5), ("rerouted", None, 5), ("articles", b"a1", 0)],
)
def test_any_other_record_goes_to_where_it_was(topic: str, key: bytes | None, at: int) -> None:
    """No key, or none a user can have; articles, which have one partition."""
    assert partition(letter(topic, key=key, origin=Origin(topic, at, 0)), SETTINGS) == at


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (letter(cut="value of 9 bytes was cut to 4"), "value of 9 bytes was cut to 4; take it from events/0/7"),
        (letter(origin=Origin("other.events", 0, 7)), "it came from 'other.events', not from events"),
        (letter(origin=Origin("", -1, -1)), "it came from '', not from events"),
        (letter(origin=Origin("events", 8, 7)), "events has no partition 8"),
        (letter("articles", origin=Origin("articles", 1, 7)), "articles has no partition 1"),
        (letter("catalog", key=b"a1"), "publish the article again"),
        (
            letter(own=(("trace", bytes(BATCH_BYTES)),)),
            "bytes with its headers, and at most 900000 can be written back",
        ),
        (letter("events", key=None, value=None), ""),
    ],
)
def test_what_cannot_go_back_is_refused_with_the_reason(one: Letter, why: str) -> None:
    """Anything that would be written wrongly, or would make the broker refuse the whole transaction."""
    assert why in refusal(one, SETTINGS)
    assert bool(refusal(one, SETTINGS)) == bool(why)


@given(st.lists(st.sampled_from(["", "value of 9 bytes was cut to 4"]), max_size=10))
def test_a_plan_leaves_no_letter_out(cuts: list[str]) -> None:
    """Each is ready, or refused by name."""
    letters = [letter(offset=number, cut=cut) for number, cut in enumerate(cuts)]
    planned = plan(letters, SETTINGS)
    assert sorted([*planned.ready, *(one for one, _ in planned.refused)]) == letters
    assert set(redrives(planned.ready)) == {one.place for one in letters if not one.cut}


@given(st.lists(st.integers(0, 50), max_size=40), st.integers(1, 5), st.integers(1, 100))
def test_chunks_are_bounded_and_keep_the_order(sizes: list[int], most: int, most_bytes: int) -> None:
    """Every letter once, in order; above the bound in bytes only a letter that is so alone."""
    letters = [letter(offset=number, size=size) for number, size in enumerate(sizes)]
    found = list(chunks(letters, most, most_bytes))
    assert [one for chunk in found for one in chunk] == letters
    for chunk in found:
        assert 1 <= len(chunk) <= most
        assert len(chunk) == 1 or sum(one.size for one in chunk) <= most_bytes


def test_the_trail_is_appended() -> None:
    """Key, value and own headers as they were, an earlier trail among them; the new header last."""
    own = (("trace", b"t"), ("streamrec-redriven-from", b"events.dlq/0/1 invalid"))
    sent = message(letter(offset=9, reason="too_old", own=own), SETTINGS)
    assert sent == (b"u1", b"{}", (*own, ("streamrec-redriven-from", b"events.dlq/0/9 too_old")), None)
