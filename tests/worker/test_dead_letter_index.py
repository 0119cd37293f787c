"""A dead letter names the record that was set aside, and no other that has its offset."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streamrec.contracts.decode import Origin, dead_letter
from streamrec.contracts.records import RawRecord
from streamrec.kafka.transactions import LETTER_BYTES, set_aside
from streamrec.worker.recovery.dead_letter_index import DeadLetterIndex

LONG = 3_000_000
texts = st.none() | st.sampled_from([b"", b"0", b"null "]) | st.binary(max_size=4)


def letters_of(record: RawRecord) -> DeadLetterIndex:
    """Its dead letter, as it is written and read back."""
    letters = DeadLetterIndex()
    letters.add(record.offset, set_aside(dead_letter(record, Origin("events", 0), "processing_error", "")))
    return letters


@pytest.mark.slow
@given(texts, texts, texts, texts)
@example(b"k", bytes(LONG), b"k", bytes(LETTER_BYTES - 1))
@example(bytes(LONG), b"", bytes(LONG), None)
def test_it_names_its_own_record_and_none_of_a_later_topic(
    key: bytes | None, value: bytes | None, later_key: bytes | None, later_value: bytes | None
) -> None:
    """Cut or whole, null or empty; whatever clocks said. What has its key and value fails as it did."""
    first, later = RawRecord(7, 2_000, key, value), RawRecord(7, 1_000, later_key, later_value)
    letters = letters_of(first)
    assert letters.named([first, first._replace(offset=8)]) == {7}
    assert letters.named([later]) == ({7} if (key, value) == (later_key, later_value) else set())
