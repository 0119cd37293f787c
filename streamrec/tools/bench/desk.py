"""`bench desk`: how long each page of the desk takes, with many articles and many readers.

The pages are asked as a web server would ask them, in this process: what is measured is everything but the network and
the browser. The followed partition holds rows with random interests and a catalog that is full, whose latest article
goes to everybody; nothing follows meanwhile. The first answer of a page is told apart from later ones, which find words
and texts in memory; answers that the desk keeps for a moment are dropped before each. Pages take turns, so that what
else the machine does meets all of them; they are asked until the rounds or the time are over.
"""

import asyncio
from collections.abc import Callable, Sequence
from itertools import takewhile
from time import process_time
from typing import Any, NamedTuple

import msgspec
import numpy as np

from ...clock import monotonic_s, now_ms
from ...content.encoders import encoder_of
from ...contracts.article import AnalysedArticle
from ...contracts.audience import Audience
from ...contracts.control import Command
from ...contracts.ids import key_of
from ...contracts.limits import VECTOR_DIMS
from ...contracts.records import RawRecord
from ...desk.app import build_desk
from ...desk.sources import Sources
from ...engine.profiles.layout import PUSHED
from ...errors import StateError, StreamrecError
from ...follower.drafts import Drafts
from ...follower.lag import Lag
from ...follower.stepwise import AsOf, answered
from ...models.prior import Prior
from ...operations.control import Trail
from ...partition.context import PartitionContext
from ...partition.partition import Partition
from ...settings import Settings, load
from .recovery import rows

COMMANDS = 10_000
ROUNDS = 3  # at least, behind the first
ONE = "article-77"
WORDS = ("quantum", "harvest", "coast", "budget", "final", "vaccine", "storm", "election", "orchard", "bridge")


class Taken(NamedTuple):
    """Milliseconds of one page; `cpu_ms` is the processor's time of a later answer, whatever else the machine does."""

    first_ms: float
    p50_ms: float  # of the later ones, as p99_ms, which of few rounds is near the worst
    p99_ms: float
    cpu_ms: float  # p50
    bytes: int


class _Followed:
    """What pages follow, standing still."""

    error: StreamrecError | None = None

    def __init__(self, partition: Partition, settings: Settings) -> None:
        self.partitions = [partition]
        self._drafts = Drafts(settings, encoder_of("hashed"))
        self._lock = asyncio.Lock()

    def lag(self, at_ms: int | None = None) -> list[Lag]:
        return [Lag(0, 0, now_ms(), 0, True, 0)]

    async def ask(self, work: Callable[..., Any], /, *args: Any, **more: Any) -> Any:
        return AsOf(await answered(self._lock, work, self.partitions, *args, **more), now_ms())

    async def draft(self, said: dict[str, object], at_ms: int | None = None) -> AnalysedArticle:
        return await asyncio.to_thread(self._drafts.analyse, said, at_ms or now_ms())


def measure(users: int, articles: int, rounds: int, seconds: float) -> tuple[dict[str, Taken], int]:
    """Each page by what it is, and how many rounds there were; StateError for a page that is not shown."""
    settings = load(
        {}, partitions=1, max_articles=max(articles, 100), vector_days=7.0, quiet_from="00:00", quiet_to="00:00"
    )
    partition = Partition(PartitionContext.of(settings, 0, Prior()))
    _fill(partition, users, articles)
    return asyncio.run(_pages(settings, partition, rounds, seconds))


