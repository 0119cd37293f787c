"""Transactions on a real broker: fencing, atomicity, and records that do not fit into one batch."""

import asyncio

import pytest
from aiokafka.errors import InvalidTxnState, ProducerFenced
from aiokafka.errors import KafkaError as ClientError
from on_kafka import read

from streamrec.contracts.limits import BATCH_BYTES
from streamrec.contracts.records import DeadLetter
from streamrec.errors import KafkaError
from streamrec.kafka.log import KafkaLog
from streamrec.kafka.topics import create
from streamrec.kafka.transactions import LETTER_BYTES, Message, Transactions, Writes, set_aside
from streamrec.settings import Settings

pytestmark = pytest.mark.kafka


async def started(settings: Settings) -> Transactions:
    """The owner of `<group_id>-0`, which fences whoever was it before."""
    transactions = Transactions(f"{settings.group_id}-0", KafkaLog(settings))
    await transactions.start()
    return transactions


async def values(settings: Settings) -> list[bytes]:
    """What a gateway reads from `push`."""
    return [record.value for record in await read(settings, settings.topic("push"), settings.partitions)]


async def test_transactions_in_turn(settings_for_test: Settings) -> None:
    """Transactions follow one another through both ids; all are read, in order."""
    await create(settings_for_test)
    topic = settings_for_test.topic("push")
    transactions = await started(settings_for_test)
    for number in range(5):
        async with transactions.begin() as writes:
            await writes.send(topic, 0, [Message(b"k", b"%d" % number)])
    await transactions.stop()
    assert await values(settings_for_test) == [b"%d" % number for number in range(5)]


@pytest.mark.parametrize("committed_before", [0, 1])
async def test_a_new_owner_fences_the_old_one(settings_for_test: Settings, committed_before: int) -> None:
    """Whichever id is next: what the old owner has open is never read, and it cannot commit."""
    await create(settings_for_test)
    topic = settings_for_test.topic("push")
    old = await started(settings_for_test)
    for _ in range(committed_before):
        async with old.begin() as writes:
            await writes.send(topic, 0, [Message(b"k", b"before")])
    new = None
    with pytest.raises(ProducerFenced):
        async with old.begin() as writes:
            await writes.send(topic, 0, [Message(b"k", b"open")])
            await writes.acknowledged()
            new = await started(settings_for_test)
    assert new is not None
    assert await values(settings_for_test) == [b"before"] * committed_before
    async with new.begin() as writes:
        await writes.send(topic, 0, [Message(b"k", b"after")])
    assert await values(settings_for_test) == [b"before"] * committed_before + [b"after"]
    await new.stop()
    await old.stop()


async def test_fenced_between_two_sends(settings_for_test: Settings) -> None:
    """A send after the one that met the fence says ProducerFenced, too, and not that there is no transaction."""
    await create(settings_for_test)
    topic = settings_for_test.topic("push")
    old = await started(settings_for_test)
    new = None
    with pytest.raises(ProducerFenced):
        async with old.begin() as writes:
            await writes.send(topic, 0, [Message(b"k", b"open")])
            await writes.acknowledged()
            new = await started(settings_for_test)
            await writes.send(topic, 1, [Message(b"k", b"meets the fence")])
            with pytest.raises(ProducerFenced):
                await writes.acknowledged()
            await writes.send(topic, 2, [Message(b"k", b"after it")])
    assert new is not None
    await asyncio.gather(new.stop(), old.stop())
    assert await values(settings_for_test) == []


async def test_what_the_client_did_not_expect_is_said() -> None:
    """An error that aiokafka wraps says nothing by itself; other errors stay as they are."""
    wrapped = ClientError("Unexpected error during batch delivery")
    wrapped.__cause__ = InvalidTxnState()
    writes = Writes(KafkaLog(Settings()).producer("nobody"))
    assert await writes.cause(wrapped) is wrapped.__cause__
    plain = ClientError("by itself")
    assert await writes.cause(plain) is plain


