"""The audit trail: who commanded what, when and why. It is the topic `control`, read to its end."""

from starlette.requests import Request
from starlette.responses import Response

from ...contracts.control import Command
from ..access.person import Person
from ..desk import Desk
from .articles import MOST_QUERY_CHARS, whole
from .reader import one_id

PAGE = 50  # commands


class AuditPage:
    """Pages of commands, the latest first."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def show(self, request: Request, person: Person) -> Response:
        """All of them, or those with these words; a reader's id finds what was done for that reader."""
        query = request.query_params.get("q", "")[:MOST_QUERY_CHARS].strip()
        trail = self._desk.sources.trail
        words, reader = query.casefold().split(), self._desk.pseudonyms.of(one_id(query))
        found = [one for one in reversed(trail.commands) if one.reader == reader or _matches(one, words)]
        pages = max(1, -(-len(found) // PAGE))
        number = min(max(1, whole(request.query_params.get("page", ""), 1)), pages)
        shown = found[(number - 1) * PAGE : number * PAGE]
        return self._desk.frame.page(
            request, person, "audit.html", query=query, commands=shown, found=len(found), number=number, pages_=pages,
            unreadable=trail.unreadable,
        )  # fmt: skip


def _matches(command: Command, words: list[str]) -> bool:
    text = f"{command.action} {command.who} {command.why} {command.article_id} {command.category} {command.setting}"
    text += f" {command.reader}"
    folded = text.casefold()
    return all(word in folded for word in words)
