"""Commands: a no counts whatever is wrong beside it, all else needs who, why, when and what it is about."""

import json
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import HOUR, T0

from streamrec.contracts.control import CONTROL_ACTIONS, ON_ARTICLE, ON_READER, SAYS_NO, Command
from streamrec.contracts.decode import Item, Origin, Typed, decode_control
from streamrec.contracts.records import DeadLetter, RawRecord
from streamrec.contracts.schema import schema

WHO = {"who": "ann", "why": "the name is wrong", "at_ms": T0 - 5}
PIN = {"setting": "min_score", "value": 0.5, "until_ms": T0 + HOUR}
GOOD: dict[str, dict[str, Any]] = {
    action: {"action": action, **WHO}
    | ({"article_id": "a1"} if action in ON_ARTICLE else {})
    | ({"reader": "0f3a"} if action in ON_READER else {})
    | ({"digest": 0xF00D} if action == "approve" else {})
    | (PIN if action == "pin" else {"setting": "min_score"} if action == "unpin" else {})
    for action in CONTROL_ACTIONS
}
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=200),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def read(said: dict[str, Any], key: bytes | None = b"a1") -> Item[Command]:
    """What a record becomes."""
    (item,) = decode_control([RawRecord(0, T0, key, json.dumps(said).encode())], Origin("control", 0))
    return item


def command(said: dict[str, Any], key: bytes | None = b"a1") -> Command:
    """The command in a record that counts."""
    item = read(said, key)
    assert isinstance(item, Typed), item
    value: Command = item.value
    return value


@pytest.mark.parametrize("action", CONTROL_ACTIONS)
def test_good_commands_pass_both(action: str) -> None:
    """The schema and the decoder, with nothing noted."""
    jsonschema.validate(GOOD[action], schema("control"))
    item = read(GOOD[action])
    assert isinstance(item, Typed)
    assert (item.value, item.notes) == (msgspec.convert(GOOD[action], Command), ())


@pytest.mark.parametrize("action", sorted(set(CONTROL_ACTIONS) - SAYS_NO))
def test_each_needed_field_is_needed(action: str) -> None:
    """By both; without it the command is a dead letter that names the field."""
    for field in GOOD[action]:
        for missing in ({}, {field: None}, {field: ["no", "value"]}):
            said = {name: value for name, value in GOOD[action].items() if name != field} | missing
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate(said, schema("control"))
            item = read(said, None)
            assert isinstance(item, DeadLetter)
            assert item.detail.partition(":")[0] == field


@given(
    st.sampled_from(sorted(SAYS_NO)),
    st.dictionaries(st.sampled_from(["who", "why", "at_ms", "command_id", "category", "until_ms", "value"]), anything),
    st.sets(st.sampled_from(["who", "why", "at_ms"])),
)
def test_a_no_counts_whatever_else_is_wrong(action: str, wrong: dict[str, Any], missing: set[str]) -> None:
    """At a time that is not after it was appended, and by somebody, if unknown."""
    said = {name: value for name, value in (GOOD[action] | wrong).items() if name not in missing}
    done = command(said)
    assert (done.action, done.article_id) == (action, "a1" if action in ON_ARTICLE else "")
    assert done.at_ms <= T0
    assert min(len(done.who), len(done.why)) > 0
    assert done.until_ms == 0 or done.until_ms > done.at_ms


@pytest.mark.parametrize("word", ["Stop", " STOP ", "pause", "halt"])
def test_a_stop_has_other_names(word: str) -> None:
    """What others call it is as certain."""
    assert command(GOOD["stop"] | {"action": word}).action == "stop"


@pytest.mark.parametrize("category", [7, ["sports"], "x" * 65])
def test_a_stop_of_an_unreadable_category_stops_everything(category: Any) -> None:
    """Never less than was asked for; a resumption of such a one lifts nothing."""
    assert command(GOOD["stop"] | {"category": category}).category == ""
    assert isinstance(read(GOOD["resume"] | {"category": category}), DeadLetter)


def test_a_category_is_spelt_as_in_the_catalog() -> None:
    """In lower case."""
    assert command(GOOD["stop"] | {"category": " Sports"}).category == "sports"


def test_the_key_names_the_article_where_the_value_does_not() -> None:
    """Of a hold; without either there is nothing to hold."""
    said = {"action": "hold", **WHO}
    assert command(said, b"a7").article_id == "a7"
    assert isinstance(read(said, None), DeadLetter)
    assert isinstance(read(GOOD["release"] | {"article_id": None}, b"a7"), DeadLetter)


@pytest.mark.parametrize("action", ["stop", "resume", "correct"])
def test_no_command_lies_ahead_of_its_append(action: str) -> None:
    """A clock that is ahead must not make a yes outlive the no that follows."""
    assert command(GOOD[action] | {"at_ms": T0 + HOUR}).at_ms == T0


def test_an_end_before_the_beginning_is_none() -> None:
    """A stop lasts then; a pin is set aside."""
    assert command(GOOD["stop"] | {"until_ms": T0 - HOUR}).until_ms == 0
    assert command(GOOD["stop"] | {"until_ms": (T0 + HOUR) // 1000}).until_ms == T0 + HOUR
    assert isinstance(read(GOOD["pin"] | {"until_ms": T0 - HOUR}), DeadLetter)


@pytest.mark.parametrize(("setting", "value"), [("min_score", 1.5), ("daily_cap", 9), ("min_score", -1), ("", 1)])
def test_a_pin_is_within_bounds(setting: str, value: float) -> None:
    """Of its setting."""
    assert isinstance(read(GOOD["pin"] | {"setting": setting, "value": value}), DeadLetter)


@given(st.dictionaries(st.sampled_from([*GOOD["pin"], "action", "article_id", "category", "x"]), anything))
def test_nothing_raises(said: dict[str, Any]) -> None:
    """Whatever stands in a record."""
    assert isinstance(read(said), Typed | DeadLetter)


@pytest.mark.parametrize("value", [b"", None, b"{", b"[]", b"\xff", b"7"])
def test_what_is_no_command_is_set_aside(value: bytes | None) -> None:
    """Tombstones mean nothing here."""
    (item,) = decode_control([RawRecord(0, T0, b"a1", value)], Origin("control", 0))
    assert isinstance(item, DeadLetter)
