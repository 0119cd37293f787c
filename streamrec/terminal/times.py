"""Days and times of the command line."""

from datetime import UTC, datetime

from ..errors import DataError


def millis(option: str, text: str) -> int:
    """A day or a time, in ms since 1970; UTC unless it says another offset. DataError if it is none."""
    try:
        at = datetime.fromisoformat(text)
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except ValueError:
        raise DataError(f"{option} is '{text}'; expected a day like 2019-11-13, or 2019-11-13T18:00") from None


def day(at_ms: int) -> str:
    """A moment in UTC to the minute, like 2026-03-01T06:30+00:00."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="minutes")
