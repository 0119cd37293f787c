"""A reader's preferences, as somebody of the desk writes them down for them: a patch in `preferences`.

Only what is chosen is said; the rest stays as it is. A patch is read here as a worker would read it before it is sent.
Who did it and why goes into the audit trail first, about a pseudonym: the trail keeps no id that an erasure would miss.
"""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ...clock import now_ms
from ...contracts.decode import Origin, Typed, decode_preferences
from ...contracts.records import RawRecord
from ...engine.profiles.zones import is_zone
from ...operations.pseudonyms import names
from ..access.person import Person
from ..desk import Desk
from ..frame import Form, RefusedError, to
from .commands import command_in
from .reader import one_id

DEFAULT = "default"  # takes a statement back


class PreferencesForm:
    """The form on a reader's page."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def save(self, request: Request, person: Person, form: Form) -> Response:
        """Write the patch, and go back to the reader."""
        user_id = one_id(form.get("id", ""))
        patch = patch_in(form)
        if not user_id or not patch:
            raise RefusedError("Nothing was chosen, so nothing was changed.")
        raw = msgspec.json.encode({"user_id": user_id, **patch})
        record = RawRecord(0, now_ms(), user_id.encode(), raw)
        (item,) = decode_preferences([record], Origin("preferences", 0), is_zone)
        if not isinstance(item, Typed) or item.notes:
            raise RefusedError("Quiet hours are written like 22:00-07:00, and sections by their names.")
        await self._record("preferences", person, form, user_id)
        await self._desk.sources.prefer(user_id, raw)
        return to("/reader", "saved", id=user_id)

    async def erase(self, request: Request, person: Person, form: Form) -> Response:
        """Ask for the reader to be forgotten; the id has to be typed once more."""
        user_id = one_id(form.get("id", ""))
        if not user_id or one_id(form.get("again", "")) != user_id:
            raise RefusedError("The id that was typed is not this reader's; nobody was erased.")
        await self._record("erasure", person, form, user_id)
        await self._desk.sources.erase(user_id)
        return to("/reader", "erased", id=user_id)

    async def _record(self, action: str, person: Person, form: Form, user_id: str) -> None:
        """First, so that nothing is done to a reader of which the trail does not know."""
        sources, reader = self._desk.sources, self._desk.pseudonyms.of(user_id)
        if names(form.get("why", ""), user_id):
            raise RefusedError("Say why without the reader's id: the audit trail is kept, also when they are erased.")
        await sources.say(command_in(form, action, person, sources.trail.moment_ms(), reader))


def patch_in(form: Form) -> dict[str, Any]:
    """What was chosen."""
    patch: dict[str, Any] = {}
    if cap := form.get("daily_cap", ""):
        patch["daily_cap"] = None if cap == DEFAULT else int(cap) if cap.isdigit() else cap
    if level := form.get("level", ""):
        patch["level"] = level
    if quiet := form.get("quiet_hours", "").strip():
        patch["quiet_hours"] = quiet
    for field, stance in (("mute", "mute"), ("follow", "follow"), ("neither", None)):
        if name := form.get(field, "").strip():
            patch.setdefault("categories", {})[name] = stance
    return patch
