"""What the whole path is measured on: readers, articles and histories as a log leaves them.

Readers are those of the log, each as often as it takes for READERS of them; so 4,096 candidates are as many readers.
"""

from typing import NamedTuple

import numpy as np

from ...arrays import FloatArray, IntArray
from ...content.encoder import Encoder, Text
from ...contracts.article import ArticleEvent
from ...contracts.event import UserEvent
from ...datasets.records import Log
from ...engine.catalog import Catalog
from ...engine.policy.config import Policy
from ...engine.profiles.store import ProfileStore, Users
from ...errors import DataError
from ...settings import Settings
from ...training.player import Player
from .preview import multiply

READERS = 8192
ARTICLES = 512  # those that came last: one is published a call, and each reader reads another


class World(NamedTuple):
    """A partition's state after a log, and what a teacher reads beside it."""

    profiles: ProfileStore
    catalog: Catalog
    slots: IntArray  # (A,) of the articles that came last
    texts: list[Text]  # (A,) theirs
    vectors: FloatArray  # (V, 64) of all versions
    histories: IntArray  # (R, 30) rows of `vectors`, newest last, -1 = empty
    now_ms: int
    policy: Policy

    def readers(self, call: int, count: int) -> Users:
        """`count` readers, others in each call."""
        return Users(self.profiles, (call * 997 + np.arange(count)) % len(self.profiles))

    def slot(self, call: int) -> IntArray:
        """(1,) the article of a call."""
        return self.slots[[call % len(self.slots)]]

    def reads(self, call: int, users: Users) -> list[UserEvent]:
        """One read of each of these readers, of an article that none of their last eighteen calls had."""
        article = self.catalog.articles[int(self.slot(call + 1)[0])]
        assert article is not None
        names = self.profiles.users
        return [
            UserEvent(names[row], "click", self.now_ms, article_id=article.article_id)
            for row in users.indices().tolist()
        ]


def world_of(log: Log, settings: Settings, encoder: Encoder) -> World:
    """Play a log; DataError where it leaves nobody who has read, or no article."""
    player, at_ms = Player(settings, encoder), 0
    for at_ms, record in log:
        match record:
            case ArticleEvent() as article:
                player.article(article, at_ms)
            case UserEvent() as event:
                player.event(event, at_ms)
    player.learn()
    own, catalog = len(player.profiles), player.catalog
    slots = np.flatnonzero(catalog["live"])
    slots = slots[np.argsort(catalog["first_known_s"][slots], kind="stable")][-ARTICLES:]
    if not own or not len(slots):
        raise DataError(f"the log leaves {own} readers and {len(slots)} articles; expected some: choose another log")
    rows = [player.history_of(user_id) for user_id in player.profiles.users]
    multiply(player.profiles, max(READERS, own))
    said = [catalog.articles[slot] for slot in slots.tolist()]
    return World(
        profiles=player.profiles,
        catalog=catalog,
        slots=slots,
        texts=[Text(article.title, category=article.category) for article in said if article],
        vectors=player.vectors(),
        histories=player.histories.table()[np.resize(rows, len(player.profiles))],
        now_ms=at_ms + 60_000,
        policy=player.policy,
    )
