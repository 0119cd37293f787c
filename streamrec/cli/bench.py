"""`streamrec bench`: measure the program beside others and beside itself."""

import asyncio
from pathlib import Path

import click

from ..tools.bench.machine import measured_on
from .bench_delivery import control, guarantees, rebalance
from .bench_follower import follower, preview
from .bench_history import history
from .bench_path import path
from .bench_pipeline import pipeline
from .options import brokers_option


@click.group()
def bench() -> None:
    """Measure, against named baselines, interleaved in one run. The last line is JSON."""


@bench.result_callback()
@click.pass_context
def _last_line(context: click.Context, figures: dict[str, object]) -> None:
    """Print what a command answers with, its name, and what it was measured on; a fall is exit code 1."""
    from ..terminal.tables import show_json

    show_json({"bench": context.invoked_subcommand, **figures, **measured_on()})
    if figures.get("falls"):
        context.exit(1)


@bench.command()
@click.option("--users", type=click.IntRange(1000), default=1_000_000, show_default=True, help="Of the one partition.")
@click.option("--per-s", default=1000.0, show_default=True, help="Clicks/s, before and meanwhile.")
@click.option("--model", type=click.Path(exists=True, file_okay=False), help="Artifact to score with (default: prior).")
@click.option("--everybody", is_flag=True, help="The article has everybody for its audience.")
@brokers_option
def article(users: int, per_s: float, model: str | None, everybody: bool, brokers: str | None) -> dict[str, object]:
    """Seconds from the publication of an article until everybody has their push, and latency of clicks meanwhile.

    One worker, one partition, no cap and no floor: every user is pushed to, which is more than any real article does.
    """
    from ..settings import load
    from ..terminal.tables import grid, show
    from ..tools.bench.article import measure
    from ..tools.local_kafka.local_kafka import cluster_or_local

    with cluster_or_local(load(brokers=brokers)) as cluster:
        met = asyncio.run(measure(cluster, users, per_s, model, everybody))
    table = grid("users", "pushes", "first ms", "50,000 s", "all s", "pushes/s")
    times = (f"{met.first_ms:.0f}", f"{met.fifty_thousand_s:.1f}", f"{met.all_s:.1f}", f"{met.pushes / met.all_s:,.0f}")
    table.add_row(f"{met.users:,}", f"{met.pushes:,}", *times)
    show(table)
    clicks = f"{met.click_p99_before_ms:.0f} ms before, {met.click_p99_during_ms:.0f} ms meanwhile"
    show(f"click -> push, p99 at {per_s:,.0f} clicks/s: {clicks}")
    return {**met._asdict(), "per_s": per_s, "everybody": everybody}


