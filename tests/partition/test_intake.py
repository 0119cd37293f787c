"""Events of somebody else's users: sent on, or set aside if that cannot be."""

import msgspec
from making import T0, click

from streamrec.contracts.decode import Origin
from streamrec.contracts.event import UserEvent
from streamrec.contracts.limits import MAX_RECORD_BYTES
from streamrec.contracts.partitioner import partition_of
from streamrec.contracts.records import REROUTED_HEADER, DeadLetter, RawRecord, Stray
from streamrec.partition.intake import Batch, intake

OTHER = next(f"u{i}" for i in range(50) if partition_of(f"u{i}", 4) != 0)
VALUE = msgspec.json.encode(click(OTHER))


def sent_on(value: bytes, *headers: tuple[str, bytes]) -> Stray | DeadLetter:
    """What becomes of it in partition 0, where its user does not live."""
    (item,) = intake(Batch("events", [RawRecord(0, T0, b"", value, headers)], 1), Origin("events", 0), 4, None)
    assert isinstance(item, Stray | DeadLetter)
    return item


def test_a_stray_with_headers_that_are_too_long_is_set_aside() -> None:
    """It would not fit into `rerouted`, and one that cannot be sent stops its partition; up to that it goes."""
    largest = VALUE + b" " * (MAX_RECORD_BYTES - len(VALUE))
    assert isinstance(sent_on(largest, ("trace", bytes(600_000))), Stray)
    letter = sent_on(largest, ("trace", bytes(650_000)))
    assert isinstance(letter, DeadLetter)
    assert (letter.reason, letter.value) == ("too_large", largest)


def test_an_opt_out_is_sent_on_whatever_its_size() -> None:
    """What is too long stays behind, and the no goes."""
    no = UserEvent(OTHER, "unsubscribe", T0)
    padded = msgspec.json.encode(no) + b" " * MAX_RECORD_BYTES
    stray = sent_on(padded, ("trace", bytes(650_000)))
    assert isinstance(stray, Stray)
    assert stray.headers == ((REROUTED_HEADER, b"events/0/0"),)
    assert msgspec.json.decode(stray.value or b"", type=UserEvent) == no


def test_a_decomposed_name_finds_its_partition() -> None:
    """Producers hash the bytes they send; a user lives where the one spelling of the name says."""
    name = next(f"u\u00e9{i}" for i in range(50) if partition_of(f"u\u00e9{i}", 4) != 0)
    stray = sent_on(msgspec.json.encode(click(name.replace("\u00e9", "e\u0301"))))
    assert isinstance(stray, Stray)
    assert (stray.user_id, stray.partition) == (name, partition_of(name, 4))


def test_a_producers_header_does_not_say_that_it_was_sent_on() -> None:
    """Only the topic it comes from says that: a good event with such a header is no dead letter."""
    forged = (REROUTED_HEADER, b"events/3/7")
    stray = sent_on(VALUE, forged)
    assert isinstance(stray, Stray)
    assert stray.headers == (forged, (REROUTED_HEADER, b"events/0/0"))
