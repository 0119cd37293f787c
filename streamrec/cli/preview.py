"""`streamrec preview`: who would get an article before it is published."""

import asyncio
from typing import TYPE_CHECKING, Any

import click

from ..terminal.times import Moment, utc_minute
from .options import brokers_option, json_option

if TYPE_CHECKING:
    from ..contracts.article import AnalysedArticle
    from ..follower.follower import Follower
    from ..follower.preview import Compared, Preview
    from ..settings import Settings

SHOWN = 8  # groups of a dimension


@click.command()
@click.argument("file", type=click.File("rb"), required=False)
@click.option("--title", help="Headline, in place of FILE.")
@click.option("--abstract", help="Teaser.")
@click.option("--category", help="Section; guessed from the text if none is given.")
@click.option("--language", help="Guessed from the text if none is given.")
@click.option("--tag", "tags", multiple=True, help="What it is about; may be given several times.")
@click.option("--breaking", type=click.IntRange(0, 3), help="Level of breaking news.")
@click.option("--at", "at_ms", type=Moment(), help="As if it were published then (default: now).")
@click.option("--min-score", type=click.FloatRange(0, 1), help="Another threshold than STREAMREC_MIN_SCORE.")
@click.option("--compare-title", help="Compare with another headline.")
@click.option("--compare-at", "compare_at_ms", type=Moment(), help="Compare with another time.")
@click.option("--compare-min-score", type=click.FloatRange(0, 1), help="Compare with another threshold.")
@json_option
@brokers_option
def preview(
    file: Any,
    title: str | None,
    abstract: str | None,
    category: str | None,
    language: str | None,
    tags: tuple[str, ...],
    breaking: int | None,
    at_ms: int | None,
    min_score: float | None,
    compare_title: str | None,
    compare_at_ms: int | None,
    compare_min_score: float | None,
    as_json: bool,
    brokers: str | None,
) -> None:
    """How many readers would get an article, who they are, and how many would click; nothing is published.

    FILE (- is stdin) holds an article as it would go into the topic `articles`: one JSON object. Options replace its
    fields. Readers are those whose events workers have applied by now.
    """
    from ..clock import now_ms
    from ..settings import load

    given: dict[str, object] = {"title": title, "abstract": abstract, "category": category, "language": language}
    given |= {"tags": tags or None, "breaking": breaking}
    said = _read(file) | {name: value for name, value in given.items() if value is not None}
    if "title" not in said:
        raise click.UsageError("give an article: a FILE, or --title")
    at_ms = now_ms() if at_ms is None else at_ms
    another = None
    if compare_title is not None or compare_at_ms is not None or compare_min_score is not None:
        other = said | ({} if compare_title is None else {"title": compare_title})
        another = (other, at_ms if compare_at_ms is None else compare_at_ms, _first(compare_min_score, min_score))
    told = asyncio.run(_previewed(load(brokers=brokers), (said, at_ms, min_score), another))
    _show(told, as_json)


def _read(file: Any) -> dict[str, object]:
    import orjson

    from ..errors import DataError

    if file is None:
        return {}
    try:
        said = orjson.loads(file.read())
    except ValueError as error:
        raise DataError(f"{file.name} is no JSON: {error}") from None
    if not isinstance(said, dict):
        raise DataError(f"{file.name} holds {type(said).__name__}; expected one JSON object, an article")
    return said


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


Asked = tuple[dict[str, object], int, float | None]


async def _previewed(settings: "Settings", asked: Asked, another: Asked | None) -> "Preview | Compared":
    from ..follower.follower import Follower
    from ..follower.preview import compare
    from ..follower.preview import preview as previewed

    follower = Follower(settings)
    await follower.restore()
    first = await _drafted(follower, asked)
    if another is None:
        return (await follower.ask(previewed, *first)).answer
    return (await follower.ask(compare, first, await _drafted(follower, another))).answer


async def _drafted(follower: "Follower", asked: Asked) -> "tuple[AnalysedArticle, int, float | None]":
    said, at_ms, min_score = asked
    return await follower.draft(said, at_ms), at_ms, min_score


def _show(told: "Preview | Compared", as_json: bool) -> None:
    import msgspec

    from ..follower.preview import Compared
    from ..terminal.tables import show, show_json

    if as_json:
        show_json(msgspec.to_builtins(told))
    elif isinstance(told, Compared):
        _show_one(told.first)
        show("", "compared with", "")
        _show_one(told.second)
        show("", f"both reach {told.both:,}; only the first {told.only_first:,}, only the second {told.only_second:,}")
    else:
        _show_one(told)


def _show_one(told: "Preview") -> None:
    from ..terminal.tables import grid, show

    about = f"category {told.category or 'undecided'}, language {told.language}, story {told.story_id}"
    about += f", tags {', '.join(told.tags)}" if told.tags else ""
    show(f"{told.title} ({about}), {utc_minute(told.at_ms)}, threshold {told.min_score:g}")
    clicks = told.clicks
    within = f"{clicks.level:.0%} within {clicks.low:,} to {clicks.high:,}"
    show(f"{told.pushes:,} of {told.readers:,} readers; {clicks.expected:,.1f} clicks expected, {within}")
    table = grid("readers", "kept back by", "")
    for reason, count in told.reasons.items():
        table.add_row(f"{count:,}", reason, f"{count / max(told.readers, 1):.1%}")
    show("", table)
    opening = ", ".join(f"{count:,} within {within}" for within, count in told.later.items())
    show("", f"gates of others open: {opening}")
    for dimension, found in told.groups.items():
        groups = grid(dimension, "readers", "pushes", "clicks")
        reached = [(name, group) for name, group in found.items() if group.pushes] or list(found.items())
        for name, group in reached[: SHOWN if dimension in {"zone", "language"} else None]:
            groups.add_row(name, f"{group.readers:,}", f"{group.pushes:,}", f"{group.clicks:,.1f}")
        show("", groups)
    lost = told.displaced
    show("", f"for {lost.last_of_the_day:,} it is the last push of the day; {lost.better:,} lose a likelier one by it")
    for article_id, count in list(lost.articles.items())[:SHOWN]:
        show(f"  {count:,} lose {article_id}")
