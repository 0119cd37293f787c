"""Plays a log into the columns a partition keeps, without decisions: what is known just before each impression."""

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..content.analyse import analyse
from ..content.category_slots import Categories
from ..content.encoder import Encoder
from ..content.query import Queries
from ..content.story import RecentStories
from ..contracts.article import ArticleEvent
from ..contracts.event import READING, UserEvent
from ..contracts.limits import VECTOR_DIMS
from ..datasets.records import Impression
from ..engine.catalog import Catalog
from ..engine.learn import after_article, after_events
from ..engine.pairs import Pairs
from ..engine.policy.config import Policy
from ..engine.profiles.store import ProfileStore, Users
from ..settings import Settings
from .history import Histories


class Player:
    """Profiles, catalog and histories as they stand after what was played so far."""

    def __init__(self, settings: Settings, encoder: Encoder) -> None:
        self.policy = Policy.of(settings)
        self.profiles = ProfileStore()
        self.catalog = Catalog(settings.max_articles, round(settings.vector_days * 86_400_000))
        self.histories = Histories()
        self._queries = Queries(encoder)
        self._categories = Categories(settings.category_map)
        self._stories, self._encoder, self._eligible_h = RecentStories(), encoder, settings.eligible_h
        self._events: list[tuple[UserEvent, int]] = []  # with the time each was seen; learned together, when needed
        self._version: dict[str, int] = {}  # article -> row of vectors of its present version
        self._vectors: list[bytes] = []

    def article(self, article: ArticleEvent, at_ms: int) -> None:
        """Apply an article version that became known at `at_ms`, analysed as the content pipeline would."""
        self.learn()
        analysed = analyse(article, self._encoder, self._stories, self._categories, self._eligible_h, at_ms)
        self._categories.slots.hand_out(analysed.category)
        if self.catalog.apply(analysed, at_ms) in ("new", "updated", "withdrawn"):
            self._version[article.article_id] = len(self._vectors)
            self._vectors.append(analysed.vector)
        slot = self.catalog.slot(article.article_id)
        if slot is not None:
            after_article(self.profiles, self.catalog, slot, self.policy)

    def event(self, event: UserEvent, seen_ms: int) -> None:
        """Queue a user's event, seen at `seen_ms`; it is learned before anything that comes later needs it."""
        self._events.append((event, seen_ms))

    def candidates(self, shown: Impression, at_ms: int) -> tuple[Pairs, BoolArray, IntArray]:
        """The user with each shown article that is known, which were clicked, and their rows of vectors, (N,) each."""
        self.learn()
        slots = [self.catalog.slot(article_id) for article_id in shown.candidates]
        known = [i for i, slot in enumerate(slots) if slot is not None]
        row = self.profiles.rows_of([shown.user_id], [at_ms // 1000])[0]
        users = Users(self.profiles, np.full(len(known), row))
        chosen = np.array([slots[i] for i in known], np.intp)
        pairs = Pairs(users, self.catalog, chosen, np.zeros(len(known), np.float32))
        clicked = np.array([shown.clicked[i] for i in known], np.bool_)
        return pairs, clicked, np.array([self._version[shown.candidates[i]] for i in known], np.int64)

    def history_of(self, user_id: str) -> int:
        """Row of `histories` for a user now; call it after `candidates`, which learns what came before."""
        return self.histories.row(user_id, self._version)

    def vectors(self) -> FloatArray:
        """(A, 64) float32 of all versions met, in the order they came."""
        return np.frombuffer(b"".join(self._vectors), "<f4").reshape(-1, VECTOR_DIMS).astype(np.float32)

    def learn(self) -> None:
        """Learn from the events that wait: whoever looks into the columns does it first."""
        if not self._events:
            return
        events, seen_ms = zip(*self._events, strict=True)
        after_events(self.profiles, self.catalog, events, seen_ms, self.policy, self._queries.understand)
        for event in events:
            if event.action in READING and event.article_id:
                self.histories.after_read(event.user_id, event.article_id)
        self._events = []
