"""aiokafka's transactional producer, in which a transaction begins only if all requests of its epoch were answered.

A request whose connection broke, or that timed out, may still take effect, at any later time and though it was
repeated: somewhere a queue holds it. aiokafka repeats EndTxn with the same producer id and epoch until it is answered.
A copy that comes late would end a *later* transaction of that epoch in its midst, half of it committed or all aborted.
So here a commit without an answer is not repeated. It is `CommitInDoubt`, and the epoch is over (`renewed`):

    EndTxn(abort) until answered              nothing is open: the commit has taken effect, or never will
    InitProducerId(id, epoch) until answered  the next epoch; ProducerFenced if somebody else has taken over the id

Then the outcome is in the log (transactions.py). No late request reaches a transaction of a later epoch:

* EndTxn, AddPartitionsToTxn: the coordinator refuses every epoch but the latest. A copy of AddPartitionsToTxn could
  begin a transaction in its own epoch, which blocks readers until it times out. So that doubt ends the epoch, too, as
  soon as its transaction is over.
* Produce: a commit is asked for when all batches are acknowledged, so a late copy bears sequence numbers that its
  partition has already: a duplicate, and refused by its epoch once the partition knows a later one.
* InitProducerId: a copy asks for the epoch after one that is over and gets the same answer, which nobody hears. If it
  finds a transaction open, it aborts that and fences its producer, whose process ends: nothing is half done.

No clock has a part in this: no timeout has to be longer than another for it to hold. The abort comes first because
InitProducerId aborts what is open whoever began it: an owner that was replaced must not harm its successor.

With EndTxn v5 (KIP-890) each commit would begin an epoch and could be repeated. That needs clusters whose
`transaction.version` is 2, which upgraded ones raise by hand, and Produce v12, or a mixture that no other client
speaks; and each commit would write private state of aiokafka. This needs version 3 of one request (KIP-360, Kafka 2.5)
and is idle while all is answered.

Importing this is enough for every transactional producer of the process. The private names are listed in
tests/worker/test_private_names.py.
"""

import asyncio
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.client import CoordinationType
from aiokafka.errors import (
    InvalidProducerEpoch,
    InvalidTimestampError,
    InvalidTxnState,
    KafkaConnectionError,
    NoError,
    ProducerFenced,
    for_code,
)
from aiokafka.errors import KafkaError as ClientError
from aiokafka.producer import producer, sender
from aiokafka.producer.transaction_manager import PidAndEpoch, TransactionManager, TransactionResult
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.produce import ProduceRequest, ProduceRequest_v8
from aiokafka.protocol.types import CompactString, Int16, Int32, Int64, Schema, TaggedFields

NOBODY = PidAndEpoch(-1, -1)
AGAIN_S = 0.1
TOLD_WHY = 8  # version of Produce (KIP-467, Kafka 2.4)


class CommitInDoubt(ClientError):  # type: ignore[misc]  # noqa: N818 - so the field calls it
    """Nobody answered the commit: it may take effect or not, now or at any later time."""


class TransactionalProducer(AIOKafkaProducer):  # type: ignore[misc]
    """aiokafka's producer of one epoch. `options` are aiokafka's, `transactional_id` among them."""

    def __init__(
        self, follows: PidAndEpoch = NOBODY, sibling: "TransactionalProducer | None" = None, **options: Any
    ) -> None:
        """`follows`: the epoch that ends with this one's start; NOBODY: whichever is the latest.

        What `sibling` was told of topics this one need not be told: that is all partitions of each.
        """
        super().__init__(**options)
        self._options, self._sibling = options, sibling
        self._txn_manager.follows = follows

    async def start(self) -> None:
        """As aiokafka's. What it takes from a sibling may be old: it asks itself where that is wrong."""
        await super().start()
        if self._sibling is not None and not self._sibling.is_stopped:
            self._metadata._partitions = dict(self._sibling._metadata._partitions)
            self.client._topics = set(self._metadata._partitions)
        self._sibling = None

    @property
    def is_stopped(self) -> bool:
        """Whether it was: what it knows grows old then."""
        return bool(self._closed)

    @property
    def in_doubt(self) -> bool:
        """Whether the broker may still receive a request of this epoch: no transaction may begin in it any more."""
        return bool(self._txn_manager.unanswered)

    async def renewed(self) -> "TransactionalProducer":
        """The producer of the next epoch, started; this one is stopped, and nothing of it is open.

        ProducerFenced if somebody else has taken over the id meanwhile.
        """
        await self._abort()
        ended = PidAndEpoch(self._txn_manager.producer_id, self._txn_manager.producer_epoch)
        while True:
            following = TransactionalProducer(ended, **self._options)
            try:
                await following.start()
                break
            except BaseException as error:
                await following.stop()
                if not isinstance(error, KafkaConnectionError):
                    raise
            await asyncio.sleep(AGAIN_S)
        await self.stop()
        return following

    async def _abort(self) -> None:
        kind, name = CoordinationType.TRANSACTION, self._txn_manager.transactional_id
        while True:
            try:
                if await _Abort(self._sender).do(await self._sender._find_coordinator(kind, name)):
                    return
            except ClientError as error:
                if not isinstance(error, KafkaConnectionError):
                    raise
                await asyncio.sleep(AGAIN_S)


