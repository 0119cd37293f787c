"""Commands of editors and operators: what `streamrec control` and a desk write to the topic `control`.

    {"command_id": "7f3", "action": "hold", "article_id": "a17", "who": "ann", "why": "the name is wrong",
     "at_ms": 1767225600000}

One record is one command. It stands in every partition, written in one transaction. The topic is the audit trail: who,
when and why are required. Of several commands on one target the one said later counts, by its own time; at equal times
the one that pushes less (engine/control.py).
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import msgspec

from .field_types import Digest, Millis, Name, OptionalId, OptionalMillis, Reads, Title, number_in, says, word


class CommandKind(NamedTuple):
    """What an action does. One that says no is never rejected for a side field that is wrong."""

    says_no: bool = False
    on_article: bool = False
    on_reader: bool = False  # says who asked for what stands in the topic of this name; here it has no effect
    also: tuple[str, ...] = ()  # what others call it; read, and noted


KINDS = {
    "stop": CommandKind(says_no=True, also=("pause", "halt")),
    "resume": CommandKind(),
    "hold": CommandKind(says_no=True, on_article=True),
    "release": CommandKind(on_article=True),
    "approve": CommandKind(on_article=True),
    "retract": CommandKind(says_no=True, on_article=True, also=("recall",)),
    "correct": CommandKind(on_article=True),
    "pin": CommandKind(),
    "unpin": CommandKind(),
    "preferences": CommandKind(on_reader=True),
    "erasure": CommandKind(on_reader=True),
}
if TYPE_CHECKING:
    ControlAction = str  # a name of KINDS, which a type checker cannot read
else:
    ControlAction = Literal[tuple(KINDS)]
CONTROL_ACTIONS: tuple[ControlAction, ...] = tuple(KINDS)
SAYS_NO = frozenset(action for action, kind in KINDS.items() if kind.says_no)
ON_ARTICLE = frozenset(action for action, kind in KINDS.items() if kind.on_article)
ON_READER = frozenset(action for action, kind in KINDS.items() if kind.on_reader)

PinnedSetting = Literal["", "min_affinity", "min_score", "daily_cap"]
MOST = {"min_affinity": 1000.0, "min_score": 1.0, "daily_cap": 8.0}  # that can be pinned

_MEANT = {word: action for action, kind in KINDS.items() for word in kind.also}


def _action_in(said: Any) -> Any:
    said = word(said)
    return _MEANT.get(said, said) if isinstance(said, str) else said


def category_name(said: str) -> str:
    """A category as articles in the catalog spell theirs."""
    return said.strip().lower()


class Command(msgspec.Struct, frozen=True, omit_defaults=True):
    """One command, as the topic `control` holds it."""

    action: Annotated[ControlAction, says("what is to be done"), Reads(mended=_action_in)]
    who: Annotated[Name, says("who decided it")]
    why: Annotated[Title, says("the reason, for whoever reads the audit trail")]
    at_ms: Annotated[Millis, says("when it was said, in ms since 1970; on one target the later command counts")]
    command_id: Annotated[OptionalId, says("names the command, in the audit trail and in what it sends")] = ""
    article_id: Annotated[
        OptionalId, says("of hold, release, approve, retract and correct; also the key of the record")
    ] = ""
    digest: Annotated[
        Digest, says("of approve: which version, by its `digest` in `catalog`; no other version is approved by it")
    ] = 0
    reader: Annotated[
        OptionalId, says("of preferences and erasure: whose were asked for, by a pseudonym, never by the id")
    ] = ""
    category: Annotated[Name, says("of stop and resume: only this category; empty: everything")] = ""
    setting: Annotated[PinnedSetting, says("of pin and unpin: which setting"), Reads(mended=word)] = ""
    value: Annotated[
        float,
        msgspec.Meta(ge=0, le=1000, description="of pin: the number that holds in place of the setting"),
        Reads(mended=number_in),
    ] = 0.0
    until_ms: Annotated[
        OptionalMillis,
        says("of stop, hold and pin: it ends by itself then, in ms since 1970; 0: it lasts; a pin needs one"),
    ] = 0
