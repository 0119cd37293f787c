"""Whatever a record is like, it can be set aside; without a broker."""

from aiokafka.producer.message_accumulator import BatchBuilder
from hypothesis import example, given
from hypothesis import strategies as st

from streamrec.contracts.limits import BATCH_BYTES, MAX_RECORD_BYTES
from streamrec.contracts.records import DeadLetter, RawRecord
from streamrec.kafka.transactions import LETTER_BYTES, set_aside
from streamrec.operations.dlq.letters import Letter, parse

LENGTHS = st.sampled_from([0, 10, MAX_RECORD_BYTES, LETTER_BYTES + 1, 890_000, 3_000_000]) | st.integers(0, 1_200_000)
NAMES = st.sampled_from(
    [
        "trace",
        "streamrec-reason",
        "streamrec-offset",
        *(f"streamrec-{part}-bytes" for part in ("key", "value", "headers")),
    ]
)
TRAILS = st.lists(st.tuples(NAMES, LENGTHS.map(bytes) | st.sampled_from([b"9", b"99999999"])), max_size=5)
TINY = [("h", b"")] * 400_000  # two megabytes, compressed to nothing


@given(st.none() | LENGTHS, st.none() | LENGTHS, TRAILS)
@example(10, 100, TINY)
@example(None, None, [("h", bytes(2_000_000))])
@example(LETTER_BYTES + 1, 20_000_000, TINY)
def test_what_goes_out_fits_and_is_whole_or_says_what_was_cut(
    key: int | None, value: int | None, trail: list[tuple[str, bytes]]
) -> None:
    """The batch is within our limit, which is below the broker's; a part is as it came, or its length is said."""
    dead = DeadLetter("t" * 249, 0, 7, "too_large", "field", bytes_of(key), bytes_of(value), trail)
    sent = set_aside(dead)
    batch = BatchBuilder(BATCH_BYTES, 0, is_transactional=1)
    batch.append(timestamp=None, key=sent.key, value=sent.value, headers=list(sent.headers))
    assert batch.size() <= BATCH_BYTES
    letter = parse("t", 0, RawRecord(0, 0, sent.key, sent.value, sent.headers))
    assert isinstance(letter, Letter)
    assert (letter.reason, letter.origin.offset) == ("too_large", 7)
    parts = {"key": (letter.key, dead.key), "value": (letter.value, dead.value), "headers": (letter.own, tuple(trail))}
    for part, (kept, whole) in parts.items():
        assert (f"{part} of " in letter.cut) == (kept != whole)
    assert (letter.key is None, letter.value is None) == (key is None, value is None)
    assert set(letter.own) <= set(trail)


def test_long_headers_cost_the_record_nothing_else() -> None:
    """A key and a value within the contract stay whole, and so do the short headers before and behind a long one."""
    trail = [("trace", b"1"), ("long", bytes(2_000_000)), ("streamrec-redriven-from", b"events.dlq/0/1 invalid")]
    dead = DeadLetter("events", 0, 7, "processing_error", "", b"u1", bytes(MAX_RECORD_BYTES), trail)
    key, value, headers, _ = set_aside(dead)
    assert (key, value) == (dead.key, dead.value)
    assert [header for header in trail if header in headers] == [trail[0], trail[2]]
    assert int(dict(headers)["streamrec-headers-bytes"]) > 2_000_000


def bytes_of(length: int | None) -> bytes | None:
    """Null where there is no length."""
    return None if length is None else bytes(length)
