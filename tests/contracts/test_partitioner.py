"""Where a user lives: the same answer as the producers that write the events."""

from aiokafka.partitioner import murmur2
from hypothesis import given
from hypothesis import strategies as st

from streamrec.contracts.partitioner import partition_of, partitions_of

users = st.text(st.characters(exclude_categories=["Cs"]), max_size=70)


@given(st.lists(users, max_size=30), st.integers(1, 1000))
def test_many_keys_at_once_are_hashed_as_aiokafka_hashes_one(user_ids: list[str], partitions: int) -> None:
    """Any text, zero bytes and empty keys included."""
    expected = [(murmur2(user_id.encode()) & 0x7FFFFFFF) % partitions for user_id in user_ids]
    assert partitions_of(user_ids, partitions).tolist() == expected
    assert [partition_of(user_id, partitions) for user_id in user_ids] == expected
