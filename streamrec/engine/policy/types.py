"""What a gate and a rule look like.

A gate needs only the user: it answers when it opens, (N,) uint32 seconds since 1970; 0 = open now, NEVER = not by
waiting. So the same line of code suppresses a push and says when to look again.
A rule needs the pair: it answers (N,) True = suppressed.
"""

from collections.abc import Callable
from typing import NamedTuple

from ...arrays import BoolArray, UIntArray
from ..pairs import Pairs
from ..profiles.store import Users
from .config import Policy
from .suppression_reasons import GateReason, RuleReason

__all__ = ["Gate", "Pairs", "Rule", "UntilArray"]

UntilArray = UIntArray


class Gate(NamedTuple):
    """A gate, with the reason that is counted where it holds a push back."""

    reason: GateReason
    opens_at: Callable[[Users, int, Policy], UntilArray]  # of users at a time in s


class Rule(NamedTuple):
    """A rule, with the reason that is counted where it suppresses a pair."""

    reason: RuleReason
    suppresses: Callable[[Pairs, int, Policy], BoolArray]  # at a time in ms
