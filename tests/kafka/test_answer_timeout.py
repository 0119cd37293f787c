"""Brokers that do not answer, behind a proxy: silent connections are given up, and what was asked is repeated."""

import asyncio

import pytest
from on_kafka import settled

from streamrec.kafka import answer_timeout
from streamrec.kafka.clients import consumer
from streamrec.kafka.log import KafkaLog
from streamrec.kafka.topics import create
from streamrec.kafka.transactions import Message, Transactions
from streamrec.settings import Settings, load
from streamrec.tools.chaos.tcp_proxy import Connection, Request, TcpProxy
from streamrec.tools.local_kafka.config import Detour
from streamrec.tools.ports import HOST

pytestmark = pytest.mark.kafka

FETCH, LIST_OFFSETS, FIND_COORDINATOR, JOIN_GROUP = 1, 2, 10, 11
SILENT, RESET = "silent", "reset"


class Harmed:
    """The first connections on which this is asked for fall silent, or are reset."""

    def __init__(self, api_key: int, how: str, times: int = 2) -> None:
        self.api_key, self.how, self.left = api_key, how, times

    async def __call__(self, connection: Connection, request: Request) -> None:
        if request.api_key != self.api_key or not self.left:
            await connection.deliver(request)
            return
        self.left -= 1
        if self.how == SILENT:
            connection.is_mute = True
            await connection.deliver(request)
        else:
            connection.reset()


@pytest.fixture
def settings(detour: tuple[Detour, str], topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a client that goes through the proxy and does not wait long."""
    monkeypatch.setattr(answer_timeout, "ANSWER_S", 1.0)
    direct = load({}, brokers=detour[1], topic_prefix=topic_prefix, partitions=4, web_port=0)
    asyncio.run(create(direct))
    return direct.changed(brokers=f"{HOST}:{detour[0].advertised}")


@pytest.mark.parametrize("asked", [FETCH, LIST_OFFSETS])
async def test_a_reader_asks_again(detour: tuple[Detour, str], settings: Settings, asked: int) -> None:
    """Where a connection falls silent at any request of it; aiokafka's own time ends before it has asked twice."""
    async with TcpProxy(detour[0].advertised, detour[0].listens) as proxy:
        transactions = Transactions("t", KafkaLog(settings))
        await transactions.start()
        async with transactions.begin() as writes:
            await writes.send(settings.topic("push"), 0, [Message(b"k", b"v")])
        await transactions.stop()
        await settled(settings, settings.topic("push"))
        proxy.fault = harmed = Harmed(asked, SILENT)
        async with KafkaLog(settings).reader() as reader:
            read = [record.value async for records in reader.read(settings.topic("push"), 0) for record in records]
    assert read == [b"v"]
    assert not harmed.left


@pytest.mark.parametrize("how", [SILENT, RESET])
async def test_a_writer_looks_for_its_coordinator_again(
    detour: tuple[Detour, str], settings: Settings, how: str
) -> None:
    """Asking changes nothing, so a connection that breaks or falls silent meanwhile is no reason to end."""
    async with TcpProxy(detour[0].advertised, detour[0].listens) as proxy:
        proxy.fault = harmed = Harmed(FIND_COORDINATOR, how)
        transactions = Transactions("t", KafkaLog(settings))
        await transactions.start()
        await transactions.stop()
    assert not harmed.left


async def test_who_waits_for_other_members_is_given_the_time(detour: tuple[Detour, str], settings: Settings) -> None:
    """JoinGroup is answered when all have joined, which may take longer than anything that is answered at once."""
    waited = asyncio.Event()

    async def late(connection: Connection, request: Request) -> None:
        if request.api_key == JOIN_GROUP and not waited.is_set():
            await asyncio.sleep(3 * answer_timeout.ANSWER_S)
            waited.set()
        await connection.deliver(request)

    async with TcpProxy(detour[0].advertised, detour[0].listens) as proxy:
        proxy.fault = late
        async with consumer(settings, settings.topic("push"), group_id="g", request_timeout_ms=30_000) as member:
            assert waited.is_set()
            assert len(member.assignment()) == 4
