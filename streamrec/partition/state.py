"""The state of one partition: what it consists of, how it goes to the log, and how it comes from there.

    encode(rows)  -> [(key, value), ...]   changelog records of these rows, of what was said beside them, and the cursor
    restore(...)                           the same state on a new partition, from the changelog and from `catalog`

What can be computed from the rest is not logged: how often an article was read, and when readers are due again.
"""

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np

from ..arrays import IndexArray
from ..contracts.article import AnalysedArticle
from ..contracts.decode import Item, Typed
from ..decide import decide, waiting_s
from ..engine.catalog import Catalog
from ..engine.profiles import history
from ..engine.profiles.eviction import Eviction
from ..engine.profiles.store import ProfileStore, Users
from .article_queue import ArticleQueue
from .changelog_meta import Meta, same_space
from .context import PartitionContext
from .due_times import looked_at
from .erasures import ERASED_PREFIX, Erasures
from .steering import Steering
from .timeline import EventTimeline
from .unknown_articles import UnknownArticles

Logged = tuple[bytes, bytes | None]  # key and value of a changelog record
WAKE_EVERY_MS = 60_000  # quiet hours are given in minutes
MOST_SAID = 64  # articles that wait, in each cursor record


class PartitionState:
    """Profiles, catalog, cursor, erasures, what was commanded, and the articles yet to be met."""

    def __init__(self, context: PartitionContext) -> None:
        self.context = context
        self.profiles = ProfileStore()
        self.catalog = Catalog(context.max_articles, context.keep_ms)
        self.cursor: dict[str, int] = {}
        self.looked_ms = 0  # policy time of the last look for due users
        self.queue = ArticleQueue()
        self.steering = Steering(context.policy, self.catalog, self.queue)
        self.at_once, self.holds = True, False
        self.reported: Sequence[tuple[str, int, int]] = ()  # audiences under way, by the log: of a followed partition
        self._woke_ms = self._opened_ms = 0
        self._unknown = UnknownArticles()
        self._eviction = Eviction()
        self.erasures = Erasures()
        self._timeline = EventTimeline(context.tick_ms) if context.tick_ms else None

    @property
    def held_back(self) -> bool:
        """Whether nobody may meet anything: for the moment, or because a command has stopped everything."""
        return self.holds or self.steering.stopped

    def encode(self, rows: IndexArray) -> list[Logged]:
        """Changelog records of these rows and of the cursor."""
        met = self.queue.met_until(self.cursor.get("catalog", 0))
        opened_ms = self.queue.opened_until(self._opened_ms)
        meta = Meta(self.cursor, self.looked_ms, met, opened_ms, self.audiences_under_way())
        return [*self.profiles.encode(rows), *self.erasures.encode(), *self.steering.records(), meta.record()]

    def audiences_under_way(self) -> list[tuple[str, int, int]]:
        """Articles with an audience that have yet to meet readers: id, how many have met it, of how many."""
        if not self.queue:
            return []
        places = [(article_id, self.catalog.slot(article_id)) for article_id in islice(self.queue, MOST_SAID)]
        addressed, head, everybody = self.catalog["addressed"], self.queue.head(), len(self.profiles)
        return [
            (article_id, self.queue.start * (article_id == head), everybody)
            for article_id, slot in places
            if slot is not None and addressed[slot]
        ]

    def restore(
        self, rows: Iterable[Logged], meta: Meta, articles: Sequence[Item[AnalysedArticle]],
        control: Iterable[Logged] = (),
    ) -> None:  # fmt: skip
        """Take the state from the changelog and the part of `catalog` before the cursor. Once, on a new partition."""
        of_readers: list[Logged] = []
        erased: list[Logged] = []
        for record in rows:
            (erased if record[0].startswith(ERASED_PREFIX) else of_readers).append(record)
        self.erasures.restore(erased)
        self.profiles.restore(of_readers)
        self.cursor = dict(meta.cursor)
        self.looked_ms, self._woke_ms = meta.looked_ms, meta.looked_ms // WAKE_EVERY_MS * WAKE_EVERY_MS
        self._opened_ms = meta.opened_ms or meta.looked_ms
        self.catalog.after_reads(history.reads_of(self.profiles, slice(len(self.profiles))), 1)
        for item in articles:
            if isinstance(item, Typed):
                same_space("an article in the catalog is", item.value.space_id, self.context.space_id)
                self.catalog.apply(item.value, max(meta.looked_ms, item.value.known_at_ms))
                if item.offset >= meta.met_until:
                    self.queue.published(item.value.article_id, item.offset)
        self.reported = meta.audiences
        self._unknown.count(self.profiles)
        control = list(control)
        self.steering.follow(control)
        if not control and self.context.policy.two_persons != "off":  # else all are marked, or nothing can hold
            self.steering.mark_known(item.value.article_id for item in articles if isinstance(item, Typed))
        self._restore_due()
        if self._timeline is not None:
            self._timeline.clock_ms = meta.looked_ms

    def _restore_due(self) -> None:
        """Users the log says were due have been looked at; those whose gate was closed wait for it to open."""
        handled = looked_at(self.profiles, self.looked_ms // 1000)
        if len(handled):
            users, nothing = Users(self.profiles, handled), np.empty(0, np.intp)
            policy = self.steering.policy._replace(stopped_until_s=0)  # nobody is looked at while all is stopped
            decision = decide(users, self.catalog, nothing, self.looked_ms, self.context.ranker, policy)
            self.profiles["due_at_s"][handled] = self.steering.sooner(waiting_s(decision.opens_s))
