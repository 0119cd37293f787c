"""How much of a file is taken from a source that may mean harm, and how long it may take.

Bytes are counted as they arrive, whatever the source says of their number. At most the limit and one chunk is held.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from io import BytesIO
from typing import Any, TypeVar

from ..clock import monotonic_s
from ..errors import ArtifactError

CHUNK = 1 << 16  # bytes read at a time
T = TypeVar("T")


class UnreachableError(ArtifactError):
    """Raised where the source does not answer, breaks off, or is too slow."""


class Allowance:
    """Of one file: so many bytes until a moment. ArtifactError for one more, UnreachableError later than that."""

    def __init__(self, at: str, limit: int, deadline_s: float) -> None:
        self.at, self.limit, self.deadline_s = at, limit, deadline_s
        self._spent, self._until_s = 0, monotonic_s() + deadline_s

    def check(self, size: int) -> None:
        """Against what has arrived, or what the whole is said to be."""
        if size > self.limit:
            raise ArtifactError(f"{self.at}: more than {self.limit:,} bytes, expected less; is it a model of ours?")
        if monotonic_s() > self._until_s:
            raise self._late()

    def spend(self, count: int) -> None:
        """Count so many bytes that have arrived."""
        self._spent += count
        self.check(self._spent)

    def gathered(self, chunks: Iterator[bytes]) -> bytes:
        """All of them."""
        held = BytesIO()
        for chunk in chunks:
            self.spend(len(chunk))
            held.write(chunk)
        return held.getvalue()

    async def gathered_async(self, chunks: AsyncIterator[bytes]) -> bytes:
        """All of them, as they come."""
        held = BytesIO()
        async for chunk in chunks:
            self.spend(len(chunk))
            held.write(chunk)
        return held.getvalue()

    async def in_time(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, which is ended at the deadline even while nothing arrives."""
        try:
            async with asyncio.timeout(self.deadline_s) as bound:
                return await work
        except TimeoutError:
            if bound.expired():
                raise self._late() from None
            raise

    def as_callback(self) -> Any:
        """The same, as fsspec tells of what it copies: how much there is, and how much has arrived."""
        from fsspec.callbacks import Callback  # noqa: PLC0415 - only where a URI is given

        return Callback(hooks={"check": lambda size, arrived, **_: self.check(max(size or 0, arrived))})

    def _late(self) -> UnreachableError:
        return UnreachableError(
            f"{self.at}: takes longer than {self.deadline_s:.0f} s for at most {self.limit:,} bytes; is the source"
            " overloaded, or the network slow?"
        )
