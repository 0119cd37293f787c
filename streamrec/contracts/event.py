"""User events: what a producer writes to the `events` topic, key user_id, value JSON.

    {"user_id": "u0421", "article_id": "a17", "action": "click", "at_ms": 1767225600000, "tz": "Europe/Copenhagen"}

`at_ms` is when it happened; Kafka's own timestamp is when it was appended. Unknown fields are tolerated. Two clocks
meet here and nowhere else: event time drives learning, the policy clock drives pushing.

`KINDS` declares each action once: decoder, JSON Schema, metrics and what profiles learn follow from it.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import msgspec

from .field_types import Id, Millis, OptionalId, Query, Reads, ShortText, number_in, says, word


class Kind(NamedTuple):
    """What an action means. The order of `KINDS` means nothing; a new action takes the next free ordinal."""

    ordinal: int  # stands in stored rows: never change one, never use one again
    worth: float = 0.0  # how much of a read it is; below 0: of a refusal
    reading: bool = False  # the user has seen the article itself
    refusing: bool = False  # rests the article's category for a while
    consent: Literal["in", "out"] | None = None
    by_query: bool = False  # what was searched for teaches, and no article
    needs_article: bool = True
    also: tuple[str, ...] = ()  # what others call it; read, and noted


KINDS = {
    "click": Kind(0, worth=1, reading=True),
    "open": Kind(1, worth=1, reading=True),  # of a push
    "impression": Kind(2),
    "dwell": Kind(3, worth=0.5),  # from learn.MIN_DWELL_S on
    "dismiss": Kind(4, worth=-0.25, refusing=True),
    "dislike": Kind(5, worth=-1, refusing=True),
    "share": Kind(6, worth=2),
    "save": Kind(7, worth=1.5),
    # less than a read; below 0.6 a search for two words of a headline would not reach STREAMREC_MIN_AFFINITY by itself
    "search": Kind(8, worth=0.75, by_query=True, needs_article=False),
    "subscribe": Kind(9, consent="in", needs_article=False),
    "unsubscribe": Kind(
        10, consent="out", needs_article=False, also=("unsubscribed", "opt_out", "opt-out", "optout", "opted_out")
    ),
}
if TYPE_CHECKING:
    Action = str  # a name of KINDS, which a type checker cannot read
else:
    Action = Literal[tuple(KINDS)]
ACTIONS: tuple[Action, ...] = tuple(KINDS)
CODE: dict[Action, int] = {action: kind.ordinal for action, kind in KINDS.items()}
READING = frozenset(action for action, kind in KINDS.items() if kind.reading)
NEEDS_NO_ARTICLE = frozenset(action for action, kind in KINDS.items() if not kind.needs_article)
CONSENTS = frozenset(action for action, kind in KINDS.items() if kind.consent)
SAYS_NO = frozenset(action for action, kind in KINDS.items() if kind.consent == "out")


_MEANT = {word: action for action, kind in KINDS.items() for word in kind.also}


def _action_in(said: Any) -> Any:
    said = word(said)
    return _MEANT.get(said, said) if isinstance(said, str) else said


class UserEvent(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One thing a user did. `article_id` may be empty for search, subscribe and unsubscribe only."""

    user_id: Annotated[Id, says("who; also the key of the record")]
    action: Annotated[Action, says("what the user did"), Reads(mended=_action_in)]
    at_ms: Annotated[Millis, says("when it happened, in ms since 1970")]
    article_id: Annotated[
        OptionalId, says("which article; may be empty for search, subscribe and unsubscribe only")
    ] = ""
    tz: Annotated[ShortText, says("IANA zone of the device (Europe/Copenhagen); the last one counts")] = ""
    dwell_s: Annotated[
        float, msgspec.Meta(ge=0, le=86_400, description="reading time in s, for dwell"), Reads(mended=number_in)
    ] = 0.0
    push_id: Annotated[ShortText, says("the push this answers, if any")] = ""
    query: Annotated[Query, says("what was searched for, for search; teaches as a read does, for less")] = ""
