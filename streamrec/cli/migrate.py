"""`streamrec migrate`: profiles and articles into another vector space."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..terminal.printable import printable
from .options import brokers_option, json_option

if TYPE_CHECKING:
    from ..operations.migration.plan import Plan
    from ..operations.migration.run import Outcome


@click.command()
@click.option(
    "--to-model", "model", type=click.Path(exists=True, path_type=Path), required=True, help="Artifact folder or store."
)
@click.option("--encoder", default="", help="Of the new space (default: the one the model names).")
@click.option("--to-app", default="", metavar="NAME", help="STREAMREC_APP_ID of the new deployment.")
@click.option("--to-catalog", default="", metavar="NAME", help="STREAMREC_CATALOG_TOPIC of the new deployment.")
@click.option("--cut-over", is_flag=True, help="The last step: the old workers are stopped, the new ones start next.")
@json_option
@brokers_option
def migrate(
    model: Path, encoder: str, to_app: str, to_catalog: str, cut_over: bool, as_json: bool, brokers: str | None
) -> None:
    r"""Move readers and articles into another vector space, for a model that was trained in it.

    Vectors of two encoders never meet, so such a model cannot be promoted in a running worker. A second deployment is
    built beside the first one, from the same `articles` and `events`; `push` is shared, so gateways notice nothing.

    \b
    1. streamrec migrate --to-model DIR             while the old workers run; repeat until few events are left
    2. stop the old workers (SIGTERM)
    3. streamrec migrate --to-model DIR --cut-over  moves the rest and retires the old deployment
    4. start workers with the variables it prints

    Articles are encoded again and every event still in the topic is learned again; the rest of a profile (what was
    pushed, caps, consent, reads) is taken over as it is, so nobody is pushed twice. Nothing is pushed meanwhile, and
    what comes in waits. Run it with the old workers' settings.

    The old topics stay. The way back is the same command with the new workers' settings and the old names:
    --to-model OLD --to-app streamrec --to-catalog catalog.
    """
    from ..operations.migration.plan import plan
    from ..operations.migration.run import migrate as run
    from ..settings import load
    from ..terminal.progress import Bars
    from ..terminal.tables import show_json

    settings = load(brokers=brokers)
    planned = plan(settings, model, encoder, to_app, to_catalog)
    with Bars() as progress:
        task = progress.add_task("partitions", total=settings.partitions)
        outcome = asyncio.run(run(planned, cut_over, lambda done: progress.update(task, completed=done)))
    if as_json:
        told = {"cut_over": cut_over, "environ": planned.environ(), **outcome._asdict()}
        show_json(told)
    else:
        _tell(planned, outcome, cut_over)


def _tell(planned: "Plan", outcome: "Outcome", cut_over: bool) -> None:
    click.echo(
        f"{outcome.articles} articles encoded, {outcome.events} events learned, {outcome.written} of"
        f" {outcome.users} rows written"
    )
    if outcome.set_aside:
        click.echo(
            f"{outcome.set_aside} articles were set aside, for the new encoder fails on them; the new workers do not"
            " know them: `streamrec dlq list --topic articles`"
        )
    if outcome.without_interest:
        click.echo(
            f"{outcome.without_interest} readers have no interest in the new space: what they read is no longer in the"
            " topics, or they never read"
        )
    if cut_over:
        click.echo(f"{planned.source.settings.app_id} is retired; start the new workers with its settings and")
        click.echo("\n".join(f"    {name}={printable(value, None)}" for name, value in planned.environ().items()))
    else:
        click.echo("repeat until few events are left, stop the old workers, then run it with --cut-over")
