"""Letters as a person reads them, and as JSON. A person gets a few lines whatever the record holds; JSON is exact."""

import base64
from datetime import UTC, datetime
from typing import Any

from ...terminal.printable import MOST_CHARS, printable
from .letters import Letter

MOST_CHARS_OF_VALUE = 500
MOST_HEADERS = 10


def readable(data: bytes | None, most: int | None = MOST_CHARS) -> str:
    """UTF-8 made printable, other bytes as escapes; of more than `most` characters the first, and how many bytes."""
    if data is None:
        return "(null)"
    head = data if most is None else data[: 4 * most + 4]  # no character of UTF-8 is longer than four bytes
    whole = printable(head.decode("utf-8", "backslashreplace"), None)
    if most is None or (len(whole) <= most and len(head) == len(data)):
        return whole
    return f"{whole[:most]}… ({len(data)} bytes)"


def moment(at_ms: int, to: str = "seconds") -> str:
    """A time to read, and to give to --since; as exact as asked for (datetime's `timespec`)."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec=to).replace("+00:00", "Z")


def text(letter: Letter, with_value: bool, *, full: bool = False) -> str:
    """A few lines: where, when and why; where it came from; its trail; its key and value if asked for."""
    most_chars, most_headers = (None, len(letter.own)) if full else (MOST_CHARS, MOST_HEADERS)
    why = printable(letter.reason) + (f" ({printable(letter.detail)})" if letter.detail else "")
    redriven = "".join(f", redriven {moment(at_ms)}" for at_ms in letter.redriven_ms)
    lines = [f"{letter.place}  {moment(letter.at_ms)}  {why}", f"  from {printable(str(letter.origin))}{redriven}"]
    lines += [f"  {printable(name)}: {readable(value, most_chars)}" for name, value in letter.own[:most_headers]]
    if more := len(letter.own[most_headers:]):
        lines.append(f"  and {more} headers more; --full shows all")
    if letter.cut:
        lines.append(f"  {letter.cut}")
    if with_value:
        most = None if full else MOST_CHARS_OF_VALUE
        lines += [f"  key: {readable(letter.key, most_chars)}", f"  value: {readable(letter.value, most)}"]
    return "\n".join(lines)


def record(letter: Letter, with_value: bool) -> dict[str, Any]:
    """All of a letter as JSON can hold it, with the record's value if asked for."""
    found: dict[str, Any] = {
        **letter.place._asdict(),
        "at_ms": letter.at_ms,
        "reason": letter.reason,
        "detail": letter.detail,
        "origin": letter.origin._asdict(),
        "trail": [(name, exact(value)) for name, value in letter.own],
        "redriven_ms": letter.redriven_ms,
        "cut": letter.cut,
    }
    if with_value:
        found |= {"key": exact(letter.key), "value": exact(letter.value)}
    return found


def exact(data: bytes | None) -> str | dict[str, str] | None:
    """Bytes for JSON, none of them lost: text where they are UTF-8, else base64."""
    try:
        return None if data is None else data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data or b"").decode()}
