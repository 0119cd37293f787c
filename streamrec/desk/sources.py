"""What the desk needs of the rest of the program. A page is shown only where all that it needs is there."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Concatenate, NamedTuple, ParamSpec, Protocol, TypeVar

from ..contracts.article import AnalysedArticle
from ..contracts.control import Command
from ..errors import StreamrecError
from ..follower.lag import Lag
from ..follower.stepwise import AsOf
from ..operations.control import Trail
from ..partition.partition import Partition

P = ParamSpec("P")
T = TypeVar("T")


class Followed(Protocol):
    """The read-only copy of the partitions (follower/follower.py)."""

    error: StreamrecError | None

    @property
    def partitions(self) -> list[Partition]:
        """In the order of their numbers; nobody may change them."""

    def lag(self, at_ms: int | None = None) -> list[Lag]:
        """How old each partition is."""

    async def ask(
        self, work: Callable[Concatenate[Sequence[Partition], P], T], /, *args: P.args, **more: P.kwargs
    ) -> AsOf[T]:
        """Answer a question in a thread, step by step; nothing is applied during a step."""

    async def draft(self, said: dict[str, object], at_ms: int | None = None) -> AnalysedArticle:
        """An article that is not out, as its readers would meet it; DataError says which field is wrong."""


Say = Callable[[Command], Awaitable[None]]  # a command, to all partitions of `control` in one transaction
Publish = Callable[[dict[str, Any]], Awaitable[None]]  # an article of the contract, to `articles`
Prefer = Callable[[str, bytes], Awaitable[None]]  # reader and patch, to `preferences`


class Sources(NamedTuple):
    """Where a desk's pages get what they show, and where their forms go."""

    followed: Followed
    publish: Publish
    say: Say
    trail: Trail
    prefer: Prefer
    erase: Callable[[str], Awaitable[None]]  # a reader, to `erasure`
    waiting: Callable[[], Awaitable[int]]  # events that no worker has taken in yet
