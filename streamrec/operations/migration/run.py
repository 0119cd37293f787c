"""The whole move: articles, then every partition; with `cut_over` the source is fenced first and retired at the end."""

from collections.abc import Callable
from typing import NamedTuple

from ...errors import KafkaError
from ...kafka.topics import check, create
from ...models.load import ranker_of
from .articles import encode_articles, same_slots
from .plan import Plan
from .profiles import LEARNED_FROM, Moved, move, moves_anywhere, retire
from .reading import poison_of, stopped


class Outcome(NamedTuple):
    """What one run of a migration has read, learned and written, over all partitions."""

    articles: int
    users: int
    events: int
    written: int
    without_interest: int
    set_aside: int  # articles on which the new encoder fails


async def migrate(plan: Plan, cut_over: bool, progress: Callable[[int], object] = lambda _: None) -> Outcome:
    """Bring the target to where the source stands. SettingsError if either still has workers that must not run.

    Can be interrupted and repeated: a partition is moved in one transaction. `progress` hears of each partition done.
    """
    ranker_of(plan.target.settings, plan.target.space_id)  # a model that cannot serve stops the move before it begins
    if drift := await check(plan.source.settings):
        raise KafkaError("; ".join(map(str, drift)))
    await moves_anywhere(plan)
    await stopped(plan.target.settings, "what they write would be overwritten")
    if cut_over:
        await stopped(plan.source.settings, "two deployments must not push at the same time")
    await create(plan.target.settings)
    articles, poison = await encode_articles(plan), await poison_of(plan.source.settings, LEARNED_FROM)
    slots_stay, moved = await same_slots(plan), list[Moved]()
    for number in range(plan.source.settings.partitions):
        moved.append(await move(plan, number, poison, cut_over, slots_stay))
        progress(number + 1)
    if cut_over:
        for number in range(plan.source.settings.partitions):
            await retire(plan, number)
    users, events, written, without_interest = map(sum, zip(*moved, strict=True))
    return Outcome(articles.written, users, events, written, without_interest, articles.set_aside)
