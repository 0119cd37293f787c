"""`streamrec replay`: a log through the whole program, with Kafka or without."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..datasets import NAMES
from .options import paths_argument, rejected_option

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..datasets.records import Step
    from ..tools.replay.producer_records import Group


@click.command()
@click.argument("log", type=click.Choice(NAMES))
@paths_argument
@click.option("--speed", type=float, help="Log time over wall time, e.g. 3600 (default: as fast as it goes).")
@click.option("--no-broker", is_flag=True, help="Feed the partitions directly: the same pushes, without Kafka.")
@click.option("--limit", type=int, help="Of globo: the first N clicks. Of the others: stop after N steps.")
@click.option("--clicks-only", is_flag=True, help="Leave out what was only seen (impressions).")
@click.option("--model", "model_dir", type=click.Path(path_type=Path), help="Ranker artifact (default: the prior).")
@rejected_option
@click.option("--partitions", default=4, show_default=True)
@click.option("--brokers", metavar="HOST:PORT,...", help="Replay on this cluster (default: one of our own).")
def replay(
    log: str,
    paths: tuple[Path, ...],
    speed: float | None,
    no_broker: bool,
    limit: int | None,
    clicks_only: bool,
    model_dir: Path | None,
    allow_rejected: float | None,
    partitions: int,
    brokers: str | None,
) -> None:
    """Replay a log of real clicks: MIND (a folder), EB-NeRD (a folder), Globo (a file), files (a folder of
    articles.jsonl and events.jsonl: `streamrec schema log`). Several of them are parts of one log.

    The log is published as articles and events; the policy clock follows the log's own time, so quiet hours, caps and
    expiry count as they would have then. The last line is JSON; its
    `pushes_sha256` is the same with and without a broker, and at any speed, where `scored_by` is: engines differ in the
    last digits, and STREAMREC_ENGINE=auto takes what is fast at the moment, so name one to compare two runs.
    """
    import itertools
    import os

    from ..contracts.event import UserEvent
    from ..datasets.opening import open_log
    from ..settings import load
    from ..terminal.progress import Bars
    from ..tools.local_kafka.local_kafka import cluster_or_local
    from ..tools.replay import in_process, through_kafka
    from ..tools.replay.producer_records import groups

    opened = open_log(log, paths, limit=limit, allowed=allow_rejected)
    steps: Iterable[Step] = opened if log == "globo" else itertools.islice(iter(opened), limit)
    if clicks_only:
        steps = (s for s in steps if not (isinstance(s.record, UserEvent) and s.record.action == "impression"))
    name = f"replay-{os.getpid()}"
    settings = load(
        brokers=brokers,
        policy_time="event",
        due_scan_s=60.0,
        partitions=partitions,
        model_dir=model_dir,
        app_id=name,
        topic_prefix=f"{name}.",
        max_articles=max(20_000, opened.summary.articles),
    )
    with Bars() as progress:
        task = progress.add_task("replay", total=opened.summary.end_ms - opened.summary.start_ms)

        def told(group: "Group") -> None:
            progress.update(task, completed=group.watermark_ms - opened.summary.start_ms)

        played = groups(steps, span_ms=max(1000, round(50 * (speed or 0))) if speed else 600_000)
        if no_broker:
            outcome = in_process.replay(played, settings, told)
        else:
            with cluster_or_local(settings) as cluster:
                outcome = asyncio.run(through_kafka.replay(played, cluster.changed(web_port=0), speed, told))
    _show(log, opened.summary, outcome.summary())


def _show(log: str, summary: Any, result: dict[str, Any]) -> None:
    from ..terminal.tables import grid, show, show_json

    table = grid(show_header=False)
    days = (summary.end_ms - summary.start_ms) / 86_400_000
    table.add_row("log", f"{log}, {days:.1f} days, {summary.users:,} users, {summary.articles:,} articles")
    for name, value in result.items():
        table.add_row(name.replace("_", " "), f"{value:,}" if isinstance(value, int | float) else str(value))
    show(table)
    show_json({"log": log, **result})
