"""JSON Schemas of the public records, generated from the types, and Markdown tables of their fields.

A record of `events`, `articles` or `control` is valid exactly if the decoder takes it as it is: with no field dropped,
cut or put right. The decoder takes more (contracts/field_parsing.py). What only a deployment knows is not in a schema:
zones, schemes of links, and whether a time is ahead of its append; nor is which of two times is the earlier one.

`streamrec schema TOPIC --markdown` prints a table; contracts/README.md holds it, and a test that it is the same.
"""

from typing import Any

import msgspec

from .article import WITHDRAWING, WORDS, ArticleEvent
from .audience import SAYS_WHO
from .control import KINDS as COMMANDS
from .control import MOST, ON_ARTICLE, ON_READER, Command
from .event import ACTIONS, NEEDS_NO_ARTICLE, UserEvent
from .limits import LATEST_MS
from .preferences import Preferences
from .push import Push
from .text import VISIBLE

RECORDS: dict[str, type[msgspec.Struct]] = {
    "articles": ArticleEvent, "control": Command, "events": UserEvent, "preferences": Preferences,
    "push": Push,
}  # fmt: skip
HEAD = "| field | type | default | meaning |\n|---|---|---|---|\n"


def schema(topic: str) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the records of a topic."""
    record = RECORDS[topic]
    generated = msgspec.json.schema(record)
    body = generated["$defs"][record.__name__]
    if topic == "events":
        _nullable(body)
        _event(body)
    elif topic == "articles":
        _nullable(body)
        _article(body)
        _audience(generated["$defs"]["Audience"])
    elif topic == "control":
        _nullable(body)
        _command(body)
    elif topic == "preferences":
        _nullable(body)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"streamrec {topic}",
        **generated,
    }


def _event(body: dict[str, Any]) -> None:
    on_articles = [action for action in ACTIONS if action not in NEEDS_NO_ARTICLE]
    body["if"] = {"properties": {"action": {"enum": on_articles}}}
    body["then"] = {"properties": {"article_id": {"type": "string", "pattern": VISIBLE}}, "required": ["article_id"]}


def _article(body: dict[str, Any]) -> None:
    """Make the schema of an article say that a withdrawal needs its id only, and all else a title and a time."""
    properties = body["properties"]
    properties["status"]["anyOf"][0]["enum"] = list(WORDS)
    properties["title"]["type"] = ["string", "null"]
    body["required"] = ["article_id"]
    body["if"] = {"properties": {"status": {"enum": list(WITHDRAWING)}}, "required": ["status"]}
    body["else"] = {
        "properties": {"title": {"type": "string", "pattern": VISIBLE}},
        "required": ["title", "published_at_ms"],
    }


def _command(body: dict[str, Any]) -> None:
    """Make the schema of a command say what each action needs."""
    text = {"type": "string", "pattern": VISIBLE}
    needs: dict[str, dict[str, Any]] = {action: {"article_id": text} for action in sorted(ON_ARTICLE)}
    needs |= {action: {"reader": text} for action in sorted(ON_READER)}
    settings = list(MOST)
    needs |= {action: {"setting": {"enum": settings}} for action in ("pin", "unpin")}
    needs["pin"] |= {"value": {"type": "number"}, "until_ms": {"type": "integer", "minimum": 1}}
    needs["approve"] |= {"digest": {"type": "integer"}}
    assert needs.keys() <= COMMANDS.keys()
    for field in ("who", "why"):
        body["properties"][field]["pattern"] = VISIBLE
    body["allOf"] = [
        {
            "if": {"properties": {"action": {"const": action}}},
            "then": {"properties": fields, "required": list(fields)},
        }
        for action, fields in needs.items()
    ]


def _audience(body: dict[str, Any]) -> None:
    """Make the schema of an audience say that it has to say who is meant."""
    who = [name for name in body["properties"] if name in SAYS_WHO]
    body["anyOf"] = [
        {
            "properties": {name: {"const": True} if name == "everybody" else {"not": {"type": "null"}}},
            "required": [name],
        }
        for name in who
    ]
    _nullable(body)


def _drop_null(found: dict[str, Any]) -> None:
    others = [other for other in found.get("anyOf", ()) if other != {"type": "null"}]
    if len(others) == 1:
        del found["anyOf"]
        found |= others[0]


def _nullable(body: dict[str, Any]) -> None:
    """Let every optional field of a schema be null, too, which says as little as leaving it out."""
    for name, found in body["properties"].items():
        _drop_null(found)  # a type that allows null says so
        if name not in body["required"]:
            kept = {word: found.pop(word) for word in ("description", "default") if word in found}
            body["properties"][name] = {"anyOf": [found, {"type": "null"}], **kept}


def log_schema() -> dict[str, Any]:
    """JSON Schema of a folder of records: what `train`, `replay` and `compress` read as `files`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "streamrec log",
        "description": (
            "A folder with two files: articles and events, each .jsonl (one record a line), .csv (a first line that"
            " names the columns, between commas, semicolons or tabs; numbers and lists as in JSON; empty = absent) or"
            " .parquet (a time may be a timestamp);"
            " .jsonl and .csv may be packed (.gz, .zst). Columns are the fields of the records below. Events of the"
            " action impression that no click follows within 30 minutes are negatives; without any, negatives are"
            " sampled from what others read. `streamrec simulate --out DIR` writes an example."
        ),
        "type": "object",
        "properties": {topic: {"type": "array", "items": schema(topic)} for topic in ("articles", "events")},
        "required": ["articles", "events"],
    }