def _fill(partition: Partition, users: int, articles: int) -> None:
    rng, at_ms = np.random.default_rng(2), now_ms()
    for number in range(articles):
        vector = rng.normal(size=VECTOR_DIMS).astype("<f4")
        words = rng.choice(WORDS, 4).tolist()
        published_ms = at_ms - (articles - number) * (5 * 86_400_000 // articles)
        article = AnalysedArticle(
            article_id=f"article-{number}", title=f"{' '.join(words)} number {number}", published_at_ms=published_ms,
            category=words[0], language="en", keywords=(), story_id=f"story-{number}", known_at_ms=published_ms,
            expires_at_ms=at_ms + 86_400_000, vector=(vector / np.linalg.norm(vector)).tobytes(),
            space_id="", digest=number + 1, category_slot=number % 10,
            audience=Audience(everybody=True) if number == articles - 1 else None,
        )  # fmt: skip
        partition.catalog.apply(article, at_ms)
    for messages in rows(users, 0):
        partition.profiles.restore((message.key or b"", message.value) for message in messages)
    columns, pushed = partition.profiles.columns, np.arange(0, users, 3)
    columns["seen"][pushed, 0], columns["seen_acts"][pushed, 0] = key_of(ONE), PUSHED
    columns["pushed_at_s"][pushed, 0] = at_ms // 1000 - rng.integers(0, 3600, len(pushed))


async def _pages(settings: Settings, partition: Partition, rounds: int, seconds: float) -> tuple[dict[str, Taken], int]:
    trail = Trail()
    trail.take([RawRecord(n, now_ms(), b"", msgspec.json.encode(_command(n))) for n in range(COMMANDS)])

    async def nowhere(*said: object) -> None:
        raise StateError(f"a benchmark writes nothing: {said}")

    async def none_waits() -> int:
        return 0

    forms = (nowhere, nowhere, trail, nowhere, nowhere)
    app = build_desk(settings, Sources(_Followed(partition, settings), *forms, none_waits))
    token = _token(await _asked(app, "/write"))
    last = len(partition.catalog) // 50
    pages: dict[str, tuple[str, bytes | None]] = {
        "now": ("/", None),
        "articles": ("/articles", None),
        "articles, last page": (f"/articles?page={last}", None),
        "articles, search": ("/articles?q=storm%20number%20777", None),
        "article": (f"/article?id={ONE}", None),
        "article, all readers": (f"/article/funnel?id={ONE}", None),
        "preview while typing": ("/write/preview", b"token=%b&title=Storm+on+the+coast" % token),
        "reader": ("/reader?id=user-00000077", None),
        "reader and article": (f"/reader?id=user-00000077&article={ONE}", None),
        "audit trail": ("/audit?page=7", None),
    }
    until_s, took = monotonic_s() + seconds, {name: list[_Answer]() for name in pages}
    for _ in takewhile(lambda done: done <= ROUNDS or monotonic_s() < until_s, range(rounds + 1)):
        for name, (path, body) in pages.items():
            app.state.desk.forget()
            started_s, cpu_s = monotonic_s(), process_time()
            size = len(await _asked(app, path, body))
            took[name].append(_Answer(1000 * (monotonic_s() - started_s), 1000 * (process_time() - cpu_s), size))
    return {name: _taken(answers) for name, answers in took.items()}, len(took["now"]) - 1


class _Answer(NamedTuple):
    ms: float
    cpu_ms: float
    bytes: int


def _taken(answers: Sequence[_Answer]) -> Taken:
    later = answers[1:]
    p50, p99 = np.percentile([answer.ms for answer in later], [50, 99]).tolist()
    cpu_ms = float(np.median([answer.cpu_ms for answer in later]))
    return Taken(round(answers[0].ms, 1), round(p50, 1), round(p99, 1), round(cpu_ms, 1), answers[-1].bytes)


def _command(number: int) -> Command:
    return Command(
        action="hold", who="ann", why=f"reason {number}", at_ms=now_ms(), command_id=f"c{number}",
        article_id=f"article-{number}",
    )  # fmt: skip


def _token(page: bytes) -> bytes:
    return page.split(b'name="token" value="', 1)[1].split(b'"', 1)[0]


async def _asked(app: Any, path: str, body: bytes | None = None) -> bytes:
    path, _, query = path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET" if body is None else "POST",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/x-www-form-urlencoded")],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 6070),
    }  # fmt: skip
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body or b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    text = _text(sent)
    if sent[0]["status"] != 200:
        raise StateError(f"{path} answered {sent[0]['status']}: {text[:200]!r}")
    return text


def _text(sent: Sequence[dict[str, Any]]) -> bytes:
    return b"".join(message.get("body", b"") for message in sent)
