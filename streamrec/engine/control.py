"""What editors and operators have said and what of it is in effect: stops, holds, pins, retractions, corrections.

Each command is a statement on one target. The later statement on a target counts, by its own time; at equal times the
one that pushes less, then the one that lasts longer. So the outcome does not depend on the order of arrival, and a
command that comes twice is one.

    target              statements
    everything          stop, resume
    category NAME       stop, resume                    a resumption of everything leaves it as it is
    article ID          hold, release
    retract ID          retract                         for good
    correct ID          correct
    approve ID DIGEST   approve                         each person once; of this version and no other
    setting NAME        pin, unpin
    reader PSEUDONYM    preferences, erasure            none that counts: the trail alone needs them

A statement with an end is over when `lift_ended` is told a time at or after it. Lifted statements are kept for a week,
so that an earlier one that comes late changes nothing. Pure: no clock. Bounded: at most MOST statements on targets
that are lifted, or on articles nobody knows; the oldest of these go first.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, cast

import msgspec

from ..contracts.article import AnalysedArticle
from ..contracts.audience import names_no_readers
from ..contracts.control import ON_ARTICLE, ON_READER, Command
from .policy.config import NEVER, Policy

TargetKind = Literal["everything", "category", "article", "retract", "correct", "approve", "setting", "reader"]
KEPT_MS = 7 * 86_400_000  # of what is lifted
ARTICLES_KEPT_MS = 61 * 86_400_000  # of what is said on an article nobody knows: longer than a catalog may hold one
MOST = 10_000
PERSONS = 8  # who approved one version
FOR_EVER = 1 << 62

_VERSION = re.compile("([0-9a-f]{8})/(.*)", re.DOTALL)
_ON = frozenset({"stop", "hold", "retract", "correct", "approve", "pin"})


class Target(NamedTuple):
    """What a command is about."""

    kind: TargetKind
    name: str = ""  # category, article or setting
    digest: int = 0  # of approvals: the version

    @property
    def path(self) -> str:
        """As a part of a key in the log."""
        version = f"{self.digest:08x}/" if self.kind == "approve" else ""
        return f"{self.kind}/{version}{self.name}"

    @classmethod
    def at(cls, path: str) -> "Target":
        """The target of a path."""
        kind, _, name = path.partition("/")
        if kind != "approve":
            return cls(cast(TargetKind, kind), name)
        version = _VERSION.fullmatch(name)  # or else it was of all versions once, and counts for none
        return cls("approve", version[2], int(version[1], 16)) if version else cls("approve", name)

    @classmethod
    def of_version(cls, article: AnalysedArticle) -> "Target":
        """What approvals of this version of an article are about."""
        return cls("approve", article.article_id, article.digest)

    @classmethod
    def of(cls, command: Command) -> "Target":
        """The target of a command."""
        if command.action in ON_ARTICLE:
            own: dict[str, TargetKind] = {"retract": "retract", "correct": "correct", "approve": "approve"}
            digest = command.digest if command.action == "approve" else 0
            return cls(own.get(command.action, "article"), command.article_id, digest)
        if command.action in ("pin", "unpin"):
            return cls("setting", command.setting)
        if command.action in ON_READER:
            return cls("reader", command.reader)
        return cls("category", command.category) if command.category else cls("everything")


class Statement(msgspec.Struct, frozen=True, omit_defaults=True):
    """What counts on one target: the last that was said."""

    at_ms: int
    on: bool  # stopped, held, retracted, corrected, approved, pinned
    until_ms: int = 0  # 0: until it is lifted
    value: float = 0.0  # of a pin
    command_id: str = ""
    who: str = ""
    persons: tuple[str, ...] = ()  # of approvals

    @classmethod
    def of(cls, command: Command) -> "Statement":
        """What a command says of its target."""
        persons = (command.who,) if command.action == "approve" else ()
        on = command.action in _ON
        until_ms, value = (command.until_ms, command.value) if on else (0, 0.0)
        return cls(command.at_ms, on, until_ms, value, command.command_id, command.who, persons)

    def rank(self) -> tuple[int, bool, int, float, str, str]:
        """Of two statements on one target the one of the higher rank counts."""
        return self.at_ms, self.on, self.until_ms or FOR_EVER, self.value, self.command_id, self.who

    def after(self, earlier: "Statement") -> "Statement":
        """This statement on a target on which another one counted."""
        last = max(self, earlier, key=Statement.rank)
        if not (self.persons or earlier.persons):
            return last
        persons = tuple(sorted({*self.persons, *earlier.persons}))
        return msgspec.structs.replace(last, persons=persons[:PERSONS])


def needs_two_persons(article: AnalysedArticle, two_persons: str) -> bool:
    """Whether two persons have to approve a version before it reaches anybody; `two_persons` as the setting."""
    if two_persons == "off" or article.audience is None:
        return False
    return two_persons == "audience" or names_no_readers(article.audience)


def is_approved(said: Statement | None) -> bool:
    """Whether two different persons have approved; a name in other letters is the same one."""
    return said is not None and len({name.casefold() for name in said.persons}) >= 2


class Applied(NamedTuple):
    """What a command has changed."""

    target: Target
    said: Statement  # what counts now
    new: bool  # False: it was said before, or something later was
    was: Statement | None  # what counted before; None: nothing


class ControlState:
    """All statements that count, by target."""

    def __init__(self) -> None:
        self._said: dict[Target, Statement] = {}
        self._ends: dict[Target, int] = {}  # ms, of what is on and has an end
        self._changed: set[Target] = set()  # since `take_changed`
        self._pruned_at = 1024

    def __len__(self) -> int:
        return len(self._said)

    def __iter__(self) -> Iterator[tuple[Target, Statement]]:
        """All statements that count, those of what is lifted included."""
        return iter(self._said.items())

    def __getitem__(self, target: Target) -> Statement | None:
        return self._said.get(target)

    def is_on(self, kind: TargetKind, name: str = "", digest: int = 0) -> bool:
        """Whether this is stopped, held, retracted, ..."""
        said = self._said.get(Target(kind, name, digest))
        return said is not None and said.on

    def persons(self, target: Target) -> tuple[str, ...]:
        """Who approved this version."""
        said = self._said.get(target)
        return said.persons if said else ()

    def is_awaited(self, article: AnalysedArticle, two_persons: str) -> bool:
        """Whether this version of an article waits for the second of two persons; `two_persons` as the setting."""
        return needs_two_persons(article, two_persons) and not is_approved(self[Target.of_version(article)])

    def in_effect(self, *kinds: TargetKind) -> list[tuple[Target, Statement]]:
        """What is stopped, held, pinned and so on, or is so of these kinds, the latest first."""
        on = [(target, said) for target, said in self._said.items() if said.on and (not kinds or target.kind in kinds)]
        return sorted(on, key=lambda one: (-one[1].at_ms, one[0]))

    def apply(self, command: Command) -> Applied:
        """Take a command in; one that only says what was asked for elsewhere leaves nothing here."""
        target, said = Target.of(command), Statement.of(command)
        if target.kind == "reader":
            return Applied(target, said, True, None)
        was = self._said.get(target)
        now = said if was is None else said.after(was)
        if now != was:
            self._set(target, now)
        return Applied(target, now, now != was, was)

    def lift_ended(self, now_ms: int) -> list[Target]:
        """Lift what ends at or before `now_ms`, and say what that was."""
        ended = sorted(target for target, until_ms in self._ends.items() if until_ms <= now_ms)
        for target in ended:
            self._set(target, msgspec.structs.replace(self._said[target], on=False))
        return ended

    def prune(self, now_ms: int, knows: Callable[[str], bool]) -> None:
        """Forget what is lifted or about articles that `knows` does not, where it is old or too much; now and then."""
        if len(self._said) < self._pruned_at:
            return
        idle = [
            (max(said.at_ms, said.until_ms), target)
            for target, said in self._said.items()
            if not said.on or (target.kind not in ("everything", "category", "setting") and not knows(target.name))
        ]
        over = len(self._said) - MOST
        for number, (at_ms, target) in enumerate(sorted(idle)):
            kept_ms = ARTICLES_KEPT_MS if self._said[target].on else KEPT_MS
            if number < over or at_ms < now_ms - kept_ms:
                self._ends.pop(target, None)
                del self._said[target]
                self._changed.add(target)
        self._pruned_at = max(1024, min(2 * len(self._said), len(self._said) + 1024))

    def _set(self, target: Target, said: Statement) -> None:
        self._said[target] = said
        self._changed.add(target)
        if said.on and said.until_ms:
            self._ends[target] = said.until_ms
        else:
            self._ends.pop(target, None)

    # --- what decisions see -------------------------------------------------------------------------------------------

    @property
    def stopped_until_s(self) -> int:
        """Until when everything is stopped, in s; NEVER: until it is lifted; 0: it is not."""
        said = self._said.get(Target("everything"))
        if said is None or not said.on:
            return 0
        return -(-said.until_ms // 1000) if said.until_ms else NEVER

    def pins(self) -> dict[str, Statement]:
        """The settings that are pinned."""
        return {target.name: said for target, said in self._said.items() if target.kind == "setting" and said.on}

    def policy(self, of_settings: Policy) -> Policy:
        """The policy with what is pinned, and whether all is stopped."""
        pinned: dict[str, Any] = {name: said.value for name, said in self.pins().items()}
        if "daily_cap" in pinned:
            pinned["daily_cap"] = int(pinned["daily_cap"])
        return of_settings._replace(**pinned, stopped_until_s=self.stopped_until_s)

    # --- the log ------------------------------------------------------------------------------------------------------

    def take_changed(self) -> list[tuple[Target, Statement | None]]:
        """What has changed since this was last asked; None: it was forgotten."""
        changed = [(target, self._said.get(target)) for target in sorted(self._changed)]
        self._changed.clear()
        return changed

    def restore(self, target: Target, said: Statement | None) -> None:
        """Take one statement from the log; None: it was forgotten."""
        if said is None:
            self._said.pop(target, None)
            self._ends.pop(target, None)
        else:
            self._set(target, said)
        self._changed.discard(target)
