"""`streamrec compress`: one recipe, a search over recipes, a report."""

from pathlib import Path

import click

from .compress_run import run
from .compress_search import search
from .options import folder_argument


@click.group()
def compress() -> None:
    r"""Make a trained model smaller and faster, and say what it costs.

    \b
    streamrec train simulated --teacher --out teacher
    streamrec compress run "student(64) > distil > int8" --teacher teacher --log simulated --out small
    streamrec compress search --log simulated --budget 10m --max-loss 0.5% --out found
    streamrec compress report found --out report.html

    A recipe is a list of methods in order: student, distil, lowrank, prune, neurons, columns, variational, qat, int8,
    fp16, users. `streamrec compress run --help` says what each takes.
    """


@compress.command()
@folder_argument
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The page to be written.")
def report(folder: Path, out: Path) -> None:
    r"""Write the comparison page of a finished search: one HTML file, nothing loaded from anywhere.

    \b
    streamrec compress report found --out report.html

    The teacher and every finalist side by side: quality with intervals, on the whole and by slice, sizes, speed,
    agreement of int8 with fp32, calibration, what carries a decision, and what compression did to each layer.
    Needs the extra `report`.
    """
    from ..errors import SettingsError
    from ..terminal.output_files import check_writable
    from ..terminal.tables import show_json

    try:
        from ..compression.report.page import write
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"the report needs {error.name}, which is missing; pip install 'streamrec[report]'"
        ) from None
    check_writable(out)
    outcome = write(folder, out)
    show_json({"report": str(out), "models": len(outcome.points), "bytes": out.stat().st_size})


compress.add_command(run)
compress.add_command(search)
