"""Log lines on standard error, as text for people or JSON for log shippers (setting `log_format`).

    {"time": "2026-01-01T08:00:00.000Z", "level": "INFO", "logger": "streamrec.worker", "message": "...", "rows": 812}

Contract: one record, one line. `extra={...}` becomes fields. No personal data: a field named after a user or a record's
content is left out, and so is the text of lookup and value errors, which quotes the data that caused it
(`KeyError: 'u0421'`); their type and frames stay. Messages keep the rule themselves: counts and offsets, never content.
What the Kafka client says again and again, as while a broker is away, is one line in ten seconds: `left_out=612`.
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from ..terminal.printable import encoded, printable, printable_json

PERSONAL_FIELDS = frozenset({"user", "user_id", "key", "value", "event", "record", "profile", "tz", "title", "payload"})
CLIENT = "aiokafka"
CONNECTION = "aiokafka.conn"
REPEAT_S = 10.0
MOST_KINDS = 1000  # of lines that are remembered
_OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "data"}


def configure(log_format: Literal["text", "json"], log_level: str, stream: TextIO | None = None) -> None:
    """Send every logger's records to `stream` (standard error); called again, it replaces what was there."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    handler.addFilter(Repeats())
    logging.basicConfig(handlers=[handler], level=log_level, force=True)
    # what goes through a connection, passwords and tokens with it, is logged there as DEBUG
    logging.getLogger(CONNECTION).setLevel(logging.INFO if log_level == "DEBUG" else logging.NOTSET)
    logging.captureWarnings(capture=True)


class Repeats(logging.Filter):
    """Of what the Kafka client logs one line of a kind in REPEAT_S, which says how many were left out before it."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, int, str], tuple[float, int]] = {}  # kind -> when, and left out since

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is logged; lines of one logger, level and template are of one kind."""
        if record.name.partition(".")[0] != CLIENT:
            return True
        kind = record.name, record.levelno, str(record.msg)
        last, left_out = self._last.get(kind, (float("-inf"), 0))
        if record.created - last < REPEAT_S:
            self._last[kind] = last, left_out + 1
            return False
        if len(self._last) >= MOST_KINDS:
            self._last.clear()
        self._last[kind] = record.created, 0
        if left_out:
            record.left_out = left_out
        return True


class JsonLines(logging.Formatter):
    """Formats log records as JSON, one object a line, for log shippers."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, logger and message, then extra fields, then the error if there is one."""
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in _extra(record).items() if name not in line}
        if record.exc_info and record.exc_info[1]:
            line["errors"] = [
                {"type": type(error).__name__, "text": _text(error), "frames": _frames(error)}
                for error in _chain(record.exc_info[1])
            ]
        return printable_json(encoded(line))


class TextLines(logging.Formatter):
    """One readable line: time, level, logger, message, fields; an error's frames follow, separated by ` < `."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; what does not print is escaped, newlines too: nobody can forge a line, or act on a terminal."""
        fields = "".join(f" {name}={value}" for name, value in _extra(record).items())
        line = f"{_time(record)} {record.levelname:<7} {record.name}: {record.getMessage()}{fields}"
        if record.exc_info and record.exc_info[1]:
            for error in _chain(record.exc_info[1]):
                text = _text(error)
                line += f" | {type(error).__name__}{': ' + text if text else ''} [{' < '.join(_frames(error))}]"
        return printable(line, None)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(record).items()
        if name not in _OWN_FIELDS and name not in PERSONAL_FIELDS and not name.startswith("_")
    }


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, the members of a group, and what each of them came from; the newest first."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        members = list(current.exceptions) if isinstance(current, BaseExceptionGroup) else []
        cause = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
        waiting += [*members, *([cause] if cause else [])]


def _text(error: BaseException) -> str:
    return "" if isinstance(error, LookupError | ValueError) else str(error)


def _frames(error: BaseException) -> list[str]:
    """Where it was raised, innermost first: `module.py:line function`."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in reversed(frames)]