@bench.command()
@click.option("--users", type=click.IntRange(1), default=200_000, show_default=True, help="Rows of the state.")
@click.option(
    "--dirty", type=click.IntRange(0), default=600_000, show_default=True, help="Newer rows, not compacted yet."
)
@click.option(
    "--stock", type=click.IntRange(1), default=100_000, show_default=True, help="Records of stock Faust's changelog."
)
@click.option("--rounds", type=click.IntRange(1), default=1, show_default=True)
@brokers_option
def recovery(users: int, dirty: int, stock: int, rounds: int, brokers: str | None) -> dict[str, object]:
    """Seconds until a partition's state is back, beside stock Faust's own recovery of the same rows."""
    from ..settings import load
    from ..terminal.tables import PlainConsole, grid, show
    from ..tools.bench.recovery import measure_ours, measure_stock, summary
    from ..tools.local_kafka.local_kafka import cluster_or_local

    console = PlainConsole(stderr=True)
    ours, theirs = [], []
    with cluster_or_local(load(brokers=brokers)) as cluster:
        for number in range(rounds):
            console.print(f"round {number + 1} of {rounds}")
            theirs.append(asyncio.run(measure_stock(cluster, stock // 4, stock - stock // 4)))
            ours.append(asyncio.run(measure_ours(cluster, users, dirty)))
    table = grid("recovery", "users", "records", "seconds", "us/record", "CPU s", "peak MB")
    for name, found in (("stock faust", theirs), ("streamrec", ours)):
        for at in found:
            figures = (f"{at.users:,}", f"{at.records:,}", f"{at.seconds:.1f}", f"{at.us_per_record:.2f}")
            table.add_row(name, *figures, f"{at.cpu_s:.1f}", f"{at.peak_mb:,.0f}")
    show(table)
    return {**summary(ours, theirs), "users": users, "dirty": dirty}


@bench.command()
@click.option("--rounds", type=click.IntRange(1), default=7, show_default=True)
def encoder(rounds: int) -> dict[str, object]:
    """Titles/s of the encoders, and what int8 does to the sentence encoder's vectors, speed and size."""
    from ..terminal.tables import PlainConsole, grid, show
    from ..tools.bench.encoders import compare

    console = PlainConsole(stderr=True)
    found = compare(rounds, lambda number: console.print(f"round {number + 1} of {rounds}"))
    table = grid("encoder", "titles/s", "ratio to hashed")
    for name, speed in found.titles_per_s.items():
        table.add_row(name, f"{speed:,.0f}", f"{found.ratio_to_hashed.get(name, 1.0):.3f}")
    show(table)
    return found._asdict()


@bench.command()
@click.option("--per-s", default=5000.0, show_default=True, help="Clicks a second.")
@click.option("--seconds", default=8.0, show_default=True, help="Of each phase.")
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True)
@brokers_option
def reload(per_s: float, seconds: float, rounds: int, brokers: str | None) -> dict[str, object]:
    """Click -> push latency while a worker takes over one model after the other, beside the same load without."""
    from ..settings import load
    from ..terminal.tables import PlainConsole, grid, show
    from ..tools.bench.reload import PHASES, measure, summary
    from ..tools.local_kafka.local_kafka import cluster_or_local

    console = PlainConsole(stderr=True)
    with cluster_or_local(load(brokers=brokers)) as cluster:
        found = asyncio.run(measure(cluster, per_s, seconds, rounds, console.print))
    table = grid("phase", "p50 ms", "p99 ms", "pushes", "reloads")
    for phase in PHASES:
        for at in found[phase]:
            table.add_row(phase, f"{at.p50_ms:.0f}", f"{at.p99_ms:.0f}", str(at.pushes), f"{at.reloads:.0f}")
    show(table)
    return {**summary(found), "per_s": per_s}


@bench.command()
@click.option("--model", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Artifact to measure.")
@click.option("--sizes", help="Without --model: stages of a drawn network, 96-64-1; by default as ours are trained.")
@click.option("--batch", default="1,32,256,1024,4096", show_default=True, help="Rows of a call.")
@click.option("--rounds", type=click.IntRange(2), default=15, show_default=True)
def engines(model: Path | None, sizes: str | None, batch: str, rounds: int) -> dict[str, object]:
    """Speed of every engine beside torch fp32, its distance in P(click), and whether scores depend on the batch.

    "x at 256": torch fp32's time divided by the engine's, calls of 256 rows, median of interleaved rounds, one thread.
    "drift": largest change of a logit when the same rows are split over other calls; anything but 0 is a fault.
    """
    from ..models.machine import this_machine
    from ..models.network import SIZES
    from ..terminal.tables import grid, show
    from ..tools.bench.engines import drawn, measure, of_folder

    batches = _numbers(batch, "--batch", ",")
    subject = of_folder(model) if model else drawn(_numbers(sizes, "--sizes", "-") if sizes else SIZES)
    measured, absent = measure(subject, batches, rounds)
    table = grid("engine", *(f"x at {rows}" for rows in batches), "max |dP|", "drift")
    for name, at in measured.items():
        ratios = (f"{ratio:.2f}" for ratio in at.speedup.values())
        table.add_row(name, *ratios, f"{at.max_delta:.1e}", f"{at.batch_drift:g}")
    for name, reason in absent.items():
        table.add_row(name, reason)
    show(table)
    machine = this_machine()
    return {
        "sizes": subject.network.sizes,
        "engines": {name: at._asdict() for name, at in measured.items()},
        "unavailable": absent,
        "processor_flags": machine.flags,
        "versions": machine.versions,
    }


@bench.command()
@click.option("--users", default=1_000_000, show_default=True, type=click.IntRange(100), help="Readers followed.")
@click.option("--articles", default=100_000, show_default=True, type=click.IntRange(100), help="In the catalog.")
@click.option("--rounds", default=20, show_default=True, type=click.IntRange(1), help="At most.")
@click.option("--seconds", default=60.0, show_default=True, type=click.FloatRange(0), help="No new round after that.")
def desk(users: int, articles: int, rounds: int, seconds: float) -> dict[str, object]:
    """How long each page of the desk takes, with many articles and many readers, without network and browser."""
    from ..terminal.tables import grid, show
    from ..tools.bench.desk import measure

    measured, done = measure(users, articles, rounds, seconds)
    table = grid("page", "first, ms", "p50, ms", "p99, ms", "CPU, ms", "KB")
    for name, at in measured.items():
        table.add_row(name, *(f"{ms:.0f}" for ms in at[:4]), f"{at.bytes / 1000:.0f}")
    show(table)
    pages = {name: at._asdict() for name, at in measured.items()}
    return {"users": users, "articles": articles, "rounds": done, "pages": pages}


def _numbers(text: str, option: str, mark: str) -> list[int]:
    parts = text.split(mark)
    if not all(part.isdigit() and int(part) for part in parts):
        raise click.BadParameter(f"{option} is '{text}'; expected whole numbers above 0 with '{mark}' between them")
    return [int(part) for part in parts]


bench.add_command(pipeline)
bench.add_command(history)
bench.add_command(control)
bench.add_command(rebalance)
bench.add_command(guarantees)
bench.add_command(follower)
bench.add_command(preview)
bench.add_command(path)
