"""What every page has: who asks, whether they may, the form's token, the template's frame, and how a fault is said.

page = frame.shows(function)                     GET; for everybody with a role
act = frame.does(Role.EDITOR, function)          POST; the token is checked and the form is plain text
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import uuid4

from jinja2 import Environment
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ..errors import KafkaError, StreamrecError
from .access.person import Login, NobodyError, Person, Role
from .access.tokens import FormTokens
from .words import DONE

log = logging.getLogger(__name__)

Form = Mapping[str, str]
Shows = Callable[[Request, Person], Awaitable[Response]]
Does = Callable[[Request, Person, Form], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


class Tab(NamedTuple):
    """A page as the navigation names it, and the key that leads there."""

    path: str
    title: str
    short: str
    key: str


class RefusedError(Exception):
    """What was asked for cannot be done; the sentence says why, and that nothing was done."""

    def __init__(self, said: str, status: int = 400) -> None:
        super().__init__(said)
        self.said, self.status = said, status


class Frame:
    """Surrounds the functions of pages."""

    def __init__(self, environment: Environment, login: Login, tokens: FormTokens, tabs: list[Tab]) -> None:
        self._environment, self._login, self._tokens = environment, login, tokens
        environment.globals |= {
            "pages": tabs, "VIEWER": Role.VIEWER, "EDITOR": Role.EDITOR, "CHIEF": Role.CHIEF, "new_id": _new_id,
        }  # fmt: skip

    def shows(self, function: Shows) -> Endpoint:
        """An endpoint that shows something to whoever has a role."""

        async def endpoint(request: Request) -> Response:
            return await self._answered(request, lambda person: function(request, person))

        return endpoint

    def does(self, role: Role, function: Does) -> Endpoint:
        """An endpoint for a form, of whoever has this role; the form's token is checked first."""

        async def endpoint(request: Request) -> Response:
            async def act(person: Person) -> Response:
                form = await _texts(request)
                self._tokens.check(form.get("token", ""), person)
                if not person.may(role):
                    raise NobodyError(f"This needs the role {role.word}; yours is {person.role.word}.")
                return await function(request, person, form)

            return await self._answered(request, act)

        return endpoint

    async def _answered(self, request: Request, function: Callable[[Person], Awaitable[Response]]) -> Response:
        try:
            return await function(self._login.person(request))
        except NobodyError as nobody:
            return self.refused("You cannot do this" if nobody.status == 403 else "Please log in", nobody)
        except RefusedError as refusal:
            return self.refused("That was not done", refusal)
        except KafkaError as error:
            log.warning("the desk could not reach Kafka: %s", error)
            said = "Kafka does not answer. The audit trail says whether anything was done."
            return self.refused("Not now", RefusedError(said, 503))
        except StreamrecError as error:
            log.error("the desk cannot answer: %s", error)  # noqa: TRY400 - the sentence says it
            return self.refused("Not now", RefusedError(str(error), 503))

    def refused(self, title: str, why: NobodyError | RefusedError) -> Response:
        """A page of its own that says why not."""
        html = self._environment.get_template("refused.html").render(title=title, said=why.said)
        return HTMLResponse(html, why.status)

    def page(self, request: Request, person: Person, template: str, **data: Any) -> Response:
        """A page or a part of one."""
        shown = {
            "person": person,
            "token": self._tokens.of(person),
            "here": request.url.path,
            "done": DONE.get(request.query_params.get("done", "")),
            **data,
        }
        return HTMLResponse(self._environment.get_template(template).render(shown))


def to(path: str, done: str = "", **query: str) -> Response:
    """Go on at a page, which says what was done; loading it again does nothing twice."""
    more = {**query, "done": done} if done else query
    parameters = "&".join(f"{name}={quote(value, safe='')}" for name, value in more.items())
    return RedirectResponse(f"{path}?{parameters}" if parameters else path, 303)


async def _texts(request: Request) -> Form:
    """The fields of a form; of one that comes twice the last counts, and a file is none."""
    async with request.form(max_files=0, max_fields=60) as form:
        return {name: value for name, value in form.multi_items() if not isinstance(value, UploadFile)}


def _new_id() -> str:
    return uuid4().hex
