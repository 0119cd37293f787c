"""One article: how many readers have it, who would get it now, and what keeps it from the others."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from ...clock import now_ms
from ...errors import DataError
from ...follower.funnel import funnel
from ...follower.listing import newest
from ...follower.stepwise import Steps, stepwise
from ...partition.partition import Partition
from ..access.person import Person
from ..article_rows import ArticleRow, rows_of
from ..desk import Desk
from ..frame import RefusedError
from ..words import reason

UNKNOWN = "No such article is known. Articles are known for a week after publication."
FUNNEL_KEPT_S = 3.0


class Step(NamedTuple):
    """Some of all readers, and what is so of them."""

    said: str
    readers: int
    good: bool = False


class Seen(NamedTuple):
    """What the page of an article shows."""

    row: ArticleRow
    read: int  # readers who have it among what they read lately


class ArticlePage:
    """The page of one article."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def show(self, request: Request, person: Person) -> Response:
        """The page; 404 for an article that is not, or no longer, in the window."""
        article_id = request.query_params.get("id", "")
        seen, _ = await self._desk.seen(("article", article_id), _seen, article_id, now_ms())
        if seen is None:
            raise RefusedError(UNKNOWN, 404)
        trail = self._desk.sources.trail
        on, waits = trail.about(seen.row.article), self._desk.awaited([seen.row.article])
        shown = {
            "on": [one for one in on if one.target.kind != "approve" or not waits],
            "awaited": waits[0] if waits else None,
            "held": any(one.target.kind == "article" for one in on),
            "retracted": any(one.target.kind == "retract" for one in on),
        }
        return self._desk.frame.page(request, person, "article.html", **seen._asdict(), **shown)

    async def funnel(self, request: Request, person: Person) -> Response:
        """The part that asks about every reader, which takes a second where there are a million."""
        article_id = request.query_params.get("id", "")
        try:
            found, _ = await self._desk.seen(("funnel", article_id), funnel, article_id, now_ms(), kept_s=FUNNEL_KEPT_S)
        except DataError:
            raise RefusedError(UNKNOWN, 404) from None
        shown = {"funnel": found, "steps": steps(found.would_push, found.reasons)}
        return self._desk.frame.page(request, person, "article_funnel.html", **shown)


def steps(pushes: int, reasons: Mapping[str, int]) -> list[Step]:
    """Who gets it, then the others by what keeps it from them, in the order of asking."""
    return [Step("get it", pushes, good=True), *(Step(reason(word), n) for word, n in reasons.items())]


@stepwise
def _seen(partitions: Sequence[Partition], article_id: str, at_ms: int) -> Steps[Seen | None]:
    article = newest(partitions, article_id)
    if article is None:
        return None
    (row,) = yield from rows_of.steps(partitions, [article], at_ms)
    slots = [(partition.catalog, partition.catalog.slot(article_id)) for partition in partitions]
    read = sum(int(catalog["readers"][slot]) for catalog, slot in slots if slot is not None)
    return Seen(row, read)
