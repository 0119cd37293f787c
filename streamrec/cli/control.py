"""`streamrec control`: stop, hold, take back, correct; what is in effect, and who said so when and why."""

import asyncio
import getpass
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..terminal.printable import printable
from ..terminal.times import Duration
from .options import all_of, brokers_option, json_option

if TYPE_CHECKING:
    from ..contracts.control import Command
    from ..engine.control import Applied, Target
    from ..operations.control import Entry

HOUR_MS = 3_600_000
said_options = all_of(
    click.option("--why", required=True, help="The reason, for the audit trail."),
    click.option("--who", default=getpass.getuser, show_default="your login", help="Who decides it."),
    brokers_option,
)
articles_argument = click.argument("articles", nargs=-1, required=True, metavar="ARTICLE...")
category_option = click.option("--category", default="", help="Only this section; without it, everything.")
for_option = click.option(
    "--for", "for_ms", type=Duration(), metavar="1h", help="It ends by itself after so long (default: it lasts)."
)


@click.group()
def control() -> None:
    r"""Steer what is pushed: stop and resume, hold and release, take back, correct, pin a number for a time.

    \b
    streamrec control stop --why "wrong alert"            nothing leaves any more, within a second
    streamrec control retract a17 --why "not true"        everybody who got it gets a record that takes it back
    streamrec control status                              what is in effect

    Each command goes to all partitions in one transaction, with who, when and why; `log` prints them. Of several on one
    target the last one counts.
    """


def _give(commands: Sequence["Command"], brokers: str | None) -> None:
    from ..operations.control import give
    from ..settings import load

    settings = load(brokers=brokers)
    for applied in asyncio.run(give(settings, commands)):
        where = f"written to {settings.partitions} partitions in one transaction"
        click.echo(f"{_sentence(applied)}; command {printable(applied.said.command_id)}, {where}")


def _sentence(applied: "Applied") -> str:
    target, said, _, was = applied
    what, was_on = _named(target), was is not None and was.on
    if target.kind in ("retract", "correct", "approve"):
        done = {"retract": "is retracted for good", "correct": "is corrected", "approve": "is approved"}[target.kind]
        by = f" by {', '.join(map(printable, said.persons))}" if said.persons else ""
        return f"{what} {done}{by}" + (", as it was before" if was_on and target.kind == "retract" else "")
    on = {"setting": f"is pinned to {said.value:g}", "article": "is held"}.get(target.kind, "is stopped")
    off = {"setting": "is as the settings say", "article": "is released"}.get(target.kind, "is resumed")
    before = ", as it was before" if was_on == said.on and (was is not None or not said.on) else ""
    return f"{what} {on if said.on else off}{_until(said.until_ms)}{before}"


def _named(target: "Target") -> str:
    return {
        "everything": "everything",
        "category": f"category {printable(target.name)}",
        "setting": printable(target.name),
    }.get(target.kind, f"article {printable(target.name)}")


def _until(until_ms: int) -> str:
    from ..terminal.times import utc_minute

    return f" until {utc_minute(until_ms)}" if until_ms else ""


def _command(action: str, who: str, why: str, for_ms: int | None = None, **more: Any) -> "Command":
    from ..clock import now_ms
    from ..contracts.control import Command
    from ..contracts.limits import MAX_ID_CHARS, SHORT_TEXT_CHARS
    from ..contracts.text import clean_id, clean_text

    who, why = clean_text(who)[:SHORT_TEXT_CHARS], clean_text(why)
    for name, text in (("--who", who), ("--why", why)):
        if not text:
            raise click.BadParameter("expected some text", param_hint=name)
    if article_id := more.get("article_id"):
        more["article_id"] = clean_id(article_id)
        if not 0 < len(more["article_id"]) <= MAX_ID_CHARS:
            raise click.BadParameter(f"an article id has 1 to {MAX_ID_CHARS} characters", param_hint="ARTICLE")
    at_ms = now_ms()
    return Command(action, who, why[:500], at_ms, until_ms=at_ms + for_ms if for_ms else 0, **more)


def _on_articles(action: str, told: str, ends: bool = False) -> None:
    def run(articles: tuple[str, ...], why: str, who: str, brokers: str | None, for_ms: int | None = None) -> None:
        _give([_command(action, who, why, for_ms, article_id=article) for article in articles], brokers)

    run.__doc__ = told
    wrapped: Callable[..., Any] = said_options(for_option(run) if ends else run)
    control.command(action)(articles_argument(wrapped))


_on_articles(
    "hold", "Push these articles to nobody until they are released, whether they are out or still to come.", True
)
_on_articles("release", "Let held articles meet their readers now.")
_on_articles(
    "retract", "Take back what was pushed of these articles, from everybody who got it, and never push them again."
)
_on_articles(
    "correct", "Replace what was pushed of these articles by their newest version, where an earlier one was got."
)


