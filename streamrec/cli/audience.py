"""`streamrec audience`: how far an article has come."""

import asyncio
from typing import TYPE_CHECKING

import click

from ..terminal.times import Duration
from .options import brokers_option

if TYPE_CHECKING:
    from ..follower.audience import Pace, Progress
    from ..settings import Settings


@click.command()
@click.argument("article", required=False)
@click.option("--every", "every_ms", type=Duration(), default="1s", show_default=True, help="Time between two lines.")
@click.option("--once", is_flag=True, help="One line, without a pace.")
@click.option("--json", "as_json", is_flag=True, help="Each line as JSON.")
@brokers_option
def audience(article: str | None, every_ms: int, once: bool, as_json: bool, brokers: str | None) -> None:
    """Show how far ARTICLE has come: who is in its audience, pushes so far, readers left, pace, and when it is done.

    Without ARTICLE it names, once, all articles that are meeting their audience, or wait for the second step of a ramp.
    It follows the workers' log and asks them nothing. It ends when the article has met all readers, and goes on while a
    ramp waits for its second step.
    """
    import contextlib

    from ..settings import load

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_show(load(brokers=brokers), article, every_ms / 1000, once, as_json))


async def _show(settings: "Settings", article_id: str | None, every_s: float, once: bool, as_json: bool) -> None:
    import msgspec

    from ..clock import now_ms
    from ..errors import DataError
    from ..follower.audience import pace, progress, under_way
    from ..follower.follower import Follower
    from ..terminal.printable import printable

    follower = Follower(settings)
    await follower.start()
    try:
        if article_id is None:
            found, _ = await follower.ask(under_way, now_ms())
            for each in found:
                said = f"{printable(each.article_id)}: {line(each, None)}"
                click.echo(msgspec.json.encode({"progress": each, "pace": None}) if as_json else said)
            if not found and not as_json:
                click.echo("no article with an audience is under way")
            return
        before: Progress | None = None
        while True:
            now, _ = await follower.ask(progress, article_id, now_ms())
            if now is None:
                raise DataError(f"no article {printable(article_id)} in the catalog of any partition")
            went = pace(before, now) if before is not None else None
            if as_json:
                click.echo(msgspec.json.encode({"progress": now, "pace": went}))
            else:
                click.echo(line(now, went))
            if once or now.state == "over" or (now.state == "met" and not now.widens_at_ms):
                return
            before = now
            await asyncio.sleep(every_s)
    finally:
        await follower.stop()


def line(now: "Progress", went: "Pace | None") -> str:
    """A look at an article as one line."""
    from ..terminal.times import utc_minute

    parts = [f"{now.state}: {now.pushed:,} pushed, {now.inside:,} of {now.readers:,} readers are in its audience"]
    if now.state == "under way":
        parts.append(f"{now.left:,} left to meet")
        if went is not None:
            eta = "standing still" if went.eta_s is None else f"{went.eta_s:.0f} s to go"
            parts.append(f"{went.pushes_per_s:,.0f} pushes/s, {eta}")
    if now.widens_at_ms:
        parts.append(f"{now.share:.0%} of it until {utc_minute(now.widens_at_ms)}")
    return "; ".join(parts)
