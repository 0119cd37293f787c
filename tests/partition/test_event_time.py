"""By event time: the order of fetches does not matter."""

import random

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from making import HOUR, T0, applied, article, click, columns, partition, pushes

from streamrec.contracts.decode import Origin, decode_catalog
from streamrec.contracts.records import RawRecord, Topic, watermark_headers
from streamrec.partition.changelog_meta import rows_and_meta
from streamrec.partition.intake import Batch
from streamrec.partition.partition import Partition

LOG_EVENTS = [click(f"u{i % 5}", f"a{i % 3}", at_ms=T0 + 997 * i) for i in range(120)]
LOG_ARTICLES = [
    article(f"a{i}", topic=f"topic{i % 3}", published_at_ms=T0 + 11_000 * i, known_at_ms=T0 + 11_000 * i)
    for i in range(8)
]


def mark(offset: int, until_ms: int) -> RawRecord:
    """A watermark."""
    return RawRecord(offset, 0, None, None, watermark_headers(until_ms))


def by_event_time(choose: random.Random) -> tuple[dict[str, bytes], list[tuple[str, str, int]]]:
    """Feed the log in random pieces, topics interleaved at random, watermarks where they please."""
    state = partition(tick_ms=10_000)
    topics: dict[Topic, list[tuple[int, bytes]]] = {
        "events": [(event.at_ms, msgspec.json.encode(event)) for event in LOG_EVENTS],
        "catalog": [(entry.known_at_ms, msgspec.json.encode(entry)) for entry in LOG_ARTICLES],
    }
    offsets: dict[Topic, int] = {"events": 0, "catalog": 0}
    sent: list[tuple[str, str, int]] = []
    while any(topics.values()) or offsets:
        topic = choose.choice(list(offsets))
        left = topics[topic]
        part, topics[topic] = left[: (n := choose.randint(0, 30))], left[n:]
        mark_ms = max((at_ms for at_ms, _ in part), default=0) if topics[topic] else T0 + HOUR
        records = [RawRecord(offsets[topic] + i, 0, None, value) for i, (_, value) in enumerate(part)]
        offsets[topic] += len(records) + 1
        records.append(mark(offsets[topic] - 1, mark_ms))
        changes = applied(state, Batch(topic, records, offsets[topic]), now_ms=0)
        sent += [(push.user_id, push.article_id, push.created_at_ms) for push in pushes(changes)]
        if not topics[topic]:
            del offsets[topic]
    assert state.cursor["events"] > len(LOG_EVENTS)
    return columns(state), sent


@settings(max_examples=25)
@given(st.integers(0, 2**32))
def test_replay_does_not_depend_on_how_it_was_fetched(seed: int) -> None:
    """By event time, any interleaving and batching gives the same columns and the same pushes in the same order."""
    assert by_event_time(random.Random(seed)) == by_event_time(random.Random(0))


def test_a_restart_in_a_replay_skips_no_look() -> None:
    """The next owner goes on at the time of the last look: users who come due before the next record are on time."""
    state = partition(tick_ms=10_000, session_gap_s=900, min_affinity=0, min_score=0)
    record = RawRecord(0, T0, None, msgspec.json.encode(click("ann", "read")))
    applied(state, Batch("events", [record, mark(1, T0 + 60_000)], 2))
    new = RawRecord(0, T0, None, msgspec.json.encode(article("new", known_at_ms=T0 + 30_000)))
    assert not pushes(applied(state, Batch("catalog", [new, mark(1, T0 + 60_000)], 2)))
    rows, meta = rows_and_meta(state.encode(np.arange(1)), partitions=24)
    successor = Partition(state.context)
    successor.restore(rows.items(), meta, decode_catalog([new], Origin("catalog", 0)))
    for owner in (state, successor):
        applied(owner, Batch("events", [mark(2, T0 + HOUR)], 3))
        (push,) = pushes(applied(owner, Batch("catalog", [mark(2, T0 + HOUR)], 3)))
        assert (push.article_id, push.created_at_ms) == ("new", T0 + 900_000)


def test_what_waits_for_the_other_topic_is_counted() -> None:
    """Until its watermark comes; in wall time nothing waits."""
    for tick_ms, held in ((10_000, 2), (0, 0)):
        state = partition(tick_ms=tick_ms)
        clicks = [RawRecord(at, T0, None, msgspec.json.encode(click(f"u{at}", at_ms=T0 + at))) for at in range(2)]
        applied(state, Batch("events", clicks, 2))
        assert (state.held("events"), state.held("catalog")) == (held, 0)
        assert len(state.profiles) == 2 - held
        for topic in ("events", "catalog"):
            applied(state, Batch(topic, [mark(2, T0 + HOUR)], 3))
        assert state.held("events") == 0
        assert len(state.profiles) == 2


def test_replay_pushes_at_all() -> None:
    """The comparison above compares something."""
    assert len(by_event_time(random.Random(1))[1]) > 5
