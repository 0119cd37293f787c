"""Without a login: whoever can reach this machine's loopback is the account the desk runs under, and may do all.

A page elsewhere could have its own name point to 127.0.0.1 and read this one; so the name in `Host` has to be one of
the loopback itself.
"""

import os
import pwd

from starlette.requests import HTTPConnection

from .person import MOST_NAME_CHARS, NobodyError, Person, Role

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class LoopbackLogin:
    """The account the desk runs under, for requests that name the loopback."""

    def __init__(self) -> None:
        try:
            name = pwd.getpwuid(os.getuid()).pw_name
        except KeyError:  # a container's account need not have a name
            name = f"uid {os.getuid()}"
        self._person = Person(name[:MOST_NAME_CHARS], Role.CHIEF)

    def person(self, request: HTTPConnection) -> Person:
        if request.url.hostname not in LOOPBACK:
            raise NobodyError("This desk has no login, so it answers only under 127.0.0.1 or localhost.")
        return self._person
