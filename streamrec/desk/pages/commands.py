"""Forms that command: stop, resume, hold, release, take back, correct, approve, pin. Each is one record of `control`.

Who comes from the login, when from the clock, why from the form. A command is read here as a worker would read it
before it is sent, so what a worker would refuse is said at once.
"""

from typing import Any
from uuid import uuid4

import msgspec
import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from ...clock import now_ms
from ...contracts.article import AnalysedArticle, passed_on
from ...contracts.control import Command
from ...contracts.control_parsing import command_of
from ...contracts.records import RawRecord, RejectedError
from ...engine.control import Target
from ...follower.listing import newest
from ..access.person import Person
from ..desk import Desk
from ..frame import Does, Form, RefusedError, to


class Commands:
    """Makes endpoints of actions."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def of(self, action: str, done: str) -> Does:
        """What a form of this action does: write the command, and go back to where it is about."""

        async def act(request: Request, person: Person, form: Form) -> Response:
            command = command_in(form, action, person, self._desk.sources.trail.moment_ms())
            await self._desk.sources.say(command)
            if command.article_id:
                return to("/article", done, id=command.article_id)
            return to("/", done)

        return act

    async def approve(self, request: Request, person: Person, form: Form) -> Response:
        """Say that the version that was looked at may go out; not whoever has sent or approved it already."""
        trail = self._desk.sources.trail
        command = command_in(form, "approve", person, trail.moment_ms())
        if person.is_one_of(trail.state.persons(Target.of(command))):
            raise RefusedError("You have sent or approved it already: another person has to approve it now.")
        await self._desk.sources.say(command)
        return to("/article", "approved", id=command.article_id)

    async def correct(self, request: Request, person: Person, form: Form) -> Response:
        """Publish the article with its new title, then say that it is sent to those who got an earlier one."""
        command = command_in(form, "correct", person, self._desk.sources.trail.moment_ms())
        article, _ = await self._desk.sources.followed.ask(newest, command.article_id)
        title = form.get("title", "").strip()
        if article is None or not title or title == article.title:
            raise RefusedError("Nothing was corrected: the title is as it was, or the article is not known any more.")
        at_ms = now_ms()
        newest_said = corrected(article, title, at_ms)
        await self._desk.publish(newest_said, await self._desk.sources.followed.draft(newest_said, at_ms), person)
        await self._desk.sources.say(command)
        return to("/article", "corrected", id=command.article_id)


def corrected(article: AnalysedArticle, title: str, at_ms: int) -> dict[str, Any]:
    """The next version of an article, with another title; what it is about, and whom it is for, stays."""
    vector = np.frombuffer(article.vector, "<f4").tolist()
    same: dict[str, Any] = {name: value for name, value in passed_on(article).items() if value}
    same |= {name: getattr(article, name) for name in ("category", "story_id", "expires_at_ms")}
    same |= {"language": article.language} if article.language != "und" else {}
    same |= {"embedding": vector} if any(vector) else {}
    said = {"title": title, "version": article.version + 1, "status": "updated", "updated_at_ms": at_ms}
    made: dict[str, Any] = msgspec.to_builtins({**same, **said})
    return made


def command_in(form: Form, action: str, person: Person, at_ms: int, reader: str = "") -> Command:
    """The command of a form, `reader`: a pseudonym; RefusedError with what is wrong."""
    minutes = form.get("minutes", "")
    said: dict[str, Any] = {
        "action": action,
        "who": person.name,
        "why": form.get("why", "").strip(),
        "at_ms": at_ms,
        "command_id": form.get("command_id", "") or uuid4().hex,
        "article_id": form.get("article_id", ""),
        "digest": int(digest) if (digest := form.get("digest", "")).isdigit() else None,
        "reader": reader,
        "category": form.get("category", ""),
        "setting": form.get("setting", ""),
        "value": _number(form.get("value", "").strip()),
        "until_ms": at_ms + int(minutes) * 60_000 if minutes.isdigit() and len(minutes) < 6 else None,
    }
    if not said["why"]:
        raise RefusedError("Say why: the audit trail needs it.")
    raw = msgspec.json.encode({name: value for name, value in said.items() if value not in ("", None)})
    try:
        command, notes = command_of(RawRecord(0, at_ms, None, raw))
    except RejectedError as error:
        raise RefusedError(f"That is no command: {error}.") from None
    if wrong := [note for note in notes if said.get(note.field)]:
        raise RefusedError(f"{wrong[0].field}: {wrong[0].what}.")
    return command


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", ".")) if text else None
    except ValueError:
        raise RefusedError(f"{text} is no number.") from None
