"""Training rows from a log: played through the same columns and the same feature function as in serving.

    rows_of(log, settings, encoder) -> Rows

At each impression the candidates' features are taken as they stand at that moment, then the clicks that follow are
learned: nothing from the future can get in, because it has not happened yet. No pushes are made while playing.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..catalog import Catalog
from ..content.analyse import Reject, analyse
from ..content.encoder import Encoder
from ..content.story import RecentStories
from ..contracts.article import ArticleEvent
from ..contracts.event import UserEvent
from ..errors import DataError
from ..learn import after_article, after_events
from ..pairs import Pairs
from ..policy.config import Policy
from ..profiles.interest import FloatArray
from ..profiles.store import ProfileStore, Users
from ..ranking.features import features
from ..settings import Settings
from ..simulation.logs.records import Impression, Step


class Rows(NamedTuple):
    """Candidates of all impressions, in order of time."""

    x: FloatArray  # (N, 96)
    clicked: npt.NDArray[np.bool_]  # (N,)
    impression: npt.NDArray[np.int64]  # (N,)
    user: npt.NDArray[np.int64]  # (N,) row of the user: the unit of the bootstrap
    at_ms: npt.NDArray[np.int64]  # (N,)

    def take(self, chosen: npt.NDArray[np.bool_]) -> "Rows":
        """These rows only."""
        return Rows._make(column[chosen] for column in self)


class _Play:
    def __init__(self, settings: Settings, encoder: Encoder) -> None:
        self.policy = Policy.of(settings)
        self.profiles = ProfileStore()
        self.catalog = Catalog(settings.max_articles, round(settings.vector_days * 86_400_000))
        self._stories, self._encoder, self._eligible_h = RecentStories(), encoder, settings.eligible_h
        self._events: list[UserEvent] = []  # learned together, up to the next article or impression

    def article(self, article: ArticleEvent, at_ms: int) -> None:
        self.learn()
        analysed = analyse(article, self._encoder, self._stories, self._eligible_h, at_ms)
        if isinstance(analysed, Reject):
            return
        self.catalog.apply(analysed, at_ms)
        slot = self.catalog.slot(article.article_id)
        if slot is not None:
            after_article(self.profiles, self.catalog, slot, self.policy)

    def event(self, event: UserEvent) -> None:
        self._events.append(event)

    def learn(self) -> None:
        if self._events:
            seen_ms = [event.at_ms for event in self._events]
            after_events(self.profiles, self.catalog, self._events, seen_ms, self.policy)
            self._events = []

    def candidates(self, shown: Impression, at_ms: int) -> tuple[Pairs, npt.NDArray[np.bool_]]:
        self.learn()
        slots = [self.catalog.slot(article_id) for article_id in shown.candidates]
        known = [i for i, slot in enumerate(slots) if slot is not None]
        row = self.profiles.rows_of([shown.user_id], [at_ms // 1000])[0]
        users = Users(self.profiles, np.full(len(known), row))
        chosen = np.array([slots[i] for i in known], np.intp)
        pairs = Pairs(users, self.catalog, chosen, np.zeros(len(known), np.float32))
        return pairs, np.array([shown.clicked[i] for i in known], np.bool_)


def rows_of(
    log: Iterable[Step], settings: Settings, encoder: Encoder, progress: Callable[[int], object] = lambda _: None
) -> Rows:
    """Play a log and take the candidates of its impressions; DataError where it has none."""
    play, x, clicked, impression, user, at_ms = _Play(settings, encoder), [], [], [], [], []
    for number, step in enumerate(log):
        match step.record:
            case ArticleEvent() as article:
                play.article(article, step.at_ms)
            case UserEvent() as event:
                play.event(event)
            case Impression() as shown:
                pairs, clicks = play.candidates(shown, step.at_ms)
                if len(pairs):
                    x.append(features(pairs, step.at_ms, play.policy.half_life_ms))
                    clicked.append(clicks)
                    impression.append(np.full(len(pairs), number))
                    user.append(pairs.users.indices())
                    at_ms.append(np.full(len(pairs), step.at_ms))
        if number % 1000 == 0:
            progress(number)
    if not x:
        raise DataError("the log has no impressions to learn from (a log of clicks alone has no negatives)")
    return Rows(*(np.concatenate(column) for column in (x, clicked, impression, user, at_ms)))
