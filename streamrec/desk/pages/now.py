"""The first page: what leaves, how fast, what is known of whom, and whether that is fresh."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from ...clock import now_ms
from ...follower.audience import under_way
from ...follower.stepwise import Steps, stepwise
from ...partition.partition import Partition
from ..access.person import Person
from ..approvals import addressed
from ..article_rows import LATEST, ArticleRow, latest
from ..desk import Desk
from ..figures import DAY_S, opted_out, pushed_since, pushes_by_second
from ..trail import state_key
from ..underway import MOST as MOST_AUDIENCES
from ..underway import RECENT_MS, Audiences

HOUR_S = 3600
PACE_S = 10  # a pace is that of the last seconds: what is a second old may still be on its way here
MOST = 10  # holds and the like that are listed


class Now(NamedTuple):
    """The figures of the first page."""

    per_s: float
    hour: int
    day: int
    readers: int
    opted_out: int
    articles: int
    fresh: int  # that could be pushed now
    minutes: list[int]  # pushes in each of the last 60, the present one last


@stepwise
def seen(partitions: Sequence[Partition], at_ms: int) -> Steps[tuple[Now, list[ArticleRow]]]:
    """The figures, and the latest articles."""
    now_s, by_second, day, readers, refused = at_ms // 1000, np.zeros(HOUR_S, np.int64), 0, 0, 0
    for partition in partitions:
        store = partition.profiles
        by_second += pushes_by_second(store, now_s, HOUR_S)
        day += pushed_since(store, now_s - DAY_S)
        readers += store.count()
        refused += opted_out(store)
        yield
    catalog = partitions[0].catalog
    now = Now(
        per_s=float(by_second[-PACE_S:].sum()) / PACE_S,
        hour=int(by_second.sum()),
        day=day,
        readers=readers,
        opted_out=refused,
        articles=len(catalog),
        fresh=len(catalog.fresh(at_ms)),
        minutes=[int(n) for n in by_second.reshape(-1, 60).sum(axis=1)],
    )
    return now, (yield from latest.steps(partitions, at_ms, LATEST))


class NowPage:
    """Whole at first, then its figures again and again."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._audiences = desk, Audiences()

    async def show(self, request: Request, person: Person) -> Response:
        """The page."""
        return self._desk.frame.page(request, person, "now.html", **await self._seen())

    async def figures(self, request: Request, person: Person) -> Response:
        """The part that changes."""
        return self._desk.frame.page(request, person, "figures.html", **await self._seen())

    async def state(self, request: Request, person: Person) -> Response:
        """What is stopped, for every page; nothing where that is what the page shows already."""
        if request.query_params.get("seen") == state_key(self._desk.sources.trail):
            return Response(status_code=204)
        return self._desk.frame.page(request, person, "state.html")

    async def _seen(self) -> dict[str, object]:
        at_ms, trouble = now_ms(), self._desk.trouble()
        (now, articles), as_of_ms = await self._desk.seen("now", seen, at_ms)
        found, _ = await self._desk.seen("underway", under_way, at_ms, RECENT_MS, MOST_AUDIENCES)
        waiting = await self._desk.sources.waiting()
        waits = self._desk.awaited((await self._desk.seen("addressed", addressed, at_ms)).answer)
        unapproved = {each.article.article_id for each in waits}
        shown = {
            "waiting": waiting,
            "now": now,
            "age_s": max(0, now_ms() - as_of_ms) / 1000,
            "latest": articles,
            "trouble": trouble,
            "underway": [one for one in self._audiences.seen(found) if one.progress.article_id not in unapproved],
            "awaited": waits,
        }
        in_effect = self._desk.sources.trail.in_effect("article", "setting", "retract")  # stops have the banner
        return {**shown, "in_effect": in_effect[:MOST], "more": max(0, len(in_effect) - MOST)}
