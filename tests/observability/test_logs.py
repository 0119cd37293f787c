"""Log lines: one record a line, in text or JSON, and nothing personal in them."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any, Literal

import pytest

from streamrec.errors import StateError
from streamrec.observability.logs import PERSONAL_FIELDS, JsonLines, Repeats, TextLines, configure

CREATED = 1_767_225_600.25  # 2026-01-01T00:00:00.250Z


def record(message: str, *args: object, error: Exception | None = None, **extra: Any) -> logging.LogRecord:
    """A log record as a logger would make it, at a fixed time."""
    info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("streamrec.worker", logging.WARNING, "worker.py", 1, message, args, info)
    made.created = CREATED
    vars(made).update(extra)
    return made


def caught(error: Exception, cause: Exception | None = None) -> Exception:
    """The error after it was raised, with its frames."""
    try:
        raise error from cause
    except type(error) as raised:
        return raised


def as_json(made: logging.LogRecord) -> dict[str, Any]:
    """The JSON line, read back."""
    line: dict[str, Any] = json.loads(JsonLines().format(made))
    return line


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    """The root logger, put back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(capture=False)


def test_json_line_has_time_level_logger_message_and_fields() -> None:
    """A shipper finds the record's own time in UTC, its level, logger, message and extra fields."""
    assert as_json(record("recovered %d rows", 812, partition=3, seconds=1.5)) == {
        "time": "2026-01-01T00:00:00.250Z",
        "level": "WARNING",
        "logger": "streamrec.worker",
        "message": "recovered 812 rows",
        "partition": 3,
        "seconds": 1.5,
    }


@pytest.mark.parametrize("formatter", [JsonLines(), TextLines()])
def test_one_record_is_one_line(formatter: logging.Formatter) -> None:
    """A newline in a message, a field or an error cannot forge a second line."""
    made = record("first\nsecond", error=caught(StateError("one\r\ntwo")), note="a\nb")
    assert not {"\n", "\r"} & set(formatter.format(made))


@pytest.mark.parametrize("formatter", [JsonLines(), TextLines()])
@pytest.mark.parametrize("field", sorted(PERSONAL_FIELDS))
def test_personal_fields_are_left_out(formatter: logging.Formatter, field: str) -> None:
    """A field that would carry a user or a record's content never reaches the line."""
    assert "u0421" not in formatter.format(record("lost", error=None, **{field: "u0421"}))


@pytest.mark.parametrize("formatter", [JsonLines(), TextLines()])
@pytest.mark.parametrize("quoting", [KeyError("u0421"), ValueError("bad literal 'u0421'"), IndexError("u0421")])
def test_errors_that_quote_data_lose_their_text(formatter: logging.Formatter, quoting: Exception) -> None:
    """Lookup and value errors quote the data that caused them: type and frame stay, the text does not."""
    line = formatter.format(record("failed", error=caught(StateError("row and log disagree"), caught(quoting))))
    assert "u0421" not in line
    assert type(quoting).__name__ in line
    assert "row and log disagree" in line
    assert "test_logs.py" in line


def test_every_error_of_a_group_is_named() -> None:
    """A group of failed tasks shows each member."""
    group = ExceptionGroup("tasks", [caught(OSError("disk full")), caught(StateError("gap at offset 7"))])
    assert [error["text"] for error in as_json(record("stop", error=group))["errors"]][1:] == [
        "disk full",
        "gap at offset 7",
    ]


def test_a_field_cannot_replace_the_time() -> None:
    """An extra field named like one of ours does not overwrite it."""
    assert as_json(record("x", time="yesterday"))["time"].startswith("2026-01-01")


def test_text_line_is_readable() -> None:
    """Text shows time, level, logger, message and fields in that order."""
    line = TextLines().format(record("late", partition=3))
    assert line == "2026-01-01T00:00:00.250Z WARNING streamrec.worker: late partition=3"


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_configure_twice_writes_once(root_logger: logging.Logger, log_format: Literal["text", "json"]) -> None:
    """Configuring again replaces the output, and the level holds for every logger."""
    stream = io.StringIO()
    configure(log_format, "INFO", stream)
    configure(log_format, "INFO", stream)
    logging.getLogger("aiokafka").info("joined")
    logging.getLogger("aiokafka").debug("hidden")
    assert stream.getvalue().count("joined") == 1
    assert "hidden" not in stream.getvalue()
    assert len(root_logger.handlers) == 1


def test_what_the_client_repeats_is_one_line_in_ten_seconds() -> None:
    """A broker that is away is some sixty errors a second; others, and our own lines, are never left out."""
    repeats = Repeats()

    def passes(at_s: float, template: str, *args: object, name: str = "aiokafka.client") -> tuple[bool, int]:
        made = logging.LogRecord(name, logging.ERROR, "client.py", 1, template, args, None)
        made.created = CREATED + at_s
        return repeats.filter(made), getattr(made, "left_out", 0)

    assert [passes(n / 60, "no node %d", n) for n in range(600)] == [(True, 0)] + [(False, 0)] * 599
    assert passes(5, "no coordinator") == (True, 0)
    assert passes(10, "no node %d", 1) == (True, 599)
    assert passes(20, "no node %d", 1) == (True, 0)
    assert [passes(n, "ours", name="streamrec.worker") for n in range(3)] == [(True, 0)] * 3