async def test_causes_make_no_circle(settings_for_test: Settings) -> None:
    """What is raised in place of a wrapper does not have that as its cause: whoever follows causes comes to an end."""
    await create(settings_for_test)
    transactions = await started(settings_for_test)
    inner = InvalidTxnState()
    inner.__cause__ = OSError()
    with pytest.raises(InvalidTxnState) as raised:
        async with transactions.begin():
            raise ClientError("Unexpected error during batch delivery") from inner
    await transactions.stop()
    assert raised.value is inner
    assert isinstance(inner.__cause__, OSError)


async def test_nothing_uncommitted_is_read(settings_for_test: Settings) -> None:
    """Records are on the broker before the commit and are read only after it, in every topic at once."""
    await create(settings_for_test)
    names = [settings_for_test.topic(name) for name in ("push", "events.dlq")]
    transactions = await started(settings_for_test)
    async with transactions.begin() as writes:
        for name in names:
            await writes.send(name, 0, [Message(b"k", b"v")])
        await writes.acknowledged()
        assert [await read(settings_for_test, name, 4) for name in names] == [[], []]
    assert [len(await read(settings_for_test, name, 4)) for name in names] == [1, 1]
    await transactions.stop()


async def test_many_rows_are_split_over_batches(settings_for_test: Settings) -> None:
    """More than a batch holds arrives whole, in order, with headers and nulls."""
    await create(settings_for_test)
    topic = settings_for_test.topic("push")
    messages = [Message(b"%d" % n, b"x" * 300_000, [("n", b"%d" % n)]) for n in range(7)]
    messages.append(Message(b"tombstone", None))
    transactions = await started(settings_for_test)
    async with transactions.begin() as writes:
        await writes.send(topic, 1, messages)
    await transactions.stop()
    records = await read(settings_for_test, topic, settings_for_test.partitions)
    assert [(r.partition, r.key, r.value, list(r.headers)) for r in records] == [
        (1, key, value, list(headers)) for key, value, headers, _ in messages
    ]


TOO_BIG = Message(b"k", b"x" * (BATCH_BYTES + 1)), Message(b"k", b"v", [("long", bytes(2_000_000))])


@pytest.mark.parametrize("others", [0, 2])
@pytest.mark.parametrize("too_big", TOO_BIG)
async def test_a_record_that_fits_nowhere_is_an_error(
    settings_for_test: Settings, others: int, too_big: Message
) -> None:
    """It is refused by name of its topic, also behind records that fit; it is never left out in silence."""
    await create(settings_for_test)
    transactions = await started(settings_for_test)
    with pytest.raises(KafkaError, match="push"):
        async with transactions.begin() as writes:
            await writes.send(settings_for_test.topic("push"), 0, [Message(b"k", b"v")] * others + [too_big])
    await transactions.stop()
    assert await values(settings_for_test) == []


async def test_any_dead_letter_can_be_sent(settings_for_test: Settings) -> None:
    """Whole as long as it fits; what is longer is cut, its length in a header, and sent."""
    await create(settings_for_test)
    sizes = (10, BATCH_BYTES - 1000), (LETTER_BYTES + 1, 20_000_000)
    letters = [DeadLetter("t", 0, 7, "too_large", "", b"k" * key, b"v" * value) for key, value in sizes]
    transactions = await started(settings_for_test)
    async with transactions.begin() as writes:
        await writes.send(settings_for_test.topic("events.dlq"), 0, map(set_aside, letters))
    await transactions.stop()
    whole, cut = await read(settings_for_test, settings_for_test.topic("events.dlq"), settings_for_test.partitions)
    assert (whole.key, whole.value, list(whole.headers)) == (letters[0].key, letters[0].value, letters[0].headers())
    assert (len(cut.key), len(cut.value)) == (LETTER_BYTES, LETTER_BYTES)
    assert dict(cut.headers)["streamrec-key-bytes"] == b"%d" % (LETTER_BYTES + 1)
    assert dict(cut.headers)["streamrec-value-bytes"] == b"20000000"
    assert dict(cut.headers)["streamrec-offset"] == b"7"
