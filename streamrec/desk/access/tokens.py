"""Tokens against forged forms: each carries one that only this desk can have made, for this person, not long ago.

A page elsewhere can send a form here in somebody's name, but cannot read ours, so it cannot have that person's token.
"""

from itsdangerous import BadData, URLSafeTimedSerializer

from .person import NobodyError, Person

LIVES_S = 12 * 3600  # a page may stay open for a shift


class FormTokens:
    """Makes and checks the tokens of forms, signed with this secret."""

    def __init__(self, secret: str) -> None:
        self._signing = URLSafeTimedSerializer(secret, salt="form")

    def of(self, person: Person) -> str:
        """A token for the forms of a page that this person sees."""
        return str(self._signing.dumps(person.name))

    def check(self, token: str, person: Person) -> None:
        """NobodyError unless the token is this person's, and of the last hours."""
        try:
            name = self._signing.loads(token, max_age=LIVES_S)
        except BadData:
            name = None
        if name != person.name:
            raise NobodyError(
                "This form is too old, or was not made by this desk. Load the page again; nothing was done."
            )
