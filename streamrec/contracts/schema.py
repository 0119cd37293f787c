"""JSON Schemas of the public records, generated from the types."""

from typing import Any

import msgspec

from .article import ArticleEvent
from .event import UserEvent
from .push import Push

RECORDS: dict[str, type[msgspec.Struct]] = {"articles": ArticleEvent, "events": UserEvent, "push": Push}


def schema(topic: str) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the records of a topic."""
    record = RECORDS[topic]
    generated = msgspec.json.schema(record)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"streamrec {topic}",
        **generated,
    }