class _Transactions(TransactionManager):  # type: ignore[misc]
    """aiokafka's account of one epoch, with what it does not keep."""

    follows = NOBODY
    unanswered = 0  # requests that went out, or may have, and were not answered


class _Counted:
    """Of a handler: counts requests as they are made, and takes off those that are answered."""

    def create_request(self: Any) -> Any:
        self._sender._txn_manager.unanswered += 1
        return super().create_request()  # type: ignore[misc]

    def handle_response(self: Any, response: Any) -> Any:
        self._sender._txn_manager.unanswered -= 1
        return super().handle_response(response)  # type: ignore[misc]


class _AddPartitions(_Counted, sender.AddPartitionsToTxnHandler):  # type: ignore[misc]
    """Repeated until it is answered, as ever, but not forgotten."""


class _EndTransaction(_Counted, sender.EndTxnHandler):  # type: ignore[misc]
    """Sent once; repeated only where the coordinator answered that it could not yet."""

    async def do(self, node_id: int) -> bool:
        transactions, ended = self._sender._txn_manager, await super().do(node_id)
        if not ended and transactions.unanswered:
            transactions.fatal_error(CommitInDoubt(f"{transactions.transactional_id}: nobody answered the commit"))
            return True
        return bool(ended)


class _Abort(sender.EndTxnHandler):  # type: ignore[misc]
    """Ends what this epoch has left open, if anything; whether that was committed before does not matter here."""

    def __init__(self, of: Any) -> None:
        super().__init__(of, TransactionResult.ABORT)

    def handle_response(self, response: Any) -> float | None:
        """As aiokafka's handlers: None is the end, a number the seconds until it is tried again."""
        if for_code(response.error_code) in (NoError, InvalidTxnState):  # the latter: committed, or nothing was open
            return None
        again_s: float | None = super().handle_response(response)
        return again_s


class _EpochFollows(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = 22, 3
    SCHEMA = Schema(
        ("throttle_time_ms", Int32), ("error_code", Int16), ("producer_id", Int64), ("producer_epoch", Int16),
        ("tags", TaggedFields),
    )  # fmt: skip


class _FollowEpochV3(RequestStruct):  # type: ignore[misc]
    API_KEY, API_VERSION, FLEXIBLE_VERSION, RESPONSE_TYPE = 22, 3, True, _EpochFollows
    SCHEMA = Schema(
        ("transactional_id", CompactString("utf-8")), ("transaction_timeout_ms", Int32),
        ("producer_id", Int64), ("producer_epoch", Int16), ("tags", TaggedFields),
    )  # fmt: skip


class _FollowEpoch(Request[_FollowEpochV3]):  # type: ignore[misc]
    """InitProducerId as of KIP-360, where aiokafka has version 0: the epoch after this one, if it is the latest."""

    API_KEY = 22

    def __init__(self, *fields: Any) -> None:
        self._fields = fields

    def build(self, version: type[_FollowEpochV3]) -> _FollowEpochV3:
        return version(*self._fields, {})


class _InitProducerId(sender.InitPIDHandler):  # type: ignore[misc]
    """Takes the id over from whoever has it, or only from the epoch this one follows."""

    def create_request(self) -> Any:
        wanted = self._sender._txn_manager
        if wanted.follows == NOBODY:
            return super().create_request()
        return _FollowEpoch(wanted.transactional_id, wanted.transaction_timeout_ms, *wanted.follows)

    def handle_response(self, response: Any) -> float | None:
        """As aiokafka's handlers: None is the end, a number the seconds until it is tried again."""
        if for_code(response.error_code) is InvalidProducerEpoch:
            raise ProducerFenced
        again_s: float | None = super().handle_response(response)
        return again_s


class _Produce(sender.SendProduceReqHandler):  # type: ignore[misc]
    """Hands on what the broker says of a time that it refuses: aiokafka drops it."""

    def handle_response(self, response: Any) -> None:
        """As aiokafka's; a batch that has failed already does not fail again."""
        for topic, partitions in response.topics if response.API_VERSION >= TOLD_WHY else ():
            for partition, code, *_, records, said in partitions:
                if for_code(code) is InvalidTimestampError:
                    why = records[0][1] if records else said
                    self._batches[topic, partition].failure(InvalidTimestampError(topic, why))
        super().handle_response(response)


ProduceRequest._CLASSES += (ProduceRequest_v8,)  # aiokafka ends one version before brokers say why they refuse a record
producer.TransactionManager = _Transactions
sender.AddPartitionsToTxnHandler = _AddPartitions
sender.EndTxnHandler = _EndTransaction
sender.InitPIDHandler = _InitProducerId
sender.SendProduceReqHandler = _Produce
