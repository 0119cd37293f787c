"""What a gate and a rule look like.

A gate needs only the user: it answers when it opens, (N,) uint32 seconds since 1970; 0 = open now, NEVER = not by
waiting. So the same line of code suppresses a push and says when to look again.
A rule needs the pair: it answers (N,) True = suppressed.
"""

from typing import NamedTuple, Protocol

from ...arrays import BoolArray, UIntArray
from ..pairs import Pairs
from ..profiles.store import Users
from .config import Policy
from .reasons import GateReason, RuleReason

__all__ = ["Gate", "GateFunction", "Pairs", "Rule", "RuleFunction", "UntilArray"]

UntilArray = UIntArray


class GateFunction(Protocol):
    """Answers for each user when they may be pushed to again: seconds since 1970, (n,) uint32."""

    def __call__(self, users: Users, now_s: int, policy: Policy) -> UntilArray: ...


class RuleFunction(Protocol):
    """Answers which pairs of user and article may not be pushed: (N,), True = suppressed."""

    def __call__(self, pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray: ...


class Gate(NamedTuple):
    """A gate with the reason that is counted where it holds a push back."""

    reason: GateReason
    opens_at: GateFunction


class Rule(NamedTuple):
    """A rule with the reason that is counted where it suppresses a pair."""

    reason: RuleReason
    suppresses: RuleFunction
