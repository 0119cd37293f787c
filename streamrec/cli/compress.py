"""`streamrec compress`: one recipe, a search over recipes, a report."""

import click

from .compress_report import report
from .compress_run import run
from .compress_search import search


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


compress.add_command(run)
compress.add_command(search)
compress.add_command(report)
