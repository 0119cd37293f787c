"""JSON Schemas agree with the decoders."""

from typing import Any

import jsonschema
import msgspec
import pytest
from making import T0

from streamrec.contracts.decode import Origin, decode_articles, decode_events
from streamrec.contracts.records import DeadLetter, RawRecord
from streamrec.contracts.schema import RECORDS, schema

GOOD: dict[str, dict[str, Any]] = {
    "articles": {"article_id": "a", "title": "t", "published_at_ms": T0, "future_field": 1},
    "events": {"user_id": "u", "action": "click", "at_ms": T0, "article_id": "a", "future_field": [1]},
}
BAD = [
    ("articles", {"title": ""}),
    ("articles", {"published_at_ms": 5}),
    ("events", {"user_id": ""}),
    ("events", {"user_id": "u" * 10_000}),
    ("events", {"action": "teleport"}),
    ("events", {"at_ms": "now"}),
]


@pytest.mark.parametrize("topic", GOOD)
def test_good_records_pass_both(topic: str) -> None:
    """A valid record, unknown fields included, passes the schema and the decoder."""
    jsonschema.validate(GOOD[topic], schema(topic))
    msgspec.json.decode(msgspec.json.encode(GOOD[topic]), type=RECORDS[topic])


@pytest.mark.parametrize(("topic", "changed"), BAD)
def test_bad_records_fail_both(topic: str, changed: dict[str, Any]) -> None:
    """What the decoder refuses, a producer can refuse with the schema."""
    record = GOOD[topic] | changed
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(record, schema(topic))
    decode = decode_articles if topic == "articles" else decode_events
    (item,) = decode([RawRecord(0, T0, b"k", msgspec.json.encode(record))], Origin(topic, 0))
    assert isinstance(item, DeadLetter)


@pytest.mark.parametrize("topic", RECORDS)
def test_schema_is_valid(topic: str) -> None:
    """The schema itself is one."""
    jsonschema.Draft202012Validator.check_schema(schema(topic))
