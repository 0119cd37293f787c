"""What a record is said to take up is what it takes up."""

from aiokafka.producer.message_accumulator import BatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from streamrec.contracts.limits import BATCH_BYTES
from streamrec.contracts.record_size import record_bytes

LENGTHS = st.sampled_from([0, 1, 63, 64, 8191, 8192]) | st.integers(0, 100_000)
PARTS = st.none() | LENGTHS.map(bytes)
HEADERS = st.lists(st.tuples(st.text(st.characters(codec="utf-8"), max_size=20), PARTS), max_size=80)


@given(PARTS, PARTS, HEADERS)
def test_it_is_an_upper_bound_and_a_close_one(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    """Key, value, names and values of headers, nulls among them: never less than the real batch, nor much more."""
    batch = BatchBuilder(BATCH_BYTES, 0, is_transactional=1)
    batch.append(timestamp=None, key=key, value=value, headers=headers)
    assert 0 <= record_bytes(key, value, headers) - batch.size() <= 30
