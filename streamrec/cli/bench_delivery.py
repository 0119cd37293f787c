"""`streamrec bench rebalance` and `streamrec bench guarantees`: what delivery costs, in time and in throughput."""

import asyncio
from typing import TYPE_CHECKING

import click

from .options import brokers_option

if TYPE_CHECKING:
    from ..tools.bench.pipeline import Measured


@click.command()
@click.option("--scene", "wanted", multiple=True, help="Only scenes whose name contains this; may be repeated.")
@brokers_option
def rebalance(wanted: tuple[str, ...], brokers: str | None) -> dict[str, object]:
    """For how long partitions stand still when workers restart, die, join and leave.

    Two workers, eight partitions, 400 events/s. A gap is the longest time between two committed cursors of a partition.
    """
    from ..settings import load
    from ..terminal.tables import PlainConsole, grid, show
    from ..tools.bench.rebalance import SCENES, measure
    from ..tools.local_kafka.local_kafka import cluster_or_local

    table = grid("scene", "moved s", "kept s", "exit s", "exit code")
    scenes = {}
    with cluster_or_local(load(brokers=brokers)) as cluster:
        for name in SCENES:
            if wanted and not any(part in name for part in wanted):
                continue
            PlainConsole(stderr=True).print(name)
            at = scenes[name] = asyncio.run(measure(name, cluster))
            ended = ("", "") if at.exit_s is None else (f"{at.exit_s:.1f}", str(at.exit_code))
            table.add_row(name, f"{at.moved_s:.1f}", "" if at.kept_s is None else f"{at.kept_s:.1f}", *ended)
    show(table)
    result = {name: at._asdict() for name, at in scenes.items()}
    return {"scenes": result}


@click.command()
@click.option("--events", default=200_000, show_default=True, help="Backlog of a round.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--pace-s", default=5.0, show_default=True, help="Seconds of steady load, for latency.")
@click.option(
    "--per-s", type=float, help="The steady load, the same for both.  [default: a third of the first backlog's rate]"
)
@brokers_option
def guarantees(events: int, rounds: int, pace_s: float, per_s: float | None, brokers: str | None) -> dict[str, object]:
    """The price of exactly-once: this worker against itself with a plain producer instead of transactions.

    At half of the rate of a backlog, worker, broker, producer and gateway together use up two cores, and both tails
    are those of a full machine: hence a third.
    """
    from ..settings import load
    from ..terminal.tables import PlainConsole, grid, show
    from ..tools.bench.pipeline import PACE_CAP, measure, medians, ratios
    from ..tools.local_kafka.local_kafka import cluster_and_broker

    names = ("streamrec", "streamrec plain")
    measured: dict[str, list[Measured]] = {name: [] for name in names}
    steady = per_s

    def the_same(events_per_s: float) -> float:
        nonlocal steady
        steady = steady or min(events_per_s / 3, PACE_CAP)
        return steady

    with cluster_and_broker(load(brokers=brokers)) as (cluster, broker):
        pid = broker.pid if broker else None
        for number in range(rounds):
            for name in names if number % 2 == 0 else reversed(names):
                PlainConsole(stderr=True).print(f"round {number + 1} of {rounds}: {name}")
                measured[name].append(asyncio.run(measure(name, cluster, events, pace_s, None, the_same, pid)))
    table = grid("producer", "events/s", "CPU us/event", "broker's", "p50 ms", "p99 ms")
    result = {name: medians(found) for name, found in measured.items()}
    for name, label in zip(names, ("transactions", "plain"), strict=True):
        table.add_row(label, *result[name].shown())
    show(table)
    return {
        "ratios": {name: {what: each._asdict() for what, each in at.items()} for name, at in ratios(measured).items()},
        "conditions": {"events": events, "pace_s": pace_s, "per_s": per_s},
        "per_s": round(steady or 0),
        "added_p50_ms": result["streamrec"].p50_ms - result["streamrec plain"].p50_ms,
        "added_p99_ms": result["streamrec"].p99_ms - result["streamrec plain"].p99_ms,
        "rounds": {name: [at._asdict() for at in found] for name, found in measured.items()},
    }


@click.command()
@click.option("--users", default=200_000, show_default=True, help="With a profile, all of whom the article meets.")
@click.option("--stops", default=100, show_default=True, help="How often everything is stopped.")
@click.option("--per-s", default=100.0, show_default=True, help="Clicks meanwhile.")
@click.option("--model", help="Artifact of a ranker (default: the built-in prior).")
@brokers_option
def control(users: int, stops: int, per_s: float, model: str | None, brokers: str | None) -> dict[str, object]:
    """For how long pushes still leave after a command to stop, while an article meets everybody.

    From the stop's append to the moment when a gateway has the last push.
    """
    from ..settings import load
    from ..terminal.tables import grid, show
    from ..tools.bench.control import measure
    from ..tools.local_kafka.local_kafka import cluster_or_local

    with cluster_or_local(load(brokers=brokers)) as cluster:
        found = asyncio.run(measure(cluster, users, stops, per_s, model))
    table = grid("stops", "pushes", "p50 ms", "p99 ms", "longest ms", "pushes after a stop")
    figures = (f"{found.p50_ms:.0f}", f"{found.p99_ms:.0f}", f"{found.max_ms:.0f}", f"{found.late_pushes:.0f}")
    table.add_row(str(found.stops), f"{found.pushes:,}", *figures)
    show(table)
    return dict(found._asdict())
