"""A newsroom without a broker: real partitions that were fed, and a list of what the desk's forms would write."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from making import Feed, article, click, partition

from streamrec.content.encoders import encoder_of
from streamrec.contracts.article import AnalysedArticle
from streamrec.contracts.audience import Audience
from streamrec.contracts.control import Command
from streamrec.contracts.records import RawRecord
from streamrec.desk.sources import Sources
from streamrec.errors import StreamrecError
from streamrec.follower.drafts import Drafts
from streamrec.follower.lag import Lag
from streamrec.follower.stepwise import AsOf, answered
from streamrec.operations.control import Trail
from streamrec.partition.partition import Partition
from streamrec.settings import Settings, load

SCRIPT = "<script>alert(1)</script>"
HOSTILE = (
    SCRIPT,
    '" onmouseover="alert(1)',
    "{{ 7 * 7 }}",
    "\u202etxt.exe",
    "'><img src=x onerror=alert(1)>",
    "x" * 500,
)


class InProcess:
    """What pages follow: partitions of this process, asked one question at a time."""

    def __init__(self, partitions: list[Partition]) -> None:
        self.partitions, self.error = partitions, None
        self.age_ms = 20
        self._lock = asyncio.Lock()
        self._drafts = Drafts(load({}), encoder_of("hashed"))

    error: StreamrecError | None

    def lag(self, at_ms: int | None = None) -> list[Lag]:
        """As the follower says it."""
        now = at_ms or time.time_ns() // 1_000_000
        return [Lag(part.context.number, 0, now - self.age_ms, self.age_ms, True, 0) for part in self.partitions]

    async def ask(self, work: Callable[..., Any], /, *args: Any, **more: Any) -> Any:
        """Answer it in a thread, as the follower does."""
        if self.error:
            raise self.error
        as_of_ms = min(lag.as_of_ms for lag in self.lag())
        return AsOf(await answered(self._lock, work, self.partitions, *args, **more), as_of_ms)

    async def draft(self, said: dict[str, object], at_ms: int | None = None) -> AnalysedArticle:
        """A draft, analysed."""
        return self.analysed(said, at_ms or 0)

    def analysed(self, said: dict[str, Any], at_ms: int = 0) -> AnalysedArticle:
        """What the content agent would make of an article."""
        return self._drafts.analyse(said, at_ms)


class Newsroom:
    """Articles a0, a1, ... and readers u0, u1, ..., each of whom read one and was sent some."""

    def __init__(self, articles: int = 12, readers: int = 40, titles: Sequence[str] = ()) -> None:
        self.now_ms = time.time_ns() // 1_000_000
        feed = Feed(partition(min_affinity=0.0))
        start = self.now_ms - 600_000
        for number in range(articles):
            title = titles[number] if number < len(titles) else f"Quantum chip number {number}"
            at_ms = start + number * 1000
            made = article(
                f"a{number}", title=title, topic="chips", published_at_ms=at_ms, known_at_ms=at_ms,
                expires_at_ms=self.now_ms + 86_400_000, tags=("chips",),
            )  # fmt: skip
            feed.articles(made, now_ms=at_ms)
            if number == 0:
                feed.events(*(click(f"u{n}", "a0", at_ms + 10) for n in range(readers)), now_ms=at_ms + 20)
        self.feed, self.followed = feed, InProcess([feed.to])
        self.published: list[dict[str, Any]] = []
        self.said: list[Command] = []
        self.preferred: list[tuple[str, dict[str, Any]]] = []
        self.erased: list[str] = []
        self.trail = Trail()

    def sends_to_everybody(self, article_id: str, title: str, who: str) -> None:
        """Somebody sends an article to everybody at a desk, where that makes them the first of two persons."""
        sent = article(
            article_id, title=title, audience=Audience(everybody=True), topic="other", known_at_ms=self.now_ms,
            published_at_ms=self.now_ms, expires_at_ms=self.now_ms + 86_400_000,
        )  # fmt: skip
        said = Command("approve", who, "sent", self.now_ms, article_id, article_id, digest=sent.digest)
        self.trail.take([RawRecord(0, self.now_ms, None, encoded(said))])
        self.feed.articles(sent, now_ms=self.now_ms)

    def sources(self) -> Sources:
        """For `build_desk`."""

        async def publish(said: dict[str, Any]) -> None:
            self.published.append(said)

        async def say(command: Command) -> None:
            self.said.append(command)
            raw = RawRecord(len(self.said), command.at_ms, command.article_id.encode(), encoded(command))
            self.trail.take([raw])

        async def prefer(user_id: str, patch: bytes) -> None:
            self.preferred.append((user_id, msgspec.json.decode(patch)))

        async def erase(user_id: str) -> None:
            self.erased.append(user_id)

        async def waiting() -> int:
            return 7

        return Sources(self.followed, publish, say, self.trail, prefer, erase, waiting)


def proxied(**more: Any) -> Settings:
    """Settings of a desk behind a proxy that is believed by its address."""
    return load({}, desk_user_header="X-User", desk_proxy_addresses="127.0.0.1", **more)


def as_(role: str, name: str = "ann") -> dict[str, str]:
    """The headers a proxy sends for somebody of this role."""
    return {"X-User": name, "X-Forwarded-Groups": role}


def encoded(value: Any) -> bytes:
    """As JSON."""
    return msgspec.json.encode(value)
