"""`streamrec bench history`: whether this commit is slower than those before it."""

from pathlib import Path
from typing import TextIO

import click


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--add", type=click.File(), help="Output of a benchmark, whose last line is kept; - reads stdin.")
def history(file: Path, add: TextIO | None) -> dict[str, object]:
    """Keep figures per commit in FILE (JSON lines), and compare the newest with the earlier ones.

    Ratios to a baseline of the same run are compared, where they have an interval: what slows a whole machine slows
    both. A fall is an interval that lies below one of another commit, under the same conditions on the same machine.
    Exit code 1 if there is one; who means it to stay deletes the lines before.
    """
    from ..terminal.tables import grid, show
    from ..tools.bench.history import compared, kept

    runs = kept(file, add.read() if add else None)
    found = compared(runs)
    table = grid("ratio", "now", "best before", "commit", "")
    for each in found:
        now, best = each.now.shown(), each.best.shown() if each.best else ""
        table.add_row(each.name, now, best, each.commit, "fell by more than the noise" if each.has_fallen else "")
    show(table)
    falls = [each.name for each in found if each.has_fallen]
    return {"runs": len(runs), "of": runs[-1]["commit"], "compared": len(found), "falls": falls}
