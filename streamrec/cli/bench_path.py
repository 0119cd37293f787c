"""`streamrec bench path`: the whole path from an article's text to scores, for a teacher and for what is served."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..datasets import NAMES
from .options import paths_argument, rejected_option, seed_option

if TYPE_CHECKING:
    from ..compression.whole_path import WholePath


@click.command()
@paths_argument
@click.option("--teacher", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of a teacher.")
@click.option("--model", type=click.Path(exists=True, file_okay=False, path_type=Path), help="What is served instead.")
@click.option(
    "--search",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Of this search its teacher and its best, unless others are named; its report shows what is measured.",
)
@click.option("--log", type=click.Choice(NAMES), default="simulated", show_default=True, help="Whose readers it meets.")
@click.option("--users", type=click.IntRange(10), default=2000, show_default=True, help="simulated: readers.")
@click.option("--rounds", type=click.IntRange(3), default=31, show_default=True)
@seed_option
@rejected_option
def path(
    paths: tuple[Path, ...],
    teacher: Path | None,
    model: Path | None,
    search: Path | None,
    log: str,
    users: int,
    rounds: int,
    seed: int,
    allow_rejected: float | None,
) -> dict[str, object]:
    r"""Bytes and times of the whole path: text encoder, profile update, retrieval, features and ranker.

    \b
    streamrec bench path --teacher teacher --model found/best --search found
    streamrec bench path --teacher teacher --model model --log mind DIR

    An article meets 1, 32, 256 and 4,096 readers, each of whom has read something since. The teacher's encoder is in
    fp32. Kafka and the policy are left out. Times are medians of interleaved rounds in one process, one thread.
    """
    import msgspec
    from threadpoolctl import threadpool_limits

    from ..compression.whole_path import FILE
    from ..settings import load
    from ..terminal.tables import PlainConsole
    from ..tools.bench.machine import measured_on
    from ..tools.bench.whole_path import measure
    from ..training.log_source import Played

    if search is not None:
        teacher, model = teacher or search / "teacher", model or search / "best"
    if teacher is None or model is None:
        raise click.UsageError("--teacher and --model, or --search")
    console = PlainConsole(stderr=True)
    played = Played(log, paths, seed, users, allowed=allow_rejected)
    with threadpool_limits(1):
        found = measure(teacher, model, played, load(), rounds, console.print)
    found = msgspec.structs.replace(found, machine=str(measured_on()["machine"]))
    if search is not None:
        (search / FILE).write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1))
    _show(found)
    return found.summary()


def _show(found: "WholePath") -> None:
    from ..compression.whole_path import bytes_rows, time_rows
    from ..terminal.tables import grid, show

    sizes = grid("bytes: teacher -> served", "on disk", "in memory", "a reader")
    for row in bytes_rows(found):
        sizes.add_row(*row)
    times = grid("us a candidate, share", *(f"of {count:,}" for count in found.faster))
    for row in time_rows(found):
        times.add_row(*row)
    show(sizes, "", times, "")
    for said in found.says():
        show(said)
