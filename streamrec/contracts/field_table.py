"""The fields of a public record as a Markdown table, made of its JSON Schema.

    table("events") -> "| field | type | default | meaning |..."        one row a field, in the order of the record

`streamrec schema TOPIC --markdown` prints it; contracts/README.md holds it, and a test that it is the same.
"""

from typing import Any

import msgspec

from .limits import LATEST_MS
from .schema import RECORDS, schema

HEAD = "| field | type | default | meaning |\n|---|---|---|---|\n"


def table(topic: str) -> str:
    """The fields of one public record as a Markdown table; parts of a part are named with a dot."""
    record = RECORDS[topic]
    definitions = schema(topic)["$defs"]
    required = {field.name for field in msgspec.structs.fields(record) if field.required}
    return HEAD + "".join(_rows(definitions, record.__name__, required))


def _rows(definitions: dict[str, Any], record: str, required: set[str], prefix: str = "") -> list[str]:
    rows: list[str] = []
    for name, found in definitions[record]["properties"].items():
        if "$ref" in found:
            part = found["$ref"].rpartition("/")[2]
            rows += _rows(definitions, part, set(definitions[part]["required"]), f"{name}.")
        else:
            default = "required" if name in required else _default(found.get("default"))
            rows.append(f"| `{prefix}{name}` | {_type(found)} | {default} | {found['description']} |\n")
    return rows


def _default(value: Any) -> str:
    return "none" if value in {None, ""} else f"`{value}`"


def _type(found: dict[str, Any]) -> str:
    """A JSON Schema's type in words, with its bounds."""
    while {"type": "null"} in found.get("anyOf", ()):
        found = next(other for other in found["anyOf"] if other != {"type": "null"})
    if "enum" in found:
        return "one of " + ", ".join(f"`{word}`" for word in found["enum"])
    kind = found["type"][0] if isinstance(found["type"], list) else found["type"]
    if kind == "string":
        return f"text, at most {found['maxLength']:,} characters" if "maxLength" in found else "text"
    if kind == "array":
        return f"{found['maxItems']} numbers"
    if found.get("maximum") == LATEST_MS:
        return "time in ms"
    if "maximum" in found:
        return f"{kind}, {found['minimum']:,} to {found['maximum']:,}"
    return str(kind)
