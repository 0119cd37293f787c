"""Gates that a reader has set for themselves: these hold for breaking news, too, whatever settings let it pass."""

from collections.abc import Callable

import numpy as np

from ...arrays import BoolArray
from ..profiles.layout import NO_CAP, NO_OVERRIDE
from ..profiles.store import Users


def _own_cap(users: Users) -> BoolArray:
    return np.asarray(users["daily_cap"] != NO_CAP)


def _own_quiet_hours(users: Users) -> BoolArray:
    return np.asarray(users["quiet_from_min"] != NO_OVERRIDE)


OWN: dict[str, Callable[[Users], BoolArray]] = {"daily_cap": _own_cap, "quiet_hours": _own_quiet_hours}
