"""User events: what a producer writes to the `events` topic, key user_id, value JSON.

    {"user_id": "u0421", "article_id": "a17", "action": "click", "at_ms": 1767225600000, "tz": "Europe/Copenhagen"}

`at_ms` is when it happened; Kafka's own timestamp is when it was appended. Unknown fields are tolerated. Two clocks
meet here and nowhere else: event time drives learning, the policy clock drives pushing.
"""

from typing import Annotated, Literal, get_args

import msgspec

from .limits import Id, Millis, ShortText

Action = Literal[
    "click",
    "open",
    "impression",
    "dwell",
    "dismiss",
    "dislike",
    "share",
    "save",
    "search",
    "subscribe",
    "unsubscribe",
]
ACTIONS: tuple[Action, ...] = get_args(Action)


class UserEvent(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One thing a user did. `article_id` may be empty for search, subscribe and unsubscribe only."""

    user_id: Id
    action: Action
    at_ms: Millis
    article_id: Annotated[str, msgspec.Meta(max_length=128)] = ""
    tz: ShortText = ""  # IANA zone of the device; the last one seen is the user's zone
    dwell_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 0.0  # reading time, for `dwell`
    push_id: ShortText = ""  # the push this event answers, if any
