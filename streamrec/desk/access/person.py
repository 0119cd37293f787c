"""Who is at the desk, and what that role may do."""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple, Protocol

from starlette.requests import HTTPConnection

from ...errors import SettingsError

MOST_NAME_CHARS = 64  # as many as a command may carry


class Role(IntEnum):
    """A higher role may do all that a lower one may."""

    VIEWER = 1  # looks: every page, previews, why and why not
    EDITOR = 2  # stops, holds, takes back and corrects; sends to some
    CHIEF = 3  # resumes, sends to everybody, approves, erases

    @property
    def word(self) -> str:
        """As a page says it."""
        return self.name.lower()


class Person(NamedTuple):
    """Somebody who is logged in: the name goes into the audit trail."""

    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """Whether this person may do what needs this role."""
        return self.role >= role

    def is_one_of(self, names: Iterable[str]) -> bool:
        """Whether this is one of these persons; a name in other letters is the same one."""
        return self.name.casefold() in {name.casefold() for name in names}


class NobodyError(Exception):
    """A request that says not, or not credibly, who it is from. `status`: 401 if a login may help, else 403."""

    def __init__(self, said: str, status: int = 403) -> None:
        super().__init__(said)
        self.said, self.status = said, status


class Login(Protocol):
    """How a request says who it is from."""

    def person(self, request: HTTPConnection) -> Person:
        """Who sent it; NobodyError where that is not certain."""


def roles_of(text: str) -> dict[str, Role]:
    """Which role each group has: `news-chiefs=chief,newsroom=editor`. SettingsError for what is no role."""
    found: dict[str, Role] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        group, _, word = part.partition("=")
        try:
            found[group.strip()] = Role[word.strip().upper()]
        except KeyError:
            raise SettingsError(
                f"STREAMREC_DESK_ROLES holds '{part}'; expected group=role, with role one of viewer, editor, chief"
            ) from None
    return found


def highest(groups: list[str], roles: dict[str, Role]) -> Role:
    """The highest role of these groups. NobodyError if none of them has one."""
    found = [roles[group] for group in groups if group in roles]
    if not found:
        raise NobodyError("Your login has no role at this desk. Ask whoever runs it for one.")
    return max(found)
