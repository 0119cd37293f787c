"""The list of articles: newest first, searched while one types."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from ...clock import now_ms
from ...partition.partition import Partition
from ..access.person import Person
from ..article_rows import rows_of
from ..articles import ArticlePage
from ..desk import Desk

MOST_QUERY_CHARS = 200


class ArticlesPage:
    """Pages of articles."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def show(self, request: Request, person: Person) -> Response:
        """A page of the list, of all articles or those with these words."""
        query = request.query_params.get("q", "")[:MOST_QUERY_CHARS].strip()
        number = whole(request.query_params.get("page", ""), 1)
        page, _ = await self._desk.seen(("articles", query, number), self._page, query, number)
        shown = tuple((article.article_id, article.version) for article in page.articles)
        rows, _ = await self._desk.seen(("rows", shown), rows_of, page.articles, now_ms())
        return self._desk.frame.page(request, person, "articles.html", query=query, page=page, rows=rows)

    def _page(self, partitions: Sequence[Partition], query: str, number: int) -> ArticlePage:
        return self._desk.index(partitions).page(query, number)


def whole(text: str, default: int) -> int:
    """A number from an address, as nobody has to type it right."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else default
