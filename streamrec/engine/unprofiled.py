"""Events of readers who refused profiling: what they say of consent, zone and session counts, and nothing else."""

from collections.abc import Sequence

from ..contracts.event import CONSENTS, UserEvent
from .profiles.store import ProfileStore


def without_teaching(profiles: ProfileStore, events: Sequence[UserEvent]) -> Sequence[UserEvent]:
    """The same events, where those of unprofiled readers name no article and no words, so that they teach nothing."""
    table, sides = profiles.preferences, profiles.columns["side"]
    if not len(table):
        return events
    refused = table.columns["unprofiled"]
    rows = [profiles.row(event.user_id) for event in events]
    return [
        _bare(event) if row is not None and refused[sides[row]] else event
        for event, row in zip(events, rows, strict=True)
    ]


def _bare(event: UserEvent) -> UserEvent:
    return UserEvent(
        event.user_id, event.action if event.action in CONSENTS else "impression", event.at_ms, tz=event.tz
    )
