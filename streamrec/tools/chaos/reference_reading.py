"""What each reader's row must hold: the rules on events and articles read a second time, plainly.

One record at a time, in dicts, lists and Python's own numbers, with no code of what it judges (catalog, learn,
profiles, partition): only the formats are shared, which are the contracts and the layout of a row, and the settings.
Interest is computed in float64; a row keeps float16 and rounds at each step, so it may be off by

    error' = error * keep + 2**-10 * (|value'| + |gain|) + 2**-23

A row remembers SEEN articles by name, those that were pushed among them. What a reader with more of them did counts
again or not by when pushes took places, so of such a reader row_check.py compares only what does not depend on that.
Simulated queries are plain English, and split at blanks. The encoder is the partition's own: that its vectors do not
depend on what else it encodes is tested where it stands.
"""

import re
import zlib
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ...content.encoder import HashedEncoder, Text
from ...contracts.article import AnalysedArticle
from ...contracts.decode import Typed
from ...contracts.erasure import Erasure
from ...contracts.event import UserEvent
from ...contracts.preferences import Patch
from ...engine.profiles.layout import ROW
from ...settings import Settings
from .articles_reading import Arrived, Articles, key
from .erasures_reading import Erased
from .plain_reader import SOURCES, Reader, Waiting

WORTH = {"click": 1.0, "open": 1.0, "dwell": 0.5, "share": 2.0, "save": 1.5, "dismiss": -0.25, "dislike": -1.0}
READING = ("click", "open")
REFUSING = ("dismiss", "dislike")
SEARCH_WORTH, SAME_SEARCH_S = 0.75, 600
FUNCTION_WORDS = {"the", "of", "in", "about"}  # as far as simulated queries have any
ENCODER = HashedEncoder()
NEGATIVES, SEARCHED = (ROW[name].shape[0] for name in ("negatives", "searched"))
SHARED_CATEGORY = ROW["category_affinity"].shape[0] - 1  # nobody's own: it never rests


class Compared(NamedTuple):
    """Readers whose rows were held against the plain reading."""

    in_full: int
    readers: int

    def falls_short_of(self, share: float) -> bool:
        """Too few in full for the comparison to mean something."""
        return self.in_full < share * self.readers


