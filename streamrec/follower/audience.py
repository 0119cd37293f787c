"""How far an article with an audience has come, as followed partitions know it from the log.

    pushed     rows that name it as pushed: exact, whatever ended on the way
    met, left  readers the article has met, or has yet to meet, by the cursor record of each owner; who meets it later,
               because a gate was closed or they are new, is not counted again
    inside     readers who are in the audience by now: until a ramp is over, of its share

`pace` is between two looks. A restart lets an article meet everybody again, which costs time and no push: `met` then
begins at 0 once more.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from ..contracts.audience import Audience
from ..engine.audience import members, share_at
from ..partition.partition import Partition
from .listing import newest, pushed_to
from .stepwise import Steps, stepwise
from .world import policy_of


class Progress(msgspec.Struct, frozen=True):
    """Where an article stands; counts are over the followed partitions."""

    article_id: str
    title: str
    audience: Audience | None
    at_ms: int
    state: str  # waits, held (or stopped, alone or with all else), under way, met or over
    readers: int
    inside: int
    met: int
    left: int
    pushed: int
    share: float  # of the audience that may have it now
    widens_at_ms: int  # when the rest may; 0: there is no ramp, or it is over


class Pace(msgspec.Struct, frozen=True):
    """How fast an article went between two looks; `eta_s` None: it stands still."""

    pushes_per_s: float
    readers_per_s: float
    eta_s: float | None  # until it has met all who are left


@stepwise
def progress(partitions: Sequence[Partition], article_id: str, at_ms: int) -> Steps[Progress | None]:
    """Where an article stands; None for one that no followed partition knows."""
    article = newest(partitions, article_id)
    if article is None:
        return None
    met = readers = inside = pushed = 0
    fresh = going = held = retracted = False
    for partition in partitions:
        slot, there = partition.catalog.slot(article_id), partition.profiles.everybody(0, len(partition.profiles))
        readers += len(there)
        found = next((one for one in partition.reported if one[0] == article_id), None)
        is_fresh = slot is not None and slot in partition.catalog.fresh(at_ms)
        fresh, going = fresh or is_fresh, going or found is not None
        if slot is not None:
            held = held or bool(partition.catalog["held"][slot] or partition.catalog["stopped"][slot])
            retracted = retracted or bool(partition.catalog["retracted"][slot])
        if is_fresh:
            met += round(len(there) * found[1] / max(1, found[2])) if found else len(there)
        policy = policy_of(partition)
        held = held or policy.stopped_until_s * 1000 > at_ms
        inside += int(members(article, there, at_ms, policy.half_life_ms, policy.default_zone).sum())
        pushed += pushed_to(partition, article_id)
        yield
    over = article.status == "withdrawn" or article.expires_at_ms <= at_ms or retracted
    state = "over" if over else "held" if held else "under way" if going else "met" if fresh else "waits"
    if article.opens_at_ms > at_ms and state not in {"over", "held"}:
        state = "waits"
    return Progress(
        article_id=article_id,
        title=article.title,
        audience=article.audience,
        at_ms=at_ms,
        state=state,
        readers=readers,
        inside=inside,
        met=met,
        left=readers - met if state in {"held", "under way", "waits"} else 0,
        pushed=pushed,
        share=share_at(article, at_ms),
        widens_at_ms=article.widens_at_ms if article.widens_at_ms > at_ms else 0,
    )


@stepwise
def under_way(
    partitions: Sequence[Partition], at_ms: int, recent_ms: int = 0, most: int | None = None
) -> Steps[list[Progress]]:
    """Where each article stands that is meeting its audience, or whose ramp waits; at most so many, the latest first.

    With `recent_ms` also those that were out since so long before, or are not out yet, unless they were taken back.
    """
    catalog = partitions[0].catalog
    stands = catalog["live"] & ~(catalog["withdrawn"] | catalog["retracted"])
    chosen = stands & (catalog["widens_ms"] > at_ms)
    if recent_ms:
        chosen |= stands & catalog["addressed"] & (catalog.opens_ms() > at_ms - recent_ms)
    named = [article_id for partition in partitions for article_id, _, _ in partition.reported]
    named += [article.article_id for slot in np.flatnonzero(chosen).tolist() if (article := catalog.articles[slot])]
    articles = [article for article_id in dict.fromkeys(named) if (article := newest(partitions, article_id))]
    articles.sort(key=lambda article: -article.opens_at_ms)
    found = list[Progress]()
    for article in articles[:most]:
        if one := (yield from progress.steps(partitions, article.article_id, at_ms)):
            found.append(one)
    return found


def pace(before: Progress, after: Progress) -> Pace:
    """The pace between two looks at one article."""
    seconds = max(1e-3, (after.at_ms - before.at_ms) / 1000)
    readers_per_s = max(0.0, (after.met - before.met) / seconds)
    eta_s = after.left / readers_per_s if readers_per_s else None
    return Pace(max(0.0, (after.pushed - before.pushed) / seconds), readers_per_s, 0.0 if not after.left else eta_s)
