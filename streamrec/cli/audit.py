"""`streamrec audit`: hold what a cluster has committed against the rules."""

import asyncio
from typing import TYPE_CHECKING

import click

from ..terminal.times import Duration
from .options import brokers_option

if TYPE_CHECKING:
    from rich.progress import TaskID

    from ..operations.audit.findings import Finding
    from ..operations.audit.reader import Progress
    from ..settings import Settings
    from ..terminal.progress import Bars


@click.command()
@click.option(
    "--since", type=Duration(), metavar="24h", help="Judge pushes no older than this (default: all there are)."
)
@click.option(
    "--skew", type=Duration(), default="1m", show_default=True, help="How far clocks of brokers and workers may differ."
)
@click.option("--examples", default=5, show_default=True, type=click.IntRange(0, 1000), help="Shown of each rule.")
@click.option("--show-users", is_flag=True, help="User ids in examples; else their CRC-32.")
@click.option("--erased", is_flag=True, help="Only whether anything is left, or came back, of who was erased.")
@click.option("--json", "as_json", is_flag=True, help="Only the last line, which is JSON.")
@brokers_option
@click.pass_context
def audit(
    ctx: click.Context,
    since: int | None,
    skew: int,
    examples: int,
    show_users: bool,
    erased: bool,
    as_json: bool,
    brokers: str | None,
) -> None:
    """Check a live cluster by what stands in its topics: nothing doubled, no cap broken, every cursor sound.

    Reads push, the profiles changelog and events as a consumer without a group; changes nothing. Give it the settings
    of the workers. After a change of the push policy, say --since that change: older pushes obeyed other rules.

    Exit code: 0 all held, 1 a rule is broken, 2 it could not be checked.
    """
    from ..clock import now_ms
    from ..errors import StateError, StreamrecError
    from ..operations.audit.checks import check
    from ..operations.audit.reader import read
    from ..settings import load
    from ..terminal.progress import Bars
    from ..terminal.tables import show_json

    settings, started_ms = load(brokers=brokers), now_ms()
    if erased:
        _prove(ctx, settings)
        return
    try:
        with Bars() as bars:
            facts = asyncio.run(read(settings, started_ms - since if since else 0, examples, _shown_in(bars)))
        findings = check(facts, settings, started_ms, skew)
    except StreamrecError:
        raise
    except Exception as error:  # an exit code 1 would say that a rule is broken
        raise StateError(f"the audit itself failed: {type(error).__name__} {error}") from error
    if not as_json:
        _table(findings, show_users)
    summary = {
        "checked": {finding.rule: finding.checked for finding in findings},
        "violations": {finding.rule: finding.violations for finding in findings},
        "ok": not any(finding.violations for finding in findings),
    }
    show_json(summary)
    ctx.exit(0 if summary["ok"] else 1)


def _prove(ctx: click.Context, settings: "Settings") -> None:
    from ..operations.erasing import proof
    from ..terminal.tables import show_json

    asked, wrong = asyncio.run(proof(settings))
    for what in wrong:
        click.echo(what)
    show_json({"erasures": asked, "violations": len(wrong), "ok": not wrong})
    ctx.exit(1 if wrong else 0)


def _shown_in(bars: "Bars") -> "Progress":
    tasks: dict[str, TaskID] = {}

    def show(topic: str, done: int, total: int) -> None:
        if topic not in tasks:
            tasks[topic] = bars.add_task(topic, total=total)
        bars.update(tasks[topic], completed=done)

    return show


def _table(findings: list["Finding"], show_users: bool) -> None:
    from ..operations.audit.findings import RULES
    from ..terminal.tables import grid, show

    table = grid("rule", "checked", "violations", "what it protects")
    for finding in findings:
        count = str(finding.violations) if finding.checked or finding.violations else "-"
        style = "bold red" if finding.violations else ""
        row = (finding.rule, f"{finding.checked:,}", count, RULES[finding.rule])
        table.add_row(*row, style=style)
    show(table)
    for finding in findings:
        for example in finding.examples:
            click.echo(f"{finding.rule}: {example.shown(show_users)}")
