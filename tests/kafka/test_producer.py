"""Requests without an answer, on a real broker behind a proxy that holds them: no copy reaches a later transaction."""

import asyncio
from typing import Any

import pytest
from aiokafka.errors import InvalidTxnState, ProducerFenced
from aiokafka.producer import sender
from on_kafka import read, settled, undecided

from streamrec.kafka.log import KafkaLog
from streamrec.kafka.producer import TransactionalProducer
from streamrec.kafka.topics import create
from streamrec.kafka.transactions import Message, Transactions
from streamrec.settings import Settings, load
from streamrec.tools.chaos.network_faults import ADD_PARTITIONS, END_TXN, PRODUCE
from streamrec.tools.chaos.tcp_proxy import Connection, Request, TcpProxy
from streamrec.tools.local_kafka.config import Detour
from streamrec.tools.ports import HOST

pytestmark = pytest.mark.kafka


class First:
    """The first request of a kind, kept; delivered at once if `passes`, and its connection reset."""

    def __init__(self, api_key: int, *, passes: bool = False) -> None:
        self.api_key, self.passes = api_key, passes
        self.kept: tuple[Connection, Request] | None = None

    async def __call__(self, connection: Connection, request: Request) -> None:
        if request.api_key != self.api_key or self.kept:
            await connection.deliver(request)
            return
        self.kept = connection, request
        connection.is_mute = True
        if self.passes:
            await self.deliver()
        connection.hold()
        connection.reset()

    async def deliver(self) -> None:
        """The kept request, now; until it must have had its effect."""
        assert self.kept
        connection, request = self.kept
        await connection.deliver(request)
        await asyncio.sleep(0.3)


@pytest.fixture
def direct(detour: tuple[Detour, str], topic_prefix: str) -> Settings:
    """Past the proxy."""
    return load({}, brokers=detour[1], topic_prefix=topic_prefix, partitions=4, web_port=0)


def proxied(detour: tuple[Detour, str], direct: Settings) -> tuple[Settings, TcpProxy]:
    """Settings of who goes through it, and the proxy."""
    listens, advertised = detour[0]
    return direct.changed(brokers=f"{HOST}:{advertised}"), TcpProxy(advertised, listens)


async def started(settings: Settings) -> Transactions:
    """The owner of one name."""
    transactions = Transactions(f"{settings.group_id}-0", KafkaLog(settings))
    await transactions.start()
    return transactions


async def write_three(settings: Settings, transactions: Transactions, first: First, *, late: bool) -> None:
    """Transactions to two topics; what is kept of the first one comes within the third, of the same id."""
    topics = [settings.topic("push"), settings.topic("events.dlq")]
    for number in range(3):
        async with transactions.begin() as writes:
            await writes.send(topics[0], 0, [Message(b"k", b"%d" % number)])
            await writes.acknowledged()
            if late and number == 2:
                await first.deliver()
                assert await undecided(settings, topics[0]), "a late commit has ended it"
            await writes.send(topics[1], 0, [Message(b"k", b"%d" % number)])


@pytest.mark.parametrize(("passes", "late"), [(True, False), (False, False), (False, True), (True, True)])
async def test_a_commit_without_an_answer(
    detour: tuple[Detour, str], direct: Settings, passes: bool, late: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Whether it took effect, never does, or within a later transaction: all is written once, in order."""
    settings, proxy = proxied(detour, direct)
    await create(direct)
    async with proxy:
        proxy.fault = first = First(END_TXN, passes=passes)
        transactions = await started(settings)
        await write_three(settings, transactions, first, late=late)
        await transactions.stop()
    assert ("it had taken effect" if passes else "written again") in caplog.text
    for topic in ("push", "events.dlq"):
        assert [record.value for record in await read(direct, direct.topic(topic))] == [b"0", b"1", b"2"]
        assert not await undecided(direct, direct.topic(topic))


async def test_a_commit_that_is_repeated_ends_a_later_transaction(
    detour: tuple[Detour, str], direct: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept away from: with aiokafka's own handler the test before fails."""
    monkeypatch.setattr(sender, "EndTxnHandler", sender.EndTxnHandler.__bases__[1])
    settings, proxy = proxied(detour, direct)
    await create(direct)
    async with proxy:
        proxy.fault = first = First(END_TXN)
        transactions = await started(settings)
        with pytest.raises((AssertionError, InvalidTxnState)):
            await write_three(settings, transactions, first, late=True)
        await transactions.stop()


async def test_a_batch_that_comes_late_is_in_nobodys_way(
    detour: tuple[Detour, str], direct: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """A broker takes its sequence number for the first of the next transaction, and refuses the right one."""
    settings, proxy = proxied(detour, direct)
    await create(direct)
    async with proxy:
        proxy.fault = first = First(PRODUCE)
        transactions = await started(settings)
        for number in range(3):
            if number == 2:
                await first.deliver()
            async with transactions.begin() as writes:
                await writes.send(settings.topic("push"), 0, [Message(b"k", b"%d" % number)])
                await writes.send(settings.topic("events.dlq"), 0, [Message(b"k", b"%d" % number)])
        await transactions.stop()
    assert "a late copy of an earlier batch" in caplog.text
    for topic in ("push", "events.dlq"):
        await settled(direct, direct.topic(topic))
        assert [record.value for record in await read(direct, direct.topic(topic))] == [b"0", b"1", b"2"]


async def test_a_partition_added_without_an_answer(detour: tuple[Detour, str], direct: Settings) -> None:
    """The transaction goes on, and its epoch ends with it: a late copy begins no other one."""
    settings, proxy = proxied(detour, direct)
    await create(direct)
    async with proxy:
        proxy.fault = first = First(ADD_PARTITIONS)
        transactions = await started(settings)
        before = _epochs(transactions)
        await write_three(settings, transactions, first, late=False)
        assert [new - old for new, old in zip(_epochs(transactions), before, strict=True)] == [1, 0]
        await first.deliver()
        assert not await undecided(direct, direct.topic("push"))
        await write_three(settings, transactions, first, late=False)
        await transactions.stop()
    assert len(await read(direct, direct.topic("push"))) == 6


def _epochs(transactions: Any) -> list[int]:
    return [producer._txn_manager.producer_epoch for producer in transactions._producers]


async def test_who_was_replaced_begins_no_epoch(settings_for_test: Settings) -> None:
    """A producer in doubt is told that its id has another owner, whose open transaction goes on."""
    await create(settings_for_test)
    topic, name = settings_for_test.topic("push"), settings_for_test.group_id
    old: TransactionalProducer = KafkaLog(settings_for_test).producer(name)
    new: TransactionalProducer = KafkaLog(settings_for_test).producer(name)
    for producer in (old, new):
        await producer.start()
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"v", partition=0)
    with pytest.raises(ProducerFenced):
        await old.renewed()
    await new.commit_transaction()
    late = TransactionalProducer(old._txn_manager._pid_and_epoch, **old._options)
    with pytest.raises(ProducerFenced):  # where nothing is open, too
        await late.start()
    await new.begin_transaction()
    await new.send_and_wait(topic, b"v", partition=0)
    await new.commit_transaction()
    await asyncio.gather(old.stop(), new.stop(), late.stop())
    assert [record.value for record in await read(settings_for_test, topic)] == [b"v", b"v"]
