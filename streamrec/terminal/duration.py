"""Lengths of time on the command line."""

import re

import click

UNIT_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


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
