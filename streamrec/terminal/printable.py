r"""Text from records, files and errors, made safe for a terminal: what a command or a log line did not write itself.

    printable("u1\x1b[2J\npush u2 <- ...")        "u1\\x1b[2J\\npush u2 <- ..."   one line, nothing acts

What does not print is shown as Python's escape: control characters (C0, DEL, C1), line and paragraph separators,
characters that turn the direction of text or are invisible, lone surrogates. Letters of any script stay as they are,
and so do the invisible parts of emoji and of words: joiners between two letters that are not ASCII, and the tags of
a flag. Any other blank is a blank.
"""

import json
import re

import click
import orjson

MOST_CHARS = 200
_KEPT = re.compile(
    "(\U0001f3f4[\U000e0030-\U000e007a]{1,6}\U000e007f"  # the flag of England, say: a black one, tags, their end
    "|(?<=[^\x00-\x7f\u200b-\u200f])[\u200c\u200d](?=[^\x00-\x7f\u200b-\u200f]))"  # inside words and emoji
)
_ENDS = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"  # blanks that end a line or move the cursor


def printable(text: str, most: int | None = MOST_CHARS) -> str:
    """One line of at most `most` characters, the last then '…'; None: however long it is."""
    # no more is looked at than can be shown: a record may have a megabyte
    parts = _KEPT.split(text if most is None else text[: most + 1])
    shown = "".join(part if number % 2 else "".join(map(_shown, part)) for number, part in enumerate(parts))
    return shown if most is None or len(shown) <= most else shown[: most - 1] + "…"


def printable_lines(text: str) -> str:
    """Several lines, each made printable; those after the first are indented, so that none can pass for another's."""
    return "\n    ".join(printable(line.strip(), None) for line in text.splitlines())


def printable_json(encoded: bytes) -> str:
    r"""JSON on one line that decodes to exactly what it did before; what does not print is escaped as \uXXXX.

    Outside of strings JSON has no such characters but blanks and newlines, and inside there are no newlines.
    """
    text = encoded.decode().replace("\r", " ").replace("\n", " ").replace("\t", " ")
    return "".join(char if char == _shown(char) else _utf16(char) for char in text)


def note(text: str) -> None:
    """Print a text on stderr, made safe for a terminal and on one line."""
    click.echo(printable(text, None), err=True)


def encoded(told: object) -> bytes:
    """Any value as JSON. A lone surrogate, from a file's name perhaps, is no UTF-8 and comes as an escape."""
    try:
        return orjson.dumps(told, default=str, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return json.dumps(told, default=str, skipkeys=True).encode()


def _shown(char: str) -> str:
    if char.isprintable():
        return char
    return " " if char.isspace() and char not in _ENDS else char.encode("unicode_escape").decode()


def _utf16(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
