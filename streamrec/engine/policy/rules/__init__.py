"""Rules on the pair, in the order of RuleReason; the first that says so names the reason.

A rule is the function of that name in a file of this folder.
"""

from typing import get_args

from ..registry import functions_in
from ..suppression_reasons import RuleReason
from ..types import Rule

REASONS = get_args(RuleReason)
RULES = tuple(map(Rule, REASONS, functions_in(__name__, __path__, REASONS)))
