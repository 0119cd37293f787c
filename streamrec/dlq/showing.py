"""Letters as a person reads them, and as JSON. Bytes may be anything: what could act on a terminal is escaped."""

from datetime import UTC, datetime
from typing import Any

from .letters import Letter

MOST_CHARS = 2000  # of a value
MOST_CHARS_OF_HEADER = 200


def readable(data: bytes | None, most: int = MOST_CHARS) -> str:
    """UTF-8 as it is; other bytes and characters that do not print as escapes; at most `most` characters, then '…'."""
    if data is None:
        return "(null)"
    head = data[: 4 * most + 4]  # no character of UTF-8 is longer than four bytes
    text = "".join(map(_printable, head.decode("utf-8", "backslashreplace")[: most + 1]))
    return text if len(text) <= most and len(head) == len(data) else f"{text[:most]}… ({len(data)} bytes)"


def _printable(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode()


def moment(at_ms: int, to: str = "seconds") -> str:
    """A time to read, and to give to --since; as exact as asked for (datetime's `timespec`)."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec=to).replace("+00:00", "Z")


def text(letter: Letter, with_value: bool) -> str:
    """A few lines: where, when and why; where it came from; its trail; its key and value if asked for."""
    why = readable(letter.reason.encode(), MOST_CHARS_OF_HEADER)
    if letter.detail:
        why += f" ({readable(letter.detail.encode(), MOST_CHARS_OF_HEADER)})"
    redriven = "".join(f", redriven {moment(at_ms)}" for at_ms in letter.redriven_ms)
    lines = [f"{letter.place}  {moment(letter.at_ms)}  {why}"]
    lines.append(f"  from {readable(str(letter.origin).encode(), MOST_CHARS_OF_HEADER)}{redriven}")
    lines += [f"  {name}: {value}" for name, value in _trail(letter)]
    if letter.cut:
        lines.append(f"  {letter.cut}")
    if with_value:
        lines += [f"  key: {readable(letter.key)}", f"  value: {readable(letter.value)}"]
    return "\n".join(lines)


def record(letter: Letter, with_value: bool) -> dict[str, Any]:
    """The same for JSON."""
    found: dict[str, Any] = {
        **letter.place._asdict(),
        "at_ms": letter.at_ms,
        "reason": letter.reason,
        "detail": letter.detail,
        "origin": letter.origin._asdict(),
        "trail": _trail(letter),
        "redriven_ms": letter.redriven_ms,
        "cut": letter.cut,
    }
    if with_value:
        found |= {"key": None if letter.key is None else readable(letter.key)}
        found |= {"value": None if letter.value is None else readable(letter.value)}
    return found


def _trail(letter: Letter) -> list[tuple[str, str]]:
    """The record's own headers, readable."""
    return [
        (readable(name.encode(), MOST_CHARS_OF_HEADER), readable(value, MOST_CHARS_OF_HEADER))
        for name, value in letter.own
    ]
