"""`streamrec chaos`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..chaos.verdict import Verdict


@click.command()
@click.option("--simulate", "runs", type=click.IntRange(1), default=1000, show_default=True, help="Simulated runs.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Of the first run; each next one has the next seed.",
)
@click.option("--jobs", type=click.IntRange(1), help="Processes that simulate (default: one per processor).")
def chaos(runs: int, seed: int, jobs: int | None) -> None:
    """Break it on purpose, and see whether it keeps what it promises.

    The real partition and the real writer run on a transactional log in memory. Their process dies or stands still at
    any request, before or after it took effect; two owners overlap; records come twice, late, out of order, unreadable,
    in the wrong partition, or reach a bug. Afterwards the rows must be those of a sequential oracle, and no push, cap,
    interval, quiet hour, opt-out, dead letter or stray may be other than it should be.

    A failing seed is printed, and `--simulate 1 --seed N` plays that run again. Exit code 1 if any run fails. The last
    line is JSON.
    """
    import sys

    import orjson
    from rich.console import Console
    from rich.progress import track

    from ..chaos.verdict import Verdict

    total = Verdict()
    console = Console(stderr=True)
    seeds = range(seed, seed + runs)
    for number, verdict in track(_simulated(seeds, jobs), "simulating", len(seeds), console=console):
        total.add(verdict, number)
        if not verdict.holds:
            for what in verdict.found:
                console.print(f"seed {number}: {what}", style="red", markup=False)
    print(orjson.dumps(total.summary()).decode())
    sys.exit(0 if total.holds else 1)


def _simulated(seeds: range, jobs: int | None) -> Iterator[tuple[int, "Verdict"]]:
    import os
    from concurrent.futures import ProcessPoolExecutor

    from ..chaos.simulate import quietly

    with ProcessPoolExecutor(jobs or os.cpu_count()) as pool:
        yield from zip(seeds, pool.map(quietly, seeds, chunksize=max(1, min(20, len(seeds) // 8))), strict=True)
