"""A time that brokers do not take is told in one sentence: whose it is, by how much, and what helps."""

import asyncio
from pathlib import Path

import pytest
from aiokafka.admin import NewTopic
from aiokafka.errors import InvalidTimestampError
from on_kafka import event
from operations.dlq.letters_of import dead, open_letters, write
from secured_commands import streamrec

from streamrec.clock import now_ms, simulated
from streamrec.errors import KafkaError
from streamrec.kafka.clients import admin, producer
from streamrec.kafka.log import KafkaLog
from streamrec.kafka.refusals import denied
from streamrec.kafka.refused_time import wrong_time
from streamrec.kafka.topics import changelog_topic, create, specs
from streamrec.kafka.transactions import Message, Transactions
from streamrec.operations.dlq.redriving import redrive, redrives
from streamrec.settings import Settings
from streamrec.tools.worker_process import worker_process

DAY_MS = 86_400_000
NOW_MS = 1_800_000_000_000
EVER = -(2**63) + NOW_MS + 1  # as Java subtracts "of any age"
CLOCK = "the clock of this machine says 2027-01-15T08:00:00+00:00, "
TOLD = "Timestamp {} of message with offset 3 is out of range. The timestamp should be within [{}, {}]"
OR = ": set the clock right that is wrong, this one or the brokers' (NTP), or raise the topic's message.timestamp."
SAYINGS: dict[str, tuple[str | None, str]] = {
    "ahead": (
        TOLD.format(NOW_MS - 1, EVER, NOW_MS - 8 * DAY_MS),
        (
            "the clock of this machine says 2027-01-15T07:59:59+00:00, 8.0 d later than the latest the brokers take "
            f"for topic push (2027-01-07T08:00:00+00:00){OR}after.max.ms"
        ),
    ),
    "behind": (
        TOLD.format(NOW_MS, NOW_MS + 5_400_000, NOW_MS + DAY_MS),
        (
            f"{CLOCK}1.5 h earlier than the earliest the brokers take for topic push (2027-01-15T09:30:00+00:00)"
            f"{OR}before.max.ms"
        ),
    ),
    "a record's own": (
        TOLD.format(NOW_MS - 2 * DAY_MS, NOW_MS - DAY_MS, NOW_MS),
        (
            "a record for topic push bears the time 2027-01-13T08:00:00+00:00, 1.0 d earlier than the earliest the "
            "brokers take (2027-01-14T08:00:00+00:00): raise the topic's message.timestamp.before.max.ms"
        ),
    ),
    "not said": (
        None,
        (
            "the brokers do not take the time of a record, and do not say why; "
            f"{CLOCK.removesuffix(', ')}: compare it with theirs, and set the one right that is wrong (NTP)"
        ),
    ),
}


@pytest.mark.parametrize("case", SAYINGS)
def test_the_sentence(case: str) -> None:
    """It blames the clock only for times that the clock has just said."""
    said, sentence = SAYINGS[case]
    with simulated(lambda: NOW_MS * 1_000_000):
        assert wrong_time(InvalidTimestampError("push", said)) == sentence
        assert (denied(InvalidTimestampError()) or "").startswith("the brokers do not take the time of a record,")


async def made(settings: Settings, topic: str, **values: object) -> None:
    """All topics; this one, by its full name, with such limits. One of 0 is broken by the time a record takes."""
    (spec,) = (spec for spec in specs(settings) if spec.name == topic)
    limits = {f"message.timestamp.{name}.max.ms": str(value) for name, value in values.items()}
    config = spec.config | {"message.timestamp.type": "CreateTime"} | limits
    async with admin(settings) as asking:
        await asking.create_topics([NewTopic(topic, spec.partitions, 1, topic_configs=config)])
    await create(settings)


@pytest.mark.kafka
@pytest.mark.parametrize("is_transactional", [True, False])
@pytest.mark.parametrize(("days", "wanted"), [(8, "8.0 d later than"), (-8, "8.0 d earlier than")])
async def test_a_clock_that_is_days_off(
    settings_for_test: Settings, days: int, wanted: str, is_transactional: bool
) -> None:
    """Whatever the producer, what the broker says of it reaches the sentence."""
    settings = settings_for_test
    topic = settings.topic("push")
    await made(settings, topic, before=60_000, after=60_000)
    at_ms = now_ms() + days * DAY_MS + (60_000 if days > 0 else -60_000)
    with simulated(lambda: at_ms * 1_000_000):
        with pytest.raises(InvalidTimestampError) as refused:
            await (_in_a_transaction if is_transactional else _without)(settings, topic, at_ms)
        sentence = denied(refused.value) or ""
    assert sentence.startswith("the clock of this machine says ")
    assert f"{wanted} the {'latest' if days > 0 else 'earliest'} the brokers take for topic {topic} (" in sentence


async def _in_a_transaction(settings: Settings, topic: str, at_ms: int) -> None:
    transactions = Transactions(f"{settings.group_id}-0", KafkaLog(settings))
    await transactions.start()
    try:
        async with transactions.begin() as writes:
            await writes.send(topic, 0, [Message(b"k", b"v", timestamp_ms=at_ms)])
    finally:
        await transactions.stop()


async def _without(settings: Settings, topic: str, at_ms: int) -> None:
    async with producer(settings) as sending:
        await sending.send_and_wait(topic, b"v", partition=0, timestamp_ms=at_ms)


@pytest.mark.kafka
def test_a_worker_ends_with_it(settings_for_test: Settings, tmp_path: Path) -> None:
    """As its last line, without the places in the program where it was noticed, and with a code that is not 0."""
    asyncio.run(made(settings_for_test, changelog_topic(settings_for_test), before=0))
    with worker_process(settings_for_test, tmp_path / "log") as worker:
        with pytest.raises(KafkaError):
            worker.wait_ready()
        assert worker.exit_code() == 1
        assert "ending: the clock of this machine says " in worker.last_line()
        assert worker.last_line().endswith("message.timestamp.before.max.ms")


@pytest.mark.kafka
async def test_a_redrive_and_produce_end_with_it(settings_for_test: Settings) -> None:
    """Nothing was redriven, and lines are not blamed for the clock."""
    settings = settings_for_test
    await made(settings, settings.topic("events"), before=0)
    await write(settings, [dead(settings, "events", 0)])
    with pytest.raises(KafkaError, match=r"stopped after 0 letters: the clock of this machine says "):
        await redrive(settings, redrives(await open_letters(settings)))
    done = await asyncio.to_thread(streamrec, settings, "produce", "events", given=event("u1", "a1").value or b"")
    assert done.returncode == 2
    assert done.stderr.startswith("KafkaError: the clock of this machine says ")
