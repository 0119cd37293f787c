"""Gates, in the order of GateReason; the first closed one names the reason.

A gate is the function of that name in a file of this folder.
"""

from typing import get_args

from ..registry import functions_in
from ..suppression_reasons import GateReason
from ..types import Gate

REASONS = get_args(GateReason)
GATES = tuple(map(Gate, REASONS, functions_in(__name__, __path__, REASONS)))
