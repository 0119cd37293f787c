"""The common form of all logs: steps in order of time.

A step is one article version, one user event, or one impression (what a user was shown and clicked together). The
first two can be published; impressions are for training and evaluation only. Order: at_ms, then article < impression <
event, then the log's own order, so the same log gives the same steps every time.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from ..contracts.article import ArticleEvent
from ..contracts.event import Action, UserEvent
from .tally import Tally

Kind = Literal["article", "impression", "event"]


class Impression(NamedTuple):
    """Articles shown together to one user, and which of them were clicked."""

    user_id: str
    candidates: tuple[str, ...]
    clicked: tuple[bool, ...]  # one per candidate


class Step(NamedTuple):
    """One thing that happened, ms since 1970 (UTC)."""

    at_ms: int
    record: ArticleEvent | Impression | UserEvent

    @property
    def kind(self) -> Kind:
        """What the record is: an article, an impression or a user's event."""
        match self.record:
            case ArticleEvent():
                return "article"
            case Impression():
                return "impression"
            case _:
                return "event"


KIND_ORDER: Mapping[Kind, int] = {"article": 0, "impression": 1, "event": 2}


def step_order(step: Step) -> tuple[int, int]:
    """Sort key of a step; ties keep the log's own order."""
    return step.at_ms, KIND_ORDER[step.kind]


@dataclass(frozen=True)
class Summary:
    """What a log holds, known before it is played."""

    name: str
    start_ms: int  # first step
    end_ms: int  # last step
    users: int
    articles: int
    impressions: int
    events: Mapping[Action, int]
    tally: Tally  # what could not be read

    @property
    def steps(self) -> int:
        """How many steps the log has."""
        return self.articles + self.impressions + sum(self.events.values())


def summary_of(name: str, steps: Iterable[Step], tally: Tally) -> Summary:
    """The summary of steps in order of time, of which there is at least one."""
    kinds, actions, users = Counter[Kind](), Counter[Action](), set[str]()
    start_ms = end_ms = -1
    for step in steps:
        start_ms, end_ms = (step.at_ms if start_ms < 0 else start_ms), step.at_ms
        kinds[step.kind] += 1
        if isinstance(step.record, UserEvent):
            actions[step.record.action] += 1
            users.add(step.record.user_id)
    return Summary(
        name, start_ms, end_ms, len(users), kinds["article"], kinds["impression"], events=dict(actions), tally=tally
    )


class Log(Protocol):
    """A log that can be played any number of times."""

    @property
    def summary(self) -> Summary: ...
    def __iter__(self) -> Iterator[Step]: ...


@dataclass(frozen=True)
class StepLog:
    """A log of steps in memory, in order of time."""

    steps: Sequence[Step]
    summary: Summary

    @staticmethod
    def of(name: str, steps: Iterable[Step], tally: Tally) -> "StepLog":
        """The log of these steps, in whatever order they come."""
        ordered = sorted(steps, key=step_order)
        return StepLog(ordered, summary_of(name, ordered, tally))

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)
