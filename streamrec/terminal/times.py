"""Days, times and lengths of time on the command line."""

import re
from contextlib import suppress
from datetime import UTC, datetime

import click

from ..clock import now_ms
from ..contracts.field_types import iso_ms
from ..errors import DataError

UNIT_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def millis(option: str, text: str) -> int:
    """A day or a time, in ms since 1970; UTC unless it says another offset. DataError if it is none."""
    try:
        return iso_ms(text, UTC)
    except ValueError:
        raise DataError(f"{option} is '{text}'; expected a day like 2019-11-13, or 2019-11-13T18:00") from None


def utc_minute(at_ms: int) -> str:
    """A moment in UTC to the minute, like 2026-03-01T06:30+00:00."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="minutes")


class Duration(click.ParamType):
    """A length of time like 90s, 30m, 24h, 7d; in ms."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d{1,9})([smhd])", str(value))
        if found is None:
            self.fail(f"'{value}' is not a duration; expected a number and s, m, h or d, like 24h", param, ctx)
        return int(found[1]) * UNIT_MS[found[2]]


class Moment(click.ParamType):
    """A time: ISO 8601 (UTC unless it says otherwise), or how long ago, like 2h or 3d; in ms since 1970."""

    name = "moment"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        with suppress(ValueError, OverflowError):
            return iso_ms(str(value), UTC)
        try:
            return now_ms() - Duration().convert(str(value), param, ctx)
        except click.BadParameter:
            self.fail(
                f"'{value}' is no time; expected one like 2026-01-31T12:00, or 2h or 3d for how long ago", param, ctx
            )
