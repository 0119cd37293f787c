"""The simulated newsroom, live: articles and visits as they happen, sent to Kafka. Time is the wall clock's."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import msgspec
import numpy as np
from aiokafka import AIOKafkaProducer

from ...clock import monotonic_s, now_ms
from ...contracts.article import ArticleEvent
from ...contracts.event import UserEvent
from ...datasets.simulated.newsroom import Newsroom
from ...datasets.simulated.readers import Readers
from ...datasets.simulated.visits import visit
from ...kafka.clients import producer
from ...settings import Settings

BEAT_S = 0.05
SEARCHES = 0.2  # share of clicks after which the reader looks for more on the subject


class Rate(NamedTuple):
    """How much happens in the simulated world."""

    visits_per_s: float
    articles_per_min: float


async def publish_live(
    settings: Settings,
    newsroom: Newsroom,
    readers: Readers,
    rate: Rate,
    seed: int,
    until: Callable[[], bool],
    sent: Counter[str],
) -> None:
    """Write articles and visits until told to stop; `sent` counts records by topic."""
    rng = np.random.default_rng(seed)
    async with producer(settings, linger_ms=2) as sending:
        started_s, visits, articles = monotonic_s(), 0, 0
        while not until():
            elapsed_s = monotonic_s() - started_s
            while articles <= elapsed_s * rate.articles_per_min / 60:
                articles += 1
                await _send(sending, settings, newsroom.publish(now_ms()).event, sent)
            at_ms = now_ms()
            fresh = newsroom.fresh(at_ms)
            while visits < elapsed_s * rate.visits_per_s:
                visits += 1
                for event in visit(readers, fresh, at_ms, rng).events if fresh else ():
                    await _send(sending, settings, event, sent)
                    if event.action == "click" and rng.random() < SEARCHES:
                        await _send(sending, settings, search_after(event, newsroom), sent)
            await asyncio.sleep(BEAT_S)


def search_after(click: UserEvent, newsroom: Newsroom) -> UserEvent:
    """The reader of an article searches for its subject."""
    query = newsroom.articles[click.article_id].subject
    return UserEvent(click.user_id, "search", click.at_ms, tz=click.tz, query=query)


async def _send(
    producer: AIOKafkaProducer, settings: Settings, record: ArticleEvent | UserEvent, sent: Counter[str]
) -> None:
    topic, key = ("articles", record.article_id) if isinstance(record, ArticleEvent) else ("events", record.user_id)
    await producer.send(settings.topic(topic), key=key.encode(), value=msgspec.json.encode(record))
    sent[topic] += 1
