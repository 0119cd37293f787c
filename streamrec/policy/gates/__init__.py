"""Gates, in the order they are asked; the first closed one names the reason."""

from ..types import Gate
from .daily_cap import daily_cap
from .in_session import in_session
from .min_interval import min_interval
from .opt_out import opt_out
from .quiet_hours import quiet_hours

GATES = (
    Gate("opt_out", opt_out),
    Gate("daily_cap", daily_cap),
    Gate("min_interval", min_interval),
    Gate("quiet_hours", quiet_hours),
    Gate("in_session", in_session),
)
