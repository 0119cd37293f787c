"""Readers in the audit trail: never by their id, which an erasure could not take out of the topic again.

    pseudonym = HMAC-SHA256(secret, "reader" 0x00 user id), its first 80 bits in hex

Keyed, because a plain hash is no secret: whoever has a list of ids hashes them all. Who has the desk's secret
(STREAMREC_DESK_SECRET_FILE) can tell whether an entry is about an id they name, and nobody can get an id out of an
entry. Another secret ends that, too.
"""

import hmac
import re

CHARS = 20


class Pseudonyms:
    """The pseudonyms under one secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def of(self, user_id: str) -> str:
        """The same for the same id, as long as the secret is the same."""
        return hmac.digest(self._secret, b"reader\0" + user_id.encode(), "sha256").hex()[:CHARS]


def names(text: str, user_id: str) -> bool:
    """Whether this id stands in a text as a word of its own, in whatever letters."""
    return re.search(rf"(?<!\w){re.escape(user_id.casefold())}(?!\w)", text.casefold()) is not None