def table(topic: str) -> str:
    """The fields of one public record as a Markdown table; parts of a part are named with a dot."""
    record = RECORDS[topic]
    definitions = schema(topic)["$defs"]
    required = {field.name for field in msgspec.structs.fields(record) if field.required}
    return HEAD + "".join(_rows(definitions, record.__name__, required))


def _rows(definitions: dict[str, Any], record: str, required: set[str], prefix: str = "") -> list[str]:
    rows: list[str] = []
    for name, found in definitions[record]["properties"].items():
        if part := _part(found):
            rows += _rows(definitions, part, set(definitions[part]["required"]), f"{prefix}{name}.")
        else:
            default = "required" if name in required else _default(found.get("default"))
            rows.append(f"| `{prefix}{name}` | {_type(found)} | {default} | {found['description']} |\n")
    return rows


def _part(found: dict[str, Any]) -> str:
    """The record a field holds, by its name; "" for any other field."""
    references = [other["$ref"] for other in (found, *found.get("anyOf", ())) if "$ref" in other]
    return references[0].rpartition("/")[2] if references else ""


def _default(value: Any) -> str:
    return "none" if value in (None, "", ()) else "`false`" if value is False else f"`{value}`"


def _type(found: dict[str, Any]) -> str:
    """A JSON Schema's type in words, with its bounds."""
    while {"type": "null"} in found.get("anyOf", ()):
        found = next(other for other in found["anyOf"] if other != {"type": "null"})
    if "enum" in found:
        return "one of " + ", ".join(f"`{word}`" for word in found["enum"] if word)
    kind = found["type"][0] if isinstance(found["type"], list) else found["type"]
    if kind == "string":
        return f"text, at most {found['maxLength']:,} characters" if "maxLength" in found else "text"
    if kind in ("array", "object"):
        return _several(found)
    if found.get("maximum") == LATEST_MS:
        return "time in ms"
    if "maximum" in found:
        return f"{kind}, {found['minimum']:,} to {found['maximum']:,}"
    return str(kind)


def _several(found: dict[str, Any]) -> str:
    if found["type"] == "object":
        return f"at most {found['maxProperties']} names, each with a word" if "maxProperties" in found else "object"
    texts = found["items"]["type"] == "string"
    return f"list of at most {found['maxItems']:,} texts" if texts else f"{found['maxItems']} numbers"
