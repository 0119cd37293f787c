"""One reader: the profile in words, and why an article would reach them, or would not."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ...clock import now_ms
from ...contracts.text import clean_id
from ...errors import DataError
from ...follower.explain import PairExplained, ReaderExplained, explain_pair, explain_reader
from ...partition.partition import Partition
from ..access.person import Person
from ..desk import Desk

MOST_ID_CHARS = 128
SHOWN = 8  # articles a reader would meet


class ReaderPage:
    """The page of a reader, or the field to ask for one."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def show(self, request: Request, person: Person) -> Response:
        """Without an id only the field; with an article also why that one would reach them, or not."""
        user_id = one_id(request.query_params.get("id", ""))
        article_id = one_id(request.query_params.get("article", ""))
        found: dict[str, Any] = {"explained": None, "pair": None, "fault": "", "pair_fault": ""}
        if user_id:
            found, _ = await self._desk.seen(("reader", user_id, article_id), _asked, user_id, article_id, now_ms())
        return self._desk.frame.page(request, person, "reader.html", user_id=user_id, article_id=article_id, **found)


def one_id(text: str) -> str:
    """An id from an address, in its one spelling; empty for what is none."""
    try:
        return clean_id(text)[:MOST_ID_CHARS]
    except ValueError:
        return ""


def _asked(partitions: Sequence[Partition], user_id: str, article_id: str, at_ms: int) -> dict[str, Any]:
    explained: ReaderExplained | None = None
    pair: PairExplained | None = None
    fault = pair_fault = ""
    try:
        explained = explain_reader(partitions, user_id, at_ms, SHOWN)
    except DataError:
        fault = "Nothing is known of this reader: they have done nothing yet, or it was long ago."
    if explained and article_id:
        try:
            pair = explain_pair(partitions, user_id, article_id, at_ms)
        except DataError:
            pair_fault = "No such article is known. Articles are known for a week after publication."
    return {"explained": explained, "pair": pair, "fault": fault, "pair_fault": pair_fault}
