"""`streamrec chaos`: harm a system on purpose and judge what it did."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..terminal.printable import printable
from .options import KAFKA_VERSIONS, brokers_option, kafka_options

if TYPE_CHECKING:
    from ..settings import Settings
    from ..tools.chaos.cluster_run import Outcome
    from ..tools.chaos.verdict import Verdict
    from ..tools.local_kafka.cluster import LocalCluster

SIMULATED = 1000
LEAST_IN_FULL, MANY_RUNS = 0.8, 100  # of readers, in so many simulated runs; one in ten is long and fills rows
NETWORKS = ("late_commits", "resets", "delays", "overtaken", "black_holes", "half_open", "slow_lines")
SHOWN = 10  # findings of a run; all of a real one are kept with its logs
BROKER_S = 180.0  # to come back; a run beside much else is no proof of anything but that


@click.command()
@click.option("--simulate", type=click.IntRange(1), help=f"So many simulated runs (default: {SIMULATED}).")
@click.option("--runs", type=click.IntRange(1), help="So many runs of real workers on a real Kafka instead.")
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the first run; the next has the next."
)
@click.option("--jobs", type=click.IntRange(1), help="Processes that simulate (default: one per processor).")
@click.option("--events", type=click.IntRange(100), default=6000, show_default=True, help="Of a real run.")
@click.option(
    "--network", type=click.Choice(NETWORKS), help="Of real runs: a bad network to the broker in place of other faults."
)
@click.option("--fault", help="Of real runs: this one in each, by its name, in place of the one that the seed chooses.")
@kafka_options
@click.option(
    "--evidence", type=click.Path(file_okay=False, path_type=Path), default=Path("chaos-evidence"), show_default=True,
    help="Worker logs of failing real runs go here.",
)  # fmt: skip
@brokers_option
def chaos(
    simulate: int | None,
    runs: int | None,
    seed: int,
    jobs: int | None,
    events: int,
    network: str | None,
    fault: str | None,
    nodes: int,
    kafka_version: str,
    evidence: Path,
    brokers: str | None,
) -> None:
    """Break it on purpose, and see whether it keeps what it promises.

    Simulated, the real partition and the real writer run on a transactional log in memory. Their process dies or
    stands still at any request, before or after it took effect; two owners overlap, or none is there for a
    while; records come twice, late, out of order, unreadable, in the wrong partition, or reach a bug.

    With --runs, two or three worker processes share eight partitions of a real Kafka under load, while one kind of
    fault strikes: kill -9, also while others recover, SIGTERM, workers that join and leave, SIGSTOP past the session,
    an outage of all workers, a broker that dies, a slow one, a restart of everything, or several of these. With
    --nodes 3 Kafka has three brokers: the active controller dies, or a transaction's coordinator, or two at once, one
    stands still or has a full disk, or all restart in turn.
    With --network, the workers (with an even seed the first of them alone) reach their broker through a proxy that
    breaks connections, delivers what they held later, lets them fall silent or go slow. Each run makes topics of its
    own and deletes them; on a cluster given with --brokers those of a run that failed stay, and their names are told.

    Afterwards the rows must be those of a sequential oracle, every push must be counted by its user's row and allowed
    by the policy, and no dead letter may be other than it should be. It finds mistakes in the protocol, in recovery
    and (simulated) in any rule of the policy; a push that never comes it does not miss. A failing seed is printed;
    `--seed N` plays it again. Exit code 1 if any run fails. The last line is JSON.
    """
    import sys

    from ..settings import load
    from ..terminal.output_files import folder_if_needed
    from ..terminal.tables import show_json
    from ..tools.chaos.verdict import Verdict

    if simulate and runs:
        raise click.UsageError("--simulate or --runs, not both")
    if network and (brokers or not runs or fault or nodes > 1):
        raise click.UsageError("--network is for --runs on a Kafka of their own with one node, without --fault")
    if (nodes, kafka_version) != (1, KAFKA_VERSIONS[0]) and (brokers or not runs):
        raise click.UsageError("--nodes and --kafka-version are for --runs on a Kafka of their own")
    total = Verdict()
    if runs:
        with (
            folder_if_needed(evidence, "--evidence"),  # before the first run: its logs live no longer
            _kafka(load(brokers=brokers), network, nodes, kafka_version) as (settings, cluster),
        ):
            _on_a_cluster(settings, cluster, range(seed, seed + runs), events, network, fault, evidence, total)
    else:
        _in_memory(range(seed, seed + (simulate or SIMULATED)), jobs, total)
    show_json(total.summary())
    sys.exit(0 if total.holds else 1)


def _in_memory(seeds: range, jobs: int | None, total: "Verdict") -> None:
    from rich.progress import track

    from ..terminal.tables import PlainConsole

    console = PlainConsole(stderr=True)
    for number, verdict in track(_simulated(seeds, jobs), "simulating", len(seeds), console=console):
        total.add(verdict, number)
        for what in _first(verdict.found):
            console.print(f"seed {number}: {what}", style="red")
    if total.runs >= MANY_RUNS:
        total.judge_comparison(LEAST_IN_FULL)


def _simulated(seeds: range, jobs: int | None) -> Iterator[tuple[int, "Verdict"]]:
    import os
    from concurrent.futures import ProcessPoolExecutor

    from ..tools.chaos.simulate import quietly

    with ProcessPoolExecutor(jobs or os.cpu_count(), initializer=_one_of_many) as pool:
        yield from zip(seeds, pool.map(quietly, seeds, chunksize=max(1, min(20, len(seeds) // 8))), strict=True)


def _one_of_many() -> None:
    """A process that simulates: silent, and what was imported is not looked through for garbage again and again."""
    import gc
    import logging

    logging.disable()
    gc.freeze()
    gc.set_threshold(20_000)


@contextmanager
def _kafka(
    settings: "Settings", network: str | None, nodes: int, version: str
) -> Iterator[tuple["Settings", "LocalCluster | None"]]:
    """The user's cluster, if one is named and the run needs none of its own; else one that is ours to harm."""
    from ..tools.local_kafka.config import Detour
    from ..tools.local_kafka.local_kafka import at_local, local_cluster
    from ..tools.ports import free_port

    is_plain = not network and (nodes, version) == (1, KAFKA_VERSIONS[0])
    if is_plain and "brokers" in settings.model_fields_set:
        yield settings, None
        return
    detour = Detour(free_port(), free_port()) if network else None
    with local_cluster(nodes, settings.kafka_cache, wait_s=BROKER_S, version=version, detour=detour) as cluster:
        yield at_local(settings, cluster).changed(replication=nodes), cluster


