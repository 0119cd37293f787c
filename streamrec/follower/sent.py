"""A push that was sent, as of its moment: the partition is restored to just before the transaction it left in.

    changelog up to there -> rows, cursor      catalog up to that cursor -> articles
    inputs between the two cursors             what the owner applied in the same transaction, as far as it did by then

Within one transaction nobody knows what was applied before the push and what after it. So the inputs are tried in
turn: none of them, the articles alone, all. The first after which `decide` makes the same push is what happened: the
same bytes, or the same relevance to four digits for the same reason (of times the log keeps seconds). If there is none
the answer says what stands against it: rows that compaction has removed, or a model that is not here any more.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple

import msgspec
import numpy as np
from aiokafka.errors import TopicAuthorizationFailedError

from ..content.encoder import Encoder
from ..content.encoders import encoder_of
from ..content.query import Queries
from ..contracts.ids import key_of
from ..contracts.inputs import INPUTS
from ..contracts.push import Push, Trigger
from ..contracts.records import Record, Topic
from ..decide import Decision, decide
from ..engine.predictor import Predictor
from ..engine.profiles.layout import ROW
from ..engine.profiles.store import Users
from ..errors import DataError
from ..kafka.log import KafkaLog, Producer, Reader, read_all
from ..kafka.permissions import permitted
from ..kafka.topics import changelog_topic
from ..partition.changelog_meta import CURSOR_KEY
from ..partition.context import PartitionContext
from ..partition.intake import Batch
from ..partition.partition import Partition
from ..partition.push_records import push_records
from ..settings import Settings
from ..worker.recovery.recovery import recover
from .explain import PairExplained, pair_explained
from .models import model_of
from .world import policy_of, world_of

TRIED: tuple[tuple[Topic, ...], ...] = ((), ("catalog",), tuple(INPUTS))  # inputs of the transaction that came before


class PushExplained(msgspec.Struct, frozen=True):
    """A push, and why it was made."""

    push: Push
    appended_ms: int
    exact: str  # bytes: the same push came of it; scores: the same relevance and reason; "": neither
    against: list[str]  # why not, where it is not exact
    pair: PairExplained | None  # as of its moment; None where reader or article are not in what is left


class _Moment(NamedTuple):
    before: int  # offset in the changelog: what lies before is the state; after it the transaction begins
    after: dict[str, int]  # the cursor that the transaction has written
    first_is_there: bool  # whether the row that the push left is still the first that knows of it


async def explain_push(settings: Settings, push_id: str, encoder: Encoder | None = None) -> PushExplained:
    """DataError where `push` has no push of that id any more."""
    await permitted(settings, "follower")
    log, changelog = KafkaLog(settings), changelog_topic(settings)
    async with log.reader() as reader:
        number, record, push = await _found(reader, settings, push_id)
        rows = await read_all(reader, changelog, number)
    encoder = encoder or encoder_of(settings.encoder)
    ranker, against = model_of(settings, encoder.space_id, push.model)
    moment = _moment(rows, push)
    if moment is None:
        return PushExplained(push, record.timestamp, "", [*against, "no row in the changelog knows of the push"], None)
    best: PairExplained | None = None
    for topics in TRIED:
        context = PartitionContext.of(settings, number, ranker, queries=Queries(encoder))
        partition = Partition(context._replace(tick_ms=0))
        await recover(partition, _Until(log, changelog, moment.before), changelog, settings.partitions)
        try:
            async with log.reader() as reader:
                await _apply(partition, reader, settings, topics, moment.after, push.created_at_ms)
        except TopicAuthorizationFailedError as error:
            against.append(f"inputs of its transaction may not be read: Read on topic {error.args[0]} is missing")
            break
        made, pair = _made_again(partition, push, ranker)
        best = pair or best
        if exact := _same(made, record.value or b"", push):
            return PushExplained(push, record.timestamp, exact, [], pair)
    return PushExplained(push, record.timestamp, "", [*against, *_lost(rows, moment)] or [CHANGED], best)


CHANGED = "no state that the log gives makes this push: settings of the policy may have been others then"


async def _found(reader: Reader, settings: Settings, push_id: str) -> tuple[int, Record, Push]:
    wanted = push_id.encode()
    for number in range(settings.partitions):
        async for records in reader.read(settings.topic("push"), number):
            for record in records:
                if wanted in (record.value or b""):
                    push = msgspec.json.decode(record.value or b"", type=Push)
                    if push.push_id == push_id and push.kind != "push":
                        said = f"of the command {push.command_id}" if push.command_id else "of a command"
                        raise DataError(f"{push_id} is no push, but a record {said} that took back or corrected one")
                    if push.push_id == push_id:
                        return number, record, push
    raise DataError(f"{settings.topic('push')} has no push {push_id}: none was sent, or its retention has taken it")


def _moment(rows: Sequence[Record], push: Push) -> _Moment | None:
    """Where in the changelog the push left, by the first row of its reader that knows of it."""
    key, at_s, story = push.user_id.encode(), push.created_at_ms // 1000, key_of(push.story_id)
    before, had_one = 0, False
    for at, record in enumerate(rows):
        if record.key == CURSOR_KEY:
            before = record.offset + 1
        if record.key == key and record.value and len(record.value) == ROW.itemsize:
            row = np.frombuffer(record.value, ROW)[0]
            if bool(((row["pushed_at_s"] == at_s) & (row["pushed_story"] == story)).any()):
                after = next((r.value for r in rows[at:] if r.key == CURSOR_KEY and r.value), None)
                cursor = msgspec.json.decode(after)["cursor"] if after else {}
                return _Moment(before, cursor, had_one or int(row["n_pushes"]) == 1)
            had_one = True
    return None


async def _apply(
    partition: Partition, reader: Reader, settings: Settings, topics: Sequence[Topic], after: dict[str, int], at_ms: int
) -> None:
    partition.at_once = False
    for topic in topics:
        start, end = partition.cursor.get(topic, 0), after.get(topic, 0)
        if start < end:
            records = await read_all(reader, settings.topic(topic), partition.context.number, before=end, start=start)
            for _ in partition.apply(Batch(topic, records, end), at_ms):
                pass


def _made_again(partition: Partition, push: Push, ranker: Predictor) -> tuple[bytes, PairExplained | None]:
    """The push that `decide` makes of this state, and the pair explained; b"" where it makes none."""
    row, slot = partition.profiles.row(push.user_id), partition.catalog.slot(push.article_id)
    if row is None or slot is None:
        return b"", None
    users, now_ms, policy = Users(partition.profiles, np.array([row])), push.created_at_ms, policy_of(partition)
    slots = np.array([slot]) if push.trigger == "article" else partition.catalog.fresh(now_ms)
    decision: Decision = decide(users, partition.catalog, slots, now_ms, ranker, policy)
    trigger: Trigger = "article" if push.trigger == "article" else "due"
    made = push_records(decision, partition.profiles, partition.catalog, trigger, now_ms, policy, ranker.stamp)
    pair = pair_explained(world_of(partition, row, slot, now_ms), push.user_id)
    return (made[0].value if made else b""), pair


def _same(made: bytes, value: bytes, push: Push) -> str:
    if made == value:
        return "bytes"
    if made:
        again = msgspec.json.decode(made, type=Push)
        if (again.push_id, again.relevance, again.reason) == (push.push_id, push.relevance, push.reason):
            return "scores"
    return ""


def _lost(rows: Sequence[Record], moment: _Moment) -> Iterator[str]:
    left = sum(record.offset < moment.before for record in rows)
    if left < moment.before:
        yield (
            f"of {moment.before} offsets of the changelog before it {left} are left: compaction has removed rows that"
            " the decision saw, or they were marks of transactions"
        )
    if not moment.first_is_there:
        yield "the reader's row before the push is not in the changelog any more"


class _Until:
    """The log as it was at an offset of the changelog: what came later is not read."""

    def __init__(self, log: KafkaLog, changelog: str, before: int) -> None:
        self._log, self._changelog, self._before = log, changelog, before

    def producer(self, transactional_id: str) -> Producer:
        return self._log.producer(transactional_id)

    def reader(self) -> AbstractAsyncContextManager[Reader]:
        return self._reader()

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[Reader]:
        async with self._log.reader() as reader:
            yield _ReaderUntil(reader, self._changelog, self._before)


class _ReaderUntil:
    def __init__(self, reader: Reader, changelog: str, before: int) -> None:
        self._reader, self._changelog, self._before = reader, changelog, before
        self.beginnings, self.ends = reader.beginnings, reader.ends

    def read(
        self,
        topic: str,
        partition: int,
        before: int | None = None,
        since_ms: int = 0,
        through: int = -1,
        start: int = 0,
    ) -> AsyncIterator[Sequence[Record]]:
        before = self._before if topic == self._changelog else before
        return self._reader.read(topic, partition, before, since_ms, through, start)
