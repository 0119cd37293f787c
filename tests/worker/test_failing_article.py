"""An article that no record's processing fails on, but users who are due: set aside, and no owner ends of it."""

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from making import AffinityScores, article, policy
from on_kafka import until
from slow_log import SlowLog, offer_clicks, writer_on

from streamrec.clock import now_ms
from streamrec.contracts.records import DeadLetter, RawRecord, Topic, first_headers
from streamrec.decide import Decision
from streamrec.engine.predictor import Predictor
from streamrec.engine.profiles.layout import SEEN
from streamrec.partition.changelog_meta import Meta
from streamrec.partition.changes import PushRecord
from streamrec.partition.intake import Batch
from streamrec.partition.partition import Meeting, Partition, PartitionContext
from streamrec.settings import load
from streamrec.tools.chaos.faulty_partition import FragilePartition
from streamrec.worker.poison.poison_search import failing_article, find_poison
from streamrec.worker.recovery.recovery import recover, set_aside_offsets
from streamrec.worker.writing.writer import PartitionWriter

LATE, AT_ONCE = "poison2", "poison1"
CLICK = msgspec.json.encode({"user_id": "u3", "article_id": "a9", "action": "click", "at_ms": now_ms()})


def partition() -> FragilePartition:
    """Where everybody gets everything."""
    return FragilePartition(PartitionContext(0, policy(min_affinity=0, min_score=0, session_gap_s=0), AffinityScores()))


async def publish(writer: PartitionWriter, log: SlowLog, names: list[str]) -> None:
    """Fresh articles, in `catalog` and to the writer; until they are committed."""
    for offset, name in enumerate(names):
        fresh = article(name, published_at_ms=now_ms(), known_at_ms=now_ms(), expires_at_ms=now_ms() + 3_600_000)
        record = RawRecord(offset, now_ms(), name.encode(), msgspec.json.encode(fresh))
        log.broker.append("catalog", 0, record, "committed")
        await writer.offer(Batch("catalog", [record], offset + 1), offset)
    await until(lambda: writer.committed.get("catalog") == len(names))


def pushed(log: SlowLog) -> list[tuple[str, str]]:
    """User and article of each push."""
    values = [json.loads(record.value or b"") for record in log.broker.committed("push", 0)]
    return [(value["user_id"], value["article_id"]) for value in values]


def set_aside(log: SlowLog) -> list[int]:
    """Offsets of the articles that were."""
    letters = log.broker.committed("catalog.dlq", 0)
    assert all(first_headers(letter)["streamrec-reason"] == b"processing_error" for letter in letters)
    return [int(first_headers(letter)["streamrec-offset"]) for letter in letters]


@pytest.mark.slow
@pytest.mark.parametrize("bad", [LATE, AT_ONCE])
async def test_it_is_set_aside_once_and_all_owners_go_on(bad: str) -> None:
    """It came before anybody was there. Users get the other article, from this owner and from the next."""
    log, errors = SlowLog(), list[BaseException]()
    first = writer_on(log, partition(), load({}), errors)
    await first.start()
    await publish(first, log, ["a1", bad])
    await offer_clicks(first, ["u1", "u2"])
    await until(lambda: len(pushed(log)) == 2)
    await first.stop()

    second = writer_on(log, partition(), load({}), errors)
    await second.start()
    record = log.broker.append("events", 0, log.broker.committed("events", 0)[0]._replace(value=CLICK), "committed")
    await second.offer(Batch("events", [record.record], record.record.offset + 1), record.record.offset)
    await until(lambda: len(pushed(log)) == 3)
    await second.stop()

    assert errors == []
    assert set_aside(log) == [1]
    assert sorted(pushed(log)) == [("u1", "a1"), ("u2", "a1"), ("u3", "a1")]


async def check_owner_ends(log: SlowLog, allowed: int) -> None:
    """Where users meet an article on which processing fails: the limit is named, and nothing set aside."""
    errors = list[BaseException]()
    writer = writer_on(log, partition(), load({}, max_poison_per_hour=allowed), errors)
    await writer.start()
    await publish(writer, log, ["a1", LATE])
    await offer_clicks(writer, ["u1"])
    await until(lambda: bool(errors))
    assert "STREAMREC_MAX_POISON_PER_HOUR" in str(errors[0])
    assert set_aside(log) == []


