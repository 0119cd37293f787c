"""A simulated newsroom: articles in English, Chinese and some Danish whose topic shows in the title.

Articles are the real contract (`ArticleEvent`) together with the truth a reader reacts to: topic, language and appeal.
Some articles continue a story, some are breaking; now and then one is updated or withdrawn. All of it follows from the
seed and the times asked for.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np

from ...contracts.article import ArticleEvent
from .vocabulary import LANGUAGES, Topic, vocabulary

HOUR_MS = 3_600_000
LANGUAGE_SHARES = (0.55, 0.37, 0.08)  # of LANGUAGES
FOLLOW_UP_SHARE = 0.12  # of new articles: continue a story of the last hours
BREAKING_SHARE = 0.02
UPDATE_SHARE = 0.04  # of steps of the newsroom
WITHDRAWAL_SHARE = 0.01
RECENT = 40  # articles that may be continued, updated or withdrawn
APPEAL_SCALE = 0.35


class SimArticle(NamedTuple):
    """One version of a simulated article with the truth about it, which no model sees."""

    event: ArticleEvent
    number: int  # of the article, from 0; the same for all its versions
    topic: int  # index into vocabulary().topics
    language: int  # index into LANGUAGES
    subject: str
    appeal: float  # log-odds added for every reader


class Newsroom:
    """Writes articles when asked; `articles` holds the last version of each, by id."""

    def __init__(self, seed: int) -> None:
        self.articles: dict[str, SimArticle] = {}
        self._rng = np.random.default_rng(seed)
        self._recent: list[str] = []

    def write(self, at_ms: int) -> SimArticle:
        """What the newsroom sends at this time: mostly a new article, else a new version of a recent one."""
        draw = self._rng.random()
        if self._recent and draw < WITHDRAWAL_SHARE:
            return self._withdraw(self._pick())
        if self._recent and draw < WITHDRAWAL_SHARE + UPDATE_SHARE:
            return self._update(self._pick())
        return self.publish(at_ms)

    def publish(self, at_ms: int) -> SimArticle:
        """Write a new article, at times a follow-up of a recent one."""
        words = vocabulary()
        number = len(self.articles)
        earlier = self._pick() if self._recent and self._rng.random() < FOLLOW_UP_SHARE else None
        topic = earlier.topic if earlier else int(self._rng.integers(len(words.topics)))
        language = earlier.language if earlier else int(self._rng.choice(len(LANGUAGES), p=LANGUAGE_SHARES))
        subject = earlier.subject if earlier else self._one_of(words.topics[topic].subjects[LANGUAGES[language]])
        article_id = f"a{number:06d}"
        event = ArticleEvent(
            article_id=article_id,
            title=self._title(words.topics[topic], LANGUAGES[language], subject),
            published_at_ms=at_ms,
            category=words.topics[topic].category,
            source=f"{words.topics[topic].category}-desk",
            language=LANGUAGES[language],
            story_id=earlier.event.story_id if earlier else f"story-{number:06d}",
            deep_link=f"https://news.example/{article_id}",
            breaking=int(self._rng.random() < BREAKING_SHARE),
        )
        appeal = float(self._rng.normal(0.0, APPEAL_SCALE)) + 0.7 * event.breaking
        return self._keep(SimArticle(event, number, topic, language, subject, appeal))

    def stream(self, start_ms: int, end_ms: int, per_hour: float) -> Iterator[tuple[int, SimArticle]]:
        """Article versions with the time each is sent, arriving at random with this mean rate."""
        for at_ms in arrivals_ms(self._rng, start_ms, end_ms, per_hour):
            yield at_ms, self.write(at_ms)

    def fresh(self, now_ms: int, hours: float = 24.0) -> list[SimArticle]:
        """Articles published within the last `hours` and not withdrawn, oldest first."""
        found: list[SimArticle] = []
        for article in reversed(self.articles.values()):
            if article.event.published_at_ms <= now_ms - hours * HOUR_MS:
                break  # ids stand in order of publication
            if article.event.published_at_ms <= now_ms and article.event.status != "withdrawn":
                found.append(article)
        return found[::-1]

    def _update(self, article: SimArticle) -> SimArticle:
        topic = vocabulary().topics[article.topic]
        event = msgspec.structs.replace(
            article.event,
            title=self._title(topic, LANGUAGES[article.language], article.subject),
            version=article.event.version + 1,
            status="updated",
        )
        return self._keep(article._replace(event=event))

    def _withdraw(self, article: SimArticle) -> SimArticle:
        event = msgspec.structs.replace(article.event, version=article.event.version + 1, status="withdrawn")
        self._recent.remove(event.article_id)
        return self._keep(article._replace(event=event))

    def _title(self, topic: Topic, language: str, subject: str) -> str:
        verb, context = self._one_of(topic.verbs[language]), self._one_of(vocabulary().contexts[language])
        if language == "zh":  # puts the context before the verb and needs no spaces
            return f"{subject}{context}{verb}"
        return f"{subject} {verb} {context}"

    def _keep(self, article: SimArticle) -> SimArticle:
        article_id = article.event.article_id
        if article_id not in self.articles:
            self._recent = [*self._recent[1 - RECENT :], article_id]
        self.articles[article_id] = article
        return article

    def _pick(self) -> SimArticle:
        return self.articles[self._recent[int(self._rng.integers(len(self._recent)))]]

    def _one_of(self, words: tuple[str, ...]) -> str:
        return words[int(self._rng.integers(len(words)))]


def arrivals_ms(rng: np.random.Generator, start_ms: int, end_ms: int, per_hour: float) -> Iterator[int]:
    """Times within [start, end) of a Poisson process, ascending; drawn one by one, so the generator may be shared."""
    at_ms = float(start_ms)
    while (at_ms := at_ms + rng.exponential(HOUR_MS / per_hour)) < end_ms:
        yield int(at_ms)