class PlainReading:
    """What readers of one partition did, and what follows from it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.known_s: dict[int, int] = {}  # every article there was -> the earliest time it is said to be known since
        self.readers: dict[str, Reader] = {}
        self.erased = Erased()
        self.articles = Articles(settings)

    def take_over(self, articles: Iterable[Arrived]) -> None:
        """A new owner knows these articles, and what was committed of readers."""
        self.articles = Articles(self._settings)
        for each in articles:
            self._know(each)

    def take(self, effect: Arrived | Typed[UserEvent] | Typed[Patch] | Erasure) -> None:
        """Apply one event, one patch of preferences, one erasure, or one article that became known."""
        if isinstance(effect, Arrived):
            self._know(effect)
            self._end_waiting(self.articles.by_id[effect.article.article_id])
        elif isinstance(effect, Erasure):
            reader = self.readers.pop(effect.user_id, None)
            self.erased.take(effect, None if reader is None else reader.receipt())
            if reader is not None and (left := reader.left_by(effect.at_ms)) is not None:
                self.readers[effect.user_id] = left
        elif not self.erased.counts(effect.value, effect.value.user_id in self.readers):
            return
        elif isinstance(effect.value, Patch):
            self._patch(effect.value, effect.appended_ms)
        else:
            self._event(effect.value, effect.appended_ms)

    def _know(self, arrived: Arrived) -> None:
        self.articles.take(arrived)
        article = arrived.article
        since_s = (article.first_known_at_ms or article.known_at_ms) // 1000
        self.known_s[key(article.article_id)] = min(since_s, self.known_s.get(key(article.article_id), since_s))

    def push(self, user_id: str, article_id: str) -> None:
        """Takes a place among the articles a row remembers; in any order with events, but after a user's first.

        Also an article that is set aside later: a floor covers it as it does any other.
        """
        reader = self.readers.setdefault(user_id, Reader())  # a row too many is seen in the comparison
        reader.pushes += 1
        reader.pushed.add(key(article_id))
        reader.held.add(key(article_id))

    def compared(self) -> Compared:
        """How many readers row_check.py can compare to the last bit."""
        return Compared(sum(not reader.is_crowded for reader in self.readers.values()), len(self.readers))

    def _patch(self, patch: Patch, seen_ms: int) -> None:
        reader = self.readers.setdefault(patch.user_id, Reader(first_seen_s=seen_ms // 1000))
        says = patch.said.get("consent")
        if says is not None:
            reader.consents(bool(says), patch.at_ms)
        reader.wants.patches.append(patch)
        if reader.wants.value("profiling") is False:
            reader.lose_profile()

    def _event(self, event: UserEvent, seen_ms: int) -> None:
        reader = self.readers.setdefault(event.user_id, Reader(first_seen_s=seen_ms // 1000))
        if seen_ms - event.at_ms <= self._settings.late_event_s * 1000:
            reader.active_s = max(reader.active_s, seen_ms // 1000)
        if event.tz and event.at_ms // 1000 >= reader.zone_at_s:
            reader.zone, reader.zone_at_s = key(event.tz), event.at_ms // 1000
        if event.action in ("subscribe", "unsubscribe"):
            reader.consents(event.action == "subscribe", event.at_ms)
        if reader.wants.value("profiling") is False:
            return
        if event.action == "search":
            self._search(reader, event.query, event.at_ms)
        if event.article_id and event.action in WORTH and (event.action != "dwell" or event.dwell_s >= 10):
            self._act(reader, event)

    def _act(self, reader: Reader, event: UserEvent) -> None:
        act = "read" if event.action in READING else event.action
        acts = reader.acts.setdefault(key(event.article_id), set())
        is_repeated = act in acts
        acts.add(act)
        reader.taught_ms = max(reader.taught_ms, event.at_ms)
        if act == "read":
            self._read(reader, event.article_id, is_repeated)
        article = self.articles.by_id.get(event.article_id)
        if article is None and not is_repeated:
            reader.wait(Waiting(key(event.article_id), event.at_ms // 1000, event.action))
        elif article is not None:
            if not is_repeated:
                self._credit(reader, article, event.action, event.at_ms)
            self._refuse(reader, article, event.action, event.at_ms)

    def _read(self, reader: Reader, article_id: str, is_repeated: bool) -> None:
        reader.reads += not is_repeated
        reader.reads_in_all += 1
        if article_id in self.articles.by_id:
            reader.held.add(key(article_id))

    def _search(self, reader: Reader, query: str, at_ms: int) -> None:
        spelt = " ".join(query.lower().split())
        found = [word for word in re.findall(r"[a-z]+", spelt) if word not in FUNCTION_WORDS]
        longest = sorted(dict.fromkeys(found), key=lambda word: -len(word))[:SEARCHED]
        words, at_s = frozenset(map(key, longest)), at_ms // 1000
        if not words:
            return
        is_again = words == reader.searched and abs(at_s - reader.searched_at_s) < SAME_SEARCH_S
        before, now = (reader.searched_at_s, _rank(reader.searched)), (at_s, _rank(words))
        if now > before:
            reader.searched, reader.searched_at_s = words, at_s
        reader.taught_ms = max(reader.taught_ms, at_ms)
        if not is_again:
            self._teach(reader, ENCODER.encode([Text(spelt)])[0].tolist(), SEARCH_WORTH, at_ms, None)

    def _end_waiting(self, article: AnalysedArticle) -> None:
        for reader in self.readers.values():
            ended = [waiting for waiting in reader.waiting if waiting.article == key(article.article_id)]
            for waiting in ended:
                reader.waiting[reader.waiting.index(waiting)] = Waiting(0, 0, "")
                self._credit(reader, article, waiting.action, waiting.at_s * 1000)
                self._refuse(reader, article, waiting.action, waiting.at_s * 1000)

    def _credit(self, reader: Reader, article: AnalysedArticle, action: str, at_ms: int) -> None:
        self._teach(reader, np.frombuffer(article.vector, "<f4").tolist(), WORTH[action], at_ms, article)
        if WORTH[action] > 0 and at_ms == reader.interest_at_ms:
            reader.language = article.language[:2]

    def _teach(
        self, reader: Reader, vector: list[float], worth: float, at_ms: int, article: AnalysedArticle | None
    ) -> None:
        half_life_ms = self._settings.interest_half_life_h * 3_600_000
        now_ms = max(reader.interest_at_ms, at_ms)
        keep = 0.5 ** ((now_ms - reader.interest_at_ms) / half_life_ms)
        gain = worth * 0.5 ** ((now_ms - at_ms) / half_life_ms)
        category = article.category_slot if article else -1
        source = zlib.crc32(article.source.strip().lower().encode()) % SOURCES if article else -1
        for dimension, total in enumerate(reader.interest):
            total.after(keep, gain * vector[dimension])
        for slot, total in enumerate(reader.category):
            total.after(keep, gain * (slot == category))
        for slot, total in enumerate(reader.source):
            total.after(keep, gain * (slot == source))
        reader.interest_at_ms = now_ms

    def _refuse(self, reader: Reader, article: AnalysedArticle, action: str, at_ms: int) -> None:
        slot, rests = article.category_slot, reader.rests_until_s
        if action not in REFUSING or slot == SHARED_CATEGORY:
            return
        until_s = at_ms // 1000 + round(self._settings.cooldown_h * 3600)
        if slot not in rests and len(rests) == NEGATIVES:
            soonest = min(rests, key=lambda each: rests[each])
            if rests[soonest] >= until_s:
                return
            del rests[soonest]
        rests[slot] = max(until_s, rests.get(slot, 0))


def _rank(words: frozenset[int]) -> list[int]:
    """Of two searches in the same second the higher one is remembered."""
    return sorted(words) + [0] * (SEARCHED - len(words))