@control.command()
@articles_argument
@said_options
def approve(articles: tuple[str, ...], why: str, who: str, brokers: str | None) -> None:
    """Say that the newest version of these articles may go to everybody, and no later one.

    A second person's word counts where one is asked for.
    """
    from msgspec.structs import replace

    from ..operations.control import newest_versions
    from ..settings import load

    commands = [_command("approve", who, why, article_id=article) for article in articles]
    newest = asyncio.run(newest_versions(load(brokers=brokers), [command.article_id for command in commands]))
    if unknown := [command.article_id for command in commands if command.article_id not in newest]:
        raise click.ClickException(f"no article {printable(unknown[0])} is known; nothing was approved")
    for article in newest.values():
        click.echo(f"article {printable(article.article_id)}: {printable(article.title)}")
    _give([replace(command, digest=newest[command.article_id].digest) for command in commands], brokers)


@control.command()
@category_option
@for_option
@said_options
def stop(category: str, for_ms: int | None, why: str, who: str, brokers: str | None) -> None:
    """Let nothing leave any more, breaking news included, or nothing of a category; articles wait meanwhile."""
    from ..contracts.control import category_name

    _give([_command("stop", who, why, for_ms, category=category_name(category))], brokers)


@control.command()
@category_option
@said_options
def resume(category: str, why: str, who: str, brokers: str | None) -> None:
    """Let pushes leave again; a category that was stopped by itself is resumed by itself."""
    from ..contracts.control import category_name

    _give([_command("resume", who, why, category=category_name(category))], brokers)


@control.command()
@click.argument("setting", type=click.Choice(["min_affinity", "min_score", "daily_cap"]))
@click.argument("value", type=click.FloatRange(0))
@click.option("--for", "for_ms", type=Duration(), default="1h", show_default=True, help="It ends after so long.")
@said_options
def pin(setting: str, value: float, for_ms: int, why: str, who: str, brokers: str | None) -> None:
    """Let another number than the settings' hold for a time: a floor, a threshold, or the daily cap."""
    from ..contracts.control import MOST

    if value > MOST[setting]:
        raise click.BadParameter(f"{value:g} is more than {setting} can be; at most {MOST[setting]:g}")
    _give([_command("pin", who, why, for_ms, setting=setting, value=value)], brokers)


@control.command()
@click.argument("setting", type=click.Choice(["min_affinity", "min_score", "daily_cap"]))
@said_options
def unpin(setting: str, why: str, who: str, brokers: str | None) -> None:
    """Let a number be as the settings say again."""
    _give([_command("unpin", who, why, setting=setting)], brokers)


@control.command()
@json_option
@brokers_option
def status(as_json: bool, brokers: str | None) -> None:
    """What is stopped, held, pinned, retracted and corrected, the latest first."""
    from ..operations.control import read_trail
    from ..settings import load
    from ..terminal.tables import grid, show, show_json
    from ..terminal.times import utc_minute

    trail = asyncio.run(read_trail(load(brokers=brokers)))
    found = trail.in_effect()
    if as_json:
        show_json({
            "stopped": trail.state.is_on("everything"),
            "in_effect": [
                {"kind": target.kind, "name": target.name, "at_ms": said.at_ms, "until_ms": said.until_ms,
                 "value": said.value, "who": said.who, "why": why, "command_id": said.command_id}
                for target, said, why in found
            ],
        })  # fmt: skip
        return
    if not found:
        click.echo("nothing is stopped, held, pinned, retracted or corrected")
        return
    table = grid("what", "target", "since", "until", "who", "why")
    for target, said, why in found:
        what = {
            "everything": "stopped",
            "category": "stopped",
            "article": "held",
            "setting": f"pinned to {said.value:g}",
        }
        until = utc_minute(said.until_ms) if said.until_ms else ""
        names = (what.get(target.kind, f"{target.kind}ed".replace("eed", "ed")), _named(target))
        table.add_row(*names, utc_minute(said.at_ms), until, printable(said.who), printable(why))
    show(table)


@control.command()
@click.option("--last", default=50, show_default=True, type=click.IntRange(1), help="So many of them.")
@json_option
@brokers_option
def log(last: int, as_json: bool, brokers: str | None) -> None:
    """The audit trail: each command with who, when and why, the oldest first; --json: one object a line."""
    from ..operations.control import read_trail
    from ..settings import load
    from ..terminal.tables import grid, show, show_json
    from ..terminal.times import utc_minute

    entries = asyncio.run(read_trail(load(brokers=brokers))).entries[-last:]
    if as_json:
        for entry in entries:
            show_json(_told(entry))
        return
    table = grid("when", "who", "action", "target", "why", "command")
    for entry in entries:
        if (said := entry.command) is None:
            table.add_row("", "", "unreadable", f"offset {entry.offset}", printable(entry.reason), "")
            continue
        reader = f"reader {said.reader}" if said.reader else ""
        about = said.article_id or said.category or said.setting or reader or "everything"
        about = f"{about} {said.value:g}" if said.action == "pin" else about
        who, why = printable(said.who), printable(said.why)
        table.add_row(utc_minute(said.at_ms), who, said.action, printable(about), why, printable(said.command_id))
    show(table)


def _told(entry: "Entry") -> dict[str, object]:
    import msgspec

    if entry.command is None:
        return {"offset": entry.offset, "unreadable": entry.reason}
    return {"offset": entry.offset, "appended_ms": entry.appended_ms, **msgspec.to_builtins(entry.command)}
