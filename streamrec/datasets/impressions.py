"""Labels from a running system: what was shown, and whether it was clicked before its time was over.

    labelled(seen, pushes, since_ms, until_ms) -> Step(Impression), ...

Impression events of one user within TOGETHER_MS are one impression; a push is one with a single article. A click or an
open makes the latest showing of that article to that user a positive, if it comes within ANSWER_MS of it (for a push:
before the push expires). Everything else shown is a negative, dismissed or ignored alike.

The label looks ahead; the step does not: it stands where the showing began, so its features are those of that moment.
A showing whose time to be answered ends after `until_ms` is left out, because its label is not known yet.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ..contracts.event import READING, UserEvent
from ..contracts.limits import LATEST_MS
from ..contracts.push import Push
from .records import Impression, Log, Step, StepLog

TOGETHER_MS = 60_000
ANSWER_MS = 30 * 60_000


class Seen(NamedTuple):
    """An event, and when it counts as having come: its append time, or in a replay its own."""

    at_ms: int
    event: UserEvent


@dataclass
class _Showing:
    user_id: str
    at_ms: int
    until_ms: int  # later clicks are not its doing
    clicked: dict[str, bool] = field(default_factory=dict)  # by article, in the order shown

    def step(self) -> Step:
        return Step(self.at_ms, Impression(self.user_id, tuple(self.clicked), tuple(self.clicked.values())))


def labelled(seen: Iterable[Seen], pushes: Iterable[Push], since_ms: int, until_ms: int) -> Iterator[Step]:
    """Showings that began at or after `since_ms`, in order of time; `seen` and `pushes` in any order."""
    showings: list[_Showing] = []
    slates: dict[str, _Showing] = {}  # user -> the latest impression
    latest: dict[tuple[str, str], _Showing] = {}  # user and article -> where it was last shown
    for at_ms, happened in _in_order(seen, pushes):
        if isinstance(happened, Push):
            showing = _Showing(happened.user_id, at_ms, happened.expires_at_ms)
        elif happened.action == "impression":
            showing = slates.get(happened.user_id) or _Showing(happened.user_id, at_ms, 0)
            if at_ms - showing.at_ms > TOGETHER_MS:
                showing = _Showing(happened.user_id, at_ms, 0)
            showing.until_ms = at_ms + ANSWER_MS
            slates[happened.user_id] = showing
        else:
            found = latest.get((happened.user_id, happened.article_id)) if happened.action in READING else None
            if found is not None and at_ms <= found.until_ms:
                found.clicked[happened.article_id] = True
            continue
        if not showing.clicked:
            showings.append(showing)
        showing.clicked.setdefault(happened.article_id, False)
        latest[happened.user_id, happened.article_id] = showing
    for showing in showings:
        if since_ms <= showing.at_ms and showing.until_ms <= until_ms:
            yield showing.step()


def _in_order(seen: Iterable[Seen], pushes: Iterable[Push]) -> list[tuple[int, UserEvent | Push]]:
    happened: list[tuple[int, UserEvent | Push]] = [(push.created_at_ms, push) for push in pushes]
    happened += seen
    return sorted(happened, key=lambda at: at[0])  # stable: within a millisecond as they came


def with_shown(log: Log) -> Log:
    """A log whose impressions are events, with the showings they are; one that has none stays as it is."""
    seen = [Seen(step.at_ms, step.record) for step in log if isinstance(step.record, UserEvent)]
    return StepLog.of(log.summary.name, [*log, *labelled(seen, (), 0, LATEST_MS)], log.summary.tally)