def _on_a_cluster(
    settings: "Settings", cluster: "LocalCluster | None", seeds: range, events: int, network: str | None,
    fault: str | None, evidence: Path, total: "Verdict",
) -> None:  # fmt: skip
    import logging
    import shutil
    import tempfile

    from ..tools.chaos.cluster_run import cluster_run
    from ..tools.chaos.faults import available

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a broker that is away is what we are here for
    if fault and fault not in (names := list(available(cluster))):
        raise click.UsageError(f"--fault is '{printable(fault, None)}'; expected one of {', '.join(names)}")
    for seed in seeds:
        with tempfile.TemporaryDirectory(prefix="streamrec-chaos-") as folder:
            outcome = asyncio.run(cluster_run(settings, cluster, seed, Path(folder), events, network, fault))
            _tell(seed, outcome)
            total.add(outcome.verdict, seed)
            if not outcome.verdict.holds:
                shutil.copytree(folder, evidence / f"seed-{seed}", dirs_exist_ok=True)
                (evidence / f"seed-{seed}" / "found.txt").write_text("\n".join(outcome.verdict.found))


def _tell(seed: int, outcome: "Outcome") -> None:
    verdict = outcome.verdict
    exits = ", ".join(f"{count} x {code}" for code, count in sorted(outcome.exits.items())) or "none"
    word = "held" if verdict.holds else "FAILED"
    click.echo(
        f"seed {seed:<5} {outcome.fault:<19} {word:<7} {verdict.events:>6} events {verdict.pushes:>6} pushes  "
        f"{outcome.seconds:4.0f} s  exits: {exits}"
    )
    for what in _first(verdict.found):
        click.echo(f"    {printable(what, None)}")
    if outcome.kept:
        click.echo(f"    its topics are still there: {outcome.kept}*")


def _first(found: list[str]) -> list[str]:
    """What fits a screen: a mistake in the protocol touches hundreds of users."""
    more = len(found) - SHOWN
    return found if more <= 0 else [*found[:SHOWN], f"and {more} more like these"]
