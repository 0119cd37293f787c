"""`streamrec settings`: every setting with its value, default, unit and reason."""

from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ..terminal.printable import printable

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from rich.console import Console

WIDE = 140  # columns: from here on the reason stands beside the setting
HEAD_WIDTH = 72  # of the setting then


class Row(NamedTuple):
    """One setting as the texts of a table's row."""

    variable: str
    value: str
    kind: str
    unit: str
    default: str
    reason: str

    @property
    def is_changed(self) -> bool:
        """Whether the setting has another value than its default."""
        return self.value != self.default

    @property
    def what(self) -> str:
        """Type, unit, and what it was before it was changed."""
        changed = f"changed, default {self.default or 'empty'}" if self.is_changed else ""
        return ", ".join(dict.fromkeys(part for part in (self.kind, self.unit, changed) if part))


@click.command()
@click.option("--markdown", is_flag=True, help="As a Markdown table.")
@click.option("--changed", is_flag=True, help="Only those that differ from their defaults.")
def settings(markdown: bool, changed: bool) -> None:
    """List every setting: variable, value, type, unit, reason; and the default where it is changed.

    Into a pipe each setting is one line, so that grep finds it with its reason.
    """
    from ..settings import PREFIX, Settings, load
    from ..terminal.tables import PlainConsole

    now = load()
    fields = Settings.model_fields.items()
    rows = [_row(f"{PREFIX}{name.upper()}", field, getattr(now, name)) for name, field in fields]
    if changed:
        rows = [row for row in rows if row.is_changed]
    console = PlainConsole()
    if markdown:
        _print_markdown(rows)
    elif console.is_terminal:
        print_for_people(rows, console, len(fields))
    else:
        for row in rows:
            print(f"{row.variable}={row.value}  ({row.what})  {row.reason}")


def _row(variable: str, field: "FieldInfo", value: Any) -> Row:
    extra = field.json_schema_extra
    unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
    return Row(variable, _text(value), _kind(field), unit, _text(field.default), field.description or "")


def _text(value: Any) -> str:
    return "none" if value is None else printable(str(value), None)


def _kind(field: "FieldInfo") -> str:
    """The type of a setting in words; of a Literal its choices."""
    from typing import Literal, get_args, get_origin

    kind = field.annotation
    if get_origin(kind) is Literal:
        return " or ".join(map(str, get_args(kind)))
    names = [each.__name__ for each in (get_args(kind) or (kind,)) if isinstance(each, type) and each is not type(None)]
    return {"str": "text", "int": "whole number", "float": "number", "Path": "path"}.get(names[0], names[0])


def _print_markdown(rows: list[Row]) -> None:
    print("| variable | type | default | unit | reason |\n|---|---|---|---|---|")
    for row in rows:
        default = f"{row.default} (now {row.value})" if row.is_changed else row.default
        cells = (row.variable, row.kind, default, row.unit, row.reason)
        print("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")


def print_for_people(rows: list[Row], console: "Console", total: int) -> None:
    """Reasons beside the settings where there is room, else below them."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    wide = console.width >= WIDE
    grid = Table.grid(padding=(0, 2) if wide else (0, 0))
    grid.add_column(max_width=HEAD_WIDTH if wide else None, overflow="fold")
    for row in rows:
        style = "bold yellow" if row.is_changed else "bold"
        head = Text.assemble((f"{row.variable}={row.value}", style), (f"  {row.what}", "dim"))
        if wide:
            grid.add_row(head, row.reason)
        else:
            grid.add_row(head)
            grid.add_row(Padding(Text(row.reason), (0, 0, 0, 4)))
    console.print(grid)
    changed = [row.variable for row in rows if row.is_changed]
    console.print(f"\n{len(changed)} of {total} settings differ from their defaults", highlight=False)
    for variable in changed:
        console.print(f"    {variable}", highlight=False)
