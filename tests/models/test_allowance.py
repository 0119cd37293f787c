"""How much is taken from a source: never more than the limit and a chunk, whatever comes."""

from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrec.clock import simulated
from streamrec.errors import ArtifactError
from streamrec.models.allowance import Allowance, UnreachableError

CHUNKS = st.lists(st.binary(max_size=50), max_size=30)


@given(CHUNKS, st.integers(0, 400))
async def test_no_more_than_the_limit_and_one_chunk_is_taken(chunks: list[bytes], limit: int) -> None:
    """What fits comes back as it was, in both ways of reading; of what does not, no chunk is asked for after that."""
    taken: list[bytes] = []

    def coming() -> Iterator[bytes]:
        for chunk in chunks:
            taken.append(chunk)
            yield chunk

    async def coming_async() -> AsyncIterator[bytes]:
        for chunk in coming():
            yield chunk

    whole = b"".join(chunks)
    for asynchronous in (False, True):
        taken.clear()
        allowance = Allowance("the-file", limit, 60)
        try:
            found = await allowance.gathered_async(coming_async()) if asynchronous else allowance.gathered(coming())
            assert found == whole
            assert len(whole) <= limit
        except ArtifactError as error:
            assert "the-file: more than" in str(error)  # noqa: PT017 - which of both it is, is for hypothesis
            assert sum(map(len, taken[:-1])) <= limit < sum(map(len, taken))


@given(st.integers(0, 100), st.one_of(st.none(), st.integers(0, 200)), st.lists(st.integers(0, 30), max_size=10))
def test_what_fsspec_copies_counts_the_same(limit: int, size: int | None, parts: list[int]) -> None:
    """By the size that is announced, and by what arrives, whatever was announced."""
    spent, callback = 0, Allowance("the-file", limit, 60).as_callback()
    try:
        callback.set_size(size)
        for part in parts:
            spent += part
            callback.relative_update(part)
        assert max(size or 0, spent) <= limit
    except ArtifactError:
        assert max(size or 0, spent) > limit


def test_a_file_has_until_its_deadline() -> None:
    """However little is missing then."""
    now_ns = 0
    with simulated(lambda: now_ns):
        allowance = Allowance("the-file", 10, deadline_s=5)
        now_ns = 5 * 10**9
        allowance.spend(1)
        now_ns += 1
        with pytest.raises(UnreachableError, match="longer than 5 s"):
            allowance.spend(1)
