"""`streamrec explain`: why, or why not."""

import asyncio
from typing import TYPE_CHECKING, Any

import click

from ..terminal.times import Moment, utc_minute
from .options import brokers_option, json_option

if TYPE_CHECKING:
    from ..follower.answers import Answer
    from ..follower.explain import PairExplained, ReaderExplained
    from ..follower.funnel import Funnel
    from ..follower.sent import PushExplained
    from ..settings import Settings


@click.command()
@click.argument("what", required=False)
@click.argument("article", required=False)
@click.option("--article", "is_article", is_flag=True, help="WHAT is an article, also where a reader has that id.")
@click.option("--push", "push_id", help="A push that was sent, by its push_id, as of its moment.")
@click.option("--at", "at_ms", type=Moment(), help="As if it were that time (default: now).")
@json_option
@brokers_option
def explain(
    what: str | None,
    article: str | None,
    is_article: bool,
    push_id: str | None,
    at_ms: int | None,
    as_json: bool,
    brokers: str | None,
) -> None:
    r"""Why a reader gets what they get, or does not; with nothing written, and no worker asked.

    \b
    explain USER            gates, profile, and what becomes of the fresh articles nearest to the reader
    explain USER ARTICLE    each gate and rule, features, score, threshold, and what would have changed it
    explain ARTICLE         how many readers would get it now, and what keeps back the others
    explain --push PUSH_ID  a push that was sent: the log is read as it was then, and the push is made again

    It reads what workers have committed (changelog and `catalog`), and decides as they do, with the same settings.
    """
    from ..settings import load

    if (what is None) == (push_id is None):
        raise click.UsageError("give a reader or an article, or --push PUSH_ID")
    settings = load(brokers=brokers)
    if push_id is not None:
        _show_push(asyncio.run(_push(settings, push_id)), as_json)
    elif what is not None:
        _show(asyncio.run(_explained(settings, what, article, is_article, at_ms)), as_json)


async def _push(settings: "Settings", push_id: str) -> "PushExplained":
    from ..follower.sent import explain_push

    return await explain_push(settings, push_id)


async def _explained(
    settings: "Settings", what: str, article: str | None, is_article: bool, at_ms: int | None
) -> "PairExplained | ReaderExplained | Funnel":
    from ..clock import now_ms
    from ..contracts.partitioner import partition_of
    from ..follower.explain import explain_pair, explain_reader
    from ..follower.follower import Follower
    from ..follower.funnel import funnel

    at_ms = now_ms() if at_ms is None else at_ms
    if not is_article:
        one = Follower(settings, [partition_of(what, settings.partitions)])
        await one.restore()
        if article is not None:
            return explain_pair(one.partitions, what, article, at_ms)
        if one.find(what) is not None or one.partitions[0].catalog.slot(what) is None:
            return explain_reader(one.partitions, what, at_ms)
    everybody = Follower(settings)
    await everybody.restore()
    return funnel(everybody.partitions, what, at_ms)


def _show(told: "PairExplained | ReaderExplained | Funnel", as_json: bool) -> None:
    import msgspec

    from ..follower.explain import PairExplained, ReaderExplained
    from ..terminal.tables import show_json

    if as_json:
        show_json(msgspec.to_builtins(told))
    elif isinstance(told, PairExplained):
        _show_pair(told)
    elif isinstance(told, ReaderExplained):
        _show_reader(told)
    else:
        _show_funnel(told)


def _show_push(told: "PushExplained", as_json: bool) -> None:
    import msgspec

    from ..terminal.tables import show, show_json

    if as_json:
        show_json(msgspec.to_builtins(told))
        return
    push = told.push
    show(f"{push.push_id}: {push.article_id} ({push.title}) to {push.user_id}, {utc_minute(push.created_at_ms)}")
    show(f"P(click) {push.relevance:.4f}, {push.reason.code}, trigger {push.trigger}, model {push.model.version}")
    said = {"bytes": "exact: the same push came of it, to the byte", "scores": "exact: the same score and reason"}
    show(said.get(told.exact, "not exact, for:"), *(f"  {why}" for why in told.against))
    if told.pair is not None:
        show("")
        _show_pair(told.pair)


