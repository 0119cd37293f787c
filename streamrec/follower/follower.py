"""A read-only copy of all partitions, or some, which lags by milliseconds and says by how much.

    follower = Follower(settings)
    await follower.start()                         topics checked, model loaded, partitions restored, tail running
    await follower.restore()                       the same without a tail, for one answer
    follower.partitions                            [Partition, ...] by number; nobody may change them
    follower.lag()                                 [Lag, ...]; `age_ms`, `at_end`, `cut_off_since_ms`
    follower.find("u1")                            (Partition, row), None for a reader without a profile
    follower.articles()                            what the catalogs hold, newest first
    await follower.ask(explain_reader, "u1", ...)  a function of partitions, in a thread: the answer, and how old it is
    await follower.draft({"title": ...})           an article of the contract, analysed and remembered nowhere
    await follower.stop()

Functions for `ask` take the partitions first and answer with plain structs, for JSON and for templates:
explain_reader, explain_pair (explain.py), funnel (funnel.py), preview (preview.py). While one runs nothing is applied;
one that looks at all partitions is asked one after the other (stepwise.py), and following goes on in between.

It joins no group, writes nothing and asks no worker. What ends it (another layout or space, a topic made anew) stands
in `error`, and `ask` raises it.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from typing import Concatenate, ParamSpec, TypeVar

from aiokafka import TopicPartition

from ..clock import now_ms
from ..content.encoder import Encoder
from ..content.encoders import encoder_of
from ..content.query import Queries
from ..contracts.article import AnalysedArticle
from ..contracts.partitioner import partition_of
from ..contracts.records import Record
from ..errors import KafkaError, StateError, StreamrecError
from ..kafka.log import KafkaLog, Reader
from ..kafka.permissions import permitted
from ..kafka.topic_drift import missing, partitions, summary
from ..kafka.topics import changelog_topic, list_topics
from ..models.load import as_served
from ..partition.context import PartitionContext
from ..partition.partition import Partition
from ..settings import Settings
from ..worker.recovery.recovery import recover
from .drafts import Drafts
from .lag import Lag
from .listing import Listed, listed
from .models import FollowedModels
from .replica import Replica
from .stepwise import AsOf, answered
from .tail import Applied, Tail

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

ROLE = "follower"


def _nothing(where: object, read: object) -> None:
    """Nobody wants to know."""


class Follower:
    """See above. `numbers`: the partitions to follow (default: all)."""

    def __init__(
        self,
        settings: Settings,
        numbers: Collection[int] | None = None,
        encoder: Encoder | None = None,
        progress: Callable[[int, int], object] = _nothing,
    ) -> None:
        self.settings = settings
        self.numbers = sorted(range(settings.partitions) if numbers is None else numbers)
        self.replicas: dict[int, Replica] = {}
        self.error: StreamrecError | None = None
        self._log, self._changelog = KafkaLog(settings), changelog_topic(settings)
        self._encoder = encoder or encoder_of(settings.encoder)
        self._progress, self._lock = progress, asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self._restored_ms = 0
        self.tail: Tail | None = None
        self._drafts = Drafts(settings, self._encoder)
        self.applied: Applied = _nothing  # told of each piece of a topic that was taken over

    # --- life ---------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Restore and begin to follow; raises as `restore` does."""
        await self._check_topics()
        async with self._log.reader() as reader:
            letters = {number: await self._end_of_letters(reader, number) for number in self.numbers}
        await self.restore()
        self.tail = Tail(self.settings, self._log, self.replicas, self._lock, self._applied)
        await self.tail.start(letters)
        self._tasks = [asyncio.create_task(self._follow(self.tail)), asyncio.create_task(self._watch_models())]

    async def restore(self) -> None:
        """Read all that is committed by now, once; who wants one answer needs no more.

        KafkaError, SettingsError, StateError or ArtifactError say why it cannot be.
        """
        await self._check_topics()
        self._restored_ms = now_ms()
        self.settings = await asyncio.to_thread(as_served, self.settings)
        self._models = await asyncio.to_thread(FollowedModels, self.settings, self._encoder.space_id)
        async with self._log.reader() as reader:
            await self._drafts.recall(reader, self.numbers[0])
        for number in self.numbers:
            self.replicas[number] = await self._restored(number)

    async def stop(self) -> None:
        """End at once; nothing is lost, as nothing was written."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.tail is not None:
            await self.tail.stop()

    async def _follow(self, tail: Tail) -> None:
        try:
            await tail.run(self._restore_again)
        except StreamrecError as error:
            self.error = error
            log.error("the follower has ended: %s", error)  # noqa: TRY400 - the sentence says it
        except Exception as error:  # what nobody has foreseen must not look like an old copy
            log.exception("the follower has ended")
            self.error = StateError(f"the follower has ended: {type(error).__name__} {error}")

    def _applied(self, tp: TopicPartition, records: Sequence[Record]) -> None:
        if tp.topic == self.settings.topic("catalog") and tp.partition == self.numbers[0]:
            self._drafts.take(records)
        self.applied(tp, records)

    async def _watch_models(self) -> None:
        folder, poll_s = self.settings.model_dir, self.settings.model_poll_s
        while folder is not None and poll_s:
            await asyncio.sleep(poll_s)
            await asyncio.to_thread(self._models.look, folder)

    async def _check_topics(self) -> None:
        await permitted(self.settings, ROLE)
        names = [self._changelog, self.settings.topic("catalog"), self.settings.topic("catalog.dlq")]
        found = await list_topics(self.settings, names)
        drift = [missing(spec.name) for spec, count in found if count is None]
        for spec, count in found:
            drift += partitions(spec.name, count, spec.partitions) if count is not None else []
        if drift:
            raise KafkaError("; ".join(summary(drift)))

    async def _end_of_letters(self, reader: Reader, number: int) -> int:
        topic = self.settings.topic("catalog.dlq")
        return (await reader.ends([topic], number))[topic]

    async def _restored(self, number: int) -> Replica:
        context = PartitionContext.of(self.settings, number, self._models.serving, queries=Queries(self._encoder))
        partition, count = Partition(context), self.settings.partitions
        progress = lambda records: self._progress(number, records)  # noqa: E731
        recovered = await recover(partition, self._log, self._changelog, count, progress)
        partition.steering.lift_ended(now_ms())
        return Replica(partition, count, recovered, self._changelog)

    async def _restore_again(self, number: int) -> None:
        replica = await self._restored(number)
        async with self._lock:
            self.replicas[number] = replica
            if self.tail is not None:
                self.tail.seek(number)

    # --- questions ----------------------------------------------------------------------------------------------------

    @property
    def partitions(self) -> list[Partition]:
        """The followed partitions, in the order of their numbers."""
        return [self.replicas[number].partition for number in self.numbers]

    def lag(self, at_ms: int | None = None) -> list[Lag]:
        """How old each partition is."""
        return self.tail.lags(now_ms() if at_ms is None else at_ms) if self.tail else []

    def find(self, user_id: str) -> tuple[Partition, int] | None:
        """The partition and row of a reader; None where they have no profile, or live in a partition not followed."""
        replica = self.replicas.get(partition_of(user_id, self.settings.partitions))
        row = replica.partition.profiles.row(user_id) if replica else None
        return (replica.partition, row) if replica is not None and row is not None else None

    def articles(self, most: int = 100, matching: str = "") -> list[Listed]:
        """Articles of the catalogs, newest first; `matching`: those whose id or title has this in it."""
        return listed(self.partitions, most, matching)

    async def ask(
        self, work: "Callable[Concatenate[Sequence[Partition], P], T]", /, *args: P.args, **more: P.kwargs
    ) -> AsOf[T]:
        """Answer a question in a thread; what is read meanwhile is applied after the step that it is in."""
        if self.error:
            raise self.error
        as_of_ms = min((lag.as_of_ms for lag in self.lag()), default=self._restored_ms)
        return AsOf(await answered(self._lock, work, self.partitions, *args, **more), as_of_ms)

    async def draft(self, said: dict[str, object], at_ms: int | None = None) -> AnalysedArticle:
        """An article that is not out, as its readers would meet it; DataError says which field is wrong."""
        async with self._lock:
            return await asyncio.to_thread(self._drafts.analyse, said, now_ms() if at_ms is None else at_ms)
