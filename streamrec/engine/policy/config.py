"""The policy's numbers, in the units the rules compute with."""

import difflib
from typing import NamedTuple, get_args

from ...errors import SettingsError
from ...settings import Settings
from .suppression_reasons import SUPPRESSION_REASONS, GateReason

NEVER = 2**32 - 1  # seconds: a gate that no waiting opens
BREAKABLE = frozenset(get_args(GateReason)) - {
    "opt_out",
    "stopped",
}  # by breaking news: gates only, rules hold for every article


class Policy(NamedTuple):
    """The policy of one partition: `_s` are seconds, `_ms` milliseconds, `_min` minutes of the user's local day."""

    daily_cap: int
    min_interval_s: int
    session_gap_s: int
    quiet_from_min: int
    quiet_to_min: int
    quiet_jitter_s: int
    default_zone: str
    min_affinity: float
    min_score: float
    candidates_per_user: int
    half_life_ms: float
    cooldown_s: int
    late_event_ms: int
    push_ttl_ms: int
    forget_after_s: int
    breaking_bypasses: frozenset[str]
    two_persons: str = "off"  # as the setting
    stopped_until_s: int = 0  # by a command; 0: not, NEVER: until it is lifted

    @classmethod
    def of(cls, settings: Settings) -> "Policy":
        """The policy as the settings say; SettingsError for a gate that cannot be bypassed."""
        return cls(
            daily_cap=settings.daily_cap,
            min_interval_s=round(settings.min_interval_s),
            session_gap_s=round(settings.session_gap_s),
            quiet_from_min=_minute_of_day(settings.quiet_from),
            quiet_to_min=_minute_of_day(settings.quiet_to),
            quiet_jitter_s=round(settings.quiet_jitter_s),
            default_zone=settings.default_zone,
            min_affinity=settings.min_affinity,
            min_score=settings.min_score,
            candidates_per_user=settings.candidates_per_user,
            half_life_ms=settings.interest_half_life_h * 3_600_000,
            cooldown_s=round(settings.cooldown_h * 3600),
            late_event_ms=round(settings.late_event_s * 1000),
            push_ttl_ms=round(settings.push_ttl_h * 3_600_000),
            forget_after_s=round(settings.profile_days * 86_400),
            breaking_bypasses=bypasses(settings.breaking_bypasses),
            two_persons=settings.two_persons,
        )


def bypasses(names: str) -> frozenset[str]:
    """Gates in a comma-separated list; SettingsError for a name that is none, or that nothing may bypass."""
    given = [name.strip() for name in names.split(",") if name.strip()]
    for name in given:
        if name not in BREAKABLE:
            known = name in SUPPRESSION_REASONS
            near = difflib.get_close_matches(name, SUPPRESSION_REASONS, n=1)
            said = "holds for breaking news too" if known else "is no gate"
            hint = f"did you mean {near[0]}? " if near and not known else ""
            raise SettingsError(
                f"STREAMREC_BREAKING_BYPASSES names '{name}', which {said}; {hint}"
                f"expected some of {', '.join(sorted(BREAKABLE))}"
            )
    return frozenset(given)


def _minute_of_day(clock_time: str) -> int:
    hours, minutes = clock_time.split(":")
    return int(hours) * 60 + int(minutes)
