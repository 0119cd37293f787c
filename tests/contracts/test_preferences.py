"""Patches of preferences: what can be read counts, a no always, and what nobody can read is set aside."""

from typing import Any

import jsonschema
import orjson
import pytest
from making import T0

from streamrec.contracts.decode import Origin, Typed, decode_preferences
from streamrec.contracts.limits import MAX_RECORD_BYTES
from streamrec.contracts.preferences import Patch
from streamrec.contracts.records import DeadLetter, RawRecord
from streamrec.contracts.schema import schema

WHOLE: dict[str, Any] = {
    "user_id": "u", "at_ms": T0, "consent": True, "level": "breaking", "daily_cap": 2, "quiet_hours": "22:00-07:00",
    "zone": "Europe/Copenhagen", "languages": ["da", "en"], "profiling": True, "categories": {"politics": "mute"},
    "sources": {"desk 1": "follow"}, "stories": {"s17": "mute", "s18": None}, "tags": {"iran": "follow"},
}  # fmt: skip


def item_of(value: bytes | None, key: bytes | None = b"u", appended_ms: int = T0) -> Any:
    """What becomes of one record; Mars has no zone."""
    origin = Origin("preferences", 0)
    (item,) = decode_preferences([RawRecord(0, appended_ms, key, value)], origin, lambda zone: "Mars" not in zone)
    return item


def patch_of(**said: Any) -> Patch:
    """The patch of a record that can be read."""
    item = item_of(orjson.dumps(said))
    assert isinstance(item, Typed), item
    patch: Patch = item.value
    return patch


def test_a_whole_patch_is_taken_as_it_is_and_its_schema_takes_it() -> None:
    """Each name of a kind is a statement of its own."""
    jsonschema.validate(WHOLE, schema("preferences"))
    item = item_of(orjson.dumps(WHOLE))
    assert not item.notes
    plain = {name: WHOLE[name] for name in ("consent", "level", "daily_cap", "quiet_hours", "zone", "languages")}
    named = {"categories/politics": "mute", "sources/desk 1": "follow", "stories/s17": "mute", "stories/s18": None}
    assert item.value == Patch("u", T0, {**plain, "profiling": True, **named, "tags/iran": "follow"})


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ({"consent": "no"}, {"consent": False}),
        ({"profiling": 0}, {"profiling": False}),
        ({"daily_cap": 99}, {"daily_cap": 8}),
        ({"level": " None "}, {"level": "none"}),
        ({"languages": "da-DK"}, {"languages": ["da"]}),
        ({"languages": []}, {"languages": None}),
        ({"stories": {"a": "muted", "b": 7}}, {"stories/a": "mute"}),
        ({"sources": {" The Desk ": "follow"}}, {"sources/the desk": "follow"}),
        ({"daily_cap": None, "zone": None}, {"daily_cap": None, "zone": None}),
        ({"zone": "Mars/Olympus", "daily_cap": 1}, {"daily_cap": 1}),
        ({"daily_cap": "many", "consent": False}, {"consent": False}),
        ({}, {}),
    ],
)
def test_each_field_counts_by_itself(said: dict[str, Any], means: dict[str, Any]) -> None:
    """What is meant is taken, what cannot be read costs itself, and null takes back."""
    assert patch_of(**said).said == means


def test_nobody_says_anything_later_than_it_was_appended() -> None:
    """A clock that is ahead must not outlive what is said next; without a time it was said when it came."""
    assert patch_of(at_ms=T0 + 1, daily_cap=1).at_ms == patch_of(daily_cap=1).at_ms == T0
    assert patch_of(at_ms=T0 - 5, daily_cap=1).at_ms == T0 - 5


def test_the_key_says_who() -> None:
    """Also of a tombstone; one without a key that can be read is set aside, as it would be of nobody."""
    assert item_of(b'{"daily_cap":1}', b'"ann"').value.user_id == "ann"
    assert item_of(None, b"ann").value == Patch("ann", T0, {}, resets=True)
    assert item_of(None, b"\xff").reason == "invalid"


@pytest.mark.parametrize("no", [{"consent": False}, {"profiling": False}, {"level": "none"}])
def test_a_no_counts_whatever_its_size(no: dict[str, Any]) -> None:
    """What else such a record says does not."""
    padded = orjson.dumps(no | {"daily_cap": 3, "padding": "x" * MAX_RECORD_BYTES})
    assert item_of(padded).value.said == no
    assert item_of(padded).value.says_no


@pytest.mark.parametrize(
    ("value", "reason"),
    [(b"{", "undecodable"), (b"[1,2]", "invalid"), (b'{"daily_cap":"x"}', "invalid"), (b" " * 300_000, "undecodable"),
     (b'{"daily_cap":3,"padding":"' + b"x" * MAX_RECORD_BYTES + b'"}', "too_large")],
)  # fmt: skip
def test_what_nobody_can_read_is_a_dead_letter(value: bytes, reason: str) -> None:
    """Never silence, and its bytes are kept."""
    item = item_of(value)
    assert isinstance(item, DeadLetter)
    assert (item.reason, item.value) == (reason, value)
