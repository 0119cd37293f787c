"""What serializers put around a key or a value, taken off where the form is certain.

    a17  "a17"  {"article_id": "a17"}  {"schema": ..., "payload": "a17"}  Struct{article_id=a17}
    and each of them behind a byte order mark, which may be that of UTF-16 or UTF-32, or behind the five bytes of
    Confluent's schema registry; values also as [{...}] and {"specversion": "1.0", ..., "data": {...}} or "data_base64"

The registry's frame is a zero byte and a schema number of four; JSON never begins with a zero byte, so it is certain.
Kafka Connect's JsonConverter wraps keys and values into exactly `schema` and `payload` unless told otherwise, and its
StringConverter writes a struct as `Struct{name=value}`. CloudEvents in structured mode carry a value in `data`, beside
attributes in whose names no underscore may stand, so neither of our ids is one. Binary forms (Avro, Protobuf, numbers)
are not understood.
"""

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import msgspec

from .limits import MAX_ID_CHARS
from .text import clean_id

INTEGER_DIGITS = 1000
_OPENING = ("{", "[", '"')
_BOM = b"\xef\xbb\xbf"
_WIDE = (
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_OURS = {"user_id", "article_id"}
ENVELOPES = 4  # one in the other
DEEPEST = 100  # what lies deeper is no statement of a record
_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)  # and the strings between them
_STRUCT = re.compile(r"Struct\{article_id=([^,{}]*)\}")
_any = msgspec.json.Decoder().decode

# all that decoding JSON raises: beyond a thousand levels it is Python's own limit
UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class UnreadableError(ValueError):
    """Raised for bytes that are no JSON, and for a key whose form is not known."""


def unframed(raw: bytes) -> bytes:
    """The bytes without a byte order mark and the registry's five bytes, in UTF-8."""
    is_wide = raw.startswith(b"\0\0\xfe\xff\0\0")  # no JSON after five bytes begins with a zero
    raw = raw[5:] if raw[:1] == b"\0" and len(raw) > 5 and not is_wide else raw
    for mark, name in _WIDE:
        if raw.startswith(mark):
            return _as_utf8(raw, raw[len(mark) :], name)
    return raw.removeprefix(_BOM)


def _as_utf8(raw: bytes, text: bytes, encoding: str) -> bytes:
    """Halves of characters stay what they are, bytes that are not UTF-8: what else is said can be read."""
    try:
        return text.decode(encoding, "surrogatepass").encode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return raw


def said_in(raw: bytes) -> Any:
    """The JSON value in these bytes, out of the envelopes a value may come in."""
    value = json_in(raw)
    for _ in range(ENVELOPES):
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        elif isinstance(value, dict) and "specversion" in value and not _OURS & value.keys():
            value = _data_of(value)
        else:
            value = _unwrapped(value)
    return value


def _data_of(cloud_event: dict[str, Any]) -> Any:
    """Either `data` or, of bytes, `data_base64`; an event of neither is no envelope."""
    if "data" in cloud_event or not isinstance(coded := cloud_event.get("data_base64"), str):
        return cloud_event.get("data", cloud_event)
    try:
        return json_in(b64decode(coded))
    except ValueError:  # UnreadableError is one
        return cloud_event


def json_in(raw: bytes) -> Any:
    """The JSON value in these bytes; also what Python writes that JSON has not: NaN, and numbers beyond all bounds."""
    bare = unframed(raw)
    try:
        value = _any(bare)
    except UNDECODABLE:
        value = _lenient(bare)
    return _unwrapped(value)


def _unwrapped(value: Any) -> Any:
    return value["payload"] if isinstance(value, dict) and value.keys() == {"schema", "payload"} else value


def _lenient(raw: bytes) -> Any:
    """Bytes that are not UTF-8 become halves of characters, which no id may have: what else is said can be read."""
    text = raw.decode(errors="surrogateescape")
    try:
        try:
            return _loads(text)
        except RecursionError:
            return _loads(_shallow(text))
    except (ValueError, RecursionError):
        raise UnreadableError("no JSON") from None


def _loads(text: str) -> Any:
    return json.loads(text, strict=False, parse_int=_number)


def _shallow(text: str) -> str:
    """With null for what is nested too deep: it costs itself, and no field of a record has so many levels."""
    kept, done, depth = list[str](), 0, 0
    for found in _BRACKETS.finditer(text):
        if found[0] in ("[", "{"):
            depth += 1
            if depth == DEEPEST:
                kept.append(text[done : found.start()])
        elif found[0] in ("]", "}"):
            if depth == DEEPEST:
                kept.append("null")
                done = found.end()
            depth -= 1
    if depth:
        raise ValueError("brackets without an end")
    return "".join([*kept, text[done:]])


def _number(digits: str) -> int | float:
    """Python reads no integer of thousands of digits; nothing here is as large, and the rest of the record counts."""
    return int(digits) if len(digits) <= INTEGER_DIGITS else float(digits)


def ids_in(key: bytes, name: str) -> Iterator[str]:
    """Ids a key may stand for: its own text first, then the one in its frame, which is the better guess.

    Raises UnreadableError if there is none of which one could be sure.
    """
    text = _text(key)
    if text is None:
        raise UnreadableError("key: neither UTF-8 nor a known frame around it")
    framed = _in_frame(text, name)
    if text[:1] in _OPENING or text.startswith("Struct{") or text == "null":
        yield clean_id(text)
        if not framed:
            raise UnreadableError("key: a frame without an id")
        text = framed
    if not 0 < len(cleaned := clean_id(text)) <= MAX_ID_CHARS:
        raise UnreadableError(f"key: expected 1 to {MAX_ID_CHARS} characters")
    yield cleaned


def _text(key: bytes) -> str | None:
    try:
        text = unframed(key).decode()
    except UnicodeDecodeError:
        return None
    return None if any(char < " " and char not in "\t\n\r" for char in text) else text


def _in_frame(text: str, name: str) -> str:
    if found := _STRUCT.fullmatch(text):
        return found[1]
    try:
        value = json_in(text.encode())
    except UnreadableError:
        return ""
    value = value.get(name) if isinstance(value, dict) else value
    return value if isinstance(value, str) else str(value) if type(value) is int else ""