def _show_pair(told: "PairExplained") -> None:
    from ..terminal.tables import grid, show

    show(f"{told.user_id} and {told.article_id} ({told.title}), {utc_minute(told.at_ms)}: {told.verdict}")
    show("", _answers(told.answers))
    if told.names:
        show("", "said of it: " + ", ".join(f"{stance} {name}" for name, stance in told.names.items()))
    if told.changes or told.together:
        show("", "it would be pushed" if told.changes else "it would be pushed only with all of these:")
        for change in told.changes or told.together:
            show(f"  {change.says}")
    elif told.verdict != "push":
        show("", "no change that is known would push it")
    table = grid("feature", "value")
    for name, value in told.features.items():
        table.add_row(name.replace("_", " "), f"{value:g}")
    show("", table, "", f"scored by {told.model}")


def _answers(answers: "list[Answer]") -> Any:
    from ..terminal.tables import grid

    table = grid("stage", "asked", "answer", "")
    for answer in answers:
        said = "does not count" if answer.bypassed else "yes" if answer.passed else "NO"
        more = ""
        if answer.value is not None and answer.limit is not None:
            more = f"{answer.value:.4f}, needs {answer.limit:.4f}"
        elif not answer.passed and answer.stage == "gate":
            more = f"opens {utc_minute(answer.opens_ms)}" if answer.opens_ms else "no waiting opens it"
        table.add_row(answer.stage, answer.name, said, more, style="" if answer.passed else "bold")
    return table


def _show_reader(told: "ReaderExplained") -> None:
    from ..terminal.tables import grid, show

    who, profile = f"{told.user_id} (partition {told.partition})", told.profile
    show(f"{who}, {utc_minute(told.at_ms)}, meets {told.fresh} fresh articles: {told.verdict}")
    show("", _answers(told.gates))
    table = grid(show_header=False)
    for name, value in _in_words(profile).items():
        table.add_row(name, value)
    show("", table)
    nearest = grid("article", "affinity", "P(click)", "", "title")
    for each in told.candidates:
        style = "bold" if each.chosen else ""
        nearest.add_row(
            each.article_id, f"{each.affinity:.2f}", f"{each.relevance:.3f}", each.verdict, each.title, style=style
        )
    show("", nearest)


def _in_words(profile: Any) -> dict[str, str]:
    cap = "as the settings say" if profile.daily_cap is None else str(profile.daily_cap)
    interests = ", ".join(f"{name} {reads:g}" for name, reads in profile.interests.items())
    return {
        "reads": f"{profile.reads}, of late {', '.join(profile.recent[:5]) or 'none that is known'}",
        "pushes": f"{profile.pushes}, {profile.pushes_today} of them in the last 24 hours",
        "last active": utc_minute(profile.last_active_ms) if profile.last_active_ms else "never",
        "last push": utc_minute(profile.last_push_ms) if profile.last_push_ms else "never",
        "consent": profile.consent,
        "zone": f"{profile.zone}, reads {profile.language or 'no language yet'}",
        "daily cap": cap,
        "quiet hours": profile.quiet_hours or "as the settings say",
        "interests": interests or "none",
        "muted": ", ".join(profile.muted) or "nothing",
        "said": ", ".join(f"{name}: {value}" for name, value in profile.said.items()) or "nothing",
        "resting": ", ".join(profile.resting) or "nothing",
    }


def _show_funnel(told: "Funnel") -> None:
    from ..terminal.tables import grid, show

    show(f"{told.article_id} ({told.title}), version {told.version}, {utc_minute(told.at_ms)}")
    table = grid("readers", "", "")
    table.add_row(f"{told.readers:,}", "all", "")
    table.add_row(f"{told.pushed:,}", "were pushed it", "as their rows say")
    table.add_row(f"{told.would_push:,}", "would be pushed it now", "")
    for reason, count in told.reasons.items():
        table.add_row(f"{count:,}", reason, f"{count / max(told.readers, 1):.1%}")
    if told.unaware:
        table.add_row(f"{told.unaware:,}", "live in partitions that do not know it yet", "")
    show(table)
