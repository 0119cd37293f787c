"""What the demo's push policy has to do with the one that is shipped: it is loosened, and says so."""

from ...settings import Settings, load
from .pushes import Seen


def loosened(settings: Settings) -> str:
    """How the policy differs, beside what is shipped; empty if it does not."""
    shipped = load({})
    parts = []
    if settings.min_interval_s < shipped.min_interval_s:
        parts.append(
            f"{length(settings.min_interval_s)} between two pushes to a reader (else {length(shipped.min_interval_s)})"
        )
    if settings.session_gap_s < shipped.session_gap_s:
        parts.append(f"{length(settings.session_gap_s)} after the last click (else {length(shipped.session_gap_s)})")
    if settings.quiet_from == settings.quiet_to != shipped.quiet_to:
        parts.append(f"no quiet hours (else {shipped.quiet_from} to {shipped.quiet_to})")
    return f"loosened, so that a minute shows something: {', '.join(parts)}" if parts else ""


def as_shipped(settings: Settings, seen: Seen) -> str:
    """How few of these pushes the shipped interval allows; empty if that is in force."""
    shipped_s, readers = load({}).min_interval_s, len({user for user, *_ in seen.pairs})
    if not readers or settings.min_interval_s >= shipped_s:
        return ""
    return f"at most {readers:,} of them: a reader gets one push in {length(shipped_s)}, by day, out of session"


def why_none(settings: Settings, held_back: str) -> str:
    """A sentence that says why a run of the demo ended without a push."""
    resting = ""
    if "min_interval" in held_back:  # pushes of the history are not shown
        resting = f", and readers rest {length(settings.min_interval_s)} after what they got for the history"
    return f"the time was short{resting}; held back: {held_back}"


def length(seconds: float) -> str:
    """A length of time, in the largest unit that keeps it whole."""
    for unit, name in ((3600, "h"), (60, "min")):
        if seconds and seconds % unit == 0:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"
