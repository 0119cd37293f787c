"""`streamrec settings`."""

import click


@click.command()
@click.option("--markdown", is_flag=True, help="As a Markdown table.")
def settings(markdown: bool) -> None:
    """List every setting: variable, type, default, unit, reason, and what it is set to now."""
    from rich.console import Console
    from rich.table import Table

    from ..settings import PREFIX, Settings, load

    now = load()
    rows = []
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra
        unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
        kind = str(field.annotation).replace("typing.", "").removeprefix("<class '").removesuffix("'>")
        value = getattr(now, name)
        shown = f"{field.default}" if value == field.default else f"{field.default} (now {value})"
        rows.append((f"{PREFIX}{name.upper()}", _plain(kind), shown, unit, field.description or ""))
    if markdown:
        print("| variable | type | default | unit | reason |\n|---|---|---|---|---|")
        for row in rows:
            print("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
        return
    table = Table("variable", "type", "default", "unit", "reason", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def _plain(kind: str) -> str:
    for long, short in (("pathlib._local.Path", "path"), ("pathlib.Path", "path"), (" | None", ""), ("Literal", "")):
        kind = kind.replace(long, short)
    return "HH:MM" if "_minutes" in kind or "Annotated" in kind else kind
