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

from ..contracts.audience import Audience
from ..engine.audience import members, share_at
from ..partition.partition import Partition
from .listing import newest, pushed_to


class Progress(msgspec.Struct, frozen=True):
    """Where an article stands; counts are over the followed partitions."""

    article_id: str
    title: str
    audience: Audience | None
    at_ms: int
    state: str  # waits, under way, met or over
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


def progress(partitions: Sequence[Partition], article_id: str, at_ms: int) -> Progress | None:
    """Where an article stands; None for one that no followed partition knows."""
    article = newest(partitions, article_id)
    if article is None:
        return None
    met = readers = inside = 0
    fresh = under_way = False
    for partition in partitions:
        slot, there = partition.catalog.slot(article_id), partition.profiles.everybody(0, len(partition.profiles))
        readers += len(there)
        found = next((one for one in partition.reported if one[0] == article_id), None)
        is_fresh = slot is not None and slot in partition.catalog.fresh(at_ms)
        fresh, under_way = fresh or is_fresh, under_way or found is not None
        if is_fresh:
            met += round(len(there) * found[1] / max(1, found[2])) if found else len(there)
        policy = partition.context.policy
        inside += int(members(article, there, at_ms, policy.half_life_ms, policy.default_zone).sum())
    opens_ms = max(article.published_at_ms, article.embargo_until_ms)
    over = article.status == "withdrawn" or article.expires_at_ms <= at_ms
    state = "over" if over else "under way" if under_way else "met" if fresh else "waits"
    return Progress(
        article_id=article_id,
        title=article.title,
        audience=article.audience,
        at_ms=at_ms,
        state="waits" if opens_ms > at_ms and not over else state,
        readers=readers,
        inside=inside,
        met=met,
        left=readers - met if state in {"under way", "waits"} else 0,
        pushed=sum(pushed_to(partition, article_id) for partition in partitions),
        share=share_at(article, at_ms),
        widens_at_ms=article.widens_at_ms if article.widens_at_ms > at_ms else 0,
    )


def pace(before: Progress, after: Progress) -> Pace:
    """The pace between two looks at one article."""
    seconds = max(1e-3, (after.at_ms - before.at_ms) / 1000)
    readers_per_s = max(0.0, (after.met - before.met) / seconds)
    eta_s = after.left / readers_per_s if readers_per_s else None
    return Pace(max(0.0, (after.pushed - before.pushed) / seconds), readers_per_s, 0.0 if not after.left else eta_s)
