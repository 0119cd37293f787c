"""Visits of simulated readers: one comes, is shown a slate of fresh articles, and clicks as the truth says.

The site shows mostly articles in a language the visitor reads and is otherwise not personal, so the slate teaches
nothing but what readers click.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ...contracts.event import UserEvent
from ..records import Impression, Step
from .newsroom import SimArticle
from .readers import ZONES, Readers

SLATE = 10
FOREIGN_WEIGHT = 0.05  # of an article in a language the visitor does not read, against one they do


class Visit(NamedTuple):
    """What happened in one visit, all at the same time."""

    at_ms: int
    impression: Impression
    events: tuple[UserEvent, ...]  # an impression for each article shown, then a click for each one clicked

    def steps(self) -> Iterator[Step]:
        """The visit in the common form of all logs."""
        yield Step(self.at_ms, self.impression)
        for event in self.events:
            yield Step(self.at_ms, event)


def visit(readers: Readers, fresh: Sequence[SimArticle], now_ms: int, rng: np.random.Generator) -> Visit:
    """One visit at now_ms by a reader drawn by activity and hour. `fresh` must not be empty."""
    user = int(rng.choice(len(readers), p=readers.visit_weights(now_ms)))
    language = np.array([article.language for article in fresh], np.intp)
    weights = np.where(readers.reads[user, language], 1.0, FOREIGN_WEIGHT)
    picked = rng.choice(len(fresh), min(SLATE, len(fresh)), replace=False, p=weights / weights.sum())
    shown = [fresh[index] for index in picked.tolist()]
    clicked = rng.random(len(shown)) < readers.p_click(np.array([user]), shown, now_ms)[0]
    user_id, zone = readers.ids[user], ZONES[readers.zone[user]]
    names = tuple(article.event.article_id for article in shown)
    hits = [name for name, hit in zip(names, clicked.tolist(), strict=True) if hit]
    events = [UserEvent(user_id, "impression", now_ms, name, tz=zone) for name in names]
    events += [UserEvent(user_id, "click", now_ms, name, tz=zone) for name in hits]
    return Visit(now_ms, Impression(user_id, names, tuple(clicked.tolist())), tuple(events))
