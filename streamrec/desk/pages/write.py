"""Write a push: who would get it is shown while one types, and once more before it is sent.

What is sent is an article of the contract, to the topic `articles`; the content agent and the partitions do the rest.
The draft goes from step to step in the form itself: nothing of it is kept here, and its id is made once, so pressing
twice sends one article.
"""

import asyncio
from typing import Any, NamedTuple
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from ...clock import now_ms
from ...contracts.article import AnalysedArticle
from ...errors import DataError
from ...follower.preview import Preview, preview
from ..access.person import Person
from ..desk import Desk
from ..frame import Form, RefusedError, to
from .article import steps


class Draft(NamedTuple):
    """The fields of the form, as text."""

    article_id: str = ""
    title: str = ""
    abstract: str = ""
    category: str = ""
    deep_link: str = ""
    embargo: str = ""
    breaking: str = "0"

    @classmethod
    def of(cls, form: Form) -> "Draft":
        """What was typed; an id is made where there is none."""
        typed = cls(**{name: form[name].strip() for name in cls._fields if name in form})
        return typed if typed.article_id else typed._replace(article_id=f"desk-{uuid4().hex[:16]}")


class WritePage:
    """The form, its preview, the check and the sending."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._latest: dict[str, int] = {}  # by person: a preview nobody waits for any more is not made

    async def show(self, request: Request, person: Person) -> Response:
        """An empty form."""
        return await self._form(request, person, Draft.of({}))

    async def edit(self, request: Request, person: Person, form: Form) -> Response:
        """The form once more, with what was typed."""
        return await self._form(request, person, Draft.of(form))

    async def preview(self, request: Request, person: Person, form: Form) -> Response:
        """The part beside the form: who would get it."""
        draft, mine = Draft.of(form), self._latest.get(person.name, 0) + 1
        self._latest[person.name] = mine
        await asyncio.sleep(0)
        found, fault = None, ""
        if draft.title and self._latest[person.name] == mine:
            try:
                found = await self._previewed(draft)
            except (DataError, RefusedError) as error:
                fault = said(error)
        return self._desk.frame.page(request, person, "preview.html", **_shown(draft, found), fault=fault)

    async def check(self, request: Request, person: Person, form: Form) -> Response:
        """The last look before it is sent; the form again where it cannot be."""
        draft = Draft.of(form)
        try:
            found = await self._previewed(draft)
        except (DataError, RefusedError) as error:
            return await self._form(request, person, draft, said(error))
        return self._desk.frame.page(
            request, person, "check.html", **_shown(draft, found), draft=draft._asdict(), everybody=False,
            allowed=True, why_not="", audience_said="",
        )  # fmt: skip

    async def send(self, request: Request, person: Person, form: Form) -> Response:
        """Publish the article."""
        draft = Draft.of(form)
        if form.get("read") != "yes":
            raise RefusedError("The title was not confirmed; nothing was sent.")
        try:
            await self._analysed(draft)  # what would be set aside is not sent
        except DataError as error:
            return await self._form(request, person, draft, said(error))
        await self._desk.sources.publish(self._article(draft, now_ms()))
        return to("/", "sent")

    async def _form(self, request: Request, person: Person, draft: Draft, fault: str = "") -> Response:
        found = None
        if draft.title and not fault:
            found = await self._previewed(draft)
        catalog = self._desk.sources.followed.partitions[0].catalog
        sections = sorted({article.category for article in catalog.articles if article and article.category})
        shown = _shown(draft, found) | {"draft": draft, "sections": sections, "faults": [fault] if fault else []}
        return self._desk.frame.page(request, person, "write.html", **shown, fault="", can_audience=False)

    async def _previewed(self, draft: Draft) -> Preview:
        article, followed = await self._analysed(draft), self._desk.sources.followed
        at_ms = max(now_ms(), article.embargo_until_ms)
        return await followed.ask(preview, article, at_ms)

    async def _analysed(self, draft: Draft) -> AnalysedArticle:
        at_ms = now_ms()
        return await self._desk.sources.followed.draft(self._article(draft, at_ms), at_ms)

    def _article(self, draft: Draft, at_ms: int) -> dict[str, Any]:
        """The article of the contract."""
        if not draft.title:
            raise DataError("A push needs a title.")
        try:
            embargo_ms = self._desk.times.typed(draft.embargo)
        except (ValueError, OverflowError):
            raise DataError("The time it may not leave before is no time.") from None
        said = {
            "abstract": draft.abstract, "category": draft.category, "deep_link": draft.deep_link,
            "embargo_until_ms": embargo_ms, "breaking": int(draft.breaking) if draft.breaking in "123" else 0,
        }  # fmt: skip
        given = {name: value for name, value in said.items() if value}
        return {"article_id": draft.article_id, "title": draft.title, "published_at_ms": at_ms, **given}


def said(error: DataError | RefusedError) -> str:
    """What is wrong with a draft."""
    return str(error)


def _shown(draft: Draft, found: Preview | None) -> dict[str, Any]:
    return {
        "preview": found,
        "abstract": draft.abstract,
        "steps": steps(found.pushes, found.reasons) if found else [],
        "at_ms": now_ms(),
    }
