"""The policy's numbers, in the units the rules compute with."""

from typing import NamedTuple

from ..settings import Settings
from .reasons import SUPPRESSION_REASONS

NEVER = 2**32 - 1  # seconds: a gate that no waiting opens
UNBREAKABLE = frozenset({"opt_out", "already_read", "already_pushed_article", "already_pushed_story"})


class Policy(NamedTuple):
    """Seconds since 1970 and minutes of the day throughout."""

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
    breaking_bypasses: frozenset[str]

    @classmethod
    def of(cls, settings: Settings) -> "Policy":
        """The policy as the settings say; SettingsError for a rule name that does not exist."""
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
            breaking_bypasses=bypasses(settings.breaking_bypasses),
        )


def bypasses(names: str) -> frozenset[str]:
    """Rule names in a comma-separated list, those that may never be bypassed left out."""
    given = {name.strip() for name in names.split(",") if name.strip()}
    return frozenset(given & set(SUPPRESSION_REASONS)) - UNBREAKABLE


def _minute_of_day(clock_time: str) -> int:
    hours, minutes = clock_time.split(":")
    return int(hours) * 60 + int(minutes)