async def test_where_everything_fails_the_owner_ends() -> None:
    """A release at fault is not the articles': with none allowed to be set aside, none is."""
    await check_owner_ends(SlowLog(), allowed=0)


async def test_a_limit_that_was_lowered_within_the_hour_holds() -> None:
    """More was set aside than is allowed now: nothing more is."""
    log = SlowLog()
    headers = DeadLetter("events", 0, 7, "processing_error", "", None, None).headers()
    for offset in range(3):
        log.broker.append("events.dlq", 0, RawRecord(offset, now_ms(), None, None, headers), "committed")
    await check_owner_ends(log, allowed=1)


class Broken(Partition):
    """Nobody can meet anything."""

    def _decision(self, predictor: Predictor, meeting: Meeting) -> tuple[Decision, list[PushRecord]]:
        raise ArithmeticError("a bug that the user reaches")


@pytest.mark.parametrize("number", range(9))
def test_the_one_of_many_is_found(number: int) -> None:
    """In halves; where none fails, or all do, none is named."""
    names = [LATE if at == number else f"a{at}" for at in range(9)]
    assert named(partition(), names) == LATE
    assert named(Partition(partition().context), names) is None
    assert named(Broken(partition().context), names) is None
    assert named(partition(), [LATE]) == LATE
    assert named(partition(), [LATE, "poison4"]) in (LATE, "poison4")


def named(state: Partition, names: list[str]) -> str | None:
    """After these articles came, and then somebody."""
    records = [
        RawRecord(offset, now_ms(), None, msgspec.json.encode(fresh))
        for offset, name in enumerate(names)
        for fresh in [article(name, published_at_ms=now_ms(), known_at_ms=now_ms(), expires_at_ms=now_ms() + 3_600_000)]
    ]
    click = RawRecord(0, now_ms(), None, msgspec.json.encode(msgspec.json.decode(CLICK) | {"at_ms": now_ms()}))
    for batch in (Batch("catalog", records, len(records)), Batch("events", [click], 1)):
        assert sum(len(step.pushes) for step in state.apply(batch, now_ms())) == 0
    return failing_article(state, now_ms())


async def test_a_strange_record_among_the_letters_stops_no_recovery() -> None:
    """Anybody can write to the topic, by hand and with any headers."""
    log = SlowLog()
    for said in ([], [("streamrec-offset", b"x")], [("streamrec-offset", None)], [("streamrec-offset", b"9" * 5000)]):
        headers: Any = [("streamrec-reason", b"processing_error"), *said]
        log.broker.append("catalog.dlq", 0, RawRecord(0, 0, None, None, headers), "committed")
    good = DeadLetter("catalog", 0, 7, "processing_error", "", None, None).headers()
    log.broker.append("catalog.dlq", 0, RawRecord(0, 0, None, None, good), "committed")
    async with log.reader() as reader:
        assert await set_aside_offsets(reader, "catalog", 0, [RawRecord(7, 0, None, None)]) == {7}


async def test_a_letter_of_an_earlier_topic_hides_no_article() -> None:
    """`catalog` was made anew: its offsets are given out again, while letters stay for two weeks."""
    log, state = SlowLog(), partition()
    old = DeadLetter("catalog", 0, 1, "processing_error", "", b"old", b"{}")
    log.broker.append("catalog.dlq", 0, RawRecord(0, now_ms(), b"old", b"{}", old.headers()), "committed")
    for offset in range(3):
        fresh = article(
            f"a{offset}", published_at_ms=now_ms(), known_at_ms=now_ms(), expires_at_ms=now_ms() + 3_600_000
        )
        record = RawRecord(offset, now_ms(), fresh.article_id.encode(), msgspec.json.encode(fresh))
        log.broker.append("catalog", 0, record, "committed")
    log.broker.append("changelog", 0, RawRecord(0, now_ms(), *Meta({"catalog": 3}, now_ms()).record()), "committed")
    assert (await recover(state, log, "changelog", 24)).articles == 3


