"""Write a push: who would get it is shown while one types, and once more before it is sent.

What is sent is an article of the contract, to the topic `articles`; the content agent and the partitions do the rest.
The draft goes from step to step in the form itself: nothing of it is kept here, and its id is made once, so pressing
twice sends one article.
"""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ...clock import now_ms
from ...contracts.article import AnalysedArticle
from ...errors import DataError
from ...follower.preview import Preview, preview
from ..access.person import Person, Role
from ..desk import Desk
from ..drafts import Draft
from ..frame import Form, RefusedError, to
from .article import steps

CHIEFS_ONLY = "What goes to everybody is sent by a chief."


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
            request, person, "check.html", **_shown(draft, found), draft=draft._asdict(),
            everybody=draft.is_for_everybody, allowed=not draft.is_for_everybody or person.may(Role.CHIEF),
            why_not=CHIEFS_ONLY, audience_said=draft.said(),
        )  # fmt: skip

    async def send(self, request: Request, person: Person, form: Form) -> Response:
        """Publish the article."""
        draft = Draft.of(form)
        if form.get("read") != "yes":
            raise RefusedError("The title was not confirmed; nothing was sent.")
        if draft.is_for_everybody and not person.may(Role.CHIEF):
            raise RefusedError(CHIEFS_ONLY, 403)
        if draft.is_for_everybody and form.get("everybody") != "EVERYBODY":
            raise RefusedError("It was not confirmed that everybody is meant; nothing was sent.")
        try:
            article = draft.article(at_ms := now_ms(), self._desk.times)
            analysed = await self._desk.sources.followed.draft(article, at_ms)  # what would be set aside is not sent
        except DataError as error:
            return await self._form(request, person, draft, said(error))
        waits = await self._desk.publish(article, analysed, person)
        return to("/", "awaited" if waits else "sent")

    async def _form(self, request: Request, person: Person, draft: Draft, fault: str = "") -> Response:
        found = None
        if draft.title and not fault:
            found = await self._previewed(draft)
        shown = _shown(draft, found) | {"draft": draft, "faults": [fault] if fault else []}
        return self._desk.frame.page(request, person, "write.html", **shown, fault="")

    async def _previewed(self, draft: Draft) -> Preview:
        article, followed = await self._analysed(draft), self._desk.sources.followed
        at_ms = max(now_ms(), article.embargo_until_ms)
        return (await followed.ask(preview, article, at_ms)).answer

    async def _analysed(self, draft: Draft) -> AnalysedArticle:
        at_ms = now_ms()
        return await self._desk.sources.followed.draft(draft.article(at_ms, self._desk.times), at_ms)


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
