"""`streamrec bench pipeline`: this worker beside three others at the same work."""

import asyncio

import click

from .options import brokers_option


@click.command()
@click.option(
    "--events", default=200_000, show_default=True, help="Backlog of a round; stock Faust and Quix Streams get a third."
)
@click.option("--rounds", type=click.IntRange(1), default=20, show_default=True, help="At most so many.")
@click.option(
    "--within", type=click.FloatRange(0), default=0.1, show_default=True,
    help="End when each ratio of events/s is known to this share of itself; that takes six rounds or more.",
)  # fmt: skip
@click.option("--pace-s", default=5.0, show_default=True, help="Seconds of half load, for latency.")
@click.option("--model", type=click.Path(exists=True), help="Ranker artifact (default: the built-in prior).")
@brokers_option
def pipeline(
    events: int, rounds: int, within: float, pace_s: float, model: str | None, brokers: str | None
) -> dict[str, object]:
    """Events/s, CPU per event and event -> push latency, beside Faust, raw aiokafka, Quix Streams and Kafka Streams.

    All parse a click, write a profile row, decide, and push for 5 % of the clicks, on the same local Kafka. The last
    two do it exactly once, as this worker does. Kafka Streams needs a JDK (`javac`), Quix Streams `pip install
    quixstreams`; without it they are left out.
    """
    from ..kafka.topics import reachable
    from ..settings import load
    from ..terminal.tables import PlainConsole, grid, show
    from ..tools.bench.contestants import left_out
    from ..tools.bench.pipeline import BASELINES, SHARES, Measured, measure, medians, ratios, summary
    from ..tools.bench.ratios import are_narrow
    from ..tools.local_kafka.local_kafka import cluster_and_broker

    console = PlainConsole(stderr=True)
    with cluster_and_broker(load(brokers=brokers)) as (cluster, broker):
        asyncio.run(reachable(cluster))
        absent = left_out(cluster)
        names = [name for name in (*BASELINES, "streamrec") if name not in absent]
        measured: dict[str, list[Measured]] = {name: [] for name in names}
        for number in range(rounds):
            for name in names if number % 2 == 0 else reversed(names):  # who comes first has it no better
                share = SHARES.get(name, 1)
                console.print(f"round {number + 1} of at most {rounds}: {name}")
                pid = broker.pid if broker else None
                measured[name].append(
                    asyncio.run(measure(name, cluster, events // share, pace_s, model, broker_pid=pid))
                )
            if are_narrow([each["events_per_s"] for each in ratios(measured).values()], within):
                break
    table = grid("contestant", "events/s", "CPU us/event", "broker's", "p50 ms", "p99 ms", "pushes")
    for name, found in measured.items():
        at = medians(found)
        table.add_row(name, *at.shown(), f"{at.pushes:.0f}")
    for name, why in absent.items():
        table.add_row(name, f"left out: {why}")
    beside = grid("streamrec, times as many as", "events/s (95 %)", "events per second of CPU (95 %)")
    for name, each in ratios(measured).items():
        beside.add_row(name, *(ratio.shown() for ratio in each.values()))
    show(table, beside)
    conditions = {"events": events, "pace_s": pace_s, "model": model}
    return {**summary(measured), "left_out": absent, "conditions": conditions}