async def test_who_is_due_comes_before_articles_that_came_since() -> None:
    """The writer lets what it takes in wait, and so does the search: or a push of it would take away who was due."""
    log = SlowLog()
    records = [
        RawRecord(offset, now_ms(), name.encode(), msgspec.json.encode(fresh))
        for offset, name in enumerate([LATE, "a1"])
        for fresh in [article(name, published_at_ms=now_ms(), known_at_ms=now_ms(), expires_at_ms=now_ms() + 3_600_000)]
    ]
    for record in records:
        log.broker.append("catalog", 0, record, "committed")
    click = RawRecord(0, now_ms(), None, msgspec.json.encode(msgspec.json.decode(CLICK) | {"at_ms": now_ms()}))

    async def restored() -> Partition:
        rules = policy(min_affinity=0, min_score=0, session_gap_s=0, min_interval_s=3600)
        state = FragilePartition(PartitionContext(0, rules, AffinityScores()))
        for batch in (Batch("catalog", records[:1], 1), Batch("events", [click], 1)):
            assert not any(step.pushes for step in state.apply(batch, now_ms()))
        return state

    found = await find_poison([Batch("catalog", records[1:], 2)], restored, log, at_most=1)
    assert found is not None
    assert [letter.offset for letter in found.letters] == [0]


def fresh(name: str, **changed: object) -> bytes:
    """An article like all others that may be pushed for an hour, known for a minute."""
    now = now_ms()
    made: dict[str, Any] = {"topic": "one", "published_at_ms": now - 60_000, "known_at_ms": now - 60_000}
    made["expires_at_ms"] = now + 3_600_000
    return msgspec.json.encode(article(name, **made | changed))


def apply(state: Partition, topic: Topic, *values: bytes) -> list[tuple[str, str]]:
    """Give it these records; users and articles of the pushes."""
    start = state.cursor.get(topic, 0)
    records = [RawRecord(start + n, now_ms(), b"u1", value) for n, value in enumerate(values)]
    steps = [*state.apply(Batch(topic, records, start + len(records)), now_ms())]
    return [(push.user_id, json.loads(push.value)["article_id"]) for step in steps for push in step.pushes]


async def test_who_had_read_it_before_it_was_set_aside_gets_no_later_version() -> None:
    """Its reader's row is full, and the article that is in no catalog leaves first: the floor stands for it."""
    log, names = SlowLog(), [*(f"a{number}" for number in range(SEEN)), LATE]
    click = msgspec.json.decode(CLICK) | {"user_id": "u1"}
    catalog = [fresh(name, known_at_ms=now_ms() - 3_600_000) for name in names[:-1]] + [fresh(LATE)]
    *reads, last = [msgspec.json.encode(click | {"article_id": name}) for name in reversed(names)]
    rules = policy(min_affinity=0, min_score=0, session_gap_s=0, min_interval_s=0)
    first = FragilePartition(PartitionContext(0, rules, AffinityScores()))
    apply(first, "catalog", *catalog)
    apply(first, "events", *reads)

    given: list[tuple[Topic, list[bytes]]] = [("catalog", catalog), ("events", reads)]
    for topic, values in given:
        for value in values:
            log.broker.append(topic, 0, RawRecord(0, now_ms(), b"u1", value), "committed")
    for row in first.encode(np.arange(1)):
        log.broker.append("changelog", 0, RawRecord(0, now_ms(), *row), "committed")
    letter = DeadLetter("catalog", 0, SEEN, "processing_error", "", b"u1", catalog[SEEN])
    log.broker.append("catalog.dlq", 0, RawRecord(0, now_ms(), b"u1", catalog[SEEN], letter.headers()), "committed")
    second = FragilePartition(first.context)
    await recover(second, log, "changelog", 24)

    apply(second, "events", last)
    corrected = fresh(LATE, version=2, known_at_ms=now_ms(), first_known_at_ms=now_ms() - 60_000)
    assert apply(second, "catalog", corrected) == []
    assert apply(second, "catalog", fresh("news", known_at_ms=now_ms() + 2_000)) == [("u1", "news")]
